using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Metrics;

/// <summary>
/// Adds up what the instruments of this process measure. A measurement costs the thread that makes it a look-up and an
/// atomic addition. Series per instrument are bounded; what goes beyond is gathered under <see cref="OtherTag"/>.
/// </summary>
public sealed class ProcessMetrics : IDisposable
{
    /// <summary>Series of one instrument. Tags come from closed sets, so that nothing should ever come near.</summary>
    public const int MaxSeries = 64;

    /// <summary>Of the series that has what did not fit.</summary>
    public const string OtherTag = "other";

    private sealed class Cells(MetricRow row, bool isObserved)
    {
        private readonly ConcurrentDictionary<string, MetricCell> _byTag = new();
        private readonly MetricCell? _only = row.Tag is null ? new MetricCell(row.Bounds) : null;
        private volatile bool _isUsed;

        public MetricRow Row => row;

        public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            _isUsed = true;
            var cell = _only ?? Of(tags);
            if (row.Kind == MetricKind.Histogram) cell.Observe(value);
            else if (isObserved) cell.Set(value);
            else cell.Add(value);
        }

        private MetricCell Of(ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var tag = OtherTag;
            foreach (var (name, value) in tags)
                if (name == row.Tag) tag = value as string ?? value?.ToString() ?? OtherTag;
            if (_byTag.TryGetValue(tag, out var known)) return known;
            // The count takes locks, but only for a tag that is new.
            return _byTag.GetOrAdd(_byTag.Count < MaxSeries ? tag : OtherTag, static (_, bounds) => new MetricCell(bounds), row.Bounds);
        }

        public void Read(List<NodeFigure> figures)
        {
            if (!_isUsed) return;
            if (_only is { } only) figures.Add(Figure("", only));
            else foreach (var (tag, cell) in _byTag) figures.Add(Figure(tag, cell));
        }

        private NodeFigure Figure(string tag, MetricCell cell)
        {
            var buckets = cell.Buckets;
            return new NodeFigure(row.Name, tag, cell.Value, buckets?.Sum() ?? 0, buckets);
        }
    }

    private readonly MeterListener _listener = new();
    private readonly ConcurrentQueue<Cells> _cells = new();

    /// <param name="select">The row of an instrument; null = it is not collected. Called by whoever makes an instrument.</param>
    public ProcessMetrics(Func<Instrument, MetricRow?> select)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (select(instrument) is not { } row) return;
            // A gauge is what it was last set to, as an observed figure is; an up-down counter is added to.
            var isUpDown = instrument.GetType().GetGenericTypeDefinition() == typeof(UpDownCounter<>);
            var cells = new Cells(row, instrument.IsObservable || (row.Kind == MetricKind.Gauge && !isUpDown));
            _cells.Enqueue(cells);
            listener.EnableMeasurementEvents(instrument, cells);
        };
        _listener.SetMeasurementEventCallback<double>(static (_, value, tags, state) => ((Cells)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, state) => ((Cells)state!).Take(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (_, value, tags, state) => ((Cells)state!).Take(value, tags));
        _listener.Start();
    }

    /// <summary>Everything that was measured since this was made, and what is observed now. One thread at a time.</summary>
    public NodeReport Read()
    {
        _listener.RecordObservableInstruments();
        var figures = new List<NodeFigure>(96);
        foreach (var cells in _cells) cells.Read(figures);
        return new NodeReport(figures);
    }

    public void Dispose() => _listener.Dispose();
}
