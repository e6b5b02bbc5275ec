using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>
/// One authenticated pair of processes: a connection for small control frames, one for bulk frames of tensors, and one
/// for heartbeats, tied together by a session number. Frames of one kind arrive in the order in which they were sent;
/// between control and bulk there is no order. All members are thread-safe.
/// </summary>
public interface ILink
{
    /// <summary>Who is at the other end, as it said in its hello (dialler) or its welcome (acceptor). The join secret has been proven.</summary>
    LinkHello Peer { get; }

    /// <summary>What the acceptor answered to the dialler's hello: the bytes of <see cref="LinkVerdict.Accept"/>. Empty on the acceptor's side.</summary>
    ReadOnlyMemory<byte> Greeting { get; }

    /// <summary>The smallest round trip of the last heartbeats; null before the second one. Zero within one process.</summary>
    TimeSpan? RoundTrip { get; }

    /// <summary>The peer's wall clock minus ours, from the heartbeat with the smallest round trip: good to half of it. For aligning traces; no decision compares clocks.</summary>
    TimeSpan? ClockOffset { get; }

    /// <summary>Why the link ended; null while it is open.</summary>
    LinkClosure? Closure { get; }

    /// <summary>
    /// Sends a small message. Written from the caller's thread when nothing waits before it, else queued; never blocks. More than
    /// <see cref="Limits.LinkControlQueueBytes"/> or <see cref="Limits.LinkControlQueueFrames"/> in the queue closes the link. Any thread.
    /// </summary>
    /// <param name="type">Below <see cref="Limits.LinkReservedTypes"/>.</param>
    /// <param name="body">At most <see cref="Limits.LinkControlBytes"/> bytes; copied before the call returns.</param>
    /// <returns>False: the link is closed and the message was dropped; <see cref="ILinkHandler.Closed"/> says why.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The type is reserved or the body too large.</exception>
    bool SendControl(ushort type, ReadOnlySpan<byte> body);

    /// <summary>
    /// Sends <paramref name="floats"/> floats out of a buffer, straight from its memory. Takes a reference of its own and releases it
    /// when the frame is written or the link dies, and where the peer reads this very memory (<see cref="LinkOptions.AllowSharedMemory"/>) when it has
    /// let go of it; the memory must not change until then, nor ever if the link ended first (<see cref="NativeBuffer.Retire"/>). Blocks while
    /// <see cref="LinkOptions.BulkQueueBytes"/> wait, and closes the link after <see cref="LinkOptions.BackPressureLimit"/>; so call it from a
    /// thread that may wait: not from an actor, and not from this link's own handler (two peers would wait for each other).
    /// </summary>
    /// <param name="type">Below <see cref="Limits.LinkReservedTypes"/>.</param>
    /// <param name="header">At most <see cref="Limits.LinkHeaderBytes"/> bytes; copied before the call returns.</param>
    /// <param name="payload">The buffer; the caller keeps its own reference.</param>
    /// <param name="firstFloat">Index of the first float to send.</param>
    /// <param name="floats">How many; at most <see cref="Limits.LinkBulkFloats"/>. 0 sends the header alone.</param>
    /// <returns>False: the link is closed and nothing was taken.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The type is reserved, the header too large, or the range outside the buffer.</exception>
    bool SendBulk(ushort type, ReadOnlySpan<byte> header, NativeBuffer payload, int firstFloat, int floats);

    /// <summary>
    /// Ends the link. <see cref="LinkEnd.Finished"/> first writes what is queued, for at most <see cref="LinkOptions.DrainLimit"/>; every
    /// other end takes effect at once. The peer is told the reason where that is possible. Returns at once; may be called from a handler.
    /// </summary>
    /// <param name="end">What kind of end: <see cref="LinkEnd.Finished"/>, or the kind of the peer's mistake.</param>
    /// <param name="sentence">For people, on both sides.</param>
    void Close(LinkEnd end, string sentence);
}

/// <summary>
/// What a link tells its owner. <see cref="Opened"/> first; then <see cref="Control"/> in order on the control reader's thread and
/// <see cref="Bulk"/>, <see cref="BulkArrived"/>, <see cref="BulkLost"/> on the bulk reader's; last, when all of these have returned,
/// <see cref="Closed"/>, exactly once, on the control reader's thread. A handler that throws ends its link; one that waits delays only its own link.
/// </summary>
public interface ILinkHandler
{
    /// <summary>The link is open, and known to both sides.</summary>
    void Opened(ILink link) { }

    /// <summary>A control message. The bytes are valid during the call only.</summary>
    void Control(ILink link, ushort type, ReadOnlySpan<byte> body);

