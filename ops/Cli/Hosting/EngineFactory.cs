using Cluster.Contracts;
using Cluster.Engine;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>Builds the workers' engines; workers take the devices of the list in turn.</summary>
internal sealed class EngineFactory
{
    private readonly RunOptions _run;
    private readonly IDataset _data;
    private readonly string[] _devices;

    /// <exception cref="UserMistakeException">The model, its stem or a device does not exist.</exception>
    public EngineFactory(RunOptions run, IDataset data)
    {
        _run = run;
        _data = data;
        _devices = run.Device.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        using var first = Create(0);
        Layout = first.Layout;
    }

    public ParameterLayout Layout { get; }

    /// <summary>An engine for this worker. The caller disposes it; called on the worker's compute thread.</summary>
    public GradientEngine Create(int worker) =>
        new(GradientEngineOptions.For(_run, _data.Shape, _data.ClassCount, _devices[worker % _devices.Length]));
}
