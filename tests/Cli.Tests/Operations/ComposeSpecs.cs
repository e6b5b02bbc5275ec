using Cluster.Cli.Tests.EndToEnd;
using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Tests.Operations;

/// <summary>ops/compose and the Dockerfile, held against the program, the recipe and each other; 'docker compose config' where it is there.</summary>
public sealed class ComposeSpecs
{
    private static readonly string Folder = Repository.PathOf("ops/compose");

    private static readonly YamlMappingNode File_ = Yaml.Documents(File.ReadAllText(Path.Combine(Folder, "compose.yaml")))[0];

    private static IEnumerable<(string Name, YamlNode Service)> Services => ((YamlMappingNode)File_.At("services")!).Children.Select(static pair => (((YamlScalarNode)pair.Key).Value!, pair.Value));

    private static IReadOnlyList<(string Name, IReadOnlyList<string> Words)> Nodes =>
        [.. Services.Select(static s => (s.Name, Words: s.Service.TextsAt("command"))).Where(static s => s.Words is ["node", ..])];

    [Fact]
    public void Command_lines_are_such_that_the_program_knows_and_meet_at_one_address()
    {
        Assert.Equal(6, Nodes.Count);
        foreach (var (name, words) in Nodes)
        {
            KnownFlags.Assert(words, name);
            Assert.Contains("--secret-file=/run/secrets/join-secret", words);
            if (name == "coordinator") Assert.Contains("--listen=0.0.0.0:7000", words);
            else Assert.Contains("--join=coordinator:7000", words);
            if (name != "coordinator") Assert.Contains("--name=" + name, words);
            if (name.StartsWith("ps-", StringComparison.Ordinal)) Assert.Contains($"--listen={name}:7001", words);
        }
    }

    [Fact]
    public void Recipe_is_sound_and_fits_the_services()
    {
        using var world = new World();
        var options = world.Resolve(Path.Combine(Folder, "run.yaml")).Options;
        Assert.Equal((options.Workers, options.Ps), (Nodes.Count(static n => n.Name.StartsWith("worker-", StringComparison.Ordinal)), Nodes.Count(static n => n.Name.StartsWith("ps-", StringComparison.Ordinal))));
        Assert.Equal("0.0.0.0:9464", options.Monitor);
    }

    [Fact]
    public void Files_that_are_mounted_are_there()
    {
        var mounted = Services.SelectMany(static s => s.Service.TextsAt("volumes")).Select(static volume => volume.Split(':')[0]).Where(static source => source.StartsWith('.')).ToList();
        Assert.True(mounted.Count >= 5, string.Join(' ', mounted));
        Assert.All(mounted, static source => Assert.True(Path.Exists(Path.GetFullPath(Path.Combine(Folder, source))), source));
        Assert.Contains(mounted, static source => source == "../grafana");
    }

    [Fact]
    public void Every_file_parses_and_names_services_that_there_are()
    {
        var names = Services.Select(static s => s.Name).ToHashSet();
        Assert.Superset(new HashSet<string> { "collector", "prometheus", "grafana", "coordinator" }, names);
        var targets = Yaml.Documents(File.ReadAllText(Path.Combine(Folder, "prometheus.yml")))[0].ItemsAt("scrape_configs").SelectMany(static job => job.ItemsAt("static_configs")).SelectMany(static c => c.TextsAt("targets")).ToList();
        Assert.NotEmpty(targets);
        Assert.All(targets, target => Assert.Contains(target.Split(':')[0], names));
        foreach (var file in (string[])["collector.yaml", "grafana/datasources/prometheus.yaml", "grafana/dashboards/cluster.yaml"]) Assert.NotEmpty(Yaml.Documents(File.ReadAllText(Path.Combine(Folder, file))));
    }

