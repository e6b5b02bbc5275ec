using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Membership;

/// <summary>What a process brings to a cluster that gossips.</summary>
/// <param name="Role">Of this process; it has one.</param>
/// <param name="Name">The name to ask for, or null for the lowest free one. Ignored for a coordinator.</param>
/// <param name="Incarnation">Higher than that of every earlier process of this name.</param>
/// <param name="Address">Where the others' links reach this process; empty if nowhere.</param>
/// <param name="Listen">Where the engine listens, as the others write it: a host or an IPv4 address, and a port. Nothing but membership is spoken there.</param>
/// <param name="Seeds">Where the engine of others listens; the first of them may begin a cluster alone, so all processes have the same first one.</param>
public sealed record EngineOptions(MemberRole Role, string? Name, long Incarnation, string Address, LinkAddress Listen, IReadOnlyList<LinkAddress> Seeds)
{
    /// <summary>The join secret; all have the same.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>This process's certificate, and whose it trusts; null = nothing is encrypted. Stays its maker's to dispose.</summary>
    public LinkTls? Tls { get; init; }

    /// <summary>Listens on an address that other machines reach although nothing is encrypted.</summary>
    public bool Insecure { get; init; }

    public EngineTimes Times { get; init; } = EngineTimes.Default;

    /// <summary>Makes the register of a coordinator that begins, with its term candidate read then. Needed by coordinators; the engine disposes what it makes.</summary>
    public Func<MemberRegistry>? OpenRegister { get; init; }

    /// <summary>Hears that this process is not let in, or has lost its place. Engine's thread.</summary>
    public Action<MemberRefusal> Refused { get; init; } = static _ => { };

    /// <summary>Hears a sentence for a person: seeds that do not answer, who was turned away. Any thread.</summary>
    public Action<string> Say { get; init; } = static _ => { };

    /// <summary>Which way an address is dialled: through a proxy that injects faults, else straight.</summary>
    public Func<LinkAddress, LinkAddress> Way { get; init; } = static address => address;
}
