using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>What a stretch of a shard's memory is.</summary>
public enum SegmentKind
{
    /// <summary>Trained by the rule.</summary>
    Weights = 0,

    /// <summary>Model buffers: averaged over the leaves.</summary>
    Buffers = 1,

    /// <summary>Padding up to the chunk edge: always zero.</summary>
    Padding = 2,
}

/// <summary>How the weights of a segment are treated.</summary>
/// <param name="RateFactor">Of their parameter group.</param>
/// <param name="Penalty">With their group's factor.</param>
/// <param name="Tensor">Place of their parameter in the record's factors per tensor; -1 where the rule has none.</param>
/// <param name="Unit">Floats of an output unit; 0 where no rule looks at units.</param>
/// <param name="IsBounded">Units have a largest norm.</param>
public readonly record struct Treatment(double RateFactor, Penalty Penalty, int Tensor, int Unit, bool IsBounded);

/// <summary>A stretch of one kind and treatment within one chunk.</summary>
/// <param name="Offset">From the shard's first float.</param>
public readonly record struct Segment(SegmentKind Kind, int Offset, int Length, Treatment Treatment);

/// <summary>Cuts a shard's range into segments.</summary>
internal static class Segments
{
    /// <returns>In offset order, disjoint, together the range; none crosses a chunk's edge.</returns>
    /// <exception cref="ClusterException">A chunk's edge cuts an output unit that the rule needs whole.</exception>
    public static Segment[] Cut(ShardRange range, ParameterLayout layout, UpdateRule rule)
    {
        var segments = new List<Segment>();
        var next = range.Offset;
        var tensor = -1;
        foreach (var entry in layout.Entries)
        {
            if (entry.Kind == StateKind.Parameter) tensor++;
            if (entry.Kind == StateKind.Counter || entry.Offset + entry.Length <= range.Offset || entry.Offset >= range.End) continue;
            if (entry.Offset > next) Append(SegmentKind.Padding, default, next, entry.Offset, 0);
            var end = Math.Min(entry.Offset + entry.Length, range.End);
            var start = Math.Max(next, entry.Offset);
            if (entry.Kind == StateKind.Buffer) Append(SegmentKind.Buffers, default, start, end, 0);
            else Append(SegmentKind.Weights, TreatmentOf(entry, tensor, rule), start, end, entry.Offset);
            next = end;
        }
        if (next < range.End) Append(SegmentKind.Padding, default, next, range.End, 0);
        return [.. segments];

        // Cuts at chunk edges and joins neighbours of one treatment: fewer, longer runs for the kernel.
        void Append(SegmentKind kind, Treatment treatment, int start, int end, int tensorStart)
        {
            while (start < end)
            {
                var stop = Math.Min(end, layout.EndOfChunk(start));
                if (treatment.Unit > 0 && (start - tensorStart) % treatment.Unit + (stop - tensorStart) % treatment.Unit != 0)
                    throw new ClusterException($"a chunk's edge cuts an output unit of {treatment.Unit} weights between {start} and {stop}");
                var previous = segments.Count > 0 ? segments[^1] : default;
                if (previous.Length > 0 && previous.Kind == kind && previous.Treatment == treatment && start != range.Offset && layout.EndOfChunk(start - 1) != start)
                    segments[^1] = previous with { Length = previous.Length + stop - start };
                else
                    segments.Add(new Segment(kind, start - range.Offset, stop - start, treatment));
                start = stop;
            }
        }
    }

    private static Treatment TreatmentOf(StateEntry entry, int tensor, UpdateRule rule)
    {
        var options = rule.Options;
        var isBounded = options.MaxNorm > 0 && entry.Shape.Count > 1;
        var unit = isBounded || options.ClipAdaptive > 0 ? entry.RowLength : 0;
        return new Treatment(rule.Groups.Of(entry.Name).Rate, rule.PenaltyOf(entry), options.NeedsTensorSums() ? tensor : -1, unit, isBounded);
    }
}