    [Fact]
    public void Containers_of_the_run_have_no_rights_that_they_do_not_need()
    {
        var node = File_.At("x-node");
        Assert.Equal(("true", "10001:10001"), (node.TextAt("read_only"), node.TextAt("user")));
        Assert.Equal(["ALL"], node.TextsAt("cap_drop"));
        // What is published is published on this machine alone.
        Assert.All(Services.SelectMany(static s => s.Service.TextsAt("ports")), static port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Fact]
    public void Image_runs_as_another_user_than_root_and_starts_the_program()
    {
        var lines = File.ReadAllLines(Repository.PathOf("Dockerfile"));
        Assert.Equal(2, lines.Count(static line => line.StartsWith("FROM debian:bookworm-slim", StringComparison.Ordinal)));
        Assert.Contains("USER 10001:10001", lines);
        Assert.Contains("ENTRYPOINT [\"cluster\"]", lines);
        foreach (var secret in (string[])["*.key", "join-secret*", ".git"]) Assert.Contains(secret, File.ReadAllLines(Repository.PathOf(".dockerignore")));
    }

    [Fact]
    public void Secrets_are_drawn_once_and_git_does_not_see_them()
    {
        using var world = new World();
        var script = world.Write("secrets.sh", File.ReadAllText(Path.Combine(Folder, "secrets.sh")));
        Assert.Equal((0, ""), Outcome(Processes.Run("bash", world.Folder, script)));
        var drawn = File.ReadAllText(world.PathOf("secrets/join-secret"));
        Assert.Matches("^[0-9a-f]{64}$", drawn);
        Assert.Equal((0, ""), Outcome(Processes.Run("bash", world.Folder, script)));
        Assert.Equal(drawn, File.ReadAllText(world.PathOf("secrets/join-secret")));
        Assert.Equal($"CLUSTER_MONITOR_TOKEN={File.ReadAllText(world.PathOf("secrets/monitor-token"))}\n", File.ReadAllText(world.PathOf("secrets/monitor.env")));
        Assert.Contains("secrets/", File.ReadAllLines(Path.Combine(Folder, ".gitignore")));

        static (int, string) Outcome(Outcome outcome) => (outcome.ExitCode, outcome.Error);
    }

    [Fact]
    public void Docker_compose_accepts_it()
    {
        Assert.SkipWhen(Compose() is null, "neither 'docker compose' nor docker-compose is on this machine: 'apt-get install docker-compose' brings the latter");
        using var world = new World();
        // A copy: the secrets that a user has drawn stay what they are.
        var folder = world.PathOf("compose");
        Assert.Equal(0, Processes.Run("cp", world.Folder, "-r", Folder, folder).ExitCode);
        Assert.Equal(0, Processes.Run("bash", folder, "secrets.sh").ExitCode);

        var accepted = Config("compose.yaml");
        Assert.True(accepted.ExitCode == 0, accepted.Error);
        Assert.All(Services, service => Assert.Contains($"\n  {service.Name}:\n", accepted.Output));

        world.Write("compose/typo.yaml", File.ReadAllText(Path.Combine(Folder, "compose.yaml")).Replace("stop_grace_period:", "stop_grace:", StringComparison.Ordinal));
        Assert.NotEqual(0, Config("typo.yaml").ExitCode);

        Outcome Config(string file) => Processes.Run(Compose()![0], folder, [.. Compose()![1..], "-f", file, "config"]);
    }

    [Fact]
    public void Project_has_a_name_of_its_own() => Assert.Equal(["COMPOSE_PROJECT_NAME=cluster"], File.ReadAllLines(Path.Combine(Folder, ".env")));

    /// <summary>The command on this machine; null if there is none.</summary>
    private static string[]? Compose()
    {
        if (IsInstalled("docker") && Processes.Run("docker", Folder, "compose", "version").ExitCode == 0) return ["docker", "compose"];
        return IsInstalled("docker-compose") ? ["docker-compose"] : null;

        static bool IsInstalled(string program) => File.Exists("/usr/bin/" + program) || File.Exists("/usr/local/bin/" + program);
    }
}
