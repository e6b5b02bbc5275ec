using System.Diagnostics.Metrics;

namespace Cluster.Contracts;

/// <summary>One GPU of this machine, now.</summary>
/// <param name="Device"><c>0</c>, <c>1</c>: its index.</param>
/// <param name="Utilization">0 to 1.</param>
public readonly record struct GpuFigures(string Device, long UsedBytes, long TotalBytes, double Utilization);

/// <summary>What the observable instruments of a process read: asked once a second by whoever collects, on its thread.</summary>
public static class ProcessFigures
{
    private static readonly KeyValuePair<string, object?> Resident = new(ClusterTelemetry.Tags.Kind, "resident"), Managed = new(ClusterTelemetry.Tags.Kind, "managed"), Native = new(ClusterTelemetry.Tags.Kind, "native");

    /// <summary>Live tensors; set by a process that holds a model. Null = this one does not.</summary>
    public static Func<long>? LiveTensors { get; set; }

    /// <summary>The machine's GPUs; set where there are any.</summary>
    public static Func<IReadOnlyList<GpuFigures>>? ReadGpus { get; set; }

    internal static IEnumerable<Measurement<long>> Tensors => LiveTensors is { } live ? [new Measurement<long>(live())] : [];

    internal static IEnumerable<Measurement<long>> Memory() =>
        [new(Environment.WorkingSet, Resident), new(GC.GetTotalMemory(forceFullCollection: false), Managed), new(MemoryBlock.LiveBytes, Native)];

    internal static IEnumerable<Measurement<T>> Gpus<T>(Func<GpuFigures, T> figure) where T : struct =>
        ReadGpus is not { } read ? [] : [.. read().Select(gpu => new Measurement<T>(figure(gpu), new KeyValuePair<string, object?>(ClusterTelemetry.Tags.Device, gpu.Device)))];
}
