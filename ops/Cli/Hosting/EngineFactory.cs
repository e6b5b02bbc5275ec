using System.Security.Cryptography;
using System.Text;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Engine;
using Cluster.Torch;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>Where a run's engines come from.</summary>
internal interface IEngineSource
{
    ParameterLayout Layout { get; }

    /// <summary>SHA-256 of what this machine's arithmetic makes of a fixed leaf.</summary>
    string Fingerprint { get; }

    /// <summary>The names that explain a difference between two fingerprints.</summary>
    string Numerics { get; }

    /// <summary>An engine for one device. The caller disposes it; called on the device's thread.</summary>
    /// <param name="device">Its number among all of the run: those of worker 0 first.</param>
    IGradientEngine Create(int device);
}

/// <summary>Builds the workers' engines, which take the devices of the list in turn.</summary>
internal sealed class EngineFactory : IEngineSource
{
    private readonly RunOptions _run;
    private readonly IDataset _data;
    private readonly string[] _devices;

    /// <exception cref="UserMistakeException">The model, its stem or a device does not exist.</exception>
    public EngineFactory(RunOptions run, IDataset data)
    {
        ProcessFigures.LiveTensors = static () => TorchRuntime.LiveTensors;
        if (run.Device.Contains("cuda", StringComparison.Ordinal) && ProcessFigures.ReadGpus is null && Nvml.Open() is { } gpus) ProcessFigures.ReadGpus = gpus.Read;
        _run = run;
        _data = data;
        _devices = run.Device.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        using var first = Build(0);
        Layout = first.Layout;
        var fingerprint = NumericFingerprint.Of(first);
        Fingerprint = data.Decoding is { } decoding ? With(fingerprint.Sha256, decoding) : fingerprint.Sha256;
        Numerics = $"{fingerprint.Device.Split(':')[0]}, {fingerprint.Threads} thread(s), {fingerprint.CpuCapability}, libtorch {fingerprint.LibTorch}, {fingerprint.Blas}{(data.Decoding is { } decoded ? $", images {decoded[..8]}" : "")}";
    }

    /// <summary>Images that are decoded otherwise give other weights as well.</summary>
    private static string With(string arithmetic, string decoding) => Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(arithmetic + decoding)));

    public ParameterLayout Layout { get; }

    public string Fingerprint { get; }

    public string Numerics { get; }

    public IGradientEngine Create(int device) => Build(device);

    private GradientEngine Build(int device) =>
        new(GradientEngineOptions.For(_run, _data.Shape, _data.ClassCount, _devices[device % _devices.Length]));
}
