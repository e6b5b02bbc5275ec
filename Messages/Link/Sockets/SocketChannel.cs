using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;
using static Cluster.Link.NativeMethods;

namespace Cluster.Link;

/// <summary>A plain TCP or Unix socket. All traffic goes through sendmsg and recvmsg; the managed socket only owns the descriptor and its options.</summary>
internal sealed unsafe class SocketChannel(Socket socket) : IChannel
{
    private readonly SafeSocketHandle _handle = socket.SafeHandle;
    private readonly Queue<SafeFileHandle> _descriptors = new();

    public int Descriptor => (int)_handle.DangerousGetHandle();

    public nint TrySend(ReadOnlySpan<Segment> segments)
    {
        for (; ; )
        {
            var sent = Send(segments, MsgDontWait | MsgNoSignal, out var error);
            if (sent >= 0) return sent;
            if (error == EAGAIN) return 0;
            if (error != EINTR) return -1;
        }
    }

    public bool HasUnsent => false;

    public bool CarriesDescriptors { get; } = socket.AddressFamily == AddressFamily.Unix;

    public bool SendAll(Span<Segment> segments) => SendAll(segments, null);

    public bool SendAll(Span<Segment> segments, SafeHandle? descriptor)
    {
        while (!segments.IsEmpty)
        {
            var sent = Send(segments, MsgNoSignal, out var error, descriptor);
            if (sent < 0)
            {
                if (error == EAGAIN) Wait(PollOut, Timeout.InfiniteTimeSpan);
                else if (error != EINTR) return false;
                continue;
            }
            descriptor = null;      // it went with the first byte
            var count = (nuint)sent;
            while (!segments.IsEmpty && count >= segments[0].Length)
            {
                count -= segments[0].Length;
                segments = segments[1..];
            }
            if (!segments.IsEmpty) segments[0] = segments[0].Skip(count);
        }
        return true;
    }

    public nint Receive(ReadOnlySpan<Segment> segments)
    {
        for (; ; )
        {
            var got = CarriesDescriptors ? ReceiveWithDescriptors(segments, out var error) : Receive(segments, 0, out error);
            if (got >= 0) return got;
            if (error == EAGAIN) Wait(PollIn, Timeout.InfiniteTimeSpan);
            else if (error != EINTR) return -1;
        }
    }

    public nint TryReceive(Span<byte> to)
    {
        fixed (byte* start = to)
        {
            var segment = new Segment(start, (nuint)to.Length);
            for (; ; )
            {
                var got = Receive(new ReadOnlySpan<Segment>(in segment), MsgDontWait, out var error);
                if (got > 0) return got;
                if (got == 0) return -1;
                if (error == EAGAIN) return 0;
                if (error != EINTR) return -1;
            }
        }
    }

    public bool WaitReadable(TimeSpan limit) => Wait(PollIn, limit);

    public void FinishSending() => Shutdown(_handle, ShutdownSend);

    public void Abort() => Shutdown(_handle, ShutdownBoth);

    public SafeFileHandle? TakeDescriptor() => _descriptors.TryDequeue(out var descriptor) ? descriptor : null;

    public void Dispose()
    {
        socket.Dispose();
        while (_descriptors.TryDequeue(out var descriptor)) descriptor.Dispose();
    }

    private nint Send(ReadOnlySpan<Segment> segments, int flags, out int error, SafeHandle? descriptor = null)
    {
        var rights = default(DescriptorMessage);
        fixed (Segment* first = segments)
        {
            var message = new MessageHeader { Segments = first, SegmentCount = (nuint)segments.Length };
            if (descriptor is not null)
            {
                rights = new DescriptorMessage { Length = DescriptorMessage.HeadBytes + sizeof(int), Level = SolSocket, Type = ScmRights };
                rights.Descriptors[0] = (int)descriptor.DangerousGetHandle();
                message.Control = &rights;
                message.ControlLength = DescriptorMessage.HeadBytes + (2 * sizeof(int));     // CMSG_SPACE: rounded up to 8
            }
            var sent = SendMessage(_handle, in message, flags);
            error = sent < 0 ? Marshal.GetLastPInvokeError() : 0;
            return sent;
        }
    }

    /// <summary>Keeps the descriptors that come along. The system closes those for which there is no room here, and we those that nobody asked for.</summary>
    private nint ReceiveWithDescriptors(ReadOnlySpan<Segment> segments, out int error)
    {
        var rights = default(DescriptorMessage);
        fixed (Segment* first = segments)
        {
            var message = new MessageHeader { Segments = first, SegmentCount = (nuint)segments.Length, Control = &rights, ControlLength = (nuint)sizeof(DescriptorMessage) };
            var got = ReceiveMessage(_handle, ref message, MsgCloseOnExec);
            error = got < 0 ? Marshal.GetLastPInvokeError() : 0;
            if (got < 0 || message.ControlLength < DescriptorMessage.HeadBytes + sizeof(int) || rights.Level != SolSocket || rights.Type != ScmRights) return got;
            var count = ((int)rights.Length - DescriptorMessage.HeadBytes) / sizeof(int);
            for (var i = 0; i < Math.Min(count, DescriptorMessage.MostDescriptors); i++) _descriptors.Enqueue(new SafeFileHandle(rights.Descriptors[i], ownsHandle: true));
            while (_descriptors.Count > Limits.LinkDescriptors) _descriptors.Dequeue().Dispose();
            return got;
        }
    }

    private nint Receive(ReadOnlySpan<Segment> segments, int flags, out int error)
    {
        fixed (Segment* first = segments)
        {
            var message = new MessageHeader { Segments = first, SegmentCount = (nuint)segments.Length };
            var got = ReceiveMessage(_handle, ref message, flags);
            error = got < 0 ? Marshal.GetLastPInvokeError() : 0;
            return got;
        }
    }

    private bool Wait(short wanted, TimeSpan limit)
    {
        var descriptor = new PollDescriptor { Descriptor = Descriptor, Wanted = wanted };
        var milliseconds = limit == Timeout.InfiniteTimeSpan ? -1 : (int)Math.Clamp(Math.Ceiling(limit.TotalMilliseconds), 0, int.MaxValue);
        // An interrupted wait counts as ready: the caller tries, and waits again if it was not.
        return Poll(&descriptor, 1, milliseconds) != 0;
    }
}
