using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>A safetensors file is damaged, hostile, or of a kind that is not read here.</summary>
public sealed class SafeTensorsException : ClusterException
{
    public SafeTensorsException(string file, string reason) : base($"{file} is not a usable safetensors file: {reason}") => (File, Reason) = (file, reason);

    public SafeTensorsException(string file, string reason, Exception inner)
        : base($"{file} is not a usable safetensors file: {reason}", inner) => (File, Reason) = (file, reason);

    /// <summary>Path of the file.</summary>
    public string File { get; }

    /// <summary>What is wrong with it, in one line.</summary>
    public string Reason { get; }
}
