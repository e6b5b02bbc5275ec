using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>A version to keep, and what is known about it.</summary>
/// <param name="Evaluation">Of this version, when it was evaluated before the checkpoint.</param>
/// <param name="Shards">How many parts will come.</param>
public sealed record CheckpointDue(WeightsVersion Version, CommitRecord? Record, EvaluationTotals? Evaluation, int Shards)
{
    /// <summary>The version that is the run's result if none better comes: its checkpoint stays. Null = none is known.</summary>
    public WeightsVersion? Best { get; init; }
}

/// <summary>The version is on disk.</summary>
public sealed record CheckpointWritten(WeightsVersion Version, string Folder, long Bytes, TimeSpan Took);

/// <summary>The version is not on disk; older checkpoints are as they were.</summary>
public sealed record CheckpointFailed(WeightsVersion Version, string Reason);

/// <summary>A version whose hash is wanted; answered with <see cref="StateHashed"/>.</summary>
public sealed record HashDue(WeightsVersion Version, int Shards);

/// <summary>A version whose weights somebody wants to look at; nobody waits for it, and whatever else falls due takes its place.</summary>
public sealed record LookDue(WeightsVersion Version, int Shards);

/// <param name="Sha256">See <see cref="StateHash"/>.</param>
public sealed record StateHashed(WeightsVersion Version, string Sha256);

/// <summary>Parts that have not come will not come; a gathering is given up, a writing goes on.</summary>
public sealed record CancelSnapshots;

/// <summary>Writes checkpoints; the host brings it. Called on a thread of its own, one call at a time.</summary>
public interface ICheckpointWriter
{
    /// <param name="parts">In shard order; valid until the call returns.</param>
    /// <returns>Folder and bytes.</returns>
    /// <exception cref="ClusterException">Refused or failed; nothing was replaced.</exception>
    /// <exception cref="IOException">The disk refused; nothing was replaced.</exception>
    (string Folder, long Bytes) Write(CheckpointDue due, IReadOnlyList<ShardSnapshot> parts);
}

/// <summary>
/// Gathers the shards' parts of a version and has them written, or hashed, while training goes on: only snapshots are
/// read, and a thread of its own does the work, so neither mailboxes nor the thread pool wait for the disk.
/// </summary>
public sealed class SnapshotActor : ReceiveActor
{
    private readonly ICheckpointWriter? _writer;
    private readonly ParameterLayout _layout;
    private readonly IReadOnlyDictionary<string, long> _counterBase;
    private readonly Dictionary<ShardId, ShardSnapshot> _parts = [];
    private readonly TimeProvider _time;
    private readonly Action<WeightsVersion, IReadOnlyList<ShardSnapshot>> _look;
    private object? _due;
    private IActorRef _requester = ActorRefs.Nobody;

    public SnapshotActor(ICheckpointWriter? writer, ParameterLayout layout, IReadOnlyDictionary<string, long> counterBase, TimeProvider time, Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? look)
    {
        ArgumentNullException.ThrowIfNull(time);
        _writer = writer;
        _layout = layout;
        _counterBase = counterBase;
        _time = time;
        _look = look ?? (static (_, _) => { });
        Receive<CheckpointDue>(Expect);
        Receive<HashDue>(Expect);
        Receive<LookDue>(Expect);
        Receive<ShardSnapshot>(Gather);
        Receive<CancelSnapshots>(_ => Cancel());
    }

    /// <param name="writer">Null when nothing is to be kept.</param>
    /// <param name="look">Shown every version that was gathered, on a thread that ends with the call; must not throw. Null = nobody looks.</param>
    public static Props Props(
        ICheckpointWriter? writer, ParameterLayout layout, IReadOnlyDictionary<string, long> counterBase, TimeProvider time, Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? look = null) =>
        Akka.Actor.Props.Create(() => new SnapshotActor(writer, layout, counterBase, time, look));

    private void Expect(object due)
    {
        Drop();
        _due = due;
        _requester = Sender;
    }

    private void Cancel()
    {
        if (_due is CheckpointDue due) _requester.Tell(new CheckpointFailed(due.Version, "a shard has moved before it handed its part over"), Self);
        Drop();
        _due = null;
    }

    private void Drop()
    {
        Release(_parts.Values);
        _parts.Clear();
    }

    private void Gather(ShardSnapshot part)
    {
        var (version, shards) = _due switch
        {
            CheckpointDue due => (due.Version, due.Shards),
            HashDue due => (due.Version, due.Shards),
            LookDue due => (due.Version, due.Shards),
            _ => (default, 0),
        };
        // The coordinator asks for one version at a time and says so here before any shard can answer.
        if (shards == 0 || part.Version != version || !_parts.TryAdd(part.Shard, part))
        {
            Release([part]);
            return;
        }
        if (_parts.Count < shards) return;
        var parts = _parts.Values.OrderBy(static p => p.Shard).ToArray();
        _parts.Clear();
        var (what, requester) = (_due!, _requester);
        _due = null;
        Start(what switch
        {
            CheckpointDue checkpoint => () => Write(checkpoint, parts, requester),
            HashDue => () => Hash(version, parts, requester),
            _ => () => _look(version, parts),
        }, parts);
    }

    private static void Start(Action work, ShardSnapshot[] parts)
    {
        var thread = new Thread(() =>
        {
            try
            {
                work();
            }
            finally
            {
                Release(parts);
            }
        })
        {
            Name = "checkpoint",
            IsBackground = true,
        };
        thread.Start();
    }

    private void Write(CheckpointDue due, ShardSnapshot[] parts, IActorRef requester)
    {
        var started = _time.GetTimestamp();
        try
        {
            var (folder, bytes) = (_writer ?? throw new ClusterException("this run keeps no checkpoints")).Write(due, parts);
            requester.Tell(new CheckpointWritten(due.Version, folder, bytes, _time.GetElapsedTime(started)), ActorRefs.NoSender);
        }
        catch (Exception e)
        {
            // Whatever the disk or the writer says, training goes on; the coordinator says it loudly.
            requester.Tell(new CheckpointFailed(due.Version, e.Message.ReplaceLineEndings(" ")), ActorRefs.NoSender);
        }
        _look(due.Version, parts);
    }

    private void Hash(WeightsVersion version, ShardSnapshot[] parts, IActorRef requester)
    {
        using var hash = new StateHash(_layout, version);
        foreach (var part in parts) hash.AppendState(part.Weights.Span);
        hash.AppendCounters(entry => _counterBase.GetValueOrDefault(entry.Name) + parts[0].AppliedSteps);
        foreach (var slot in parts[0].Slots.Keys.Order(StringComparer.Ordinal))
        {
            hash.BeginSlot(slot);
            // A shard of buffers alone has no optimizer state.
            foreach (var part in parts)
                if (part.Slots.TryGetValue(slot, out var values)) hash.AppendSlot(values.Span);
        }
        var sha256 = hash.Finish();
        // The hash ends the run: whoever looks has done so by then.
        _look(version, parts);
        requester.Tell(new StateHashed(version, sha256), ActorRefs.NoSender);
    }

    private static void Release(IEnumerable<ShardSnapshot> parts)
    {
        foreach (var part in parts)
        {
            part.Weights.Dispose();
            foreach (var slot in part.Slots.Values) slot.Dispose();
        }
    }

    protected override void PostStop()
    {
        Drop();
        base.PostStop();
    }
}
