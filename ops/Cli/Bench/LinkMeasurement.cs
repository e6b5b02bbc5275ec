using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Bench;

/// <summary>One burst of tensors.</summary>
/// <param name="MegabytesPerSecond">10^6 bytes, from the first write to the last receipt.</param>
/// <param name="CpuSecondsPerGigabyte">Of both processes together, per 10^9 bytes.</param>
internal sealed record LinkThroughput(double MegabytesPerSecond, double CpuSecondsPerGigabyte);

/// <summary>Round trips of a small message, in microseconds.</summary>
internal sealed record LinkRoundTrips(double Median, double P99, int Count);

/// <summary>
/// This process and another one, started from the same executable, over one transport: tensors and small messages through a raw
/// socket and through a link, to be taken in turn. Dispose ends the other process.
/// </summary>
internal sealed class LinkMeasurement : ILinkHandler, IDisposable
{
    /// <summary>45 MB: the gradient of a model of 11 million parameters.</summary>
    public const int PayloadFloats = 11_250_000;

    /// <summary>Bytes of a small message: a lease or a leaf's result.</summary>
    private const int MessageBytes = 64;

    /// <summary>Only a broken run waits so long.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly NativeBuffer _payload = NativeBuffer.Allocate(PayloadFloats, SharedMemory.Instance);
    private readonly BlockingCollection<byte[]> _answers = [];
    private readonly List<double> _roundTrips = [];
    private readonly ManualResetEventSlim _pinged = new();
    private readonly byte[] _message = new byte[MessageBytes];
    private readonly ILinkListener _listener;
    private readonly Socket _rawListener;
    private readonly RawConnection _raw;
    private readonly LinkTls? _tls;
    private readonly Process _peer;
    private readonly ILink _link;
    private readonly string? _rawFile;
    private int _pingsLeft;
    private long _pingedAt;

    /// <param name="address">Where to listen for the link; the raw socket gets a neighbour of it.</param>
    /// <param name="start">Starts the other process with <see cref="LinkPeer.Variable"/> set to the text.</param>
    /// <param name="isShared">Tensors may go over in memory that both processes map, where the transport can do that.</param>
    /// <param name="folder">Certificates for both ends, if the link and the raw connection go under TLS.</param>
    public LinkMeasurement(LinkAddress address, bool isShared, Func<string, Process> start, string? folder = null)
    {
        _tls = folder is null ? null : LinkTls.Load(TlsFiles.In(folder, "coordinator"), TimeProvider.System);
        new Random(1).NextBytes(MemoryMarshal.AsBytes(_payload.Span));
        var options = new LinkListenerOptions { Self = new LinkHello("bench", "coordinator", "bench", 1), Admit = _ => LinkVerdict.Accept(this), Options = LinkOptions.Default with { AllowSharedMemory = isShared }, Tls = _tls };
        _listener = Links.Listen(address, options);
        var rawAddress = address.Kind == LinkTransportKind.Unix ? address with { Name = address.Name + "-raw" } : address;
        _rawFile = address.Kind == LinkTransportKind.Unix ? rawAddress.Name : null;
        _rawListener = RawLink.Listen(rawAddress, out rawAddress);
        _peer = start($"{rawAddress} {_listener.Address}{(folder is null ? "" : " " + folder)}");
        _raw = new RawConnection(RawLink.Accept(_rawListener, rawAddress), folder, isServer: true, PayloadFloats * sizeof(float));
        _raw.Keep(MemoryMarshal.AsBytes(_payload.Span));
        Answer();
        _link = _opened.Task.Result;
    }

    private readonly TaskCompletionSource<ILink> _opened = new();

    /// <summary>The cipher suite of the raw connection; "" without TLS.</summary>
    public string Suite => _raw.Suite;

    /// <summary>Why the link ended, if it did: a false alarm, in a measurement.</summary>
    public LinkClosure? Closure => _link.Closure;

    private byte[] Answer() => _answers.TryTake(out var answer, Patience) ? answer : throw new TimeoutException($"the other process does not answer; {_opened.Task.Result.Closure}");

    public LinkThroughput Raw(int payloads)
    {
        var bytes = MemoryMarshal.AsBytes(_payload.Span);
        Command(LinkPeer.Receive, payloads, bytes.Length);
        var (cpu, started) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        for (var i = 0; i < payloads; i++) _raw.SendPayload(bytes);
        var answer = new byte[sizeof(long)];
        _raw.Fill(answer);
        return Result(payloads, started, cpu, answer);
    }

    public LinkThroughput OverLink(int payloads) => OverLink(LinkPeer.Expect, payloads);

    /// <summary>Microseconds from one tensor to the next that the other process takes where it lies, and lets go of unread.</summary>
    public double HandOver(int payloads) => PayloadFloats * sizeof(float) / OverLink(LinkPeer.Take, payloads).MegabytesPerSecond;

