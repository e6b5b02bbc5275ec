using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>What can be done to a run as a whole, while none of its processes is left to strike it.</summary>
public enum RunFaultKind
{
    /// <summary>SIGKILL to the supervisor of <c>launch</c>; its processes end with it, and the run is resumed.</summary>
    KillSupervisor,

    /// <summary>The supervisor dies, and before the run is resumed the newest checkpoint's largest file is cut in the middle.</summary>
    TearCheckpoint,
}

/// <summary>A fault of the whole run: <c>kill:supervisor@STEP</c> or <c>tear:checkpoint@STEP</c>.</summary>
/// <param name="Step">It strikes when this step is committed.</param>
public sealed record RunFault(RunFaultKind Kind, StepId Step)
{
    private const string KillWord = "kill:supervisor", TearWord = "tear:checkpoint";

    /// <summary>Word, victim, meaning, for documentation.</summary>
    public static readonly IReadOnlyList<(string Word, string Victim, string Meaning)> Table =
    [
        ("kill", "supervisor", "SIGKILL when the step is committed; all processes end with it within 2 s, and `launch --resume` goes on"),
        ("tear", "checkpoint", "the same, and the newest checkpoint's largest file is cut in the middle before the run is resumed"),
    ];

    /// <summary>Whom it strikes: <c>supervisor</c> or <c>checkpoint</c>.</summary>
    public string Node => Kind == RunFaultKind.KillSupervisor ? "supervisor" : "checkpoint";

    /// <summary><c>kill</c> or <c>tear</c>.</summary>
    public string Word => Kind == RunFaultKind.KillSupervisor ? "kill" : "tear";

    /// <returns>Null when the text is about something else.</returns>
    /// <exception cref="UserMistakeException">The step is none of this run.</exception>
    public static RunFault? Of(string text, long steps)
    {
        ArgumentNullException.ThrowIfNull(text);
        var at = text.IndexOf('@', StringComparison.Ordinal);
        RunFaultKind? kind = (at < 0 ? text : text[..at]) switch { KillWord => RunFaultKind.KillSupervisor, TearWord => RunFaultKind.TearCheckpoint, _ => null };
        if (kind is null) return null;
        if (at < 0 || !long.TryParse(text[(at + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var step)) throw new UserMistakeException($"--fault {text}: write {(kind == RunFaultKind.KillSupervisor ? KillWord : TearWord)}@STEP");
        if (step < 1 || step >= steps) throw new UserMistakeException($"--fault {text}: it strikes when the step is committed and the run has to go on after it; give a step from 1 to {steps - 1}");
        return new RunFault(kind.Value, new StepId(step));
    }

    public override string ToString() => $"{(Kind == RunFaultKind.KillSupervisor ? KillWord : TearWord)}@{Step}";
}
