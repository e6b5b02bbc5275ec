using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Protocol;

/// <summary>
/// A model of one number that computes nothing, or sleeps: what is left of a step is the protocol. One chunk of state
/// (256 KiB) travels all the same, since shards own whole chunks.
/// </summary>
internal sealed class EmptyEngine(ParameterLayout layout, int classes, double milliseconds) : IGradientEngine
{
    public ParameterLayout Layout => layout;
    public int ClassCount => classes;

    public void Initialize(ulong seed, Span<float> state) => state.Clear();

    public void LoadState(ReadOnlySpan<float> state) { }

    public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node)
    {
        if (milliseconds > 0) Thread.Sleep(TimeSpan.FromMilliseconds(milliseconds));
        node[0] = 1;
        return new LeafOutcome(0, 0, null);
    }

    public void Predict(in ImageBatch batch, Span<float> logits) => logits.Clear();

    public void Dispose() { }
}

/// <summary>Engines of a protocol benchmark.</summary>
/// <param name="milliseconds">What a leaf takes; 0 = nothing.</param>
internal sealed class EmptyEngines(int classes, double milliseconds) : IEngineSource
{
    public ParameterLayout Layout { get; } = ParameterLayout.Of([("w", [1], StateKind.Parameter, false)]);
    public string Fingerprint => "empty";
    public string Numerics => "no arithmetic";

    public IGradientEngine Create(int worker) => new EmptyEngine(Layout, classes, milliseconds);
}
