using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Study;

/// <summary>The Euclidean norm of a model's parameters, out of a run's newest whole checkpoint.</summary>
internal static class WeightNorm
{
    /// <summary>What torch.nn's batch normalisation keeps beside its parameters.</summary>
    private static readonly string[] Statistics = ["running_mean", "running_var", "num_batches_tracked"];

    /// <param name="run">Folder of a run.</param>
    /// <returns>Null when there is no whole checkpoint.</returns>
    /// <exception cref="ClusterException">The checkpoint is malformed.</exception>
    public static double? Of(string run)
    {
        if (new CheckpointStore(run).FindNewest(null).Newest is not { } newest) return null;
        using var model = SafeTensorsReader.Open(System.IO.Path.Combine(newest.Path, "model.safetensors"));
        var squares = 0.0;
        var values = Array.Empty<float>();
        foreach (var tensor in model.Tensors.Where(static tensor => tensor.Type == TensorType.F32 && !Statistics.Contains(tensor.Name[(tensor.Name.LastIndexOf('.') + 1)..])))
        {
            if (values.Length < tensor.Count) values = new float[tensor.Count];
            var part = values.AsSpan(0, (int)tensor.Count);
            model.Read(tensor, part);
            foreach (var value in part) squares += (double)value * value;
        }
        return Math.Sqrt(squares);
    }
}
