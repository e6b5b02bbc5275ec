using Akka.Actor;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.ParameterServer;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>One slot of a shard, alone with a coordinator, a worker and another copy that are inboxes.</summary>
public sealed class ParameterShardActorSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Term T = new(5);
    private static readonly ShardId Shard = new(1);
    private static readonly NodeId Here = new(0, 1), There = new(1, 1);

    private readonly ActorSystem _system = ActorSystem.Create("test", "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }");
    private readonly TaskCompletionSource<Exception> _broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Buffers _buffers = new();
    private readonly ParameterLayout _layout = LinearEngine.LayoutOf(new ImageShape(3, 32, 32), 10);
    private readonly ShardRange _range;
    private readonly Inbox _coordinator, _worker, _other;
    private readonly IActorRef _actor;

    public ParameterShardActorSpecs()
    {
        (_coordinator, _worker, _other) = (Inbox.Create(_system), Inbox.Create(_system), Inbox.Create(_system));
        _range = ShardPlan.Deal(_layout, 2)[Shard];
        var peers = new ShardPeers(() => [_worker.Receiver], _ => _worker.Receiver, _ => _other.Receiver, e => _broken.TrySetResult(e));
        _actor = _system.ActorOf(ParameterShardActor.Props(new ReplicaId(Shard, Here), new Term(4), new ShardSettings(Shard, _layout, _range, new OptimizerOptions { EmaDecay = 0.5 }), peers));
    }

    private TMessage Hear<TMessage>(Inbox inbox) => Assert.IsType<TMessage>(inbox.Receive(Patience));

    /// <summary>Waits until the actor has dealt with everything before.</summary>
    private void Pass() => Assert.True(_actor.Ask<ActorIdentity>(new Identify(0), Patience).Wait(Patience));

    private void Claim()
    {
        _coordinator.Send(_actor, new ClaimTerm(T, 77, Shard));
        Assert.Equal(new ReplicaId(Shard, Here), Hear<TermPromised>(_coordinator).Replica);
    }

    private void BePrimary(bool hasStandby = false)
    {
        Claim();
        _coordinator.Send(_actor, new HoldPlace(T, new ShardPlace(Shard, Here, hasStandby ? There : null), Seed: false));
        Hear<PlaceHeld>(_coordinator);
        _coordinator.Send(_actor, LoadShard.First(T, _buffers.Of(_layout.StateFloats, 1), default));
        Hear<ShardLoaded>(_coordinator);
    }

    private GradientNode Node(int leaf, float value = 2, int step = 1, int? length = null, int offset = 0, TreeNode? node = null) => new(
        T, new StepId(step), 1, node ?? TreeNode.Leaf(leaf), 2, new WorkerId(0), offset, _buffers.Of(length ?? _layout.StateFloats, value), default);

    private static CommitRecord Record(int step) => new(
        T, new StepId(step), 1, 0, 2, 1, 1, 1, 1, 0.5, true, [new LeafRecord(new WorkerId(0), 1, 1), new LeafRecord(new WorkerId(0), 1, 2)]);

    private void Step(int step)
    {
        _actor.Tell(Node(0, step: step));
        _actor.Tell(Node(1, step: step));
        Assert.Equal(new StepId(step), Hear<ShardReduced>(_coordinator).Step);
        _coordinator.Send(_actor, new ApplyStep(T, Record(step), new SumKey(T, new StepId(step), 1), default));
    }

    [Fact]
    public async Task Every_buffer_is_back_when_the_actor_has_stopped_in_mid_step()
    {
        BePrimary();
        Step(1);
        Assert.Equal(new WeightsVersion(1), Hear<ShardApplied>(_coordinator).Version);
        _actor.Tell(Node(0, step: 2));
        _coordinator.Send(_actor, new SnapshotShard(T, new WeightsVersion(1)));
        var snapshot = Hear<ShardSnapshot>(_coordinator);
        var part = Hear<WeightsPart>(_worker);
        Pass();
        Assert.Equal(1, _buffers.Held);
        await _actor.GracefulStop(Patience);
        Assert.Equal(0, _buffers.Held);
        // Whoever still has a version can read it and let go of it.
        Assert.Equal(part.Buffer.Span[0], snapshot.Weights.Span[0]);
        part.Buffer.Dispose();
        snapshot.Weights.Dispose();
        foreach (var slot in snapshot.Slots.Values) slot.Dispose();
        Assert.False(_broken.Task.IsCompleted);
    }

    [Fact]
    public void Skipped_step_leaves_weights_and_slots_as_they_were()
    {
        BePrimary();
        Step(1);
        Assert.Equal(new WeightsVersion(1), Hear<ShardApplied>(_coordinator).Version);
        var before = Snapshot(1);
        _coordinator.Send(_actor, new ApplyStep(T, Record(2) with { Applied = false }, new SumKey(T, new StepId(2), 1), default));
        Assert.Equal(new WeightsVersion(2), Hear<ShardApplied>(_coordinator).Version);
        var after = Snapshot(2);
        Assert.Equal((1, 1), (before.AppliedSteps, after.AppliedSteps));
        Assert.Equal(before.Weights.Span, after.Weights.Span);
        Assert.Equal(before.Slots[StateSlots.Ema].Span, after.Slots[StateSlots.Ema].Span);
        // The average has moved in the first step, so that it could have moved again.
        Assert.NotEqual(after.Weights.Span[0], after.Slots[StateSlots.Ema].Span[0]);

        ShardSnapshot Snapshot(int version)
        {
            _coordinator.Send(_actor, new SnapshotShard(T, new WeightsVersion(version)));
            return Hear<ShardSnapshot>(_coordinator);
        }
    }

    [Fact]
    public async Task Order_that_does_not_fit_what_is_held_breaks_the_shard_and_says_so_to_its_host()
    {
        BePrimary();
        _coordinator.Send(_actor, new ApplyStep(T, Record(3), new SumKey(T, new StepId(3), 1), default));
        var cause = await _broken.Task.WaitAsync(Patience);
        Assert.Contains("step 3", Assert.IsType<StepProtocolException>(cause).Message);
        // What it held is gone: it has promised nothing and obeys nobody below a new term.
        _coordinator.Send(_actor, new SnapshotShard(T, WeightsVersion.Initial));
        await _actor.GracefulStop(Patience);
        Assert.Equal(0, _buffers.Held);
    }

    [Fact]
    public void Tensor_that_does_not_cover_the_range_is_released_and_the_step_goes_on()
    {
        BePrimary();
        _actor.Tell(Node(0, length: _range.End - 1));
        _actor.Tell(Node(0, length: _range.Length, offset: _range.Offset + 1));
        _actor.Tell(Node(0, length: _range.Length - 1, offset: _range.Offset));
        _actor.Tell(Node(0, length: _range.Length, offset: -5));
        _actor.Tell(Node(0, offset: int.MaxValue));
        _actor.Tell(new StandbySum(T, Shard, new SumKey(T, new StepId(1), 1), _buffers.Of(_range.Length + 1)));
        _actor.Tell(new SeedStandby(T, Shard, new WeightsVersion(3), 0, [], _buffers.Of(_range.Length), _buffers.Of(7), new Dictionary<string, NativeBuffer>()));
        _coordinator.Send(_actor, LoadShard.First(T, _buffers.Of(_range.Offset + 3), default));
        Pass();
        Assert.Equal(0, _buffers.Held);
        // A node that is cut to the range is as good as a whole one.
        _actor.Tell(Node(0, value: 3, length: _range.Length, offset: _range.Offset));
        _actor.Tell(Node(1, value: 4));
        var reduced = Hear<ShardReduced>(_coordinator);
        Assert.All(reduced.SquaredNorms, n => Assert.True(n > 0));
        Assert.False(_broken.Task.IsCompleted);
    }

    [Fact]
    public void Node_that_is_in_no_tree_is_refused()
    {
        BePrimary();
        foreach (var node in new TreeNode[] { new(-1, 0), new(0, -1), new(0, 2), new(2, 0), new(40, 0), new(int.MaxValue, int.MaxValue), new(int.MinValue, 1) }) _actor.Tell(Node(0, node: node));
        _actor.Tell(Node(0) with { LeafCount = 0 });
        _actor.Tell(Node(0) with { LeafCount = int.MaxValue });
        _actor.Tell(Node(0, step: 9));
        Pass();
        Assert.Equal(0, _buffers.Held);
        Step(1);
        Assert.Equal(new WeightsVersion(1), Hear<ShardApplied>(_coordinator).Version);
    }

    [Fact]
    public void Version_is_shown_only_when_the_standby_has_it()
    {
        BePrimary(hasStandby: true);
        _actor.Tell(Node(0));
        _actor.Tell(Node(1));
        Hear<ShardReduced>(_coordinator);
        var sum = Hear<StandbySum>(_other);
        Assert.Equal(4, sum.Buffer.Span[0]);
        sum.Buffer.Dispose();
        _coordinator.Send(_actor, new ApplyStep(T, Record(1), sum.Sum, default));
        Assert.Equal(new StepId(1), Hear<StandbyApply>(_other).Record.Step);
        _worker.Send(_actor, new RequestWeights(T, new WeightsVersion(1), Shard, new WorkerId(0)));
        _worker.Send(_actor, new RequestWeights(T, WeightsVersion.Initial, Shard, new WorkerId(0)));
        // The one before is shown, the new one is not.
        Assert.Equal(WeightsVersion.Initial, Hear<WeightsPart>(_worker).Version);
        _other.Send(_actor, new StandbyApplied(T, Shard, new WeightsVersion(1)));
        Assert.Equal(new WeightsVersion(1), Hear<WeightsPart>(_worker).Version);
        Assert.Equal(new WeightsVersion(1), Hear<ShardApplied>(_coordinator).Version);
    }

    [Fact]
    public void Standby_holds_the_state_that_came_before_the_word_that_it_is_the_standby()
    {
        Claim();
        _other.Send(_actor, new SeedStandby(T, Shard, new WeightsVersion(3), 3, [], _buffers.Of(_range.Length, 7), _buffers.Of(_range.Length, 6), new Dictionary<string, NativeBuffer>()));
        _coordinator.Send(_actor, new HoldPlace(T, new ShardPlace(Shard, There, Here), Seed: true));
        Assert.Equal(new ReplicaId(Shard, Here), Hear<PlaceHeld>(_coordinator).Replica);
        Assert.Equal(0, _buffers.Held);
        _coordinator.Send(_actor, new SnapshotShard(T, new WeightsVersion(3)));
        var snapshot = Hear<ShardSnapshot>(_coordinator);
        Assert.Equal((3L, 7f), (snapshot.AppliedSteps, snapshot.Weights.Span[0]));
    }

    [Fact]
    public async Task State_that_came_early_is_released_when_another_one_follows_or_nothing_does()
    {
        Claim();
        SeedStandby Seed(Term term) => new(term, Shard, new WeightsVersion(3), 3, [], _buffers.Of(_range.Length), null, new Dictionary<string, NativeBuffer>());
        _other.Send(_actor, Seed(T));
        _other.Send(_actor, Seed(T));
        Pass();
        Assert.Equal(1, _buffers.Held);
        _other.Send(_actor, Seed(new Term(4)));
        _other.Send(_actor, Seed(new Term(6)));
        Pass();
        Assert.Equal(1, _buffers.Held);
        await _actor.GracefulStop(Patience);
        Assert.Equal(0, _buffers.Held);
    }

    public void Dispose()
    {
        _system.Terminate().Wait(Patience);
        _system.Dispose();
        _buffers.Dispose();
    }
}
