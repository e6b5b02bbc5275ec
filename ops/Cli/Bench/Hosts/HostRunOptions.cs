using System.Globalization;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>A run over several hosts; <see cref="HostLayout"/> says what runs where.</summary>
internal sealed record HostRunOptions
{
    /// <summary>Processes that hold shards.</summary>
    public int Ps { get; init; } = 2;

    public int Workers { get; init; } = 2;

    public int Steps { get; init; } = 60;

    public int Seed { get; init; } = 11;

    /// <summary>Global batch: large enough that fewer steps pass while a fault lasts than lie between two.</summary>
    public int Batch { get; init; } = 32;

    /// <summary>What every <c>node</c> is told about the protection of its connections: <c>--insecure</c>, or where its certificates lie.</summary>
    public IReadOnlyList<string> Security { get; init; } = ["--insecure"];

    /// <summary>The program; null = this one.</summary>
    public string? Program { get; init; }

    /// <summary>Gets a line whenever something is known.</summary>
    public Action<string> Progress { get; init; } = static _ => { };

    /// <summary>Two coordinators, which find each other and the others through Akka.Cluster, instead of one at a known address.</summary>
    public bool Gossips { get; init; }

    /// <summary>Hosts that this needs.</summary>
    public int Hosts => (Gossips ? 2 : 1) + Math.Max(Ps, Workers);

    /// <summary>Options of the run, for <c>train</c> and <c>launch</c> alike.</summary>
    public string[] RunArguments =>
    [
        "--data", "synthetic", "--model", "small-cnn", "--batch", Text(Batch), "--microbatches", "8", "--seed", Text(Seed), "--steps", Text(Steps), "--evaluate", "false",
        "--checkpoint-every", "20", "--checkpoint-keep", "2", "--workers", Text(Workers), "--ps", Text(Ps),
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A fault that was struck.</summary>
/// <param name="Strike">When.</param>
/// <param name="Over">When the network was whole and all hosts had power again.</param>
/// <param name="Next">When the first step after that was recorded.</param>
/// <param name="LongestPause">The longest time without a record from the strike to <paramref name="Next"/>, in seconds.</param>
internal sealed record StruckHostFault(HostFault Fault, DateTimeOffset Strike, DateTimeOffset Over, DateTimeOffset Next, double LongestPause)
{
    /// <summary>Seconds from the end of the fault to the next record.</summary>
    public double Recovery => (Next - Over).TotalSeconds;
}

/// <summary>What a run over hosts left.</summary>
/// <param name="Hash">Of the state; null if the run did not finish.</param>
/// <param name="Missing">Steps of which there is no record.</param>
/// <param name="Twice">Steps of which there is more than one record.</param>
/// <param name="Differing">Steps whose record has another loss, norm or rate than that of the undisturbed run.</param>
/// <param name="WentBack">A sentence if a record that was there changed or went later.</param>
/// <param name="Audit">The last line of <c>audit</c>; null if it is clean.</param>
internal sealed record HostRunResult(string? Hash, string UndisturbedHash, int Records, int Missing, int Twice, int Differing, string? WentBack, string? Audit)
{
    public bool IsSame => Hash == UndisturbedHash && Missing == 0 && Twice == 0 && Differing == 0 && WentBack is null && Audit is null;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Records} records, {Missing} missing, {Twice} twice, {Differing} differ; state {Hash ?? "none"}, undisturbed {UndisturbedHash}{(WentBack is null ? "" : "; " + WentBack)}{(Audit is null ? "; the audit is clean" : "; audit: " + Audit)}");
}
