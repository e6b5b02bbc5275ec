using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Hosting;

/// <summary>Notices that a run's devices wait for their images, and says once what can be done. One thread at a time.</summary>
/// <param name="options">Of the run; what it says hangs on where the images come from.</param>
/// <param name="cores">Of this machine.</param>
internal sealed class DataBoundWatch(RunOptions options, int cores)
{
    /// <summary>Steps that are judged together: the first steps of a run wait for the first images, whatever comes after.</summary>
    private const int Window = 20;

    /// <summary>Share of the devices' time from which it is worth a sentence.</summary>
    private const double Bound = 0.1;

    private readonly Queue<(double Waited, double Computed)> _recent = new();
    private double _waited, _computed, _allWaited, _allComputed;
    private bool _isTold, _hasBegun;

    /// <summary>Share of the workers' time that went into waiting for images, 0 to 1, over all steps but the first; NaN before the second.</summary>
    public double Share { get; private set; } = double.NaN;

    /// <param name="waited">Milliseconds that the step's leaves were waited for, added up over the leaves.</param>
    /// <param name="computed">Milliseconds that they were computed in, added up too.</param>
    /// <returns>A sentence for a person, the first time that the run is bound by its data; else null.</returns>
    public string? Committed(double waited, double computed)
    {
        if (!double.IsFinite(waited) || !double.IsFinite(computed) || waited + computed <= 0) return null;
        if (!_hasBegun)
        {
            _hasBegun = true;
            return null;
        }
        (_allWaited, _allComputed) = (_allWaited + waited, _allComputed + computed);
        Share = _allWaited / (_allWaited + _allComputed);
        _recent.Enqueue((waited, computed));
        (_waited, _computed) = (_waited + waited, _computed + computed);
        if (_recent.Count > Window)
        {
            var (oldWaited, oldComputed) = _recent.Dequeue();
            (_waited, _computed) = (_waited - oldWaited, _computed - oldComputed);
        }
        var share = _waited / (_waited + _computed);
        if (_isTold || _recent.Count < Window || share < Bound) return null;
        _isTold = true;
        return string.Create(CultureInfo.InvariantCulture, $"The workers wait {share:0%} of their time for images: {Advice()}.");
    }

    private string Advice()
    {
        var threads = RunComposition.DecodeThreads(options);
        var more = threads * options.Workers < cores
            ? $"give --decode-threads more than {threads}"
            : $"{threads} {(threads == 1 ? "thread decodes" : "threads decode")} for each of {options.Workers} {(options.Workers == 1 ? "worker" : "workers")} on {cores} {(cores == 1 ? "core" : "cores")}, so more cores would help, or fewer workers";
        return options.Data.StartsWith("imagefolder:", StringComparison.Ordinal)
            ? $"pack them once with 'cluster data pack {options.Data} DIR --resize {DefaultShortSide}' and train with --data shards:DIR, or {more}"
            : more;
    }

    /// <summary>Leaves room for random crops, as most people pack ImageNet.</summary>
    private int DefaultShortSide => (int)Math.Max(options.EvalResize ?? 0, ((options.ImageSize ?? 224) * 256 + 112) / 224);
}
