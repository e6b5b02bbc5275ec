using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>A dialler that shakes hands honestly and then writes whatever it likes on any of its connections.</summary>
internal sealed class RawPeer : IDisposable
{
    private readonly ILinkListener _listener;
    private readonly IChannel _bulk, _beat, _control;
    private readonly FrameReader _reader;

    private RawPeer(ILinkListener listener, Recorder far, IChannel bulk, IChannel beat, IChannel control) =>
        (_listener, Far, _bulk, _beat, _control, _reader) = (listener, far, bulk, beat, control, new FrameReader(control, Lane.Control));

    public Recorder Far { get; }

    public static RawPeer Connect(LinkTransportKind kind, LinkTls? tls = null)
    {
        var far = new Recorder();
        var listener = Links.Listen(Peers.Address(kind), Peers.Acceptor(_ => LinkVerdict.Accept(far)) with { Tls = tls });
        var (options, endPoint) = (Peers.Dialler("liar") with { Tls = tls }, listener.Address.Resolve());
        var deadline = Stopwatch.GetTimestamp() + (5 * Stopwatch.Frequency);
        var (bulk, welcome) = Dialler.Open(listener.Address, endPoint, options, Lane.Bulk, 0, deadline);
        var (beat, _) = Dialler.Open(listener.Address, endPoint, options, Lane.Heartbeat, welcome.Session, deadline);
        var (control, _) = Dialler.Open(listener.Address, endPoint, options, Lane.Control, welcome.Session, deadline);
        _ = far.Link;
        return new RawPeer(listener, far, bulk, beat, control);
    }

    public unsafe void Write(Lane lane, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* start = bytes) Of(lane).SendAll([new Segment(start, (nuint)bytes.Length)]);
    }

    public unsafe void Write(Lane lane, ReadOnlySpan<byte> bytes, System.Runtime.InteropServices.SafeHandle descriptor)
    {
        fixed (byte* start = bytes) Of(lane).SendAll([new Segment(start, (nuint)bytes.Length)], descriptor);
    }

    public void Finish(Lane lane) => Of(lane).FinishSending();

    private IChannel Of(Lane lane) => lane switch { Lane.Bulk => _bulk, Lane.Heartbeat => _beat, _ => _control };

    /// <summary>Reads the control connection up to the goodbye: what the other side said about the end.</summary>
    public (LinkEnd End, string Sentence) Goodbye()
    {
        while (_reader.Next(out var frame, out var body, out _) == FrameReader.Result.Frame)
        {
            if (frame.Type == FrameTypes.Goodbye) return ((LinkEnd)body[0], HandshakeCodec.ReadSentence(body[1..]));
        }
        throw new InvalidOperationException("no goodbye came");
    }

    /// <summary>The next frame about shared memory on the control connection.</summary>
    public (ushort Type, ulong Number) NextNumber()
    {
        if (_reader.Next(out var frame, out var body, out _) != FrameReader.Result.Frame) throw new InvalidOperationException("the control connection ended");
        return (frame.Type, BinaryPrimitives.ReadUInt64LittleEndian(body));
    }

    /// <summary>A whole frame as bytes.</summary>
    public static byte[] FrameBytes(Lane lane, ushort type, byte[] head, float[] payload)
    {
        var bytes = new byte[new Frame(lane, type, head.Length, payload.Length).TotalBytes];
        new Frame(lane, type, head.Length, payload.Length).WriteFixed(bytes);
        head.CopyTo(bytes, Frame.FixedBytes);
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(payload.AsSpan()).CopyTo(bytes.AsSpan(Frame.FixedBytes + head.Length));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(bytes.Length - 4), Crc32C.Of(bytes.AsSpan(0, bytes.Length - 4)));
        return bytes;
    }

    public void Dispose()
    {
        Far.Link.Close(LinkEnd.Dismissed, "the test is over");
        Far.WaitForClosed();
        _listener.Dispose();
        _bulk.Dispose();
        _beat.Dispose();
        _control.Dispose();
        Far.Dispose();
    }
}
