using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Nodes;

/// <summary>
/// What a node opens before it can take part, with the faults of a start: another version, a data set without a file. Why
/// a node cannot take part is told to the coordinator as well. Disposing it removes what the faults made.
/// </summary>
/// <param name="leave">Brings what was told on its way; called before a mistake is thrown.</param>
internal sealed class NodeStart(NodeNews news, Action leave) : IDisposable
{
    private DirectoryInfo? _incomplete;

    /// <summary>The options of a process that is of another version, if that was ordered.</summary>
    public static NodeOptions Versioned(NodeOptions options, NodeFaults faults)
    {
        if (faults.TakeAtStart(FaultKind.VersionSkew) is not { } fault) return options;
        // Said here alone: such a process is not let in, and has nobody to tell.
        Console.Error.WriteLine($"fault {fault}: {fault.Node} says that it is of another version");
        return options with { ProgramVersion = ProgramVersion.Text + "-skewed" };
    }

    /// <summary>The run's data set; the caller disposes both splits.</summary>
    /// <exception cref="UserMistakeException">It is not whole; the coordinator has been told.</exception>
    public (IDataset Train, IDataset Test) Open(RunOptions run, NodeFaults faults)
    {
        var data = run.Data;
        if (faults.TakeAtStart(FaultKind.DataMissing) is { } fault)
        {
            _incomplete = Directory.CreateTempSubdirectory("cluster-incomplete-");
            data = IncompleteData.Make(data, _incomplete.FullName);
            news.Happened("fault", $"fault {fault}: {fault.Node} finds its data set in {data}, where a file is missing");
        }
        return Build(() => Datasets.Open(DataRequest.Of(run) with { Spec = data }));
    }

    /// <summary>Builds something without which the node cannot take part.</summary>
    /// <exception cref="UserMistakeException">It cannot be built; the coordinator has been told.</exception>
    public T Build<T>(Func<T> build)
    {
        try
        {
            return build();
        }
        catch (UserMistakeException e)
        {
            news.Happened("node-unfit", e.Message);
            leave();
            throw;
        }
    }

    public void Dispose() => _incomplete?.Delete(recursive: true);
}

/// <summary>A data set of which one file is missing.</summary>
internal static class IncompleteData
{
    /// <param name="data">The run's <c>--data</c>.</param>
    /// <param name="folder">Empty; gets links to all files and folders but the first: of images in folders, all but the training split. A data set that is computed has no files: it becomes one whose files are all missing.</param>
    /// <returns>What to open instead.</returns>
    public static string Make(string data, string folder)
    {
        var colon = data.IndexOf(':', StringComparison.Ordinal);
        var (name, source) = data == "cifar10" ? (data, Cifar10Source.DirectoryIn()) : colon < 0 ? ("cifar10", null) : (data[..colon], data[(colon + 1)..]);
        if (source is null) return $"{name}:{folder}";
        var entries = Directory.EnumerateFileSystemEntries(source, name == "cifar10" ? "*.bin" : "*").Order(StringComparer.Ordinal).ToList();
        var missing = entries.Find(static entry => Path.GetFileName(entry) == "train") ?? entries.FirstOrDefault();
        foreach (var entry in entries.Where(entry => entry != missing)) File.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(entry)), Path.GetFullPath(entry));
        return $"{name}:{folder}";
    }
}
