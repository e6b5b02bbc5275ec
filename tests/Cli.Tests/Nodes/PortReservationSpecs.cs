using System.Net;
using System.Net.Sockets;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Tests.Nodes;

/// <summary>A port that is kept for a listener that is not there yet, or not any more.</summary>
public sealed class PortReservationSpecs
{
    private static readonly LinkAddress Any = LinkAddress.Parse("127.0.0.1:0");

    [Fact]
    public void Port_is_known_at_once_and_a_listener_takes_it_again_and_again()
    {
        using var port = PortReservation.Take(Any);
        Assert.NotEqual(0, port.Address.Port);
        for (var life = 0; life < 3; life++)
        {
            using var listener = Listen(port.Address);
            Assert.Equal(port.Address, listener.Address);
            Assert.Contains("another process listens there already", Assert.Throws<UserMistakeException>(() => Listen(port.Address)).Message);
        }
    }

    [Fact]
    public void Nobody_answers_there_before_somebody_listens()
    {
        using var port = PortReservation.Take(Any);
        using var dialler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Equal(SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => dialler.Connect(IPAddress.Loopback, port.Address.Port)).SocketErrorCode);
    }

    [Fact]
    public void Two_are_never_the_same()
    {
        var ports = Enumerable.Range(0, 50).Select(static _ => PortReservation.Take(Any)).ToList();
        Assert.Equal(50, ports.Select(static p => p.Address.Port).Distinct().Count());
        ports.ForEach(static p => p.Dispose());
    }

    [Fact]
    public void Address_of_another_machine_is_one_line() =>
        Assert.Contains("cannot listen on 203.0.113.7:0", Assert.Single(Assert.Throws<UserMistakeException>(() => PortReservation.Take(LinkAddress.Parse("203.0.113.7:0"))).Message.Split('\n')));

    private static ILinkListener Listen(LinkAddress address) =>
        Links.Listen(address, new LinkListenerOptions { Self = new LinkHello("run", "ps", "ps-0", 1), Admit = static _ => LinkVerdict.Refuse("nobody is let in") });
}
