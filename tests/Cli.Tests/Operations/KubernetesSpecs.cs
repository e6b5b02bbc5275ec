using Cluster.Cli.Configuration;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Coordinator.Monitor.Health;
using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Tests.Operations;

/// <summary>ops/kubernetes, held against the program that it starts and against itself; rendered where kubectl is there.</summary>
public sealed class KubernetesSpecs
{
    private static readonly string Folder = Repository.PathOf("ops/kubernetes");

    public static TheoryData<string> Roles => ["coordinator", "ps", "worker"];

    public static TheoryData<string> Places => ["base", "overlays/gpu", "overlays/small", "overlays/akka"];

    private static IReadOnlyList<YamlMappingNode> Base { get; } =
        [.. Directory.EnumerateFiles(Path.Combine(Folder, "base"), "*.yaml").Where(static path => Path.GetFileName(path) is not ("kustomization.yaml" or "run.yaml")).SelectMany(static path => Yaml.Documents(File.ReadAllText(path)))];

    private static YamlMappingNode One(string kind, string name) => Assert.Single(Base, item => item.TextAt("kind") == kind && item.TextAt("metadata", "name") == name);

    private static YamlNode Container(string role) => Assert.Single(One("StatefulSet", "cluster-" + role).ItemsAt("spec", "template", "spec", "containers"));