    private LinkThroughput OverLink(ushort type, int payloads)
    {
        var body = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(body, payloads);
        _link.SendControl(LinkPeer.Expect, body);
        Answer();
        var (cpu, started) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        for (var i = 0; i < payloads; i++) _link.SendBulk(type, _message, _payload, 0, PayloadFloats);
        return Result(payloads, started, cpu, Answer());
    }

    private static LinkThroughput Result(int payloads, long started, TimeSpan cpu, byte[] answer)
    {
        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var both = Environment.CpuUsage.TotalTime - cpu + new TimeSpan(BinaryPrimitives.ReadInt64LittleEndian(answer));
        var bytes = (double)payloads * PayloadFloats * sizeof(float);
        return new LinkThroughput(bytes / 1e6 / seconds, both.TotalSeconds / (bytes / 1e9));
    }

    public LinkRoundTrips RawRoundTrips(int count)
    {
        var taken = new List<double>(count);
        Command(LinkPeer.Echo, count, MessageBytes);
        for (var i = 0; i < count; i++)
        {
            var sent = Stopwatch.GetTimestamp();
            _raw.Send(_message);
            _raw.Fill(_message);
            taken.Add(Stopwatch.GetElapsedTime(sent).TotalMicroseconds);
        }
        _raw.Fill(new byte[sizeof(long)]);
        return Summary(taken);
    }

    /// <summary>Each answer sends the next message from the reader's thread, as an echo over a blocking socket does.</summary>
    public LinkRoundTrips LinkRoundTrips(int count)
    {
        _roundTrips.Clear();
        _pinged.Reset();
        _pingsLeft = count;
        SendPing();
        if (!_pinged.Wait(Patience)) throw new TimeoutException($"the other process does not echo; {_link.Closure}");
        return Summary(_roundTrips);
    }

    /// <summary>Round trips of the link while it carries tensors all the time and every core computes.</summary>
    public LinkRoundTrips LinkRoundTripsUnderLoad(TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time);
        var burners = Enumerable.Range(0, Environment.ProcessorCount).Select(_ => new Thread(() => Burn(stop.Token)) { IsBackground = true }).ToArray();
        var sender = new Thread(() =>
        {
            while (!stop.IsCancellationRequested && _link.SendBulk(LinkPeer.Expect, _message, _payload, 0, PayloadFloats)) { }
        });
        sender.Start();
        foreach (var burner in burners) burner.Start();
        var taken = new List<double>();
        while (!stop.IsCancellationRequested)
        {
            LinkRoundTrips(1);
            taken.Add(_roundTrips[0]);
            Thread.Sleep(1);
        }
        sender.Join();
        foreach (var burner in burners) burner.Join();
        LinkRoundTrips(1);
        return Summary(taken);
    }

    private static void Burn(CancellationToken stop)
    {
        var x = 1u;
        while (!stop.IsCancellationRequested)
        {
            for (var i = 0; i < 100_000; i++) x = (x * 1664525) + 1013904223;
        }
        GC.KeepAlive(x);
    }

    private void SendPing()
    {
        _pingedAt = Stopwatch.GetTimestamp();
        _link.SendControl(LinkPeer.Ping, _message);
    }

    private static LinkRoundTrips Summary(List<double> taken)
    {
        var sorted = taken.Order().ToArray();
        return new LinkRoundTrips(sorted[sorted.Length / 2], sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * 0.99))], sorted.Length);
    }

    private void Command(int what, int count, int bytes)
    {
        var command = new byte[LinkPeer.CommandBytes];
        BinaryPrimitives.WriteInt32LittleEndian(command, what);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(4), count);
        BinaryPrimitives.WriteInt32LittleEndian(command.AsSpan(8), bytes);
        _raw.Send(command);
    }

    void ILinkHandler.Opened(ILink link) => _opened.SetResult(link);

    void ILinkHandler.Control(ILink link, ushort type, ReadOnlySpan<byte> body)
    {
        if (type != LinkPeer.Pong)
        {
            _answers.Add(body.ToArray());
            return;
        }
        _roundTrips.Add(Stopwatch.GetElapsedTime(_pingedAt).TotalMicroseconds);
        if (--_pingsLeft > 0) SendPing();
        else _pinged.Set();
    }

    BulkTarget ILinkHandler.Bulk(ILink link, in BulkOffer offer) => BulkTarget.Refuse("unasked");

    void ILinkHandler.BulkArrived(ILink link, in BulkArrival arrival) { }

    void ILinkHandler.BulkLost(ILink link, BulkTarget target) { }

    void ILinkHandler.Closed(ILink link, LinkClosure closure) => _answers.Add([]);

    public void Dispose()
    {
        Command(LinkPeer.Stop, 0, 0);
        _link.Close(LinkEnd.Finished, "measured");
        if (!_peer.WaitForExit(5000)) _peer.Kill();
        _peer.Dispose();
        _raw.Dispose();
        _rawListener.Dispose();
        if (_rawFile is not null) File.Delete(_rawFile);
        _listener.Dispose();
        _tls?.Dispose();
        _payload.Dispose();
    }
}
