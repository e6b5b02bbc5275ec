using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Remoting;

namespace Cluster.Cli.Nodes;

/// <summary>How a process takes part in a run.</summary>
/// <param name="Role"><c>coordinator</c>, <c>ps</c> or <c>worker</c>.</param>
/// <param name="Name"><c>worker-1</c>; empty = the lowest free one of the role.</param>
/// <param name="Join">Where the coordinator listens.</param>
/// <param name="Listen">Where this process listens; null for a worker.</param>
/// <param name="Secret">The join secret; may be empty on one machine.</param>
internal sealed record NodeOptions(string Role, string Name, LinkAddress? Join, LinkAddress? Listen, ReadOnlyMemory<byte> Secret)
{
    /// <summary>Handed over in the environment: it never stands in a process list.</summary>
    public const string SecretVariable = "CLUSTER_JOIN_SECRET";

    public const string Coordinator = "coordinator", Shards = "ps", Worker = "worker", Supervisor = "supervisor";

    /// <summary>How long a node looks for its coordinator before it gives up.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Binds to addresses that other machines reach although nothing is encrypted.</summary>
    public bool Insecure { get; init; }

    /// <summary>This process's certificate, and whose it trusts; null = nothing is encrypted. Stays its maker's to dispose.</summary>
    public LinkTls? Tls { get; init; }

    /// <summary>What its machine is called; null = as the machine says.</summary>
    public string? HostName { get; init; }

    /// <summary>Where the coordinator is now, as an engine that gossips knows it; null where <see cref="Join"/> is given.</summary>
    public Func<LinkAddress?>? CoordinatorAt { get; init; }

    /// <summary>Cancelled when the engine gives the coordinator's seat to another process.</summary>
    public CancellationToken SeatLost { get; init; }

    /// <summary>The address to dial now.</summary>
    /// <exception cref="LinkUnreachableException">The engine knows none yet.</exception>
    public LinkAddress JoinNow => CoordinatorAt is { } find ? find() ?? throw new LinkUnreachableException("the cluster has no coordinator at the moment") : Join!;

    /// <summary>For sentences.</summary>
    public string JoinText => Join?.ToString() ?? "the address that the cluster tells";

    /// <summary>A second address: for nodes inside the same process.</summary>
    public LinkAddress? AlsoListen { get; init; }

    /// <summary>Another data folder than the coordinator's; null = the same.</summary>
    public string? Data { get; init; }

    /// <summary>Another device than the run's list gives; null = the list's.</summary>
    public string? Device { get; init; }

    /// <summary>Another number of devices that a worker drives at once than the run gives; null = the run's.</summary>
    public int? Devices { get; init; }

    /// <summary>Where this process shows its metrics and its health; null = nowhere. Stays its maker's to dispose.</summary>
    public NodeExposure? Exposure { get; init; }

    /// <summary>Who started this process and wants to hear how it is; null = nobody. Stays its maker's to dispose.</summary>
    public ServiceNotifier? Service { get; init; }

    /// <summary>What this process says its version is; another one only as a fault.</summary>
    public string ProgramVersion { get; init; } = Configuration.ProgramVersion.Text;

    /// <summary>Where this process' tensors lie: where processes of the same machine can read them, if it is reached or reaches others over Unix sockets.</summary>
    public IBufferMemory Memory => Join?.Kind == LinkTransportKind.Unix || Listen?.Kind == LinkTransportKind.Unix ? SharedMemory.Instance : PrivateMemory.Instance;

    /// <summary>Tells the starts of a process apart: ticks of the wall clock, which a restart finds higher.</summary>
    public long Incarnation { get; } = DateTime.UtcNow.Ticks;

    /// <summary>How to dial a process of this role.</summary>
    public LinkDiallerOptions Dialling(LinkHello self, string role) => new() { Self = self, Secret = Secret, Tls = Tls, ExpectedRole = role };

    public LinkHello Hello(string runId, string listens) => new(
        runId, Role, Name, Incarnation, WireTypes.Write(new JoinNote(ProgramVersion, listens, HostName ?? Environment.MachineName, Environment.ProcessId)));
}

/// <summary>Options of a run as they travel, and back.</summary>
internal static class OptionTexts
{
    public static IReadOnlyList<OptionText> Of(RunOptions options) =>
        [.. OptionTable.Rows.Select(row => (row.Key, Text: row.Read(options))).Where(static o => o.Text is not null).Select(static o => new OptionText(o.Key, o.Text!))];

    /// <exception cref="ClusterException">An option that this version does not know, or cannot read.</exception>
    public static RunOptions Read(IReadOnlyList<OptionText> texts)
    {
        var options = new RunOptions();
        foreach (var text in texts)
        {
            var row = OptionTable.ByKey(text.Key) ?? throw new ClusterException($"the coordinator has an option '{text.Key}' that this version does not know");
            try
            {
                options = row.Write(options, text.Text);
            }
            catch (FormatException e)
            {
                throw new ClusterException($"the coordinator's option '{text.Key}' must be {e.Message}", e);
            }
        }
        return options;
    }
}
