using Akka.Actor;
using Cluster.Contracts;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>One worker, alone with a coordinator and a shard that are inboxes.</summary>
public sealed class WorkerActorSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly NodeId Node = new(0, 1);
    private static readonly ShardId Shard = new(0);
    private static readonly Term T = new(2);

    private readonly ActorSystem _system = ActorSystem.Create("test", "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }");
    private readonly (IDataset Train, IDataset Test) _data = Datasets.Open("synthetic", 3);
    private readonly ManualResetEventSlim _building = new(initialState: true), _computing = new(initialState: true);
    private readonly TaskCompletionSource _reachedLeaf = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Inbox _coordinator, _shard, _host;
    private readonly Buffers _buffers = new();
    private volatile bool _isDisposed;
    private volatile bool _isConnected = true;

    public WorkerActorSpecs() => (_coordinator, _shard, _host) = (Inbox.Create(_system), Inbox.Create(_system), Inbox.Create(_system));

    private sealed class WatchedEngine(IGradientEngine engine, Action disposed) : IGradientEngine
    {
        public ParameterLayout Layout => engine.Layout;
        public int ClassCount => engine.ClassCount;
        public void Initialize(ulong seed, Span<float> state) => engine.Initialize(seed, state);
        public void LoadState(ReadOnlySpan<float> state) => engine.LoadState(state);
        public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node) => engine.ComputeLeaf(batch, seed, step, leaf, node);
        public void Predict(in ImageBatch batch, Span<float> logits) => engine.Predict(batch, logits);

        public void Dispose()
        {
            engine.Dispose();
            disposed();
        }
    }

    private IActorRef Start(int devices = 1)
    {
        var (train, test) = _data;
        var pipeline = new AugmentationPipeline(new AugmentationOptions(), train, 3);
        return _system.ActorOf(WorkerActor.Props(
            new WorkerSettings(new WorkerId(0), 1, train.Count, 64, 8, 3, TotalSteps: 10, Loss: new LossOptions()) { Devices = devices },
            new WorkerPeers(() => _coordinator.Receiver, _ => _isConnected ? _shard.Receiver : null, _ => _isConnected ? _shard.Receiver : null),
            _ =>
            {
                Assert.True(_building.Wait(Patience));
                return new WatchedEngine(new LinearEngine(train.Shape, train.ClassCount) { OnLeaf = OnLeaf }, () => _isDisposed = true);
            },
            () => new LeafPrefetcher(new PixelSource(train, pipeline), 3, 8, "worker-0", Limits.PrefetchedLeaves + devices - 1),
            () => new EvaluationBatches(new PixelSource(test, pipeline), 50)));
    }

    private float OnLeaf(StepId step, int leaf)
    {
        _reachedLeaf.TrySetResult();
        Assert.True(_computing.Wait(Patience));
        return 0;
    }

    private TMessage Hear<TMessage>(Inbox inbox) => Assert.IsType<TMessage>(inbox.Receive(Patience));

    /// <summary>Nothing lies in an inbox, and nothing the actor has been told makes it send more.</summary>
    private void AssertSilent(IActorRef actor, params Inbox[] inboxes)
    {
        Assert.True(actor.Ask<ActorIdentity>(new Identify(0), Patience).Wait(Patience));
        foreach (var inbox in inboxes)
        {
            _host.Send(inbox.Receiver, "marker");
            Assert.Equal("marker", inbox.Receive(Patience));
        }
    }

    private static Routes Routes => new(T, [new ShardPlace(Shard, Node, null)]);

    private static BeginStep Begin(int step, int first, int count) => new(T, new StepId(step), 1, 8, [new LeafRange(first, count)], default);

    private WeightsPart Weights(long version) =>
        new(T, new WeightsVersion(version), Shard, 0, _buffers.Of(LinearEngine.LayoutOf(_data.Train.Shape, _data.Train.ClassCount).StateFloats, 0.01f), default);

    private IActorRef StartReady(int devices = 1)
    {
        var actor = Start(devices);
        Hear<WorkerReady>(_coordinator);
        actor.Tell(Routes);
        return actor;
    }

    [Fact]
    public async Task Announce_before_the_engine_is_built_is_answered_once_it_is()
    {
        _building.Reset();
        var actor = Start();
        actor.Tell(new WorkerActor.Announce());
        actor.Tell(new WorkerActor.PeerUp());
        actor.Tell(Begin(1, 0, 1));
        actor.Tell(Weights(0));
        AssertSilent(actor, _coordinator, _shard);
        Assert.Equal(0, _buffers.Held);
        _building.Set();
        Assert.Equal(new WorkerReady(new WorkerId(0)), Hear<WorkerReady>(_coordinator));
        AssertSilent(actor, _coordinator, _shard);
        actor.Tell(new WorkerActor.Announce());
        Hear<WorkerReady>(_coordinator);
        await actor.GracefulStop(Patience);
        Assert.True(_isDisposed);
    }

    [Fact]
    public async Task Worker_that_leaves_finishes_what_it_has_begun_and_begins_nothing_more()
    {
        _computing.Reset();
        var actor = StartReady();
        actor.Tell(Begin(1, 0, 2));
        Assert.Equal(WeightsVersion.Initial, Hear<RequestWeights>(_shard).Version);
        actor.Tell(Weights(0));
        await _reachedLeaf.Task.WaitAsync(Patience);
        _host.Send(actor, new WorkerActor.Drain());
        actor.Tell(Begin(1, 4, 1));                                                     // more leaves of the step that is open
        actor.Tell(new EvaluateBatches(T, WeightsVersion.Initial, [0], default));
        actor.Tell(Begin(2, 0, 1));
        actor.Tell(Weights(1));
        actor.Tell(new WorkerActor.Announce());
        AssertSilent(actor, _coordinator, _shard, _host);
        _computing.Set();
        Assert.Equal(0, Hear<LeafDone>(_coordinator).Leaf);
        Assert.Equal(1, Hear<LeafDone>(_coordinator).Leaf);
        var node = Hear<GradientNode>(_shard);
        Assert.Equal(new TreeNode(1, 0), node.Node);
        node.Buffer.Dispose();
        Hear<WorkerActor.Drained>(_host);
        _host.Send(actor, new WorkerActor.Drain());         // behind whatever might have been begun since
        Hear<WorkerActor.Drained>(_host);
        AssertSilent(actor, _coordinator, _shard);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Lease_is_pushed_in_the_same_nodes_however_many_devices_compute_it(int devices)
    {
        var actor = StartReady(devices);
        actor.Tell(Begin(1, 0, 7));
        Hear<RequestWeights>(_shard);
        actor.Tell(Weights(0));
        Assert.Equal(Enumerable.Range(0, 7), Enumerable.Range(0, 7).Select(_ => Hear<LeafDone>(_coordinator).Leaf).Order());
        // Seven leaves of eight are three subtrees: not one node more crosses the network.
        var pushed = Enumerable.Range(0, 3).Select(_ => Hear<GradientNode>(_shard)).ToList();
        Assert.Equal([TreeNode.Leaf(6), new TreeNode(1, 2), new TreeNode(2, 0)], pushed.Select(static p => p.Node).Order());
        foreach (var node in pushed) node.Buffer.Dispose();
        AssertSilent(actor, _coordinator, _shard);
    }

    [Fact]
    public void Worker_that_leaves_does_not_begin_what_waited_for_weights()
    {
        var actor = StartReady();
        actor.Tell(Begin(1, 0, 2));
        Hear<RequestWeights>(_shard);
        _host.Send(actor, new WorkerActor.Drain());
        Hear<WorkerActor.Drained>(_host);
        actor.Tell(Weights(0));
        AssertSilent(actor, _coordinator, _shard);
        _host.Send(actor, new WorkerActor.Drain());
        Hear<WorkerActor.Drained>(_host);
        AssertSilent(actor, _coordinator, _shard);
    }

    [Fact]
    public void Worker_that_leaves_before_its_engine_is_built_is_drained_and_never_says_that_it_is_ready()
    {
        _building.Reset();
        var actor = Start();
        _host.Send(actor, new WorkerActor.Drain());
        Hear<WorkerActor.Drained>(_host);
        _building.Set();
        _host.Send(actor, new WorkerActor.Drain());
        Hear<WorkerActor.Drained>(_host);
        AssertSilent(actor, _coordinator, _shard);
    }

    [Fact]
    public void Node_that_could_not_be_pushed_is_pushed_when_its_shard_is_connected_again()
    {
        var actor = StartReady();
        actor.Tell(Begin(1, 0, 2));
        Hear<RequestWeights>(_shard);
        _isConnected = false;
        actor.Tell(Weights(0));
        Hear<LeafDone>(_coordinator);
        Hear<LeafDone>(_coordinator);
        _host.Send(actor, new WorkerActor.Drain());         // behind the push that found nobody
        Hear<WorkerActor.Drained>(_host);
        AssertSilent(actor, _shard);
        _isConnected = true;
        actor.Tell(new WorkerActor.PeerUp());
        var node = Hear<GradientNode>(_shard);
        Assert.Equal((new SumKey(T, new StepId(1), 1), new TreeNode(1, 0)), (node.Sum, node.Node));
        actor.Tell(new PushAgain(T, new StepId(1), 1, [Shard]));
        var again = Hear<GradientNode>(_shard);
        Assert.True(node.Buffer.Span.SequenceEqual(again.Buffer.Span));
        actor.Tell(new PushAgain(T, new StepId(1), 2, [Shard]));        // an attempt that it knows nothing of
        AssertSilent(actor, _shard);
    }

    [Fact]
    public void Weights_that_were_asked_for_in_vain_are_asked_for_again_when_the_shard_is_connected()
    {
        _isConnected = false;
        var actor = StartReady();
        actor.Tell(Begin(1, 0, 1));
        AssertSilent(actor, _shard);
        _isConnected = true;
        actor.Tell(new WorkerActor.PeerUp());
        Assert.Equal(new RequestWeights(T, WeightsVersion.Initial, Shard, new WorkerId(0)), Hear<RequestWeights>(_shard));
    }

    [Fact]
    public async Task Worker_that_is_stopped_while_its_engine_is_built_disposes_it()
    {
        _building.Reset();
        var actor = Start();
        AssertSilent(actor, _coordinator);
        var stopping = actor.GracefulStop(Patience);
        _building.Set();
        await stopping;
        Assert.True(_isDisposed);
    }

    [Fact]
    public async Task Stopped_worker_holds_neither_weights_nor_nodes()
    {
        var actor = StartReady();
        actor.Tell(Begin(1, 0, 2));
        Hear<RequestWeights>(_shard);
        actor.Tell(Weights(0));
        var node = Hear<GradientNode>(_shard);
        actor.Tell(Weights(1) with { Version = new WeightsVersion(2) });
        await actor.GracefulStop(Patience);
        Assert.True(_isDisposed);
        Assert.Equal(0, _buffers.Held);
        // What the shard was given is the shard's.
        Assert.Equal(node.Buffer.Length, node.Buffer.Span.Length);
        node.Buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => node.Buffer.Span[0]);
    }

    public void Dispose()
    {
        _building.Set();
        _computing.Set();
        _system.Terminate().Wait(Patience);
        _system.Dispose();
        _data.Train.Dispose();
        _data.Test.Dispose();
        _buffers.Dispose();
    }
}
