using Cluster.Contracts;

namespace Cluster.Actors.Tests;

/// <summary>
/// Multinomial logistic regression in plain C#: an engine without libtorch, so that the actors are tested alone. It has
/// more than one chunk of parameters, a running buffer (mean input per leaf) and a counter, like a real network.
/// </summary>
internal sealed class LinearEngine(ImageShape shape, int classes, bool wholeRows = false) : IGradientEngine
{
    private readonly float[] _state = new float[LayoutOf(shape, classes).StateFloats];

    public ParameterLayout Layout { get; } = LayoutOf(shape, classes, wholeRows);
    public int ClassCount => classes;

    /// <summary>Runs before every leaf: tests block, throw or spoil values here.</summary>
    public Func<StepId, int, float>? OnLeaf { get; init; }

    /// <summary>Runs before every batch of an evaluation.</summary>
    public Action? OnPredict { get; init; }

    public static ParameterLayout LayoutOf(ImageShape shape, int classes, bool wholeRows = false) => ParameterLayout.Of(
    [
        ("fc.weight", [classes, shape.Floats], StateKind.Parameter, true),
        ("fc.bias", [classes], StateKind.Parameter, false),
        ("tail", [100_000], StateKind.Parameter, true),
        ("mean", [shape.Channels], StateKind.Buffer, false),
        ("batches", [], StateKind.Counter, false),
    ], wholeRows);

    public void Initialize(ulong seed, Span<float> state)
    {
        state.Clear();
        var stream = new PhiloxStream(seed, RandomPurpose.Initialization, 0);
        var weight = Layout["fc.weight"];
        foreach (ref var w in state.Slice(weight.Offset, weight.Length)) w = (stream.NextSingle() - 0.5f) * 0.02f;
        foreach (ref var w in state.Slice(Layout["tail"].Offset, 100_000)) w = stream.NextSingle();
    }

    public void LoadState(ReadOnlySpan<float> state) => state.CopyTo(_state);

    public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node)
    {
        var spoil = OnLeaf?.Invoke(step, leaf) ?? 0;
        node.Clear();
        var floats = shape.Floats;
        var gradient = node[..(classes * floats)];
        var bias = node.Slice(Layout["fc.bias"].Offset, classes);
        var logits = new float[classes];
        double loss = 0;
        var correct = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            var x = batch.Images.Slice(i * floats, floats);
            Logits(x, logits);
            var label = (int)batch.Labels[i];
            var max = logits.Max();
            var sum = 0.0;
            foreach (var l in logits) sum += Math.Exp(l - max);
            loss += Math.Log(sum) - (logits[label] - max);
            if (Array.IndexOf(logits, max) == label) correct++;
            for (var c = 0; c < classes; c++)
            {
                var delta = (float)(Math.Exp(logits[c] - max) / sum) - (c == label ? 1 : 0);
                var row = gradient.Slice(c * floats, floats);
                for (var j = 0; j < floats; j++) row[j] += delta * x[j];
                bias[c] += delta;
            }
        }
        for (var j = 0; j < 100_000; j++) node[Layout["tail"].Offset + j] = 1e-3f * batch.Count;
        var mean = Layout["mean"];
        for (var c = 0; c < shape.Channels; c++)
        {
            var total = 0f;
            for (var i = 0; i < batch.Count; i++) total += batch.Images[i * floats + c * shape.Height * shape.Width];
            node[mean.Offset + c] = 0.9f * _state[mean.Offset + c] + 0.1f * (total / batch.Count);
        }
        node[0] += spoil;
        return new LeafOutcome(loss, correct, float.IsFinite(node[0]) ? null : "fc.weight");
    }

    public void Predict(in ImageBatch batch, Span<float> logits)
    {
        OnPredict?.Invoke();
        for (var i = 0; i < batch.Count; i++) Logits(batch.Images.Slice(i * shape.Floats, shape.Floats), logits.Slice(i * classes, classes));
    }

    private void Logits(ReadOnlySpan<float> x, Span<float> logits)
    {
        var bias = Layout["fc.bias"].Offset;
        for (var c = 0; c < classes; c++) logits[c] = _state[bias + c] + Dot(x, _state.AsSpan(c * shape.Floats, shape.Floats));
    }

    private static float Dot(ReadOnlySpan<float> x, ReadOnlySpan<float> w)
    {
        var sum = 0f;
        for (var i = 0; i < x.Length; i++) sum += x[i] * w[i];
        return sum;
    }

    public void Dispose() { }
}
