using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>A version to keep, and what is known about it.</summary>
/// <param name="Evaluation">Of this version, when it was evaluated before the checkpoint.</param>
/// <param name="Shards">How many parts will come.</param>
public sealed record CheckpointDue(WeightsVersion Version, CommitRecord? Record, EvaluationTotals? Evaluation, int Shards);

/// <summary>The version is on disk.</summary>
public sealed record CheckpointWritten(WeightsVersion Version, string Folder, long Bytes, TimeSpan Took);

/// <summary>The version is not on disk; older checkpoints are as they were.</summary>
public sealed record CheckpointFailed(WeightsVersion Version, string Reason);

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
/// Gathers the shards' parts of a version and has them written while training goes on: only snapshots are read, and a
/// thread of its own does the writing, so neither mailboxes nor the thread pool wait for the disk.
/// </summary>
public sealed class CheckpointActor : ReceiveActor
{
    private readonly ICheckpointWriter _writer;
    private readonly List<ShardSnapshot> _parts = [];
    private readonly TimeProvider _time;
    private CheckpointDue? _due;
    private IActorRef _requester = ActorRefs.Nobody;

    public CheckpointActor(ICheckpointWriter writer, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _writer = writer;
        _time = time;
        Receive<CheckpointDue>(due =>
        {
            _due = due;
            _requester = Sender;
        });
        Receive<ShardSnapshot>(Gather);
    }

    public static Props Props(ICheckpointWriter writer, TimeProvider time) => Akka.Actor.Props.Create(() => new CheckpointActor(writer, time));

    private void Gather(ShardSnapshot part)
    {
        // The coordinator asks for one checkpoint at a time and says so here before any shard can answer.
        if (_due is not { } due || part.Version != due.Version)
        {
            Release([part]);
            return;
        }
        _parts.Add(part);
        if (_parts.Count < due.Shards) return;
        var parts = _parts.OrderBy(static p => p.Shard).ToArray();
        _parts.Clear();
        _due = null;
        Start(due, parts, _requester);
    }

    private void Start(CheckpointDue due, ShardSnapshot[] parts, IActorRef requester)
    {
        var thread = new Thread(() =>
        {
            var started = _time.GetTimestamp();
            try
            {
                var (folder, bytes) = _writer.Write(due, parts);
                requester.Tell(new CheckpointWritten(due.Version, folder, bytes, _time.GetElapsedTime(started)), ActorRefs.NoSender);
            }
            catch (Exception e)
            {
                // Whatever the disk or the writer says, training goes on; the coordinator says it loudly.
                requester.Tell(new CheckpointFailed(due.Version, e.Message.ReplaceLineEndings(" ")), ActorRefs.NoSender);
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
        Release(_parts);
        base.PostStop();
    }
}
