using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>A checkpoint is torn, damaged or hostile.</summary>
public sealed class CheckpointDamagedException : ClusterException
{
    public CheckpointDamagedException(string folder, string reason) : base($"checkpoint {folder} cannot be used: {reason}") => (Folder, Reason) = (folder, reason);

    public CheckpointDamagedException(string folder, string reason, Exception inner)
        : base($"checkpoint {folder} cannot be used: {reason}", inner) => (Folder, Reason) = (folder, reason);

    public string Folder { get; }

    /// <summary>What is wrong, in one line.</summary>
    public string Reason { get; }
}

/// <summary>The disk refused a checkpoint. Earlier checkpoints are as they were.</summary>
public sealed class CheckpointWriteException : ClusterException
{
    public CheckpointWriteException(string folder, Exception inner)
        : base($"checkpoint {folder} was not written: {Printable.Cause(inner)}; earlier checkpoints are untouched, make room on that disk or make it writable", inner) => Folder = folder;

    public string Folder { get; }
}

/// <summary>A state with a NaN or an infinity is not written: it must never replace a good one.</summary>
public sealed class NonFiniteStateException : ClusterException
{
    public NonFiniteStateException(string name, int index, float value, WeightsVersion version)
        : base($"the checkpoint of version {version} is refused: element {index} of {name} is {value}; the newest checkpoint stays the good one before it, lower the learning rate or clip the norm")
        => (Name, Index, Value, Version) = (name, index, value, version);

    /// <summary>The tensor, an optimizer slot written <c>parameter.slot</c>.</summary>
    public string Name { get; }

    /// <summary>Index within the tensor, row-major.</summary>
    public int Index { get; }
    public float Value { get; }
    public WeightsVersion Version { get; }
}

/// <summary>The tensors of a file are not those of the model: every difference, in full.</summary>
public sealed class StateMismatchException : ClusterException
{
    public StateMismatchException(string path, IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> misShaped)
        : base($"{path} does not fit the model: {Describe(missing, unexpected, misShaped)}; use the model that it was saved from")
        => (Path, Missing, Unexpected, MisShaped) = (path, missing, unexpected, misShaped);

    public string Path { get; }

    /// <summary>Names that the model has and the file lacks.</summary>
    public IReadOnlyList<string> Missing { get; }

    /// <summary>Names that only the file has.</summary>
    public IReadOnlyList<string> Unexpected { get; }

    /// <summary>Names whose shape or type differs, with both.</summary>
    public IReadOnlyList<string> MisShaped { get; }

    /// <summary>The differences alone, in one line.</summary>
    public string Differences => Describe(Missing, Unexpected, MisShaped);

    private static string Describe(IReadOnlyList<string> missing, IReadOnlyList<string> unexpected, IReadOnlyList<string> misShaped) => string.Join(
        "; ",
        new[] { ("missing", missing), ("unexpected", unexpected), ("mis-shaped", misShaped) }
            .Where(static part => part.Item2.Count > 0)
            .Select(static part => $"{part.Item2.Count} {part.Item1}: {string.Join(", ", part.Item2)}"));
}
