using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;
using Cluster.Contracts;
using MessagePack;

namespace Cluster.Membership.Gossip;

/// <summary>
/// What travels between processes besides the engine's own words: a closed list, each type with a number. Everything that has no
/// serializer ends here too, and is refused on both sides: no message names a type that it wants built.
/// </summary>
public sealed class MembershipSerializer : SerializerWithStringManifest
{
    private static readonly MessagePackSerializerOptions Options = MessagePackSerializerOptions.Standard.WithSecurity(MessagePackSecurity.UntrustedData);

    private static readonly (string Manifest, Type Type)[] Table =
    [
        ("2", typeof(MemberWelcome)), ("3", typeof(MemberRefusal)), ("4", typeof(MembershipView)), ("5", typeof(MemberLeaves)), ("6", typeof(CoordinatorCalls)), ("7", typeof(MemberAnswers)),
    ];

    public MembershipSerializer(ExtendedActorSystem system) : base(system) { }

    /// <summary>In the place of a serializer that has settings.</summary>
    public MembershipSerializer(ExtendedActorSystem system, Config settings) : this(system) => _ = settings;

    /// <summary>On the wire; Akka's own are below 100.</summary>
    public override int Identifier => 7101;

    public override string Manifest(object o) =>
        Array.Find(Table, row => row.Type == o?.GetType()).Manifest ?? throw new SerializationException($"a {o?.GetType().Name} does not travel between processes");

    public override byte[] ToBinary(object obj)
    {
        ArgumentNullException.ThrowIfNull(obj);
        Manifest(obj);
        return MessagePackSerializer.Serialize(obj.GetType(), obj, Options);
    }

    public override object FromBinary(byte[] bytes, string manifest)
    {
        var type = Array.Find(Table, row => row.Manifest == manifest).Type ?? throw new SerializationException("a message of an unknown type");
        try
        {
            return Completeness.Demand(MessagePackSerializer.Deserialize(type, bytes, Options) ?? throw new SerializationException($"an empty {type.Name}"));
        }
        catch (IncompleteMessageException e)
        {
            throw new SerializationException(e.Message, e);
        }
        catch (MessagePackSerializationException e)
        {
            throw new SerializationException($"bytes that are no {type.Name}", e);
        }
    }
}
