using System.Globalization;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>Messages and decisions as a line of the event log: short, and the same every time.</summary>
internal static class EventText
{
    public static string Of(object what) => what switch
    {
        ToSlot m => $"shard {m.Shard.Index}, {Of(m.Message)}",
        BeginStep m => Line($"BeginStep {m.Step} attempt {m.Attempt} of term {m.Term}, leaves {Runs(m.Leases)} of {m.LeafCount}{(m.LeftOut is { } out_ ? Line($", without samples {string.Join(", ", out_)}") : "")}"),
        LeafDone m => Line($"LeafDone {m.Leaf} of step {m.Step} attempt {m.Attempt} of term {m.Term}{(m.IsFinite ? "" : ", NOT FINITE")}"),
        LeafUnreadable m => Line($"LeafUnreadable {m.Leaf} of step {m.Step} attempt {m.Attempt} of term {m.Term}: samples {string.Join(", ", m.Samples.Select(static s => s.Sample))}"),
        ShardReduced m => Line($"ShardReduced {m.Shard}, step {m.Step} attempt {m.Attempt} of term {m.Term}"),
        ShardApplied m => Line($"ShardApplied {m.Shard}, version {m.Version}, term {m.Term}"),
        GradientNode m => Line($"GradientNode {m.Node} of {m.Sum} from {m.Worker}"),
        WeightsPart m => Line($"WeightsPart version {m.Version} of {m.Shard}, term {m.Term}"),
        RequestWeights m => Line($"RequestWeights version {m.Version}, term {m.Term}"),
        ApplyStep m => Line($"ApplyStep in term {m.Term}: {Of(m.Record)}, sum of {m.Sum}"),
        StandbyApply m => Line($"StandbyApply in term {m.Term}: {Of(m.Record)}, sum of {m.Sum}"),
        StandbySum m => Line($"StandbySum in term {m.Term}: {m.Sum}"),
        SeedStandby m => Line($"SeedStandby in term {m.Term}: version {m.Version}"),
        LoadShard m => Line($"LoadShard in term {m.Term}: version {m.Version}"),
        HoldPlace m => Line($"HoldPlace in term {m.Term}: {Of(m.Place)}{(m.Seed ? ", to be seeded" : "")}"),
        ShardPlace m => Line($"{m.Shard} on {m.Primary}.{m.Primary.Incarnation}{(m.Standby is { } s ? Line($", standby {s}.{s.Incarnation}") : "")}"),
        Routes m => Line($"Routes of term {m.Term}: {string.Join("; ", m.Places.Select(Of))}"),
        PushAgain m => Line($"PushAgain step {m.Step} attempt {m.Attempt} of term {m.Term} to {string.Join(", ", m.Shards)}"),
        StepAbandoned m => Line($"StepAbandoned {m.Step} attempt {m.Attempt} of term {m.Term}: {m.Reason}"),
        TermPromised m => Line($"TermPromised {m.Term} by {m.Replica}: version {m.Report.Version?.ToString() ?? "none"}, sum {m.Report.Sum?.ToString() ?? "none"}, {m.Report.Records.Count} records"),
        CommitRecord m => Line($"step {m.Step} attempt {m.Attempt} of term {m.Term}, {(m.Applied ? "applied" : "SKIPPED")}"),
        SlotSnapshot m => Line($"snapshot of {m.Shard}, version {m.Version}, term {m.Term}"),
        OpenStep m => Line($"OpenStep {m.Plan.Step}{(m.Recorded is null ? "" : m.HaveSums ? ", to be redone" : ", to be replayed")}"),
        LogAdopted m => Line($"LogAdopted up to step {m.Last}, checkpoint {m.Checkpoint}"),
        StepEffect.Grant e => Line($"grants {e.Worker} leaves {Runs(e.Leases)}"),
        StepEffect.AppendCommit e => $"records {Of(e.Record)}",
        StepEffect.SendApply e => Line($"has {string.Join(", ", e.Shards)} apply {Of(e.Record)}"),
        StepEffect.AskShards e => Line($"asks {string.Join(", ", e.Shards)} for {e.Sum}"),
        StepEffect.Finished e => $"has finished {Of(e.Record)}{(e.Replayed ? ", again" : "")}",
        StepEffect.TellRoutes e => $"tells {e.Worker} {Of(e.Routes)}",
        StepEffect.OpenNext e => Line($"opens step {e.Step}{(e.Recorded is null ? "" : ", which is recorded")}"),
        StepEffect.LoadVersion e => Line($"has version {e.Version} loaded by {string.Join(", ", e.Replicas)}"),
        StepEffect.AdoptLog e => Line($"takes the log; {e.Promised.Count} records are promised"),
        StepEffect.Say e => e.Sentence,
        _ => what.ToString() ?? "",
    };

    private static string Runs(IReadOnlyList<LeafRange> leases) => leases.Count == 0 ? "none" : string.Join(", ", leases);

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
