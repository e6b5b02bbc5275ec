using System.Collections.Concurrent;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

public sealed class SnapshotActorSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ActorSystem _system = ActorSystem.Create("test", "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }");
    private readonly ParameterLayout _layout = ParameterLayout.Of(
        [("w", [100_000], StateKind.Parameter, true), ("mean", [3], StateKind.Buffer, false), ("batches", [], StateKind.Counter, false)]);
    private readonly Buffers _buffers = new();
    private readonly Inbox _coordinator;
    private readonly ShardPlan _plan;

    public SnapshotActorSpecs()
    {
        _coordinator = Inbox.Create(_system);
        _plan = ShardPlan.Deal(_layout, 2);
    }

    private sealed class Writer : ICheckpointWriter
    {
        public ConcurrentQueue<(CheckpointDue Due, float[] First)> Written { get; } = [];
        public Exception? Refusal { get; init; }
        public ManualResetEventSlim Gate { get; } = new(initialState: true);

        public (string Folder, long Bytes) Write(CheckpointDue due, IReadOnlyList<ShardSnapshot> parts)
        {
            Assert.True(Gate.Wait(Patience));
            if (Refusal is not null) throw Refusal;
            Written.Enqueue((due, [.. parts.Select(static p => p.Weights.Span[0])]));
            return ("folder", 12);
        }
    }

    private IActorRef Start(ICheckpointWriter? writer, IReadOnlyDictionary<string, long>? counterBase = null, Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? look = null) =>
        _system.ActorOf(SnapshotActor.Props(writer, _layout, counterBase ?? new Dictionary<string, long>(), TimeProvider.System, look));

    private ShardSnapshot Part(int shard, long version = 5, float value = 1) => new(
        new Term(2), new WeightsVersion(version), new ShardId(shard), _plan.Ranges[shard].Offset, 4, _buffers.Of(_plan.Ranges[shard].Length, value),
        new Dictionary<string, NativeBuffer> { ["momentum_buffer"] = _buffers.Of(Math.Min(_plan.Ranges[shard].End, _layout.BufferOffset) - _plan.Ranges[shard].Offset, value / 2) });

    private CheckpointDue Due(long version = 5) => new(new WeightsVersion(version), null, null, 2);

    private static void Pass(IActorRef actor) => Assert.True(actor.Ask<ActorIdentity>(new Identify(0), Patience).Wait(Patience));

    /// <summary>The writer's thread lets go of the parts behind its answer.</summary>
    private void AssertAllBackSoon() => Assert.True(SpinWait.SpinUntil(() => _buffers.Held == 0, Patience), $"{_buffers.Held} buffers are still held");

    [Fact]
    public void Checkpoint_is_written_in_shard_order_when_the_last_part_is_here()
    {
        var writer = new Writer();
        var actor = Start(writer);
        _coordinator.Send(actor, Due());
        actor.Tell(Part(1, value: 20));
        Pass(actor);
        Assert.Empty(writer.Written);
        actor.Tell(Part(0, value: 10));
        var written = Assert.IsType<CheckpointWritten>(_coordinator.Receive(Patience));
        Assert.Equal((new WeightsVersion(5), "folder", 12L), (written.Version, written.Folder, written.Bytes));
        Assert.Equal([10f, 20f], Assert.Single(writer.Written).First);
        AssertAllBackSoon();
    }

    [Fact]
    public void Part_that_nobody_waits_for_is_released()
    {
        var actor = Start(new Writer());
        actor.Tell(Part(0));
        _coordinator.Send(actor, Due());
        actor.Tell(Part(0, version: 4));
        actor.Tell(Part(0));
        actor.Tell(Part(0));
        Pass(actor);
        // One of version 5 is kept, with its slot.
        Assert.Equal(2, _buffers.Held);
        actor.Tell(Part(1));
        Assert.IsType<CheckpointWritten>(_coordinator.Receive(Patience));
        actor.Tell(Part(1));
        Pass(actor);
        AssertAllBackSoon();
    }

    [Fact]
    public void Whoever_looks_is_shown_every_version_that_was_gathered_and_that_of_a_hash_before_its_answer()
    {
        var looked = new ConcurrentQueue<(long Version, float First, float Second)>();
        var actor = Start(new Writer(), look: (version, parts) => looked.Enqueue((version.Value, parts[0].Weights.Span[0], parts[1].Weights.Span[0])));
        _coordinator.Send(actor, new LookDue(new WeightsVersion(5), 2));
        actor.Tell(Part(1, value: 20));
        actor.Tell(Part(0, value: 10));
        Assert.True(SpinWait.SpinUntil(() => looked.Count == 1, Patience));

        // A look that is not whole yet makes room for a checkpoint.
        _coordinator.Send(actor, new LookDue(new WeightsVersion(6), 2));
        actor.Tell(Part(0, version: 6));
        _coordinator.Send(actor, Due(7));
        actor.Tell(Part(1, version: 6));
        actor.Tell(Part(0, version: 7));
        actor.Tell(Part(1, version: 7));
        Assert.IsType<CheckpointWritten>(_coordinator.Receive(Patience));
        Assert.True(SpinWait.SpinUntil(() => looked.Count == 2, Patience));

        _coordinator.Send(actor, new HashDue(new WeightsVersion(8), 2));
        actor.Tell(Part(0, version: 8));
        actor.Tell(Part(1, version: 8));
        Assert.IsType<StateHashed>(_coordinator.Receive(Patience));
        Assert.Equal([(5L, 10f, 20f), (7L, 1f, 1f), (8L, 1f, 1f)], looked);
        AssertAllBackSoon();
    }

    [Fact]
    public void Cancelled_gathering_fails_and_lets_go_of_what_had_come_and_of_what_comes_late()
    {
        var writer = new Writer();
        var actor = Start(writer);
        _coordinator.Send(actor, Due());
        actor.Tell(Part(0));
        _coordinator.Send(actor, new CancelSnapshots());
        Assert.Equal(new WeightsVersion(5), Assert.IsType<CheckpointFailed>(_coordinator.Receive(Patience)).Version);
        actor.Tell(Part(1));
        Pass(actor);
        Assert.Equal(0, _buffers.Held);
        Assert.Empty(writer.Written);
        // The next one is gathered from its beginning.
        _coordinator.Send(actor, Due(6));
        actor.Tell(Part(0, version: 6));
        actor.Tell(Part(1, version: 6));
        Assert.Equal(new WeightsVersion(6), Assert.IsType<CheckpointWritten>(_coordinator.Receive(Patience)).Version);
    }

    [Fact]
    public void Cancel_leaves_a_writing_alone()
    {
        var writer = new Writer();
        writer.Gate.Reset();
        var actor = Start(writer);
        _coordinator.Send(actor, Due());
        actor.Tell(Part(0));
        actor.Tell(Part(1));
        _coordinator.Send(actor, new CancelSnapshots());
        Pass(actor);
        writer.Gate.Set();
        Assert.IsType<CheckpointWritten>(_coordinator.Receive(Patience));
        AssertAllBackSoon();
    }

    [Fact]
    public void Writer_that_is_refused_by_the_disk_says_so_in_one_line_and_nothing_is_held()
    {
        var actor = Start(new Writer { Refusal = new IOException("no space\nleft") });
        _coordinator.Send(actor, Due());
        actor.Tell(Part(0));
        actor.Tell(Part(1));
        Assert.Equal("no space left", Assert.IsType<CheckpointFailed>(_coordinator.Receive(Patience)).Reason);
        AssertAllBackSoon();
    }

    [Fact]
    public void Run_without_checkpoints_fails_a_checkpoint_and_hashes_all_the_same()
    {
        var actor = Start(null);
        _coordinator.Send(actor, Due());
        actor.Tell(Part(0));
        actor.Tell(Part(1));
        Assert.Contains("no checkpoints", Assert.IsType<CheckpointFailed>(_coordinator.Receive(Patience)).Reason);
        _coordinator.Send(actor, new HashDue(new WeightsVersion(5), 2));
        actor.Tell(Part(0));
        actor.Tell(Part(1));
        Assert.Equal(64, Assert.IsType<StateHashed>(_coordinator.Receive(Patience)).Sha256.Length);
        AssertAllBackSoon();
    }

    [Fact]
    public void Hash_is_that_of_the_state_for_any_order_of_parts_and_depends_on_every_part_and_on_the_counters()
    {
        string HashOf(IActorRef actor, params ShardSnapshot[] parts)
        {
            _coordinator.Send(actor, new HashDue(new WeightsVersion(5), 2));
            foreach (var part in parts) actor.Tell(part);
            return Assert.IsType<StateHashed>(_coordinator.Receive(Patience)).Sha256;
        }
        using var expected = new StateHash(_layout, new WeightsVersion(5));
        foreach (var range in _plan.Ranges) expected.AppendState(Enumerable.Repeat(range.Shard.Index + 1f, range.Length).ToArray());
        expected.AppendCounters(static _ => 4);
        expected.BeginSlot("momentum_buffer");
        foreach (var range in _plan.Ranges) expected.AppendSlot(Enumerable.Repeat((range.Shard.Index + 1) / 2f, Math.Min(range.End, _layout.BufferOffset) - range.Offset).ToArray());
        var hash = expected.Finish();
        var actor = Start(null);
        Assert.Equal(hash, HashOf(actor, Part(0, value: 1), Part(1, value: 2)));
        Assert.Equal(hash, HashOf(actor, Part(1, value: 2), Part(0, value: 1)));
        Assert.NotEqual(hash, HashOf(actor, Part(0, value: 1), Part(1, value: 3)));
        Assert.NotEqual(hash, HashOf(Start(null, new Dictionary<string, long> { ["batches"] = 1 }), Part(0, value: 1), Part(1, value: 2)));
        AssertAllBackSoon();
    }

    [Fact]
    public async Task Stopped_actor_holds_nothing()
    {
        var actor = Start(new Writer());
        _coordinator.Send(actor, Due());
        actor.Tell(Part(0));
        await actor.GracefulStop(Patience);
        Assert.Equal(0, _buffers.Held);
    }

    public void Dispose()
    {
        _system.Terminate().Wait(Patience);
        _system.Dispose();
        _buffers.Dispose();
    }
}
