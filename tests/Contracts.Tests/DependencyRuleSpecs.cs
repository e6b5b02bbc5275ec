using System.Text.RegularExpressions;

namespace Cluster.Contracts.Tests;

/// <summary>References point one way: Contracts ← everything; Core sees Contracts only; TorchSharp is seen by Models alone; only ops/Cli composes.</summary>
public sealed partial class DependencyRuleSpecs
{
    private const string Contracts = "Messages/Contracts", Core = "Coordinator/Core", Link = "Messages/Link", Remoting = "Messages/Remoting", Membership = "Messages/Membership", TorchSharp = "Models/TorchSharp", Chaos = "ops/Chaos", Simulation = "tests/Simulation";

    /// <summary>Per project (or all below a folder, with a star): the projects it may see, through whatever chain. Longest match wins.</summary>
    private static readonly (string Who, string[] MaySee, string Why)[] Rules =
    [
        (Contracts, [], "Contracts is the leaf: everything depends on it, so it depends on nothing"),
        (Core, [Contracts], "the core is pure: it decides, from messages alone"),
        (Link, [Contracts], "the transport carries messages and knows nobody who sends them"),
        (Remoting, [Contracts, Link], "remoting carries actors' messages over the transport and knows no actor"),
        (Membership, [Contracts, Link], "membership says who is there, not what they do"),
        (TorchSharp, [], "the binding is a library of its own"),
        ("Models/Architectures", [Contracts, TorchSharp], "an architecture is structure and nothing else"),
        ("Models/Engine", [Contracts, TorchSharp, "Models/Architectures"], "the engine turns spans into spans and knows no actor"),
        ("Workers/Data", [Contracts], "data turns bytes into batches; tensors begin in the engine"),
        ("Workers/Actors", [Contracts, Core, Link, Membership, "Workers/Data"], "a worker adds as the server does (decision 0004), reaches its device through IGradientEngine, and the server through messages"),
        ("Coordinator/*", [Contracts, Core, Link, Membership], "the server's arithmetic is in the core: no TorchSharp, no worker, no sibling"),
        ("ops/Cli", ["Messages/*", "Models/*", "Workers/*", "Coordinator/*", Chaos, Simulation], "only the command line composes the rest"),
        (Chaos, [Contracts], "faults, plans, the proxy and the report know no actor: what strikes a run stands outside of it"),
        (Simulation, [Contracts, Core, Chaos], "the simulator drives the pure core on a virtual clock: no actor, no socket, no device"),
        ("ops/build/ahead", [], "it brings a compiler and builds nothing"),
        ("tests/*", ["*"], "tests see what they test"),
    ];

    /// <summary>Packages that only some may see.</summary>
    private static readonly (string Package, string[] SeenBy, string Why)[] PackageRules =
    [
        ("Akka", [Remoting, "Messages/Membership", "Workers/Actors", "Coordinator/Actors", "Coordinator/ParameterServer", "Coordinator/Monitor", "ops/Cli", "tests/*"], "actors stay out of the core, the models and the data"),
        ("OpenTelemetry*", ["Coordinator/Monitor", "ops/Cli", "tests/*"], "hosts add exporters; the rest knows ClusterTelemetry"),
    ];

    private static bool Matches(string pattern, string name) =>
        pattern.EndsWith('*') ? name.StartsWith(pattern[..^1], StringComparison.Ordinal) : pattern == name;

    private static List<string> Violations(ProjectGraph graph)
    {
        var found = new List<string>();
        foreach (var project in graph.Projects)
        {
            var rule = Rules.Where(r => Matches(r.Who, project.Folder)).OrderByDescending(r => r.Who.Length).FirstOrDefault();
            if (rule.Who is null)
            {
                found.Add($"{project.Folder}: no rule says what it may see; add one to {nameof(DependencyRuleSpecs)}");
                continue;
            }
            foreach (var (seen, way) in graph.SeenBy(project.Folder))
            {
                if (!seen.StartsWith("package ", StringComparison.Ordinal))
                {
                    // The simulator is a library that lives beside the tests: `cluster chaos --sim` runs it.
                    if (seen != Simulation && seen.StartsWith("tests/", StringComparison.Ordinal) && !project.Folder.StartsWith("tests/", StringComparison.Ordinal)) found.Add($"{project.Folder} sees a test project ({way})");
                    else if (!rule.MaySee.Any(p => Matches(p, seen))) found.Add($"{project.Folder} must not see {seen} ({way}): {rule.Why}");
                    continue;
                }
                var package = seen["package ".Length..];
                foreach (var limit in PackageRules.Where(r => Matches(r.Package, package) && !r.SeenBy.Any(p => Matches(p, project.Folder))))
                    found.Add($"{project.Folder} must not see {package} ({way}): {limit.Why}");
            }
            if (project.Folder is Contracts or Core)
                found.AddRange(project.Packages.Where(p => project.Folder == Core || p != "MessagePack").Select(p => $"{project.Folder} takes no package, but asks for {p}"));
        }
        return found;
    }

