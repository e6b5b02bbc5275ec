using System.Diagnostics;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Protocol;

/// <summary>What a leaf of a protocol benchmark does.</summary>
/// <param name="Milliseconds">How long it takes; 0 = no time at all.</param>
/// <param name="IsBurning">It computes meanwhile instead of sleeping.</param>
/// <param name="Floats">Parameters of the model; one chunk travels even for one float, since shards own whole chunks.</param>
internal readonly record struct LeafLoad(double Milliseconds, bool IsBurning = false, int Floats = 1);

/// <summary>A model that computes nothing, sleeps or burns: what is left of a step is the protocol.</summary>
internal sealed class EmptyEngine(ParameterLayout layout, int classes, LeafLoad load) : IGradientEngine
{
    public ParameterLayout Layout => layout;
    public int ClassCount => classes;

    public void Initialize(ulong seed, Span<float> state) => state.Clear();

    public void LoadState(ReadOnlySpan<float> state) { }

    public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node)
    {
        if (load.IsBurning) Burn();
        else if (load.Milliseconds > 0) Thread.Sleep(TimeSpan.FromMilliseconds(load.Milliseconds));
        node[0] = 1;
        return new LeafOutcome(0, 0, null);
    }

    private void Burn()
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started).TotalMilliseconds < load.Milliseconds) Thread.SpinWait(1_000);
    }

    public void Predict(in ImageBatch batch, Span<float> logits) => logits.Clear();

    public void Dispose() { }
}

/// <summary>Engines of a protocol benchmark.</summary>
internal sealed class EmptyEngines(int classes, LeafLoad load) : IEngineSource
{
    public ParameterLayout Layout { get; } = ParameterLayout.Of([("w", [load.Floats], StateKind.Parameter, false)]);
    public string Fingerprint => "empty";
    public string Numerics => "no arithmetic";

    public IGradientEngine Create(int device) => new EmptyEngine(Layout, classes, load);
}
