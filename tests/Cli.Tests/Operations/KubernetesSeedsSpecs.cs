using Cluster.Cli.Nodes;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Membership.Kubernetes;
using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Tests.Operations;

/// <summary>ops/kubernetes/overlays/akka as kubectl renders it: what the pods are told fits what they may ask and whom they find.</summary>
public sealed class KubernetesSeedsSpecs
{
    private const string Account = "cluster-seeds", GossipPort = "7100";

    private static readonly Lazy<IReadOnlyList<YamlMappingNode>?> Rendered = new(static () =>
    {
        var kubectl = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static folder => Path.Combine(folder, "kubectl")).FirstOrDefault(File.Exists);
        if (kubectl is null) return null;
        var rendered = Processes.Run(kubectl, Repository.PathOf("ops/kubernetes"), "kustomize", "overlays/akka");
        return rendered.ExitCode == 0 ? Yaml.Documents(rendered.Output) : throw new InvalidOperationException(rendered.Error);
    });

    private static IReadOnlyList<YamlMappingNode> Items
    {
        get
        {
            Assert.SkipWhen(Rendered.Value is null, "kubectl is not on this machine: 'apt-get install kubernetes-client' or https://kubernetes.io/docs/tasks/tools brings it");
            return Rendered.Value!;
        }
    }

    public static TheoryData<string> Roles => ["coordinator", "ps", "worker"];

    private static YamlMappingNode One(string kind, string name) => Assert.Single(Items, item => item.TextAt("kind") == kind && item.TextAt("metadata", "name") == name);

    private static YamlNode Pod(string role) => One("StatefulSet", "cluster-" + role).At("spec", "template", "spec")!;

    private static YamlNode Container(string role) => Assert.Single(Pod(role).ItemsAt("containers"));

    private static string? Option(string role, string name) => Container(role).TextsAt("args").SingleOrDefault(word => word.StartsWith($"--{name}=", StringComparison.Ordinal))?.Split('=', 2)[1];

    [Theory]
    [MemberData(nameof(Roles))]
    public void Command_line_is_one_that_the_program_takes(string role)
    {
        KnownFlags.Assert(Container(role).TextsAt("args"), role);
        var mistakes = new List<string>();
        var settings = EngineNode.Read(new EngineTexts(Option(role, "membership"), Option(role, "seeds"), Option(role, "seeds-required"), Option(role, "cluster-listen")?.Replace("$(POD)", $"cluster-{role}-0", StringComparison.Ordinal), Option(role, "join")), mistakes);
        Assert.Empty(mistakes);
        Assert.NotNull(settings?.Pods);
        // In the pod's own namespace, so that the Role of this namespace is enough.
        Assert.Null(settings.Pods.Namespace);
    }

    [Theory]
    [InlineData("akka", "k8s:app=x", null, "--seeds 'k8s:app=x' has no port")]
    [InlineData("akka", "k8s:app=x:7100,b:7100", null, "':' stands in no label")]
    [InlineData("akka", "a:7100,k8s:app=x:7100", null, "stands alone, since selectors have commas")]
    [InlineData("akka", "k8s:app=x:7100", "0", "--seeds-required 0: must be a number from 1 to 128")]
    [InlineData("akka", "k8s:app=x:7100", "two", "--seeds-required two")]
    [InlineData("akka", "a:7100,b:7100", "2", "--seeds-required goes with --seeds k8s:")]
    [InlineData("static", null, "2", "--seeds-required goes with --membership akka")]
    public void Wrong_seeds_are_one_line_each(string membership, string? seeds, string? required, string says)
    {
        var mistakes = new List<string>();
        EngineNode.Read(new EngineTexts(membership, seeds, required, membership == "akka" ? "c:7100" : null, null), mistakes);
        var mistake = Assert.Single(mistakes);
        Assert.Contains(says, mistake, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', mistake);
    }

    [Theory]
    [InlineData("0.0.0.0:7100", "--cluster-listen 0.0.0.0:7100: the other nodes dial this very address")]
    [InlineData("a:0", "--cluster-listen a:0: the other nodes must know the port")]
    [InlineData("[::1]:7100", "--cluster-listen [::1]:7100: the engine takes host names and IPv4 addresses")]
    [InlineData(null, "--cluster-listen is missing")]
    public void Gossip_where_nobody_gets_to_is_one_line(string? listen, string says)
    {
        var mistakes = new List<string>();
        EngineNode.Read(new EngineTexts("akka", "a:7100", null, listen, null), mistakes);
        Assert.StartsWith(says, Assert.Single(mistakes), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Selector_of_the_seeds_finds_the_coordinators_and_nobody_else(string role)
    {
        var wanted = PodSelector.Parse(Option(role, "seeds")!).Selector.Split(',').Select(static pair => pair.Split('=')).ToDictionary(static pair => pair[0], static pair => pair[1]);
        Assert.Equal(["coordinator"], Roles.Select(static row => row.Data).Where(other =>
        {
            var labels = One("StatefulSet", "cluster-" + other).MapAt("spec", "template", "metadata", "labels");
            return wanted.All(pair => labels.GetValueOrDefault(pair.Key) == pair.Value);
        }));
    }

    [Fact]
    public void Coordinator_calls_itself_what_the_list_of_pods_makes_of_it()
    {
        var set = One("StatefulSet", "cluster-coordinator");
        var pod = new SeedPod("cluster-coordinator-1", set.TextAt("metadata", "namespace")!, "cluster-coordinator-1", set.TextAt("spec", "serviceName"), "10.0.0.1", "Running", Ends: false);
        var seed = Assert.Single(SeedPods.Of([pod], PodSelector.Parse(Option("coordinator", "seeds")!).Port).Seeds);
        Assert.Equal(seed.ToString(), Option("coordinator", "cluster-listen")!.Replace("$(POD)", pod.Name, StringComparison.Ordinal));
        // Also what its certificate is for, and where the others' links are sent.
        Assert.EndsWith(Assert.Single(One("Certificate", "cluster-coordinator").TextsAt("spec", "dnsNames"))[1..], seed.Name, StringComparison.Ordinal);
        Assert.Equal("$(POD).cluster-coordinator.cluster.svc:7000", Option("coordinator", "listen"));
    }

    [Fact]
    public void Majority_of_the_coordinators_begins_a_cluster()
    {
        var (required, replicas) = (int.Parse(Option("coordinator", "seeds-required")!), int.Parse(One("StatefulSet", "cluster-coordinator").TextAt("spec", "replicas")!));
        Assert.InRange(required, (replicas / 2) + 1, replicas);
        // All are started at once: the first is never ready before a second one is there.
        Assert.Equal("Parallel", One("StatefulSet", "cluster-coordinator").TextAt("spec", "podManagementPolicy"));
    }

    [Fact]
    public void Account_may_list_pods_and_nothing_else()
    {
        Assert.DoesNotContain(Items, static item => item.TextAt("kind")!.StartsWith("ClusterRole", StringComparison.Ordinal));
        var rule = Assert.Single(Assert.Single(Items, static item => item.TextAt("kind") == "Role").ItemsAt("rules"));
        Assert.Equal([""], rule.TextsAt("apiGroups"));
        Assert.Equal(["pods"], rule.TextsAt("resources"));
        Assert.Equal(["list"], rule.TextsAt("verbs"));
        var binding = Assert.Single(Items, static item => item.TextAt("kind") == "RoleBinding");
        Assert.Equal(("Role", Account), (binding.TextAt("roleRef", "kind"), binding.TextAt("roleRef", "name")));
        var subject = Assert.Single(binding.ItemsAt("subjects"));
        Assert.Equal(("ServiceAccount", Account, "cluster"), (subject.TextAt("kind"), subject.TextAt("name"), subject.TextAt("namespace")));
        Assert.Equal("false", One("ServiceAccount", Account).TextAt("automountServiceAccountToken"));
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Pod_has_the_account_and_its_gossip_port_is_open_to_the_run_alone(string role)
    {
        Assert.Equal((Account, "true"), (Pod(role).TextAt("serviceAccountName"), Pod(role).TextAt("automountServiceAccountToken")));
        Assert.EndsWith(":" + GossipPort, Option(role, "cluster-listen"), StringComparison.Ordinal);
        Assert.EndsWith(":" + GossipPort, Option(role, "seeds"), StringComparison.Ordinal);
        Assert.Equal(GossipPort, Container(role).ItemsAt("ports").Single(static port => port.TextAt("name") == "gossip").TextAt("containerPort"));
        var policy = One("NetworkPolicy", "cluster-gossip");
        var rule = Assert.Single(policy.ItemsAt("spec", "ingress"));
        Assert.Equal([GossipPort], rule.ItemsAt("ports").Select(static port => port.TextAt("port")));
        Assert.Equal("cluster", Assert.Single(rule.ItemsAt("from")).TextAt("podSelector", "matchLabels", "app.kubernetes.io/name"));
        var labels = One("StatefulSet", "cluster-" + role).MapAt("spec", "template", "metadata", "labels");
        Assert.All(policy.MapAt("spec", "podSelector", "matchLabels"), pair => Assert.Equal(pair.Value, labels[pair.Key]));
        // The way to the API server is open on its two ports, and no other.
        Assert.Equal(["443", "6443"], Assert.Single(policy.ItemsAt("spec", "egress")).ItemsAt("ports").Select(static port => port.TextAt("port")));
    }

    [Fact]
    public void Only_the_first_coordinator_writes_the_runs_folder_and_the_others_wait_for_it()
    {
        var prepare = Assert.Single(Pod("coordinator").ItemsAt("initContainers"));
        var script = Assert.Single(prepare.TextsAt("args"));
        Assert.StartsWith("case $POD in *-0) test -e /runs/run/config.yaml || exec cluster launch --prepare", script, StringComparison.Ordinal);
        Assert.Contains(prepare.ItemsAt("env"), static variable => variable.TextAt("name") == "POD");
        var folder = Directory.CreateTempSubdirectory("prepare-").FullName;
        try
        {
            // The script itself, with a program of that name that leaves what it was told.
            File.WriteAllText(Path.Combine(folder, "cluster"), "#!/bin/sh\necho \"$@\" > told; touch config.yaml\n");
            File.SetUnixFileMode(Path.Combine(folder, "cluster"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var here = script.Replace("/runs/run/config.yaml", "config.yaml", StringComparison.Ordinal);
            foreach (var pod in (string[])["cluster-coordinator-0", "cluster-coordinator-1", "cluster-coordinator-10"])
                Assert.Equal(0, Processes.Run("/bin/sh", folder, "-c", $"export PATH={folder}:$PATH POD={pod}; {here}").ExitCode);
            Assert.StartsWith("launch --prepare --recipe", File.ReadAllText(Path.Combine(folder, "told")), StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
