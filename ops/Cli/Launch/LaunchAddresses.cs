using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch;

/// <summary>
/// Where the processes of a launched run listen, and the proxies between them: Unix sockets in a folder of the run's own, or
/// with TLS ports of the loopback address that are kept for it. All are known before the first process starts, and stay when
/// one is started again. Disposing it ends them.
/// </summary>
internal sealed class LaunchAddresses : IDisposable
{
    /// <summary>Longest path of a Unix socket (sun_path) with room for the names of nodes.</summary>
    private const int LongestSocketFolder = 80;

    private static readonly LinkAddress AnyPort = new(LinkTransportKind.Tcp, "127.0.0.1", 0);

    private readonly string? _folder;
    private readonly Dictionary<string, PortReservation> _ports = new(StringComparer.Ordinal);

    private LaunchAddresses(string? folder) => _folder = folder;

    /// <exception cref="UserMistakeException">The folder for temporary files is too deep for a socket.</exception>
    public static LaunchAddresses Open(bool withTls) => new(withTls ? null : SocketFolder());

    public LinkAddress Coordinator => Of("c");

    /// <summary>Where a parameter shard's node listens.</summary>
    public LinkAddress Shard(int shard) => Of("p" + shard);

    /// <summary>Where a proxy listens; another address for every name.</summary>
    public LinkAddress Proxy(string name) => Of(name);

    /// <summary>A proxy is about to listen there, and wants the port for itself.</summary>
    public void LetGo(string proxy)
    {
        lock (_ports)
            if (_ports.TryGetValue(proxy, out var port)) port.Dispose();
    }

    /// <summary>Whether a process that stands still can be made to give up the coordinator's address: the file of a Unix socket goes, a port stays its own.</summary>
    public bool CanFreeCoordinator => _folder is not null;

    public void FreeCoordinator()
    {
        if (CanFreeCoordinator) File.Delete(Coordinator.Name);
    }

    private LinkAddress Of(string name)
    {
        if (_folder is not null) return new LinkAddress(LinkTransportKind.Unix, Path.Combine(_folder, name), 0);
        lock (_ports)
        {
            if (!_ports.TryGetValue(name, out var port)) _ports[name] = port = PortReservation.Take(AnyPort);
            return port.Address;
        }
    }

    private static string SocketFolder()
    {
        var folder = Directory.CreateTempSubdirectory("cluster-").FullName;
        if (folder.Length <= LongestSocketFolder) return folder;
        Directory.Delete(folder);
        throw new UserMistakeException($"the folder for temporary files is too deep for a Unix socket: {folder}; set TMPDIR to a shorter one");
    }

    public void Dispose()
    {
        foreach (var port in _ports.Values) port.Dispose();
        if (_folder is not null) Directory.Delete(_folder, recursive: true);
    }
}
