namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Specs whose runs are several processes with heartbeats: alone, one after the other, so that what they find slow is their own.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SeveralProcesses
{
    public const string Name = "several processes";
}
