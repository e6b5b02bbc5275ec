using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>A run whose every option is decided and checked.</summary>
/// <param name="Options">Complete; a data folder in it is an absolute path.</param>
/// <param name="Origins">Where each key of <see cref="OptionTable"/> got its value: <c>default</c>, <c>recipe NAME</c> or <c>command line</c>.</param>
/// <param name="OutDirectory">The run's folder: absolute, holds no run, and may not exist yet.</param>
/// <param name="RecipeDescription">The recipe's own line about itself; may be empty.</param>
public sealed record ResolvedRun(
    RunOptions Options,
    IReadOnlyDictionary<string, string> Origins,
    string OutDirectory,
    string RecipeDescription = "")
{
    /// <summary>Names the run in traces, checkpoints and config.yaml; a resumed run keeps its own.</summary>
    public string RunId { get; init; } = Guid.NewGuid().ToString("N");

    /// <summary>The earlier configuration of the run that goes on here; null for a new run.</summary>
    public StoredRun? Resumes { get; init; }
}

/// <summary>What resolving a run needs to know about the world; tests bring their own.</summary>
public sealed record ResolveEnvironment
{
    /// <summary>What relative paths are relative to.</summary>
    public string WorkingDirectory { get; init; } = Environment.CurrentDirectory;

    /// <summary>Local time, for the name of a new folder.</summary>
    public DateTimeOffset Now { get; init; } = DateTimeOffset.Now;

    /// <summary>Bytes that a file in this existing folder may still take; null when that cannot be found out.</summary>
    public Func<string, long?> FreeBytes { get; init; } = Disk.FreeBytes;

    /// <summary>Null when the device (<c>cpu</c>, <c>cuda:0</c>) can be used, else a sentence that says why not and what to do.</summary>
    public Func<string, string?> DeviceMistake { get; init; } = Devices.Mistake;

    /// <summary>Nothing is to be run: a recipe for folders of images need not say which.</summary>
    public bool IsForShow { get; init; }

    /// <summary>Parameters and buffers of the run's model.</summary>
    public Func<RunOptions, long> StateFloats { get; init; } = options => KnownNames.Model(options.Model)?.StateFloats(options) ?? 0;
}