    [Fact]
    public void Every_file_is_named_by_the_kustomization_and_every_resource_has_kind_and_name()
    {
        var listed = Yaml.Documents(File.ReadAllText(Path.Combine(Folder, "base/kustomization.yaml")))[0].TextsAt("resources");
        var there = Directory.EnumerateFiles(Path.Combine(Folder, "base"), "*.yaml").Select(static path => Path.GetFileName(path)).Where(static name => name is not ("kustomization.yaml" or "run.yaml"));
        Assert.Equal(there.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
        Assert.All(Base, static item => Assert.True(item.TextAt("apiVersion") is { Length: > 0 } && item.TextAt("kind") is { Length: > 0 } && item.TextAt("metadata", "name") is { Length: > 0 }));
        Assert.Distinct(Base.Select(static item => (item.TextAt("kind"), item.TextAt("metadata", "name"))));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Selectors_of_a_role_find_its_pods_and_no_others(string role)
    {
        var labels = One("StatefulSet", "cluster-" + role).MapAt("spec", "template", "metadata", "labels");
        Assert.Equal(role, labels["app.kubernetes.io/component"]);
        foreach (var selector in (IReadOnlyDictionary<string, string>[])[
            One("StatefulSet", "cluster-" + role).MapAt("spec", "selector", "matchLabels"), One("Service", "cluster-" + role).MapAt("spec", "selector"), One("PodDisruptionBudget", "cluster-" + role).MapAt("spec", "selector", "matchLabels")])
        {
            Assert.NotEmpty(selector);
            Assert.All(selector, pair => Assert.Equal(pair.Value, labels[pair.Key]));
            foreach (var other in Roles.Select(static row => row.Data).Where(other => other != role))
                Assert.False(selector.All(pair => One("StatefulSet", "cluster-" + other).MapAt("spec", "template", "metadata", "labels").GetValueOrDefault(pair.Key) == pair.Value));
        }
        Assert.Equal("cluster-" + role, One("StatefulSet", "cluster-" + role).TextAt("spec", "serviceName"));
    }

    [Fact]
    public void Policies_select_pods_that_there_are()
    {
        var pods = Roles.Select(role => One("StatefulSet", $"cluster-{role.Data}").MapAt("spec", "template", "metadata", "labels")).ToList();
        var policies = Base.Where(static item => item.TextAt("kind") == "NetworkPolicy").ToList();
        Assert.True(policies.Count >= 4);
        Assert.All(policies, policy => Assert.Contains(pods, labels => policy.MapAt("spec", "podSelector", "matchLabels").All(pair => labels.GetValueOrDefault(pair.Key) == pair.Value)));
        // Nothing is open to everybody.
        Assert.All(policies.SelectMany(static policy => policy.ItemsAt("spec", "ingress")), static rule => Assert.NotEmpty(rule.ItemsAt("from")));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Command_line_is_one_that_the_program_knows(string role)
    {
        var words = Container(role).TextsAt("args");
        KnownFlags.Assert(words, role);
        Assert.Contains("--role=" + role, words);
        Assert.Contains("--tls=/etc/cluster/tls", words);
        Assert.Contains(Container(role).ItemsAt("volumeMounts"), static mount => mount.TextAt("mountPath") == "/etc/cluster/tls");
    }

    [Fact]
    public void Preparing_is_a_command_line_that_the_program_knows_with_a_recipe_that_it_reads()
    {
        var script = Assert.Single(Assert.Single(One("StatefulSet", "cluster-coordinator").ItemsAt("spec", "template", "spec", "initContainers")).TextsAt("args"));
        var words = script[script.IndexOf("exec cluster ", StringComparison.Ordinal)..].Split(' ')[2..];
        KnownFlags.Assert(words, "prepare");
        Assert.Contains("/runs/run", words);
        Assert.Contains("--run=/runs/run", Container("coordinator").TextsAt("args"));
    }

    [Theory]
    [InlineData("base")]
    [InlineData("overlays/small")]
    public void Recipe_is_sound_and_fits_the_replicas_and_the_port_of_the_page(string place)
    {
        var path = Path.Combine(Folder, place, "run.yaml");
        using var world = new World();
        var options = world.Resolve(path).Options;
        Assert.Equal("0.0.0.0:9464", options.Monitor);
        Assert.Contains("--insecure", Container("coordinator").TextsAt("args"));
        var replicas = place == "base"
            ? (int.Parse(One("StatefulSet", "cluster-worker").TextAt("spec", "replicas")!), int.Parse(One("StatefulSet", "cluster-ps").TextAt("spec", "replicas")!))
            : (Patched("cluster-worker"), Patched("cluster-ps"));
        Assert.Equal((options.Workers, options.Ps), replicas);

        int Patched(string name) => int.Parse(Yaml.Documents(File.ReadAllText(Path.Combine(Folder, place, "kustomization.yaml")))[0].ItemsAt("patches").Where(patch => patch.TextAt("target", "name") == name)
            .SelectMany(static patch => ((YamlSequenceNode)ParseAny(patch.TextAt("patch")!)).Children).Single(static op => op.TextAt("path") == "/spec/replicas").TextAt("value")!);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Ports_are_the_same_in_the_arguments_the_container_the_service_and_the_policy(string role)
    {
        var container = Container(role);
        var ports = container.ItemsAt("ports").ToDictionary(static port => port.TextAt("name")!, static port => port.TextAt("containerPort")!);
        var words = container.TextsAt("args");
        var listen = words.SingleOrDefault(static word => word.StartsWith("--listen=", StringComparison.Ordinal));
        Assert.Equal(listen?.Split(':')[^1], ports.GetValueOrDefault("link"));
        if (role != "coordinator") Assert.Contains("--monitor=0.0.0.0:" + ports["monitor"], words);
        foreach (var port in One("Service", "cluster-" + role).ItemsAt("spec", "ports"))
        {
            Assert.Equal(ports[port.TextAt("targetPort")!], port.TextAt("port"));
        }
        if (listen is not null)
        {
            var open = One("NetworkPolicy", "cluster-" + role).ItemsAt("spec", "ingress").SelectMany(static rule => rule.ItemsAt("ports")).Select(static port => port.TextAt("port"));
            Assert.Equal([ports["link"]], open);
        }
        // Whoever dials the coordinator dials its port.
        if (words.SingleOrDefault(static word => word.StartsWith("--join=", StringComparison.Ordinal)) is { } join)
            Assert.Equal("--join=cluster-coordinator-0.cluster-coordinator.cluster.svc:7000", join);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Probes_ask_what_the_program_answers(string role)
    {
        var container = Container(role);
        Assert.Equal(HealthRoutes.Live, container.TextAt("livenessProbe", "httpGet", "path"));
        Assert.Equal(HealthRoutes.Ready, container.TextAt("readinessProbe", "httpGet", "path"));
        Assert.Contains(container.TextAt("startupProbe", "httpGet", "path"), (string[])[HealthRoutes.Live, HealthRoutes.Ready]);
        foreach (var probe in (string[])["startupProbe", "livenessProbe", "readinessProbe"]) Assert.Equal("monitor", container.TextAt(probe, "httpGet", "port"));
        // A stall counts after 30 s: the probe must not be quicker to kill than that.
        Assert.True(int.Parse(container.TextAt("livenessProbe", "periodSeconds")!) * int.Parse(container.TextAt("livenessProbe", "failureThreshold")!) >= Turns.Patience.TotalSeconds);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Pod_has_no_rights_that_it_does_not_need(string role)
    {
        var pod = One("StatefulSet", "cluster-" + role).At("spec", "template", "spec");
        Assert.Equal(("true", "RuntimeDefault", "false"), (pod.TextAt("securityContext", "runAsNonRoot"), pod.TextAt("securityContext", "seccompProfile", "type"), pod.TextAt("automountServiceAccountToken")));
        foreach (var container in pod.ItemsAt("containers").Concat(pod.ItemsAt("initContainers")))
        {
            Assert.Equal(("true", "false"), (container.TextAt("securityContext", "readOnlyRootFilesystem"), container.TextAt("securityContext", "allowPrivilegeEscalation")));
            Assert.Equal(["ALL"], container.TextsAt("securityContext", "capabilities", "drop"));
            Assert.NotNull(container.TextAt("resources", "requests", "cpu"));
            Assert.NotNull(container.TextAt("resources", "limits", "memory"));
        }
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Certificate_names_the_role_and_is_mounted_under_the_names_that_the_program_reads(string role)
    {
        var certificate = One("Certificate", "cluster-" + role);
        Assert.Equal([$"urn:cluster:role:{role}"], certificate.TextsAt("spec", "uris"));
        Assert.Equal([$"*.cluster-{role}.cluster.svc"], certificate.TextsAt("spec", "dnsNames"));
        var usages = certificate.TextsAt("spec", "usages");
        Assert.Contains("server auth", usages);
        Assert.Contains("client auth", usages);
        var source = Assert.Single(One("StatefulSet", "cluster-" + role).ItemsAt("spec", "template", "spec", "volumes").Single(static volume => volume.TextAt("name") == "tls").ItemsAt("projected", "sources"));
        Assert.Equal(certificate.TextAt("spec", "secretName"), source.TextAt("secret", "name"));
        Assert.Equal(["ca.pem", $"{role}.key", $"{role}.pem"], source.ItemsAt("secret", "items").Select(static item => item.TextAt("path")!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Places))]
    public void Kubectl_renders_it(string place)
    {
        var kubectl = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists);
        Assert.SkipWhen(kubectl is null, "kubectl is not on this machine: 'apt-get install kubernetes-client' or https://kubernetes.io/docs/tasks/tools brings it");
        var rendered = Processes.Run(kubectl!, Folder, "kustomize", place);
        Assert.True(rendered.ExitCode == 0, rendered.Error);
        var items = Yaml.Documents(rendered.Output);
        Assert.Equal(3, items.Count(static item => item.TextAt("kind") == "StatefulSet"));
        var worker = items.Single(static item => item.TextAt("kind") == "StatefulSet" && item.TextAt("metadata", "name") == "cluster-worker").ItemsAt("spec", "template", "spec", "containers")[0];
        KnownFlags.Assert(worker.TextsAt("args"), place);
        Assert.Equal(place == "overlays/gpu" ? "1" : null, worker.TextAt("resources", "limits", "nvidia.com/gpu"));
        Assert.Equal(place != "overlays/small", items.Any(static item => item.TextAt("kind") == "Certificate"));
        foreach (var set in items.Where(static item => item.TextAt("kind") == "StatefulSet"))
            Assert.Equal(place != "overlays/small", Assert.Single(set.ItemsAt("spec", "template", "spec", "containers")).TextsAt("args").Contains("--tls=/etc/cluster/tls"));
        // A recipe of its own name, so that a changed one starts the pods anew.
        Assert.Single(items, static item => item.TextAt("kind") == "ConfigMap" && item.TextAt("metadata", "name")!.StartsWith("cluster-run-", StringComparison.Ordinal));
    }

    private static YamlNode ParseAny(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents[0].RootNode;
    }
}
