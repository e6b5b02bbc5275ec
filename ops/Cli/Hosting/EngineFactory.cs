using Cluster.Contracts;
using Cluster.Engine;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>Builds the workers' engines; workers take the devices of the list in turn.</summary>
internal sealed class EngineFactory
{
    private readonly GradientEngineOptions _options;
    private readonly string[] _devices;

    private EngineFactory(GradientEngineOptions options, string[] devices, ParameterLayout layout)
    {
        _options = options;
        _devices = devices;
        Layout = layout;
    }

    public ParameterLayout Layout { get; }
}
