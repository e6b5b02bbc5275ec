using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cluster.Contracts;
using Cluster.Torch;

namespace Cluster.Engine;

/// <summary>
/// What a worker's arithmetic gives on <see cref="ReferenceProblem"/>, and the names that explain a difference. Workers
/// of one run must agree on <see cref="Sha256"/>; the other fields are for the sentence that says why they do not.
/// </summary>
/// <param name="Sha256">Of loss, gradients and updated buffers of the reference leaf, lower-case hex.</param>
/// <param name="Model">Architecture, and the layout's hash.</param>
/// <param name="Device"><c>cpu</c> or <c>cuda:N</c>.</param>
/// <param name="Threads">Threads of libtorch and BLAS.</param>
/// <param name="ChannelsLast">Memory format of the samples.</param>
/// <param name="CpuCapability">Vector instructions that libtorch chose.</param>
/// <param name="LibTorch">libtorch's version.</param>
/// <param name="Blas">BLAS library and its configuration.</param>
public sealed record NumericFingerprint(
    string Sha256, string Model, string Device, int Threads, bool ChannelsLast, string CpuCapability, string LibTorch, string Blas)
{
    /// <summary>Seed of the reference problem: part of the definition, never changed.</summary>
    private const ulong Seed = 20_260;

    /// <summary>Computes the reference leaf. The engine's loaded state, if any, is put back afterwards.</summary>
    /// <param name="engine">On its compute thread.</param>
    /// <param name="samples">Samples of the leaf: libraries choose kernels by size, so the run's own leaf size proves most.</param>
    public static NumericFingerprint Of(GradientEngine engine, int samples = 16)
    {
        ArgumentNullException.ThrowIfNull(engine);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samples);
        var layout = engine.Layout;
        float[]? loaded = null;
        if (engine.HasState) engine.CopyLoadedState(loaded = new float[layout.StateFloats]);
        try
        {
            return Compute(engine, samples);
        }
        finally
        {
            // Without a state to put back, nobody must train on the reference weights by accident.
            if (loaded is not null) engine.LoadState(loaded);
            else engine.UnloadState();
        }
    }

    /// <summary>Which names differ from <paramref name="other"/>'s, as "threads 1 against 2; …"; empty when all are equal.</summary>
    public string DifferencesFrom(NumericFingerprint other)
    {
        ArgumentNullException.ThrowIfNull(other);
        (string Name, object Ours, object Theirs)[] pairs =
        [
            ("model", Model, other.Model), ("device type", TypeOf(Device), TypeOf(other.Device)), ("threads", Threads, other.Threads),
            ("channels-last", ChannelsLast, other.ChannelsLast), ("CPU capability", CpuCapability, other.CpuCapability),
            ("libtorch", LibTorch, other.LibTorch), ("BLAS", Blas, other.Blas),
        ];
        return string.Join("; ", pairs.Where(static p => !p.Ours.Equals(p.Theirs)).Select(static p => $"{p.Name} {p.Ours} against {p.Theirs}"));

        static string TypeOf(string device) => device.Split(':')[0];
    }

    private static NumericFingerprint Compute(GradientEngine engine, int samples)
    {
        var (layout, options) = (engine.Layout, engine.Options);
        var state = new float[layout.StateFloats];
        ReferenceProblem.FillState(layout, Seed, state);
        engine.LoadState(state);
        var images = new float[samples * options.Image.Floats];
        var labels = new long[samples];
        ReferenceProblem.FillLeaf(options.ClassCount, Seed, images, labels);
        var outcome = engine.ComputeLeaf(new ImageBatch(images, labels, options.Image), Seed, new StepId(1), leaf: 0, state);

        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(BitConverter.GetBytes(outcome.LossSum));
        sha.AppendData(MemoryMarshal.AsBytes(state.AsSpan()));
        return new NumericFingerprint(
            Convert.ToHexStringLower(sha.GetHashAndReset()), $"{options.Model} {layout.Hash[..12]}", options.Device, options.Threads, options.ChannelsLast,
            TorchRuntime.CpuCapability, TorchRuntime.Version, TorchRuntime.Blas);
    }
}
