using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>Who a node says it is.</summary>
/// <param name="RunId">The run; empty in a dialler's hello = "I do not know it yet, tell me". At most <see cref="Limits.LinkNameBytes"/> bytes of UTF-8, as the next two.</param>
/// <param name="Role"><c>worker</c>, <c>ps</c>, <c>coordinator</c>, …; the acceptor's callback judges it.</param>
/// <param name="Name">Name of the node, e.g. <c>worker-1</c>.</param>
/// <param name="Incarnation">Number of the node's life: a higher one replaces a lower one.</param>
/// <param name="Note">What the acceptor wants to know before it says yes (hashes of layout and data, versions); opaque here. At most <see cref="Limits.LinkNoteBytes"/> bytes.</param>
public sealed record LinkHello(string RunId, string Role, string Name, long Incarnation, ReadOnlyMemory<byte> Note = default)
{
    /// <inheritdoc />
    public override string ToString() => $"{Role} {Name}, incarnation {Incarnation}, run '{RunId}'";
}

/// <summary>An acceptor's answer to a hello.</summary>
public sealed record LinkVerdict
{
    /// <summary>Who receives the frames of the new link; null = refused.</summary>
    public ILinkHandler? Handler { get; private init; }

    /// <summary>Opaque bytes for the dialler (<see cref="ILink.Greeting"/>): configuration, names, term.</summary>
    public ReadOnlyMemory<byte> Greeting { get; private init; }

    /// <summary>Why not; both sides read it.</summary>
    public string? Refusal { get; private init; }

    /// <param name="handler">Receives the frames of the new link.</param>
    /// <param name="greeting">At most <see cref="Limits.LinkGreetingBytes"/> bytes.</param>
    public static LinkVerdict Accept(ILinkHandler handler, ReadOnlyMemory<byte> greeting = default) => new() { Handler = handler, Greeting = greeting };

    /// <param name="sentence">What is wrong and what to do, one line; the dialler shows it to its user.</param>
    public static LinkVerdict Refuse(string sentence) => new() { Refusal = sentence };
}

/// <summary>Timing and sizes of links. The defaults are for production; tests shorten them.</summary>
public sealed record LinkOptions
{
    public static readonly LinkOptions Default = new();

    /// <summary>Time between two heartbeats.</summary>
    public TimeSpan HeartbeatEvery { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>A peer unheard for so long is silent, and the link ends: ten heartbeats.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Time for the whole handshake, all connections of a link included.</summary>
    public TimeSpan HandshakeLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a sender of bulk data waits for room in the queue before the link ends.</summary>
    public TimeSpan BackPressureLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a finished link may take to write what is queued.</summary>
    public TimeSpan DrainLimit { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Payload bytes that may wait to be written. They are references to memory that exists anyway; one frame always fits.</summary>
    public long BulkQueueBytes { get; init; } = Limits.LinkBulkQueueBytes;

    /// <summary>
    /// Hands tensors that lie in <see cref="SharedMemory"/> over without copying them, and takes them so, where the peer is at the other end of a
    /// Unix socket and allows it too. At most <see cref="BulkQueueBytes"/> are lent at a time; beyond that they are copied.
    /// </summary>
    public bool AllowSharedMemory { get; init; } = true;
}

/// <summary>What a listener needs.</summary>
public sealed record LinkListenerOptions
{
    /// <summary>Who listens; its run id goes to every dialler.</summary>
    public required LinkHello Self { get; init; }

    /// <summary>The join secret, high-entropy bytes. May be empty on loopback, Unix sockets, within a process and with <see cref="Tls"/>; not on an address that other machines reach without it.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>
    /// Judges a dialler that has proven the secret and named this run (or none). Called on the listener's one handshake
    /// thread: decide from what is in memory and return; a throw refuses.
    /// </summary>
    public required Func<LinkHello, LinkVerdict> Admit { get; init; }

    /// <summary>Told about everyone who was turned away. Same thread as <see cref="Admit"/>.</summary>
    public Action<LinkRefusal>? Refused { get; init; }

    /// <summary>Allows an address that other machines reach although the traffic is not encrypted.</summary>
    public bool Insecure { get; init; }

    /// <summary>
    /// Mutual TLS for connections over TCP; null = none. Diallers then need a certificate of the same authority that names the role of their
    /// hello. The caller disposes it after the listener. Unix sockets and links within a process do without.
    /// </summary>
    public LinkTls? Tls { get; init; }

    public LinkOptions Options { get; init; } = LinkOptions.Default;
}

/// <summary>Someone was turned away at a listener's door.</summary>
/// <param name="Reason">The kind.</param>
/// <param name="Hello">Who, as far as it said; null if it never got so far.</param>
/// <param name="Sentence">For people; the dialler got the same one where it could be told.</param>
public sealed record LinkRefusal(LinkRefusalReason Reason, LinkHello? Hello, string Sentence);

/// <summary>Why a handshake failed. A closed set: it is a metric tag.</summary>
public enum LinkRefusalReason
{
    /// <summary>Bytes that are no handshake.</summary>
    Garbage,
    Version,
    RunId,
    Secret,

    /// <summary>The callback said no.</summary>
    Verdict,

    /// <summary>Not finished in time.</summary>
    Deadline,

    /// <summary>Pushed out by newer half-open connections.</summary>
    Crowded,

    /// <summary>The dialler left before the end.</summary>
    Abandoned,

    /// <summary>No TLS where it is demanded, or a certificate that is not good here.</summary>
    Certificate,
}

/// <summary>What a dialler needs.</summary>
public sealed record LinkDiallerOptions
{
    /// <summary>Who dials.</summary>
    public required LinkHello Self { get; init; }

    /// <summary>The join secret; must equal the listener's.</summary>
    public ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>Mutual TLS for connections over TCP; null = none. The acceptor's certificate must name the dialled host. The caller disposes it after the links.</summary>
    public LinkTls? Tls { get; init; }

    /// <summary>With <see cref="Tls"/>: the role that the acceptor's certificate must name; null = any.</summary>
    public string? ExpectedRole { get; init; }

    public LinkOptions Options { get; init; } = LinkOptions.Default;
}
