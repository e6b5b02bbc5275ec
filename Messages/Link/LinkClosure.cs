namespace Cluster.Link;

/// <summary>The ways in which a link ends. A closed set: it is a metric tag and travels in the goodbye frame, so numbers are never reused.</summary>
public enum LinkEnd : byte
{
    /// <summary>One side was done; everything queued was written first.</summary>
    Finished = 0,

    /// <summary>The peer is gone: end of stream or reset, without a goodbye.</summary>
    Lost = 1,

    /// <summary>Nothing was heard for <see cref="LinkOptions.Silence"/>.</summary>
    Silent = 2,

    /// <summary>Bytes that are no frame of this protocol.</summary>
    BadMagic = 3,

    /// <summary>Another version of the protocol.</summary>
    BadVersion = 4,

    /// <summary>A length above its limit.</summary>
    Oversize = 5,

    /// <summary>CRC32C differs: a damaged frame.</summary>
    BadChecksum = 6,

    /// <summary>A frame that does not belong here: another lane's, a reserved or an unknown type, or content that its reader cannot parse.</summary>
    Protocol = 7,

    /// <summary>The queue of control messages is full: the peer does not read.</summary>
    ControlOverflow = 8,

    /// <summary>Bulk data waited longer than <see cref="LinkOptions.BackPressureLimit"/>.</summary>
    BackPressure = 9,

    /// <summary>A handler threw.</summary>
    HandlerFailed = 10,

    /// <summary>The owner ended it: another link took its place, its term is over, …; the sentence says which.</summary>
    Dismissed = 11,
}

/// <summary>Why a link ended.</summary>
/// <param name="End">The kind.</param>
/// <param name="ByPeer">True if the other side decided it and said so.</param>
/// <param name="Sentence">For people: what happened.</param>
/// <param name="Cause">The exception behind <see cref="LinkEnd.HandlerFailed"/>.</param>
public sealed record LinkClosure(LinkEnd End, bool ByPeer, string Sentence, Exception? Cause = null)
{
    /// <inheritdoc />
    public override string ToString() => $"{End}{(ByPeer ? " (said the peer)" : "")}: {Sentence}";
}
