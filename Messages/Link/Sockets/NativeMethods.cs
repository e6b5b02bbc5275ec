using System.Runtime.InteropServices;

namespace Cluster.Link;

/// <summary>
/// The system calls that <see cref="System.Net.Sockets.Socket"/> does not offer: gathering writes out of native memory, one
/// write that does not wait on a socket that otherwise does, and poll. Linux, 64-bit; recvmsg(2), sendmsg(2), poll(2).
/// </summary>
internal static unsafe partial class NativeMethods
{
    public const int MsgDontWait = 0x40, MsgNoSignal = 0x4000, MsgCloseOnExec = 0x40000000;
    public const int EINTR = 4, EAGAIN = 11, EINPROGRESS = 115;
    public const short PollIn = 1, PollOut = 4, PollErr = 8, PollHup = 16;
    public const int ShutdownReceive = 0, ShutdownSend = 1, ShutdownBoth = 2;

    /// <summary>A port may be bound again while connections of its last owner linger. The managed ReuseAddress option would set SO_REUSEPORT too: two could listen.</summary>
    public const int SolSocket = 1, SoReuseAddress = 2;

    /// <summary>Descriptors beside the bytes of a Unix socket, unix(7).</summary>
    public const int ScmRights = 1;

    [StructLayout(LayoutKind.Sequential)]
    public struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public Segment* Segments;
        public nuint SegmentCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    /// <summary><c>struct cmsghdr</c> with room for a few descriptors, cmsg(3).</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct DescriptorMessage
    {
        public const int MostDescriptors = 4;
        public const int HeadBytes = 16;

        public nuint Length;
        public int Level;
        public int Type;
        public fixed int Descriptors[MostDescriptors];
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct PollDescriptor
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }

    [LibraryImport("libc", EntryPoint = "sendmsg", SetLastError = true)]
    public static partial nint SendMessage(SafeHandle socket, in MessageHeader message, int flags);

    [LibraryImport("libc", EntryPoint = "recvmsg", SetLastError = true)]
    public static partial nint ReceiveMessage(SafeHandle socket, ref MessageHeader message, int flags);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    public static partial int Connect(SafeHandle socket, byte* address, uint length);

    [LibraryImport("libc", EntryPoint = "shutdown")]
    public static partial int Shutdown(SafeHandle socket, int how);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "setpriority")]
    public static partial int SetPriority(int which, int who, int priority);
}
