using System.Globalization;
using System.Reflection;

namespace Cluster.Link;

/// <summary>
/// What two versions of the wire can say to each other. Three things are the same in all of them, so that both sides can say which
/// release to install: the fixed part of a handshake frame and the sum behind it; a refusal, whose head is a sentence in UTF-8; and,
/// from version 2 on, that a hello begins with a text, the release. An acceptor stamps a refusal with the dialler's version, since a
/// node reads frames of its own version alone.
/// </summary>
internal static class LinkWire
{
    /// <summary>Of this build. 1: hellos without a release.</summary>
    public const byte Version = 2;

    /// <summary>From here on a hello says its release.</summary>
    private const byte FirstWithRelease = 2;

    /// <summary>Of this build, as people install it: <c>0.1.0</c>.</summary>
    public static string Release { get; } =
        (typeof(LinkWire).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown").Split('+')[0];

    /// <summary>The release that a hello of another version names; null = it names none.</summary>
    public static string? ReleaseIn(byte version, ReadOnlySpan<byte> head) => version >= FirstWithRelease ? HandshakeCodec.ReadRelease(head) : null;

    /// <summary>The acceptor's sentence, for both sides: whoever dials is the one to change, since the run is there already.</summary>
    public static string Mismatch(string acceptor, byte version, string? release) =>
        string.Create(CultureInfo.InvariantCulture, $"{acceptor} runs Cluster {Release} (wire {Version}), the dialler {(release is null ? $"is wire {version}" : $"Cluster {release} (wire {version})")}: install Cluster {Release} where the dialler runs");

    /// <summary>The dialler's, when the acceptor answers in a version of its own because it does not know this one.</summary>
    public static string Mismatch(LinkAddress acceptor, byte version, string refusal) =>
        string.Create(CultureInfo.InvariantCulture, $"{acceptor} speaks wire {version}, this is Cluster {Release} (wire {Version}): install here the release that runs there; it says: {refusal}");
}
