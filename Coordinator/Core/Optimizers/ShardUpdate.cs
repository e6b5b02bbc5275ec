using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>A named vector that a shard keeps beside its weights, from its first float on.</summary>
/// <param name="Length">Floats.</param>
public readonly record struct ShardSlot(string Name, int Length);

/// <summary>
/// One shard's part of a step: the rule over the shard's parameters, the mean over its buffers, zeros in the padding, and
/// the average of all of it. The segments are computed once; applying a step allocates nothing.
/// </summary>
/// <remarks>Holds no tensors. Thread-safe, as long as no two calls write the same memory.</remarks>
public sealed unsafe class ShardUpdate
{
    private readonly UpdateRule _rule;
    private readonly OptimizerOptions _options;
    private readonly Segment[] _segments;
    private readonly ShardSlot[] _slots;
    private readonly int _tensors;

    /// <exception cref="UserMistakeException">A parameter group matches nothing.</exception>
    public ShardUpdate(ShardRange range, ParameterLayout layout, UpdateRule rule)
    {
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(rule);
        rule.Groups.RefuseUnmatched(layout);
        Range = range;
        _rule = rule;
        _options = rule.Options;
        _segments = Core.Segments.Cut(range, layout, rule);
        _tensors = layout.Parameters.Count();
        IEnumerable<string> names = _options.EmaDecay > 0 ? [.. rule.SlotNames, StateSlots.Ema] : rule.SlotNames;
        _slots = [.. names.Select(name => new ShardSlot(name, StateSlots.LengthOf(name, layout, range.Offset, range.Length))).Where(static s => s.Length > 0)];
    }

    public ShardRange Range { get; }

    /// <summary>In offset order, disjoint, together the range; none crosses a chunk's edge.</summary>
    public IReadOnlyList<Segment> Segments => _segments;

    /// <summary>What the shard keeps beside its weights: the rule's slots (none for a shard of buffers), then the average of the weights.</summary>
    public IReadOnlyList<ShardSlot> Slots => _slots;

    /// <summary>Fills a slot as it is before the first step.</summary>
    /// <param name="slot">Place in <see cref="Slots"/>.</param>
    /// <param name="weights">[Range.Length] the first weights.</param>
    public void Begin(int slot, ReadOnlySpan<float> weights, Span<float> target)
    {
        CheckLength(target.Length, _slots[slot].Length, _slots[slot].Name);
        if (_slots[slot].Name == StateSlots.Ema) weights.CopyTo(target);
        else target.Fill(_rule.FirstValueOf(_slots[slot].Name));
    }

    /// <summary>Turns weights v into weights v+1.</summary>
    /// <param name="summed">[Range.Length] root of the reduction tree.</param>
    /// <param name="weightsIn">[Range.Length] version v; left alone.</param>
    /// <param name="weightsOut">[Range.Length] receives version v+1; other memory than v.</param>
    /// <param name="slots">As <see cref="Slots"/> says; changed in place.</param>
    /// <exception cref="ArgumentException">A length is wrong.</exception>
    /// <exception cref="ClusterException">The rule needs a factor per tensor, and the step has none.</exception>
    public void Apply(ReadOnlySpan<float> summed, ReadOnlySpan<float> weightsIn, Span<float> weightsOut, ReadOnlySpan<NativeBuffer> slots, in ApplyArguments step) =>
        Apply(summed, weightsIn, weightsOut, slots, step, Lanes.Best);

    /// <summary>A skipped step: version v+1 has the weights and buffers of v. The slots stay as they are.</summary>
    public void Skip(ReadOnlySpan<float> weightsIn, Span<float> weightsOut)
    {
        CheckLength(weightsIn.Length, Range.Length, "weights");
        CheckLength(weightsOut.Length, Range.Length, "new weights");
        weightsIn.CopyTo(weightsOut);
    }

    /// <summary>
    /// What the coordinator has to know to say how much will be clipped; see <see cref="ShardReduced.Extreme"/>. 0 unless
    /// elements or units are clipped.
    /// </summary>
    /// <param name="summed">[Range.Length] root of the reduction tree.</param>
    /// <param name="weights">[Range.Length] the version that the step consumes.</param>
    public double Extreme(ReadOnlySpan<float> summed, ReadOnlySpan<float> weights) => Extreme(summed, weights, Lanes.Best);

    internal double Extreme(ReadOnlySpan<float> summed, ReadOnlySpan<float> weights, VectorWidth width)
    {
        CheckLength(summed.Length, Range.Length, "summed gradients");
        CheckLength(weights.Length, Range.Length, "weights");
        if (_options is { ClipValue: 0, ClipAdaptive: 0 }) return 0;
        var extreme = 0.0;
        fixed (float* g = summed, w = weights)
        {
            foreach (var (kind, offset, length, treatment) in _segments)
            {
                if (kind != SegmentKind.Weights) continue;
                if (_options.ClipValue > 0) extreme = Math.Max(extreme, Elementwise.LargestMagnitude(g + offset, length, width));
                else
                    for (var at = offset; at < offset + length; at += treatment.Unit)
                        extreme = Math.Max(extreme, OutputUnits.Ratio(g + at, w + at, treatment.Unit, width));
            }
        }
        return extreme;
    }

