using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cluster.Chaos.Proxy;

/// <summary>
/// The system calls of an event loop: calls that never wait on sockets that otherwise may, poll, and an eventfd to wake it.
/// Linux, 64-bit; recv(2), send(2), connect(2), poll(2), eventfd(2).
/// </summary>
internal static unsafe partial class NativeSockets
{
    public const short PollIn = 1, PollOut = 4, PollErr = 8, PollHup = 16, PollReadHup = 0x2000;
    public const int EINTR = 4, EAGAIN = 11, EINPROGRESS = 115;
    private const int MsgDontWait = 0x40, MsgNoSignal = 0x4000;
    private const int ShutdownSend = 1;
    private const int EventNonBlocking = 0x800, EventCloseOnExec = 0x80000;

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }

    /// <returns>Bytes; 0 = none there; -1 = the end of the stream; -2 = the connection is broken.</returns>
    public static int TryReceive(SafeSocketHandle socket, Span<byte> to)
    {
        fixed (byte* start = to)
        {
            for (; ; )
            {
                var got = Receive(socket, start, (nuint)to.Length, MsgDontWait);
                if (got > 0) return (int)got;
                if (got == 0) return -1;
                var error = Marshal.GetLastPInvokeError();
                if (error != EINTR) return error == EAGAIN ? 0 : -2;
            }
        }
    }

    /// <returns>Bytes; 0 = no room; -2 = the connection is broken.</returns>
    public static int TrySend(SafeSocketHandle socket, ReadOnlySpan<byte> from)
    {
        fixed (byte* start = from)
        {
            for (; ; )
            {
                var sent = Send(socket, start, (nuint)from.Length, MsgDontWait | MsgNoSignal);
                if (sent >= 0) return (int)sent;
                var error = Marshal.GetLastPInvokeError();
                if (error != EINTR) return error == EAGAIN ? 0 : -2;
            }
        }
    }

    /// <returns>0, or the error: <see cref="EINPROGRESS"/> = wait until it can be written.</returns>
    public static int TryConnect(SafeSocketHandle socket, ReadOnlySpan<byte> address)
    {
        fixed (byte* start = address) return Connect(socket, start, (uint)address.Length) == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    public static void FinishSending(SafeSocketHandle socket) => _ = Shutdown(socket, ShutdownSend);

    /// <summary>What poll finds of a descriptor now, without waiting.</summary>
    public static short Look(int descriptor, short wanted)
    {
        var poll = new PollDescriptor { Descriptor = descriptor, Wanted = wanted };
        return Poll(&poll, 1, 0) > 0 ? poll.Found : (short)0;
    }

    public static int MakeEvent() => EventDescriptor(0, EventNonBlocking | EventCloseOnExec);

    public static void SetEvent(int descriptor)
    {
        ulong one = 1;
        _ = Write(descriptor, &one, sizeof(ulong));
    }

    public static void ClearEvent(int descriptor)
    {
        ulong count;
        _ = Read(descriptor, &count, sizeof(ulong));
    }

    public static void CloseEvent(int descriptor) => _ = Close(descriptor);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(SafeHandle socket, byte* to, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(SafeHandle socket, byte* from, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(SafeHandle socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    private static partial int Shutdown(SafeHandle socket, int how);

    [LibraryImport("libc", EntryPoint = "eventfd")]
    private static partial int EventDescriptor(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int descriptor, void* to, nuint length);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, void* from, nuint length);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
