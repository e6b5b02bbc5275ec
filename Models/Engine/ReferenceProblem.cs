using Cluster.Contracts;

namespace Cluster.Engine;

/// <summary>
/// One fixed state and one fixed leaf for any model, made of uniform draws and exact float32 arithmetic only (no
/// logarithm, no sine): every host, and any other language, gets the same bits. The numeric fingerprint and the golden
/// values start from it.
/// </summary>
public static class ReferenceProblem
{
    /// <summary>Distinguishes the stream of the images from the streams of the state's entries.</summary>
    private const ulong ImageStream = 1UL << 32, LabelStream = (1UL << 32) + 1;

    /// <summary>
    /// Fills <paramref name="state"/> [StateFloats]. Entry i draws u in [0, 1) from stream (seed, Fingerprint, i): weights of
    /// convolutions and linear layers become (2u − 1)·√(6 / fan_in), other weights and running variances 0.5 + u, biases and
    /// running means u − 0.5. Padding becomes zero.
    /// </summary>
    public static void FillState(ParameterLayout layout, ulong seed, Span<float> state)
    {
        ArgumentNullException.ThrowIfNull(layout);
        state.Clear();
        for (var i = 0; i < layout.Entries.Count; i++)
        {
            var entry = layout.Entries[i];
            if (entry.Kind == StateKind.Counter) continue;
            var stream = new PhiloxStream(seed, RandomPurpose.Fingerprint, (ulong)i);
            var values = state.Slice(entry.Offset, entry.Length);
            if (entry.Shape.Count > 1)
            {
                var bound = (float)Math.Sqrt(6.0 / WeightInitialization.FanIn(entry));
                foreach (ref var value in values) value = (2f * stream.NextSingle() - 1f) * bound;
            }
            else
            {
                var lowest = entry.Name.EndsWith("weight", StringComparison.Ordinal) || entry.Name.EndsWith("running_var", StringComparison.Ordinal) ? 0.5f : -0.5f;
                foreach (ref var value in values) value = lowest + stream.NextSingle();
            }
        }
    }

    /// <summary>Images uniform in [−2, 2) and labels uniform over the classes.</summary>
    /// <param name="images">[Count, channels, height, width].</param>
    /// <param name="labels">[Count].</param>
    public static void FillLeaf(int classCount, ulong seed, Span<float> images, Span<long> labels)
    {
        var pixels = new PhiloxStream(seed, RandomPurpose.Fingerprint, ImageStream);
        foreach (ref var value in images) value = 4f * pixels.NextSingle() - 2f;
        var classes = new PhiloxStream(seed, RandomPurpose.Fingerprint, LabelStream);
        foreach (ref var label in labels) label = classes.NextInt32(classCount);
    }
}
