using MessagePack;

namespace Cluster.Contracts;

/// <summary>What a node says of itself when it knocks: the note of its hello.</summary>
/// <param name="ProgramVersion">Nodes of another version are refused.</param>
/// <param name="Listens">Where other nodes reach it; empty when nobody needs to (workers).</param>
/// <param name="Host">Name of its machine.</param>
[MessagePackObject]
public sealed record JoinNote(
    [property: Key(0)] string ProgramVersion,
    [property: Key(1)] string Listens,
    [property: Key(2)] string Host,
    [property: Key(3)] int ProcessId);

/// <summary>One option of the run, as its config file has it.</summary>
[MessagePackObject]
public sealed record OptionText([property: Key(0)] string Key, [property: Key(1)] string Text);

/// <summary>The coordinator's answer to a node that it lets in: everything it needs to know.</summary>
/// <param name="Name">The node's name in this run; it keeps it when it comes back.</param>
/// <param name="TotalSteps">Last step of the run.</param>
/// <param name="Term">An empty shard obeys nobody up to it.</param>
/// <param name="Folder">The run's folder as the coordinator sees it; on the same machine its term file counts too.</param>
/// <param name="TrainingSamples">Of the training set: a shard's penalty may need it, and shards read no data.</param>
[MessagePackObject]
public sealed record Welcome(
    [property: Key(0)] string RunId,
    [property: Key(1)] string Name,
    [property: Key(2)] IReadOnlyList<OptionText> Options,
    [property: Key(3)] string DataFingerprint,
    [property: Key(4)] string LayoutHash,
    [property: Key(5)] long TotalSteps,
    [property: Key(6)] Term Term,
    [property: Key(7)] string Folder,
    [property: Key(8)] int TrainingSamples = 0);

/// <summary>Node to coordinator: data and model are loaded; this is what they are.</summary>
/// <param name="DataFingerprint">Empty for a node that reads no data.</param>
/// <param name="NumericFingerprint">Empty for a node that computes no leaf.</param>
/// <param name="Numerics">The names that explain a difference.</param>
[MessagePackObject]
public sealed record NodeReady(
    [property: Key(0)] string DataFingerprint,
    [property: Key(1)] string LayoutHash,
    [property: Key(2)] string NumericFingerprint,
    [property: Key(3)] string Numerics);

/// <summary>A node that holds shards, and where it listens.</summary>
[MessagePackObject]
public sealed record ShardNode([property: Key(0)] NodeId Node, [property: Key(1)] string Address);

/// <summary>Coordinator to everybody: the nodes that hold shards. Sent whenever it changes.</summary>
[MessagePackObject]
public sealed record ShardNodes([property: Key(0)] IReadOnlyList<ShardNode> Nodes);

/// <summary>Node to coordinator: it wants to leave; it will finish what it is at.</summary>
[MessagePackObject]
public sealed record NodeLeaving([property: Key(0)] string Reason);

/// <summary>Coordinator to everybody: the run is over; end.</summary>
/// <param name="IsFailure">It ended without reaching its last step.</param>
[MessagePackObject]
public sealed record RunOver([property: Key(0)] bool IsFailure, [property: Key(1)] string Reason);

/// <summary>Coordinator to the supervisor: BeginStep of this step is out, or its record is written.</summary>
[MessagePackObject]
public sealed record StepNotice([property: Key(0)] StepId Step, [property: Key(1)] bool IsRecorded);

/// <summary>Supervisor to coordinator: the faults of this step have struck; its record may be written.</summary>
[MessagePackObject]
public sealed record FaultsStruck([property: Key(0)] StepId Step);

/// <summary>Supervisor to coordinator: something happened to a process; for events.jsonl.</summary>
/// <param name="UnixMilliseconds">When, by the supervisor's clock: the coordinator may have been away since then. 0 = just now.</param>
[MessagePackObject]
public sealed record ProcessEvent([property: Key(0)] string Kind, [property: Key(1)] string Node, [property: Key(2)] string Sentence, [property: Key(3)] long UnixMilliseconds = 0);

/// <summary>Coordinator to the supervisor: this node lives and is of no use; kill it and start it again.</summary>
/// <param name="Reason">A sentence's end.</param>
[MessagePackObject]
public sealed record RestartNode([property: Key(0)] string Name, [property: Key(1)] string Reason);

/// <summary>One tensor of a <see cref="RunLayout"/>.</summary>
[MessagePackObject]
public sealed record LayoutTensor(
    [property: Key(0)] string Name,
    [property: Key(1)] IReadOnlyList<int> Shape,
    [property: Key(2)] StateKind Kind,
    [property: Key(3)] bool Decays);

/// <summary>Coordinator to a node that holds shards, which has no model: how the state lies in memory.</summary>
/// <param name="WholeRows">Chunks end at the edges of rows.</param>
[MessagePackObject]
public sealed record RunLayout([property: Key(0)] IReadOnlyList<LayoutTensor> Tensors, [property: Key(1)] bool WholeRows = false)
{
    public static RunLayout Of(ParameterLayout layout) => new([.. layout.Entries.Select(static e => new LayoutTensor(e.Name, e.Shape, e.Kind, e.Decays))], layout.WholeRows);

    public ParameterLayout ToLayout() => ParameterLayout.Of(Tensors.Select(static t => (t.Name, t.Shape, t.Kind, t.Decays)), WholeRows);
}
