using Akka.Actor;
using Cluster.Contracts;
using Cluster.Workers.Actors;
using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

public sealed class EarlyEvaluationSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Worker_that_is_asked_to_evaluate_before_the_weights_are_here_waits_for_them()
    {
        var (train, test) = Datasets.Open("synthetic", 3);
        using var trainSet = train;
        using var testSet = test;
        var pipeline = new AugmentationPipeline(new AugmentationOptions(), train, 3);
        using var system = ActorSystem.Create("test", "akka { loglevel = OFF, stdout-loglevel = OFF }");
        var coordinator = Inbox.Create(system);
        var worker = system.ActorOf(WorkerActor.Props(
            new WorkerSettings(new WorkerId(0), 1, train.Count, 64, 8, 3, TotalSteps: 0, Loss: new LossOptions()),
            new WorkerPeers(() => coordinator.Receiver, _ => coordinator.Receiver, _ => coordinator.Receiver),
            _ => new LinearEngine(train.Shape, train.ClassCount),
            () => new LeafPrefetcher(new PixelSource(train, pipeline), 3, 8, "worker-0"),
            () => new EvaluationBatches(new PixelSource(test, pipeline), 50)));
        Assert.IsType<WorkerReady>(coordinator.Receive(Patience));

        // Weights that see a 7 in everything.
        var layout = LinearEngine.LayoutOf(train.Shape, train.ClassCount);
        var state = NativeBuffer.Allocate(layout.StateFloats);
        state.Span.Clear();
        state.Span[layout["fc.bias"].Offset + 7] = 1;
        var node = new NodeId(0, 1);
        worker.Tell(new Routes(Term.First, [new ShardPlace(new ShardId(0), node, null)]));
        worker.Tell(new EvaluateBatches(Term.First, new WeightsVersion(5), [1], default));
        Assert.IsType<RequestWeights>(coordinator.Receive(Patience));
        worker.Tell(new WeightsPart(Term.First, new WeightsVersion(5), new ShardId(0), 0, state, default));

        var result = Assert.IsType<BatchEvaluated>(coordinator.Receive(Patience));
        Assert.Equal((1, 50, 5), (result.Batch, result.Samples, result.CorrectCount));
        Assert.All(result.Predictions, prediction => Assert.Equal(7, prediction));
        await system.Terminate();
    }
}
