using Cluster.Contracts;
using Cluster.Engine;

namespace Cluster.Models.Tests;

/// <summary>An engine with reference weights loaded, and one leaf for it.</summary>
internal sealed class Problem : IDisposable
{
    public static readonly ImageShape Cifar = new(3, 32, 32);

    public Problem(GradientEngineOptions options, int count, ulong seed = 5)
    {
        Engine = new GradientEngine(options);
        State = new float[Engine.Layout.StateFloats];
        ReferenceProblem.FillState(Engine.Layout, seed, State);
        Engine.LoadState(State);
        Images = new float[count * options.Image.Floats];
        Labels = new long[count];
        ReferenceProblem.FillLeaf(options.ClassCount, seed, Images, Labels);
    }

    public GradientEngine Engine { get; }
    public float[] State { get; }
    public float[] Images { get; }
    public long[] Labels { get; }
    public ImageBatch Batch => new(Images, Labels, Engine.Options.Image);

    public static GradientEngineOptions SmallCnn { get; } = new() { Model = "small-cnn", ClassCount = 10, Image = Cifar };

    public static Problem WithSmallCnn(int count = 8) => new(SmallCnn, count);

    /// <summary>One leaf into a fresh vector that was full of rubbish, so that whatever is not written shows.</summary>
    public (LeafOutcome Outcome, float[] Node) Leaf()
    {
        var node = new float[Engine.Layout.StateFloats];
        Array.Fill(node, 12345f);
        return (Engine.ComputeLeaf(Batch, seed: 1, new StepId(1), leaf: 0, node), node);
    }

    public float[] Predict()
    {
        var logits = new float[Labels.Length * Engine.ClassCount];
        Engine.Predict(Batch, logits);
        return logits;
    }

    public void Dispose() => Engine.Dispose();
}