    internal void Apply(
        ReadOnlySpan<float> summed, ReadOnlySpan<float> weightsIn, Span<float> weightsOut, ReadOnlySpan<NativeBuffer> slots, in ApplyArguments step, VectorWidth width)
    {
        CheckLength(summed.Length, Range.Length, "summed gradients");
        CheckLength(weightsIn.Length, Range.Length, "weights");
        CheckLength(weightsOut.Length, Range.Length, "new weights");
        CheckLength(slots.Length, _slots.Length, "slots");
        for (var i = 0; i < slots.Length; i++) CheckLength(slots[i].Length, _slots[i].Length, _slots[i].Name);
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Samples, 1, nameof(step));
        ArgumentOutOfRangeException.ThrowIfLessThan(step.LeafCount, 1, nameof(step));
        if (_options.NeedsTensorSums() && step.TensorScales?.Count != _tensors)
            throw new ClusterException($"the rule needs factors for {_tensors} tensors, the step has {step.TensorScales?.Count ?? 0}");
        var hasAverage = _options.EmaDecay > 0;
        var ruleSlots = slots.Length - (hasAverage ? 1 : 0);
        fixed (float* g = summed, w = weightsIn, o = weightsOut)
        {
            var memory = new PassMemory(Range.Length)
            {
                Summed = g,
                Weights = w,
                Next = o,
                First = ruleSlots > 0 ? Pointer(slots[0]) : null,
                Second = ruleSlots > 1 ? Pointer(slots[1]) : null,
                Third = ruleSlots > 2 ? Pointer(slots[2]) : null,
            };
            var average = hasAverage ? Pointer(slots[^1]) : null;
            foreach (ref readonly var segment in _segments.AsSpan())
            {
                var (offset, length) = (segment.Offset, segment.Length);
                if (segment.Kind == SegmentKind.Padding) new Span<float>(o + offset, length).Clear();
                else if (segment.Kind == SegmentKind.Buffers) Elementwise.Mean(g + offset, o + offset, length, step.LeafCount, width);
                else Train(memory.Slice(offset, length), segment.Treatment, step, width);
                // Behind whatever changed the weights; a chunk's are still in the cache.
                if (average != null) Elementwise.Average(o + offset, average + offset, length, (float)_options.EmaDecay, (float)(1 - _options.EmaDecay), width);
            }
        }
    }

    private void Train(in PassMemory memory, in Treatment treatment, in ApplyArguments step, VectorWidth width)
    {
        var ofTensor = treatment.Tensor >= 0 ? step.TensorScales![treatment.Tensor] : 1;
        var isAdaptive = _options.ClipAdaptive > 0;
        var rate = step.LearningRate * treatment.RateFactor * (_options.ClipParameterNorm > 0 ? 1 : ofTensor);
        var scale = _options.ClipParameterNorm > 0 ? ofTensor : isAdaptive || _options.ClipValue > 0 ? 1 : step.Scale;
        var terms = new GradientTerms(
            step.Samples, (float)scale, (float)_options.ClipValue, (float)treatment.Penalty.L2, (float)treatment.Penalty.L1, (float)(1 - rate * treatment.Penalty.Decoupled));
        if (isAdaptive) TrainUnits(memory, treatment.Unit, terms, rate, step, width);
        else _rule.Run(memory, terms, rate, step, width);
        if (!treatment.IsBounded) return;
        for (nint at = 0; at < memory.Length; at += treatment.Unit) OutputUnits.Bound(memory.Next + at, treatment.Unit, _options.MaxNorm, width);
    }

    /// <summary>Unit by unit, each with its own factor; neighbours of one factor (mostly 1) in one run.</summary>
    private void TrainUnits(in PassMemory memory, int unit, in GradientTerms terms, double rate, in ApplyArguments step, VectorWidth width)
    {
        nint start = 0;
        var scale = 1f;
        for (nint at = 0; at < memory.Length; at += unit)
        {
            var next = (float)OutputUnits.ClipFactor(memory.Summed + at, memory.Weights + at, unit, step.Samples, _options.ClipAdaptive, width);
            if (next == scale) continue;
            if (at > start) _rule.Run(memory.Slice(start, at - start), terms with { Scale = scale }, rate, step, width);
            (start, scale) = (at, next);
        }
        _rule.Run(memory.Slice(start, memory.Length - start), terms with { Scale = scale }, rate, step, width);
    }

    /// <summary>Native memory does not move; the caller's reference keeps it.</summary>
    private static float* Pointer(NativeBuffer slot) => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(slot.Span));

    private void CheckLength(int actual, int expected, string what)
    {
        if (actual != expected) throw new ArgumentException($"{Range.Shard} takes {expected} of {what}, not {actual}");
    }
}
