namespace Cluster.Chaos;

/// <summary>A run, what is done to it, and what it is held against.</summary>
public sealed record ChaosOptions
{
    /// <summary>The <c>cluster</c> program: the script or the built executable.</summary>
    public required string Program { get; init; }

    /// <summary>Options of <c>launch</c>, without <c>--steps</c>, <c>--workers</c>, <c>--ps</c>, <c>--out</c> and <c>--fault</c>.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    public required RunShape Run { get; init; }

    public required FaultPlan Plan { get; init; }

    /// <summary>Folder of the disturbed run and of the report; <c>undisturbed/</c> in it is the other run. Holds no run yet.</summary>
    public required string Out { get; init; }

    /// <summary>The state's SHA-256 that must come out; null: an undisturbed run of the same options finds it.</summary>
    public string? Expect { get; init; }

    /// <summary>A fault that missed fails the run.</summary>
    public bool Strict { get; init; }

    /// <summary>The command that does all of this again, for the report; null: made from the rest.</summary>
    public string? Replay { get; init; }

    /// <summary>Hears every line of the processes and of the chaos itself: text, whether it belongs on standard error. Any thread.</summary>
    public Action<string, bool> Say { get; init; } = static (_, _) => { };

    /// <summary>What <see cref="Arguments"/> and <see cref="Run"/> come to.</summary>
    internal IReadOnlyList<string> RunArguments =>
        [.. Arguments, "--steps", $"{Run.Steps}", "--workers", $"{Run.Workers}", "--ps", $"{Run.Shards}", "--replicas", $"{Run.Replicas}"];

    internal string CommandToReplay => Replay ?? string.Join(' ', (string[])["cluster", "chaos", "--plan", Path.Combine(Out, ChaosRun.PlanName), .. RunArguments, "--out", Out + "-again"]);
}
