using System.Buffers.Binary;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Bench;

/// <summary>
/// The other process of <see cref="LinkMeasurement"/>: receives tensors and echoes small messages, over a raw socket and over a
/// link, as the measuring process commands. Each receiver reports the CPU time that its process took.
/// </summary>
internal static class LinkPeer
{
    /// <summary>Set for the other process: the addresses of the raw socket and of the link, and the folder of certificates if both go under TLS; one space between.</summary>
    public const string Variable = "CLUSTER_BENCH_LINK_PEER";

    /// <summary>Frame types.</summary>
    public const ushort Expect = 1, Received = 2, Ping = 3, Pong = 4, Ready = 5, Take = 6;

    /// <summary>A command on the raw socket: what, how often, how many bytes each.</summary>
    public const int CommandBytes = 12, Receive = 1, Echo = 2, Stop = 3;

    /// <summary>Runs until the measuring process hangs up.</summary>
    public static void Run(string addresses)
    {
        var parts = addresses.Split(' ', 3);
        var folder = parts.Length > 2 ? parts[2] : null;
        using var tls = folder is null ? null : LinkTls.Load(TlsFiles.In(folder, "worker"), TimeProvider.System);
        using var handler = new Receiver();
        var link = Links.Connect(LinkAddress.Parse(parts[1]), new LinkDiallerOptions { Self = new LinkHello("", "worker", "bench-peer", 1), Tls = tls, ExpectedRole = "coordinator" }, handler);
        using var raw = new RawConnection(RawLink.Connect(LinkAddress.Parse(parts[0])), folder, isServer: false, LinkMeasurement.PayloadFloats * sizeof(float));
        link.SendControl(Ready, []);
        ServeRaw(raw);
        handler.WaitForEnd();
    }

    private static void ServeRaw(RawConnection raw)
    {
        using var buffer = NativeBuffer.Allocate(LinkMeasurement.PayloadFloats);
        var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(buffer.Span);
        var command = new byte[CommandBytes];
        var answer = new byte[sizeof(long)];
        while (raw.Fill(command))
        {
            var (what, count, length) = (BinaryPrimitives.ReadInt32LittleEndian(command), BinaryPrimitives.ReadInt32LittleEndian(command.AsSpan(4)), BinaryPrimitives.ReadInt32LittleEndian(command.AsSpan(8)));
            if (what == Stop) return;
            var cpu = Environment.CpuUsage.TotalTime;
            for (var i = 0; i < count; i++)
            {
                if (!(what == Receive ? raw.FillPayload(bytes[..length]) : raw.Fill(bytes[..length]))) return;
                if (what == Echo) raw.Send(bytes[..length]);
            }
            BinaryPrimitives.WriteInt64LittleEndian(answer, (Environment.CpuUsage.TotalTime - cpu).Ticks);
            raw.Send(answer);
        }
    }

    /// <summary>The link's end: one buffer takes every payload, whichever way it came, as the raw socket's does.</summary>
    private sealed class Receiver : ILinkHandler, IDisposable
    {
        private readonly NativeBuffer _buffer = NativeBuffer.Allocate(LinkMeasurement.PayloadFloats);
        private readonly ManualResetEventSlim _ended = new();
        private int _expected;
        private TimeSpan _cpu;

        public void Control(ILink link, ushort type, ReadOnlySpan<byte> body)
        {
            if (type == Ping)
            {
                link.SendControl(Pong, body);
                return;
            }
            _cpu = Environment.CpuUsage.TotalTime;
            Volatile.Write(ref _expected, BinaryPrimitives.ReadInt32LittleEndian(body));
            link.SendControl(Ready, []);
        }

        public BulkTarget Bulk(ILink link, in BulkOffer offer) => offer.Type == Take && offer.Shared is not null ? BulkTarget.ByReference() : BulkTarget.Into(_buffer, 0);

        public void BulkArrived(ILink link, in BulkArrival arrival)
        {
            if (arrival.Target.Buffer != _buffer) arrival.Target.Buffer!.Dispose();
            if (Interlocked.Decrement(ref _expected) != 0) return;
            Span<byte> answer = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(answer, (Environment.CpuUsage.TotalTime - _cpu).Ticks);
            link.SendControl(Received, answer);
        }

        public void BulkLost(ILink link, BulkTarget target) => _ended.Set();

        public void Closed(ILink link, LinkClosure closure) => _ended.Set();

        public void WaitForEnd() => _ended.Wait();

        public void Dispose() => _buffer.Dispose();
    }
}
