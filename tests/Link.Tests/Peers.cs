using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Two ends of a link, or their options.</summary>
internal sealed class Peers : IDisposable
{
    public const string Run = "run-1";
    public static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private static int _count;

    private Peers(ILinkListener listener, Recorder near, Recorder far) => (Listener, Near, Far) = (listener, near, far);

    public ILinkListener Listener { get; }

    /// <summary>The dialler's end.</summary>
    public Recorder Near { get; }

    /// <summary>The acceptor's end.</summary>
    public Recorder Far { get; }

    public static LinkHello Hello(string name, string run = Run) => new(run, "worker", name, 1, new byte[] { 7, 8, 9 });

    public static LinkDiallerOptions Dialler(string name, LinkOptions? options = null) => new() { Self = Hello(name), Secret = Secret, Options = options ?? LinkOptions.Default };

    public static LinkListenerOptions Acceptor(Func<LinkHello, LinkVerdict> admit, LinkOptions? options = null) =>
        new() { Self = Hello("coordinator"), Secret = Secret, Admit = admit, Options = options ?? LinkOptions.Default };

    /// <summary>An address nobody uses.</summary>
    public static LinkAddress Address(LinkTransportKind kind)
    {
        var number = Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
        return kind switch
        {
            LinkTransportKind.Tcp => LinkAddress.Parse("127.0.0.1:0"),
            LinkTransportKind.Unix => LinkAddress.Parse($"unix:{Path.Combine(Path.GetTempPath(), $"link-{Environment.ProcessId}-{number}.sock")}"),
            _ => LinkAddress.Parse("inproc:" + number),
        };
    }

    /// <param name="kind">The transport.</param>
    /// <param name="near">The dialler's end.</param>
    /// <param name="far">The acceptor's end.</param>
    /// <param name="options">Of both.</param>
    /// <param name="tls">Of both.</param>
    public static Peers Connect(LinkTransportKind kind, Recorder? near = null, Recorder? far = null, LinkOptions? options = null, LinkTls? tls = null)
    {
        (near, far) = (near ?? new Recorder(), far ?? new Recorder());
        var listener = Links.Listen(Address(kind), Acceptor(_ => LinkVerdict.Accept(far, new byte[] { 1, 2, 3 }), options) with { Tls = tls });
        try
        {
            Links.Connect(listener.Address, Dialler("worker-1", options) with { Tls = tls }, near);
            _ = (near.Link, far.Link);
            return new Peers(listener, near, far);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Near.Link.Close(LinkEnd.Dismissed, "the test is over");
        Near.WaitForClosed();
        Far.WaitForClosed();
        Listener.Dispose();
        Near.Dispose();
        Far.Dispose();
    }
}
