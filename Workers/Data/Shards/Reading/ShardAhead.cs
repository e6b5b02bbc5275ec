using Cluster.Contracts;

namespace Cluster.Workers.Data.Shards;

/// <summary>
/// Tells the cache which blocks an order needs next: those of the window that is being read, and, bit by bit as it is read,
/// those of the next one, so that the disk works steadily and no window begins with a stop. Any thread.
/// </summary>
internal sealed class ShardAhead(BlockCache cache)
{
    private readonly Lock _gate = new();
    private int[] _blocks = [];
    private SampleOrder? _order;
    private int _window = -1;
    private int _current, _after;

    public void Expect(SampleOrder order, int position)
    {
        if (order.Layout.IsUniform) return;
        lock (_gate)
        {
            var window = order.WindowOf(position);
            if (window != _window || !IsSame(order, _order)) Open(order, window);
            var (first, end) = (order.WindowStart(window), order.WindowStart(window + 1));
            // One more than the share of the window that has been read, rounded up.
            var share = (int)(((long)(position - first) * _after + (end - first) - 1) / (end - first));
            cache.Want(_blocks.AsSpan(0, _current + Math.Min(_after, share + 1)));
        }
    }

    private void Open(SampleOrder order, int window)
    {
        var most = order.Layout.WindowBlocks;
        if (_blocks.Length < 2 * most) _blocks = new int[2 * most];
        (_order, _window) = (order, window);
        _current = order.BlocksOf(window, _blocks);
        var isLast = window + 1 == order.Windows;
        // An epoch later the next one is as near as the next window.
        _after = isLast ? order.Next().BlocksOf(0, _blocks.AsSpan(_current)) : order.BlocksOf(window + 1, _blocks.AsSpan(_current));
    }

    /// <summary>Readers of one run have orders of their own that say the same.</summary>
    private static bool IsSame(SampleOrder order, SampleOrder? other) => ReferenceEquals(order, other) || (other is not null && order.IsSameAs(other));
}
