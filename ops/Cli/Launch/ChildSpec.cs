namespace Cluster.Cli.Launch;

/// <summary>A process that a <see cref="Supervisor"/> starts, and starts again when it dies.</summary>
/// <param name="Name">Unique; the prefix of its log lines, e.g. <c>worker-1</c>.</param>
/// <param name="FileName">Program; not searched along PATH when it holds a slash.</param>
/// <param name="Arguments">Handed on as they are, without a shell.</param>
/// <param name="Environment">Added to the supervisor's own; null removes a variable.</param>
public sealed record ChildSpec(string Name, string FileName, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string?> Environment)
{
    /// <summary>Whether the run is over when this child ends in order: the coordinator. At most one child. It is stopped first, since it needs the others to finish its step.</summary>
    public bool EndsRun { get; init; }

    /// <summary>A remote shell whose process runs elsewhere: its environment and its signals go over standard input.</summary>
    public bool IsRemote { get; init; }

    /// <summary>Asked at every start, on the supervisor's thread: more for the environment, which goes above all else. Null = nothing.</summary>
    public Func<IReadOnlyDictionary<string, string?>>? EnvironmentAtStart { get; init; }
}

/// <summary>How a process ended, as a shell would number it: its exit code, or 128 + the signal that killed it.</summary>
public readonly record struct ChildEnd(int Code)
{
    private static readonly Dictionary<int, string> Names = new()
    {
        [1] = "SIGHUP",
        [2] = "SIGINT",
        [3] = "SIGQUIT",
        [4] = "SIGILL",
        [6] = "SIGABRT",
        [7] = "SIGBUS",
        [8] = "SIGFPE",
        [9] = "SIGKILL",
        [11] = "SIGSEGV",
        [13] = "SIGPIPE",
        [14] = "SIGALRM",
        [15] = "SIGTERM",
    };

    /// <summary>What is known about a signal that nobody here sent, as words behind the verb phrase; null = nothing.</summary>
    public string? Evidence { get; init; }

    /// <summary>Code 0.</summary>
    public bool IsDone => Code == Verbs.ExitCodes.Done;

    /// <summary>Code 137.</summary>
    public bool IsSigKill => Code == 128 + 9;

    /// <summary>Code 2: at the start of a run, starting it again would meet the same mistake.</summary>
    public bool IsMistake => Code == Verbs.ExitCodes.BadInput;

    /// <summary>Code 3: the run has failed, not the process.</summary>
    public bool IsRunFailure => Code == Verbs.ExitCodes.RunFailed;

    /// <summary>Code 130: somebody stopped it, and it ended in order.</summary>
    public bool IsInterrupted => Code == Verbs.ExitCodes.Interrupted;

    /// <summary>A verb phrase: <c>ended with code 1</c>, <c>was killed by SIGKILL</c>.</summary>
    public override string ToString() =>
        IsInterrupted ? "was interrupted"
        : Code > 128 && Code <= 128 + 64 ? $"was killed by {(Names.TryGetValue(Code - 128, out var name) ? name : $"signal {Code - 128}")}{(Evidence is null ? "" : " " + Evidence)}"
        : $"ended with code {Code}";
}
