using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.Health;
using Cluster.Coordinator.Monitor.Metrics;
using Cluster.Coordinator.Monitor.Traces;
using Cluster.Coordinator.Monitor.Web;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>What watchers are made from.</summary>
/// <param name="Logged">Steps that the log held when this process opened it.</param>
/// <param name="Description">One line for people: model, data, steps, workers, shards.</param>
/// <param name="Say">A sentence for a person, on the terminal; any thread.</param>
internal sealed record MonitoringContext(ResolvedRun Run, RunFolder Folder, RunPlan Plan, ParameterLayout Layout, IReadOnlyList<CommitLine> Logged, string Description, Action<string> Say)
{
    /// <summary>Filled by whoever has something to show, before the server starts.</summary>
    public List<MonitorRoute> Routes { get; } = [];

    /// <summary>All roles are in this process: what happens in it is the whole run.</summary>
    public bool IsLocal { get; init; }

    public RunOptions Options => Run.Options;

    /// <summary>Spans of the last steps; null when nothing is traced. Set before the page and the report are opened.</summary>
    public RecentTraces? Traces { get; set; }

    /// <summary>Tells whether the run goes on; null = nobody can ask.</summary>
    public RunHealth? Health { get; set; }

    /// <summary>Counts what watchers were too slow for; null = nobody can ask.</summary>
    public MetricsWatcher? Metrics { get; set; }

    /// <summary>What evaluations are made on; stays the caller's. Null = nothing is known of it.</summary>
    public IDataset? Test { get; init; }

    /// <summary>Shown the weights of versions that somebody gathers, see <see cref="SnapshotActor"/>. Set by whoever looks; null = nobody does.</summary>
    public Action<WeightsVersion, IReadOnlyList<ShardSnapshot>>? Look { get; set; }
}
