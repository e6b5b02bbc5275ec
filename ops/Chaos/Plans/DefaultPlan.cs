using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>
/// A plan with every row of the failure table, in an order in which one recovery ends before the next fault: two steps
/// apart where the run has room, victims in turn. What a run is too short or too small for is left out and said.
/// </summary>
public static class DefaultPlan
{
    /// <summary>Steps before the first fault and after the last: the run shows that it goes.</summary>
    private const int Margin = 1;

    private const int Spacing = 2;

    /// <summary>Seconds: long enough to be noticed (a lease of 0.5 s, a progress budget of 2 s), short enough that all faults pass in a minute.</summary>
    private const double Silence = 2, Hang = 4, Slowness = 3;

    /// <summary>A row: what it shows, whom it strikes (a role; <c>liar</c> = a worker that nothing strikes afterwards), for how long.</summary>
    private sealed record Row(string Title, FaultKind Kind, string Role, double? Seconds = null, bool IsExtra = false);

    private const string Worker = "worker", Shard = "ps", Coordinator = "coordinator", Liar = "liar", Newcomer = "newcomer";

    private const string SupervisorTitle = "supervisor dies, checkpoint torn";

    /// <summary>In the order in which they strike. Extras join when the steps have room for them.</summary>
    private static readonly Row[] Rows =
    [
        new("worker process dies", FaultKind.Kill, Worker),
        new("NaN gradient", FaultKind.NotANumber, Worker),
        new("coordinator dies", FaultKind.Kill, Coordinator),
        new("worker stopped", FaultKind.Stop, Worker, Silence),
        new("segment comes twice", FaultKind.Duplicate, Worker, IsExtra: true),
        new("corrupt frame", FaultKind.Corrupt, Worker),
        new("worker leaves", FaultKind.Leave, Worker, Silence, IsExtra: true),
        new("parameter shard dies", FaultKind.Kill, Shard),
        new("connections reset", FaultKind.Cut, Worker, IsExtra: true),
        new("straggler", FaultKind.Slow, Worker, Slowness),
        new("slow network", FaultKind.Delay, Worker, Silence, IsExtra: true),
        new("silent corruption", FaultKind.Lie, Liar),
        new("slow shard", FaultKind.Backlog, Shard, Silence, IsExtra: true),
        new("disk full", FaultKind.DiskFull, Coordinator, Silence),
        new("worker out of memory", FaultKind.OutOfMemory, Worker, IsExtra: true),
        new("worker joins", FaultKind.Join, Newcomer),
        new("zombie coordinator", FaultKind.Zombie, Coordinator, 3, IsExtra: true),
        new("network split", FaultKind.BlackHoleOut, Worker, Silence),
        new("shard cut off", FaultKind.BlackHole, Shard, Silence, IsExtra: true),
        new("narrow network", FaultKind.Throttle, Worker, Silence, IsExtra: true),
        new("segments out of order", FaultKind.Reorder, Worker, IsExtra: true),
        new("another version", FaultKind.VersionSkew, Worker, IsExtra: true),
        new("worker hears nothing", FaultKind.BlackHoleIn, Worker, Silence, IsExtra: true),
        new("data set incomplete", FaultKind.DataMissing, Worker, IsExtra: true),
        new("worker hangs", FaultKind.Hang, Worker, Hang),
    ];

    /// <param name="isPossible">Kinds that somebody carries out.</param>
    public static FaultPlan Make(RunShape run, Func<FaultKind, bool> isPossible)
    {
        ArgumentNullException.ThrowIfNull(run);
        var leftOut = ImmutableArray.CreateBuilder<string>();
        var rows = new List<Row?>();
        foreach (var row in Rows)
        {
            var why = !isPossible(row.Kind) ? $"launch cannot do {row.Kind.Facts().Word}" : Missing(row, run);
            if (why is null) rows.Add(row);
            else leftOut.Add($"{row.Title}: {why}");
        }

        // Before the last row: the supervisor's death, which is nobody's row of the table above.
        rows.Insert(Math.Max(0, rows.Count - 1), null);
        var room = run.Steps - 2 * Margin;
        while (rows.Count > room / Spacing && rows.FindLastIndex(static r => r is { IsExtra: true }) is >= 0 and var extra) Drop(extra);
        while (rows.Count > Math.Max(0, room)) Drop(rows.Count - 1);

        var (faults, whole) = (new List<FaultSpec>(), new List<RunFault>());
        var hasLiar = rows.Any(static r => r?.Role == Liar);
        var (worker, shard) = (0, 0);
        for (var i = 0; i < rows.Count; i++)
        {
            var step = new StepId(1 + Margin + (rows.Count == 1 ? 0 : i * (room - 1) / (rows.Count - 1)));
            if (rows[i] is not { } row)
            {
                whole.Add(new RunFault(RunFaultKind.KillSupervisor, step));
                whole.Add(new RunFault(RunFaultKind.TearCheckpoint, step));
                continue;
            }
            var node = row.Role switch
            {
                Worker => $"worker-{++worker % (hasLiar ? run.Workers - 1 : run.Workers)}",
                Liar => $"worker-{run.Workers - 1}",
                Newcomer => $"worker-{run.Workers}",
                Shard => $"ps-{shard++ % run.Shards}",
                _ => Coordinator,
            };
            faults.Add(row.Seconds is { } seconds ? new FaultSpec(row.Kind, node, step, TimeSpan.FromSeconds(seconds)) : new FaultSpec(row.Kind, node, step));
        }
        return FaultPlan.Of("default plan", faults, whole) with { LeftOut = leftOut.ToImmutable() };

        void Drop(int index)
        {
            leftOut.Add($"{rows[index]?.Title ?? SupervisorTitle}: {run.Steps} steps have no room for it");
            rows.RemoveAt(index);
        }
    }

    /// <returns>Why the run is too small for this row, or null.</returns>
    private static string? Missing(Row row, RunShape run) => row.Kind switch
    {
        FaultKind.Lie when run.Workers < 3 => "two honest workers are needed to tell who lies, so three in all",
        FaultKind.Lie when !run.Audits => "no leaf is audited in this run",
        FaultKind.Slow or FaultKind.Hang or FaultKind.NotANumber when run.Workers < 2 => "another worker is needed to compute its leaves",
        _ => null,
    };
}
