using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What a stretch of a shard's memory is.</summary>
public enum SegmentKind
{
    /// <summary>Weights without decay.</summary>
    Weights = 0,

    /// <summary>Weights with decay.</summary>
    DecayedWeights = 1,

    /// <summary>Model buffers: averaged over the leaves.</summary>
    Buffers = 2,

    /// <summary>Padding up to the chunk edge: always zero.</summary>
    Padding = 3,
}

/// <summary>A stretch of one kind within one chunk.</summary>
/// <param name="Offset">From the shard's first float.</param>
public readonly record struct Segment(SegmentKind Kind, int Offset, int Length);

/// <summary>
/// One shard's part of a step: the rule over the shard's parameters, the mean over its buffers, zeros in the padding.
/// The segments are computed once; applying a step allocates nothing.
/// </summary>
/// <remarks>Holds no tensors. Thread-safe, as long as no two calls write the same memory.</remarks>
public sealed class ShardUpdate
{
    private readonly SgdRule _rule;
    private readonly Segment[] _segments;

    public ShardUpdate(ShardRange range, ParameterLayout layout, SgdRule rule)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(rule);
        Range = range;
        _rule = rule;
        _segments = Cut(range, layout, rule);
        MomentumLength = rule.HasMomentum ? Math.Clamp(layout.BufferOffset - range.Offset, 0, range.Length) : 0;
    }

    public ShardRange Range { get; }

    /// <summary>In offset order, disjoint, together the range; none crosses a chunk's edge.</summary>
    public IReadOnlyList<Segment> Segments => _segments;

    /// <summary>Floats of momentum that the shard keeps: its padded parameters, from its first float on. 0 when the rule has none.</summary>
    public int MomentumLength { get; }

    /// <summary>Turns weights v into weights v+1.</summary>
    /// <param name="summed">[Range.Length] root of the reduction tree.</param>
    /// <param name="weightsIn">[Range.Length] version v; left alone.</param>
    /// <param name="weightsOut">[Range.Length] receives version v+1; other memory than v.</param>
    /// <param name="momentum">[<see cref="MomentumLength"/>] changed in place, zero before the first step.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    public void Apply(ReadOnlySpan<float> summed, ReadOnlySpan<float> weightsIn, Span<float> weightsOut, Span<float> momentum, in ApplyArguments step) =>
        Apply(summed, weightsIn, weightsOut, momentum, step, Lanes.Best);

    /// <summary>A skipped step: version v+1 has the weights and buffers of v. The momentum stays as it is.</summary>
    public void Skip(ReadOnlySpan<float> weightsIn, Span<float> weightsOut)
    {
        CheckLength(weightsIn.Length, Range.Length, "weights");
        CheckLength(weightsOut.Length, Range.Length, "new weights");
        weightsIn.CopyTo(weightsOut);
    }

    internal void Apply(
        ReadOnlySpan<float> summed, ReadOnlySpan<float> weightsIn, Span<float> weightsOut, Span<float> momentum, in ApplyArguments step, VectorWidth width)
    {
        CheckLength(summed.Length, Range.Length, "summed gradients");
        CheckLength(weightsIn.Length, Range.Length, "weights");
        CheckLength(weightsOut.Length, Range.Length, "new weights");
        CheckLength(momentum.Length, MomentumLength, "momenta");
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Samples, 1, nameof(step));
        ArgumentOutOfRangeException.ThrowIfLessThan(step.LeafCount, 1, nameof(step));
        var plain = _rule.Factors(step, decays: false);
        var decayed = _rule.Factors(step, decays: true);
        foreach (var (kind, offset, length) in _segments)
        {
            var target = weightsOut.Slice(offset, length);
            switch (kind)
            {
                case SegmentKind.Padding:
                    target.Clear();
                    break;
                case SegmentKind.Buffers:
                    SgdKernel.Mean(summed.Slice(offset, length), target, step.LeafCount, width);
                    break;
                default:
                    var slot = _rule.HasMomentum ? momentum.Slice(offset, length) : default;
                    SgdKernel.Run(summed.Slice(offset, length), weightsIn.Slice(offset, length), target, slot, kind == SegmentKind.DecayedWeights ? decayed : plain, width);
                    break;
            }
        }
    }

    private void CheckLength(int actual, int expected, string what)
    {
        if (actual != expected) throw new ArgumentException($"{Range.Shard} takes {expected} {what}, not {actual}");
    }

    private static Segment[] Cut(ShardRange range, ParameterLayout layout, SgdRule rule)
    {
        var segments = new List<Segment>();
        var next = range.Offset;
        foreach (var entry in layout.Entries)
        {
            if (entry.Kind == StateKind.Counter || entry.Offset + entry.Length <= range.Offset || entry.Offset >= range.End) continue;
            if (entry.Offset > next) Append(SegmentKind.Padding, next, entry.Offset);
            var end = Math.Min(entry.Offset + entry.Length, range.End);
            var kind = entry.Kind == StateKind.Buffer ? SegmentKind.Buffers : rule.Decays(entry) ? SegmentKind.DecayedWeights : SegmentKind.Weights;
            Append(kind, Math.Max(next, entry.Offset), end);
            next = end;
        }
        if (next < range.End) Append(SegmentKind.Padding, next, range.End);
        return [.. segments];

        // Cuts at chunk edges and joins neighbours of one kind: fewer, longer runs for the kernel.
        void Append(SegmentKind kind, int start, int end)
        {
            while (start < end)
            {
                var stop = Math.Min(end, layout.EndOfChunk(start));
                var previous = segments.Count > 0 ? segments[^1] : default;
                // The float before lies in the same chunk unless this one begins a chunk.
                if (previous.Length > 0 && previous.Kind == kind && layout.EndOfChunk(start - 1) != start)
                    segments[^1] = previous with { Length = previous.Length + stop - start };
                else
                    segments.Add(new Segment(kind, start - range.Offset, stop - start));
                start = stop;
            }
        }
    }
}
