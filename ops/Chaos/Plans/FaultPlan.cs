using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>Everything that is done to one run.</summary>
/// <param name="Name">For people.</param>
/// <param name="Faults">What <c>launch --fault</c> strikes, by step.</param>
/// <param name="RunFaults">What strikes the run as a whole, by step; at most one of a kind in a step.</param>
public sealed record FaultPlan(string Name, ImmutableArray<FaultSpec> Faults, ImmutableArray<RunFault> RunFaults)
{
    /// <summary>Rows that a maker of plans had to leave out, with the reason; empty for a plan of somebody's own.</summary>
    public ImmutableArray<string> LeftOut { get; init; } = [];

    public int Count => Faults.Length + RunFaults.Length;

    /// <summary>Steps after which the supervisor dies, in order.</summary>
    public ImmutableArray<StepId> Deaths => [.. RunFaults.Select(static f => f.Step).Distinct().Order()];

    /// <summary>One text for each fault, by step, as <see cref="Parse(RunShape, IEnumerable{string}, string)"/> reads them.</summary>
    public ImmutableArray<string> Texts =>
        [.. Faults.Select(static f => (f.Step, Text: f.ToString())).Concat(RunFaults.Select(static f => (f.Step, Text: f.ToString()))).OrderBy(static f => f.Step).Select(static f => f.Text)];

    /// <param name="faults">Texts such as <c>kill:worker-1@10</c> or <c>kill:supervisor@20</c>.</param>
    /// <exception cref="UserMistakeException">One line: which text is wrong, and what to write.</exception>
    public static FaultPlan Parse(RunShape run, params IEnumerable<string> faults) => Parse(run, faults, "own plan");

    /// <inheritdoc cref="Parse(RunShape, IEnumerable{string})"/>
    public static FaultPlan Parse(RunShape run, IEnumerable<string> faults, string name)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(faults);
        var (specs, whole) = (new List<FaultSpec>(), new List<RunFault>());
        foreach (var text in faults)
        {
            if (RunFault.Of(text, run.Steps) is { } ofTheRun) whole.Add(ofTheRun);
            else specs.Add(FaultSpec.Parse(text, run.Nodes, run.Steps));
        }
        return Of(name, specs, whole);
    }

    /// <exception cref="UserMistakeException">A fault is there twice, so that nobody could say which of them struck.</exception>
    public static FaultPlan Of(string name, IEnumerable<FaultSpec> faults, IEnumerable<RunFault> runFaults)
    {
        var plan = new FaultPlan(name, [.. faults.OrderBy(static f => f.Step)], [.. runFaults.OrderBy(static f => f.Step)]);
        var twice = plan.Texts.GroupBy(static t => t, StringComparer.Ordinal).FirstOrDefault(static g => g.Count() > 1);
        return twice is null ? plan : throw new UserMistakeException($"--fault {twice.Key}: it is there twice; write it once");
    }
}