    [Fact]
    public void References_of_the_repository_point_one_way()
    {
        var graph = ProjectGraph.OfRepository();
        Assert.Contains(graph.Projects, p => p.Folder == Contracts);
        Assert.Contains(graph.Projects, p => p.Folder == "ops/Cli");
        var violations = Violations(graph);
        Assert.True(violations.Count == 0, string.Join('\n', violations));
    }

    [Theory]
    [InlineData("Workers/Data", "Models/Engine", null, "Workers/Data must not see Models/TorchSharp (Workers/Data -> Models/Engine -> Models/TorchSharp)")]
    [InlineData(Contracts, Core, null, "Messages/Contracts must not see Coordinator/Core (Messages/Contracts -> Coordinator/Core)")]
    [InlineData("Coordinator/Actors", "Workers/Actors", null, "Coordinator/Actors must not see Workers/Actors")]
    [InlineData("Coordinator/Actors", "Coordinator/ParameterServer", null, "Coordinator/Actors must not see Coordinator/ParameterServer")]
    [InlineData(Remoting, Core, null, "Messages/Remoting must not see Coordinator/Core (Messages/Remoting -> Coordinator/Core)")]
    [InlineData(Link, null, "Akka", "Messages/Link must not see Akka")]
    [InlineData(Core, null, "Akka", "Coordinator/Core must not see Akka (Coordinator/Core -> package Akka)")]
    [InlineData(Core, null, "System.Text.Json", "Coordinator/Core takes no package, but asks for System.Text.Json")]
    [InlineData("ops/Cli", "tests/Core.Tests", null, "ops/Cli sees a test project")]
    [InlineData("ops/Unheard", null, null, "ops/Unheard: no rule says what it may see")]
    public void Forbidden_edge_is_found_and_its_way_printed(string from, string? to, string? package, string expected)
    {
        List<Project> projects =
        [
            new(Contracts, [], ["MessagePack"]), new(Link, [Contracts], []), new(Remoting, [Contracts, Link], ["Akka", "MessagePack"]), new(Core, [Contracts], []), new(TorchSharp, [], []), new("Models/Engine", [Contracts, TorchSharp], []),
            new("Workers/Data", [Contracts], []), new("Workers/Actors", ["Workers/Data"], ["Akka"]), new("Coordinator/Actors", [Core], ["Akka"]),
            new("Coordinator/ParameterServer", [Core], ["Akka"]), new("ops/Cli", ["Models/Engine", "Coordinator/Actors", "Workers/Actors"], ["Akka"]), new("tests/Core.Tests", [Core], []),
        ];
        Assert.Empty(Violations(new ProjectGraph(projects)));
        var at = projects.FindIndex(p => p.Folder == from);
        var project = at < 0 ? new Project(from, [], []) : projects[at];
        project = project with { References = [.. project.References, .. to is null ? [] : new[] { to }], Packages = [.. project.Packages, .. package is null ? [] : new[] { package }] };
        if (at < 0) projects.Add(project);
        else projects[at] = project;
        Assert.Contains(Violations(new ProjectGraph(projects)), v => v.StartsWith(expected, StringComparison.Ordinal));
    }

    /// <summary>ops/Cli sees TorchSharp through the engine that it composes; this keeps it, and everybody else, from using it.</summary>
    [Fact]
    public void Sources_outside_models_and_tests_name_no_tensor_library()
    {
        var offenders =
            from path in Directory.EnumerateFiles(ProjectGraph.Root, "*.cs", SearchOption.AllDirectories)
            let file = Path.GetRelativePath(ProjectGraph.Root, path).Replace('\\', '/')
            where file.Split('/')[0] is "Messages" or "Workers" or "Coordinator" or "ops"
            from line in File.ReadLines(path).Select((text, index) => (Text: text, Number: index + 1))
            where UsesTorchSharp().IsMatch(line.Text)
            select $"{file}, line {line.Number}: {line.Text.Trim()}";
        Assert.Empty(offenders);
        Assert.Matches(UsesTorchSharp(), "using TorchSharp;");
        Assert.Matches(UsesTorchSharp(), "global using static TorchSharp.torch;");
        Assert.Matches(UsesTorchSharp(), "    var x = TorchSharp.torch.zeros(1);");
        Assert.DoesNotMatch(UsesTorchSharp(), "/// No TorchSharp here.");
    }

    [GeneratedRegex(@"^\s*(global\s+)?using\s+(static\s+|\w+\s*=\s*)?TorchSharp\b|\bTorchSharp\.torch\b", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex UsesTorchSharp();
}