    /// <summary>A tensor is on its way: say where its payload goes. It has not been checked yet: act on it in <see cref="BulkArrived"/>.</summary>
    BulkTarget Bulk(ILink link, in BulkOffer offer);

    /// <summary>The whole payload is in its place; if it came through a socket, its checksum was right.</summary>
    void BulkArrived(ILink link, in BulkArrival arrival);

    /// <summary>The link ended in the middle of a payload, or its checksum was wrong: the target's content is undefined, and its owner may release it.</summary>
    void BulkLost(ILink link, BulkTarget target);

    /// <summary>The link has ended. Nothing follows.</summary>
    void Closed(ILink link, LinkClosure closure);
}

/// <summary>Listens at one address.</summary>
public interface ILinkListener : IDisposable
{
    /// <summary>Where it listens, with the port that the system chose if the port asked for was 0.</summary>
    LinkAddress Address { get; }

    /// <summary>Connections that have not yet finished their handshake.</summary>
    int HalfOpen { get; }
}

/// <summary>What a bulk frame announces. Its spans are valid during the call only.</summary>
/// <param name="type">The sender's frame type.</param>
/// <param name="header">The sender's header bytes; not yet covered by a checked checksum when offered.</param>
/// <param name="floats">Length of the payload.</param>
/// <param name="shared">The payload where it lies, if this process can read it there, else null: within one process the sender's own buffer, over a Unix socket one over the sender's memory, for reading only.</param>
/// <param name="sharedFirst">Index of the payload's first float in <paramref name="shared"/>.</param>
public readonly ref struct BulkOffer(ushort type, ReadOnlySpan<byte> header, int floats, NativeBuffer? shared, int sharedFirst)
{
    public ushort Type { get; } = type;
    public ReadOnlySpan<byte> Header { get; } = header;
    public int Floats { get; } = floats;

    /// <summary>The payload where it lies (see <see cref="BulkTarget.ByReference"/>); null if its bytes come through a socket.</summary>
    public NativeBuffer? Shared { get; } = shared;
    public int SharedFirst { get; } = sharedFirst;
}

/// <summary>A payload in its place.</summary>
/// <param name="type">The sender's frame type.</param>
/// <param name="header">The sender's header bytes, now covered by the checked checksum; valid during the call only.</param>
/// <param name="target">What <see cref="ILinkHandler.Bulk"/> answered; for <see cref="BulkTarget.ByReference"/> with the sender's buffer filled in.</param>
/// <param name="floats">Length of the payload.</param>
public readonly ref struct BulkArrival(ushort type, ReadOnlySpan<byte> header, BulkTarget target, int floats)
{
    public ushort Type { get; } = type;
    public ReadOnlySpan<byte> Header { get; } = header;

    /// <summary>Where the payload lies. After <see cref="BulkTarget.ByReference"/> the buffer comes with a reference that the handler disposes.</summary>
    public BulkTarget Target { get; } = target;
    public int Floats { get; } = floats;
}

/// <summary>The answer to a <see cref="BulkOffer"/>: where the payload goes, or why nowhere.</summary>
public readonly record struct BulkTarget
{
    /// <summary>The buffer to write to; null = refused or not yet known.</summary>
    public NativeBuffer? Buffer { get; private init; }

    /// <summary>Index of the first float in <see cref="Buffer"/>.</summary>
    public int First { get; private init; }

    /// <summary>What the handler wants to have back with the arrival or the loss.</summary>
    public object? Tag { get; private init; }

    /// <summary>Why the payload is not wanted: a name out of a closed set, it becomes a metric tag. Null = wanted.</summary>
    public string? Refusal { get; private init; }

    internal bool WantsReference { get; private init; }

    /// <summary>Write the payload into <paramref name="buffer"/>. The link holds a reference of its own while it writes; the caller's reference stays the caller's.</summary>
    public static BulkTarget Into(NativeBuffer buffer, int first, object? tag = null) => new() { Buffer = buffer, First = first, Tag = tag };

    /// <summary>Hand over the buffer that was offered, without a copy; nobody writes to it. Legal only for an offer whose <see cref="BulkOffer.Shared"/> is not null.</summary>
    public static BulkTarget ByReference(object? tag = null) => new() { WantsReference = true, Tag = tag };

    /// <summary>Read the payload and drop it. Counted by reason; the link stays open.</summary>
    public static BulkTarget Refuse(string reason) => new() { Refusal = reason };

    internal BulkTarget Resolved(NativeBuffer buffer, int first) => this with { Buffer = buffer, First = first };
}
