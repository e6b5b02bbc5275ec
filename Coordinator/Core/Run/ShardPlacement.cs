using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>Shards and hosts: what dies together. A node whose host is not known shares it with nobody. Pure.</summary>
public static class ShardPlacement
{
    /// <summary>Whether both are processes of one host.</summary>
    public static bool SharesHost(ImmutableSortedDictionary<NodeId, string> hosts, NodeId one, NodeId other) =>
        hosts.TryGetValue(one, out var host) && hosts.TryGetValue(other, out var same) && host == same;

    /// <summary>Whether a shard and its standby die with one host.</summary>
    public static bool SharesHost(ImmutableSortedDictionary<NodeId, string> hosts, ShardPlace place) =>
        place.Standby is { } standby && SharesHost(hosts, place.Primary, standby);

    /// <summary>A sentence about shards that lie with their standby on one host, or null: a person who has one host more should know.</summary>
    public static string? Complaint(ImmutableSortedDictionary<NodeId, string> hosts, IReadOnlyList<ShardPlace> places)
    {
        var shared = places.Where(p => SharesHost(hosts, p)).ToArray();
        if (shared.Length == 0) return null;
        var which = shared.Length == 1 ? $"Shard {shared[0].Shard.Index} and its standby are" : $"Shards {string.Join(", ", shared.Select(static p => p.Shard.Index))} and their standbys are each";
        return $"{which} on one host ({string.Join(", ", shared.Select(p => hosts[p.Primary]).Distinct(StringComparer.Ordinal))}), since no other host has a process for shards: if that host is lost, the run goes back to its last checkpoint.";
    }
}
