namespace Cluster.Cli.Bench.Peers;

/// <summary>What every side trains.</summary>
/// <param name="Parameters">Of the model as we build it; PyTorch's twin must count the same.</param>
/// <param name="Workers">Processes or workers of one thread each.</param>
/// <param name="Images">Per worker and step.</param>
/// <param name="WarmUp">Steps before the first that counts.</param>
/// <param name="Steps">Steps that count.</param>
internal sealed record PeerWorkload(string Model, int Parameters, int Workers, int Images, int WarmUp, int Steps)
{
    /// <summary>Images of a step over all workers.</summary>
    public int Batch => Workers * Images;
}

/// <summary>One side of the comparison; idle unless it measures.</summary>
/// <param name="Key">Its name on the command line.</param>
/// <param name="Name">For a person.</param>
/// <param name="NeedsPython">True if it cannot run without a Python that has torch.</param>
/// <param name="MeasureAsync">Trains and returns images/s of all workers together over the steps that count.</param>
internal sealed record Side(string Key, string Name, bool NeedsPython, Func<PeerWorkload, PythonInterpreter?, CancellationToken, Task<double>> MeasureAsync);

/// <summary>The sides that <c>bench peers</c> knows, in the order of the first pair.</summary>
internal static class Sides
{
    public const string Ddp = "ddp", Ours = "ours", OursFine = "ours-k8", OursDevices = "ours-devices", Alone = "alone", OursAlone = "ours-alone";

    public static IReadOnlyList<Side> All { get; } =
    [
        new(Ddp, "PyTorch DDP, gloo", true, (work, python, stop) => DdpPeer.MeasureAsync(python!, "ddp", work, stop)),
        new(Ours, "cluster, one leaf per worker", false, (work, _, stop) => OurPeer.TogetherAsync(work, work.Workers, stop)),
        new(OursFine, $"cluster, {OurPeer.DefaultMicrobatches} leaves", false, (work, _, stop) => OurPeer.TogetherAsync(work, OurPeer.DefaultMicrobatches, stop)),
        new(OursDevices, $"cluster, {OurPeer.DefaultMicrobatches} leaves, one worker of all devices", false, (work, _, stop) => OurPeer.InOneWorkerAsync(work, OurPeer.DefaultMicrobatches, stop)),
        new(Alone, "PyTorch, isolated loops", true, (work, python, stop) => DdpPeer.MeasureAsync(python!, "alone", work, stop)),
        new(OursAlone, "cluster, isolated runs", false, (work, _, stop) => OurPeer.AloneAsync(work, stop)),
    ];

    public static IReadOnlyList<string> Keys { get; } = [.. All.Select(static side => side.Key)];
}
