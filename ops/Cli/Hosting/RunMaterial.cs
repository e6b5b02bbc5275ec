using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>What a run works with and its folder does not hold: samples, and engines for its model. Opening it writes nothing into the folder.</summary>
internal sealed class RunMaterial : IDisposable
{
    private readonly RunOptions _options;

    private RunMaterial(RunOptions options, IDataset train, IDataset test, IEngineSource engines) => (_options, Train, Test, Engines) = (options, train, test, engines);

    public IDataset Train { get; }

    public IDataset Test { get; }

    public IEngineSource Engines { get; }

    /// <param name="source">Builds the engines; null = the run's own model on its devices.</param>
    /// <exception cref="UserMistakeException">Data, a model or a device that is not there.</exception>
    public static RunMaterial Open(RunOptions options, Func<RunOptions, IDataset, IEngineSource>? source = null)
    {
        var (train, test) = Datasets.Open(DataRequest.Of(options));
        try
        {
            return new RunMaterial(options, train, test, source is null ? new EngineFactory(options, train) : source(options, train));
        }
        catch
        {
            train.Dispose();
            test.Dispose();
            throw;
        }
    }

    /// <summary>Whether it was opened for a run like this one: option by option, since lists are not equal by value.</summary>
    public bool Serves(RunOptions options) => OptionTable.Rows.All(row => row.Read(options) == row.Read(_options));

    public void Dispose()
    {
        Train.Dispose();
        Test.Dispose();
    }
}
