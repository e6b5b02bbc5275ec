using Cluster.Contracts;

namespace Cluster.Remoting;

/// <summary>What a process is in a run. Flags, since a row of <see cref="SenderRights"/> names several.</summary>
[Flags]
public enum NodeRoles
{
    None = 0,
    Coordinator = 1,
    ParameterServer = 2,
    Worker = 4,
    Supervisor = 8,
}

/// <summary>Roles as a hello and a certificate spell them.</summary>
public static class NodeRoleNames
{
    private static readonly (NodeRoles Role, string Name)[] Table =
        [(NodeRoles.Coordinator, "coordinator"), (NodeRoles.ParameterServer, "ps"), (NodeRoles.Worker, "worker"), (NodeRoles.Supervisor, "supervisor")];

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Table.Select(static r => r.Name)];

    /// <summary>The role of a name; <see cref="NodeRoles.None"/>, which may send nothing, for any other text.</summary>
    public static NodeRoles Parse(string name) => Table.FirstOrDefault(row => string.Equals(row.Name, name, StringComparison.Ordinal)).Role;

    /// <summary>For a sentence: <c>ps or worker</c>.</summary>
    public static string Of(NodeRoles roles) => string.Join(" or ", Table.Where(row => roles.HasFlag(row.Role)).Select(static row => row.Name));
}

/// <summary>Who is at the two ends of a link.</summary>
/// <param name="Self">This process; one role.</param>
/// <param name="Other">The other one, as its certificate or, without certificates, its hello says; one role.</param>
public readonly record struct PeerRoles(NodeRoles Self, NodeRoles Other)
{
    /// <summary>For tests of the transport alone: everything may be sent.</summary>
    internal static PeerRoles Everybody { get; } = new((NodeRoles)~0, (NodeRoles)~0);

    /// <param name="other">Of the other end's hello.</param>
    /// <exception cref="ClusterException">Either is no role.</exception>
    public static PeerRoles Of(string self, string other) => new(Known(self), Known(other));

    private static NodeRoles Known(string name) => NodeRoleNames.Parse(name) is var role and not NodeRoles.None ? role : throw new ClusterException($"there is no role '{name}'");
}
