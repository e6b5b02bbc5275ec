using Cluster.Chaos;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Nodes;

/// <summary>The engine of a worker that computes wrongly, late or never, as its <see cref="NodeFaults"/> say. Compute thread; owns the inner engine.</summary>
/// <param name="audited">The audited leaf of a step; null = none is.</param>
internal sealed class FaultyEngine(IGradientEngine inner, NodeFaults faults, Func<StepId, int?> audited) : IGradientEngine
{
    /// <summary>Changes a value by 2^-11 of itself: plausible, and wrong.</summary>
    private const int MantissaBit = 12;

    /// <summary>The kinds that this does.</summary>
    public static readonly FaultKind[] Kinds = [FaultKind.NotANumber, FaultKind.Lie, FaultKind.Hang, FaultKind.Slow];

    public ParameterLayout Layout => inner.Layout;

    public int ClassCount => inner.ClassCount;

    public void Initialize(ulong seed, Span<float> state) => inner.Initialize(seed, state);

    public void LoadState(ReadOnlySpan<float> state) => inner.LoadState(state);

    public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node)
    {
        var where = $"in leaf {leaf} of step {step}";
        if (faults.Take(FaultKind.Hang, step) is { } hang)
        {
            faults.Say(hang, where);
            // As a kernel that does not come back: this thread answers nobody, the rest of the process goes on.
            faults.Rest(hang.Duration);
        }
        var slow = faults.InForce(FaultKind.Slow, step);
        var started = faults.Time.GetTimestamp();
        var outcome = inner.ComputeLeaf(batch, seed, step, leaf, node);
        if (slow is not null) faults.Rest(faults.Time.GetElapsedTime(started) * (slow["factor"] - 1));
        if (audited(step) == leaf && faults.Take(FaultKind.Lie, step) is { } lie)
        {
            var name = FlipBit(node);
            faults.Say(lie, $"{where}: one bit of '{name}' is another");
        }
        if (faults.Take(FaultKind.NotANumber, step) is not { } nan) return outcome;
        var bad = Victim(step);
        node[bad.Offset + bad.Length / 2] = float.NaN;
        faults.Say(nan, $"{where}, in '{bad.Name}'");
        // What the inner engine reports of such a gradient: the first bad entry in the layout's order.
        return outcome with { FirstBadParameter = FirstOf(outcome.FirstBadParameter, bad.Name) };
    }

    public void Predict(in ImageBatch batch, Span<float> logits) => inner.Predict(batch, logits);

    public void Dispose() => inner.Dispose();

    /// <summary>Another parameter from step to step, the same in every run.</summary>
    private StateEntry Victim(StepId step)
    {
        var parameters = Layout.Parameters.ToArray();
        return parameters[(int)(step.Value % parameters.Length)];
    }

    private string FirstOf(string? found, string made) =>
        found is null ? made : Layout.Entries.First(e => e.Name == found || e.Name == made).Name;

    /// <summary>Flips one bit of the first gradient from the middle of the parameters on that is neither zero nor infinite.</summary>
    private string FlipBit(Span<float> node)
    {
        var parameters = Layout.Parameters.ToArray();
        for (var i = 0; i < parameters.Length; i++)
        {
            var entry = parameters[(i + parameters.Length / 2) % parameters.Length];
            for (var at = entry.Offset; at < entry.Offset + entry.Length; at++)
            {
                if (!float.IsNormal(node[at])) continue;
                node[at] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(node[at]) ^ 1u << MantissaBit);
                return entry.Name;
            }
        }
        return "nothing: all gradients are zero";
    }
}

/// <summary>Engines of a worker with faults.</summary>
internal sealed class FaultyEngines(IEngineSource inner, NodeFaults faults) : IEngineSource
{
    /// <summary>Step and leaf of the last <see cref="Audited"/>; one reference, so both change at once.</summary>
    private volatile Tuple<StepId, int>? _audited;

    public ParameterLayout Layout => inner.Layout;

    public string Fingerprint => inner.Fingerprint;

    public string Numerics => inner.Numerics;

    /// <summary>An order says which leaf of its step is computed twice. Any thread, before the leaf is computed.</summary>
    public void Audited(StepId step, int leaf) => _audited = Tuple.Create(step, leaf);

    public IGradientEngine Create(int device) => new FaultyEngine(inner.Create(device), faults, step => _audited is { } last && last.Item1 == step ? last.Item2 : null);
}
