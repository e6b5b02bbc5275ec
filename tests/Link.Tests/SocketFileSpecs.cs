using Cluster.Contracts;

namespace Cluster.Link.Tests;

/// <summary>Who owns the file of a Unix socket.</summary>
public sealed class SocketFileSpecs : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-link-");

    private LinkAddress Address => new(LinkTransportKind.Unix, Path.Combine(_folder.FullName, "s"), 0);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Listener_removes_its_socket_when_it_ends()
    {
        using (Listen()) Assert.True(File.Exists(Address.Name));
        Assert.False(File.Exists(Address.Name));
    }

    [Fact]
    public void Listener_whose_path_was_taken_over_leaves_the_socket_of_its_successor()
    {
        var old = Listen();
        File.Delete(Address.Name);
        using var successor = Listen();
        old.Dispose();
        Assert.True(File.Exists(Address.Name));
        Assert.NotNull(SocketFile.At(Address.Name));
    }

    [Fact]
    public void Two_files_are_told_apart_and_one_that_is_not_there_is_none()
    {
        var (a, b) = (Path.Combine(_folder.FullName, "a"), Path.Combine(_folder.FullName, "b"));
        File.WriteAllText(a, "");
        File.WriteAllText(b, "");
        Assert.Equal(SocketFile.At(a), SocketFile.At(a));
        Assert.NotEqual(SocketFile.At(a), SocketFile.At(b));
        Assert.Null(SocketFile.At(a + "x"));
    }

    private ILinkListener Listen() => Links.Listen(Address, new LinkListenerOptions
    {
        Self = new LinkHello("run", "coordinator", "coordinator", 1),
        Admit = static _ => LinkVerdict.Refuse("nobody is let in"),
    });
}
