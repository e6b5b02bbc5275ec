using System.Reflection;
using Cluster.Contracts;

namespace Cluster.Cli.Telemetry;

/// <summary>What a span covers.</summary>
/// <param name="Process">Whose it is: coordinator, worker or ps.</param>
internal sealed record SpanRow(string Name, string Process, string Covers);

/// <summary>What an attribute of spans or metrics says.</summary>
/// <param name="Unit">UCUM or a type; empty = a word from a closed set, or a name.</param>
internal sealed record TagRow(string Name, string Unit, string Says);

/// <summary>
/// Every span and attribute in a sentence; metrics and events carry theirs themselves. docs/telemetry.md is made from these.
/// Names are those of <see cref="ClusterTelemetry"/>: one that has no row here fails a spec.
/// </summary>
internal static class TelemetryTables
{
    private static readonly SpanRow[] AllSpans =
    [
        new("step", "coordinator", "root: begin to committed and applied of one step; its trace id follows from run and step"),
        new("lease", "coordinator", "leaves given to a worker until it has reported them or they are void"),
        new("data wait", "worker", "its device waits for a prepared leaf"),
        new("forward", "worker", "forward pass of one leaf"),
        new("backward", "worker", "backward pass of one leaf"),
        new("local sum", "worker", "a leaf's gradient is added to those of its neighbours in the tree"),
        new("encode", "worker", "a node of the tree is made ready to be sent"),
        new("send", "worker", "a node of the tree is handed to the shards' links"),
        new("receive", "ps", "first node here to last node here"),
        new("queue", "ps", "last node here to its turn"),
        new("reduce", "ps", "the tree is summed; one link per contributing node"),
        new("norm round", "coordinator", "all shards reduced to the decision"),
        new("commit", "coordinator", "the commit record is written"),
        new("apply", "ps", "mean, clip, decay, momentum, weights in one pass"),
        new("replicate", "ps", "a standby is told to apply the step and says that it has"),
        new("broadcast", "ps", "the new version is handed to every worker's link"),
        new("weights received", "worker", "last part of a version received and loaded"),
        new("evaluation", "coordinator", "root: one pass over the test set"),
        new("evaluate", "worker", "its batches of one evaluation"),
        new("initialize", "coordinator", "root: the seeded first weights travel to the shards"),
        new("term", "coordinator", "root: a term is written, the log adopted, every replica loaded"),
        new("takeover", "coordinator", "root: the first term of a coordinator that goes on with another one's run"),
    ];

    private static readonly TagRow[] AllTags =
    [
        new("train.run_id", "", "the run; an attribute of the resource and of root spans"),
        new("train.role", "", "`coordinator`, `ps` or `worker`; `local` where all are one process"),
        new("train.step", "{step}", "number of the step, from 1"),
        new("train.attempt", "integer", "how often the step was begun anew before; 0 = never"),
        new("train.term", "integer", "number of the coordinator's term"),
        new("train.epoch", "integer", "epoch of the step, from 0"),
        new("train.worker", "", "`worker-1`"),
        new("train.shard", "", "`shard-0`"),
        new("train.leaf", "integer", "number of the leaf within its step"),
        new("train.leaves", "", "ranges of leaves, `0-3`"),
        new("train.node", "", "a node of the reduction tree"),
        new("train.bytes", "By", "size of what is sent"),
        new("train.version", "integer", "version of the weights: that after so many steps"),
        new("train.contributors", "integer", "nodes of the tree that a sum was made from"),
        new("train.loss", "{nat}", "mean training loss of the step"),
        new("train.accuracy", "1", "share of the step's samples that were right"),
        new("train.learning_rate", "", "learning rate of the step"),
        new("train.grad_norm", "", "norm of the mean gradient before clipping"),
        new("train.clip_scale", "1", "factor of the clipping"),
        new("train.samples", "{sample}", "samples of the step"),
        new("train.reason", "", "why something was refused or ended; a closed set of words"),
        new("train.link.lane", "", "`control`, `bulk` or `heartbeat`"),
        new("train.part", "", "metrics: name of the span that a part of a step was measured by"),
        new("train.kind", "", "metrics: kind of event, or of memory (`resident`, `managed`, `native`)"),
        new("train.queue", "", "metrics: `compute` (jobs for a device), `send` (tensors for a link)"),
        new("train.device", "", "metrics: index of a GPU on its machine"),
        new("train.recovered", "boolean", "a root that was written from the log: the coordinator that had it was killed"),
    ];

    /// <summary>Names of spans in the code.</summary>
    public static IReadOnlyList<string> SpanNames { get; } = ConstantsOf(typeof(ClusterTelemetry.Spans));

    /// <summary>Names of attributes in the code.</summary>
    public static IReadOnlyList<string> TagNames { get; } = ConstantsOf(typeof(ClusterTelemetry.Tags));

    /// <summary>Those that are in the code, in the order of a step.</summary>
    public static IEnumerable<SpanRow> Spans => AllSpans.Where(static row => SpanNames.Contains(row.Name));

    /// <summary>Those that are in the code.</summary>
    public static IEnumerable<TagRow> Tags => AllTags.Where(static row => TagNames.Contains(row.Name));

    private static string[] ConstantsOf(Type type) =>
        [.. type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(static f => f.IsLiteral).Select(static f => (string)f.GetRawConstantValue()!)];
}
