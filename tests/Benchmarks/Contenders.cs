using System.Diagnostics;
using Cluster.Architectures;
using Cluster.Contracts;
using Cluster.Engine;
using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Benchmarks;

/// <summary>What is computed: forward and backward of one leaf.</summary>
internal sealed record Workload(string Model, int Batch, int Threads, bool ChannelsLast)
{
    public const ulong Seed = 20_260;

    public GradientEngineOptions Options => new()
    {
        Model = Model,
        ClassCount = 10,
        Image = new ImageShape(3, 32, 32),
        Threads = Threads,
        ChannelsLast = ChannelsLast,
    };
}

/// <param name="Wall">Seconds per iteration.</param>
/// <param name="Cpu">CPU seconds of the process per iteration: what another process on the machine cannot steal.</param>
/// <param name="Faults">Page faults per iteration: memory that went back to the system and had to be cleared again.</param>
/// <param name="Loss">Of the last iteration: all contenders must agree.</param>
internal readonly record struct Measurement(double Wall, double Cpu, double Faults, double Loss);

/// <summary>One side of a comparison; idle unless it is run.</summary>
internal interface IContender : IDisposable
{
    string Name { get; }

    Measurement Run(int iterations);
}

/// <summary>A contender in this process.</summary>
internal abstract class LocalContender : IContender
{
    public abstract string Name { get; }

    public Measurement Run(int iterations)
    {
        var (cpu, faults, clock, loss) = (CpuSeconds(), PageFaults(), Stopwatch.StartNew(), 0.0);
        for (var i = 0; i < iterations; i++) loss = Iterate();
        return new Measurement(clock.Elapsed.TotalSeconds / iterations, (CpuSeconds() - cpu) / iterations, (PageFaults() - faults) / iterations, loss);
    }

    public abstract void Dispose();

    /// <summary>Of the whole process, in nanosecond steps: Process.TotalProcessorTime counts in steps of 10 ms.</summary>
    private static double CpuSeconds()
    {
        const int processCpuTime = 2;   // CLOCK_PROCESS_CPUTIME_ID of clock_gettime(3)
        if (NativeClock.clock_gettime(processCpuTime, out var time) != 0) throw new InvalidOperationException("the process's CPU clock cannot be read");
        return time.Seconds + time.Nanoseconds * 1e-9;
    }

    /// <summary>minflt, the tenth field of proc(5)'s stat; the second one is a name in brackets, which may hold blanks.</summary>
    private static double PageFaults()
    {
        var stat = File.ReadAllText("/proc/self/stat");
        return double.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[7]);
    }

    /// <summary>One forward and backward; returns the loss.</summary>
    protected abstract double Iterate();
}

/// <summary>The same loop as in Python, on the binding: batch already on the device, gradients left in the tensors.</summary>
internal sealed class BareLoop : LocalContender
{
    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly FlatCopy _parameters;
    private readonly Tensor _images, _labels;

    public BareLoop(Workload workload)
    {
        TorchRuntime.SetThreads(workload.Threads);
        TorchRuntime.Deterministic();
        using var scope = NewDisposeScope();
        var options = workload.Options;
        _model = ModelCatalog.Create(options.Model, options.Stem, options.ClassCount, options.Image);
        _model.train();
        using var engine = new GradientEngine(options);
        var state = new float[engine.Layout.StateFloats];
        ReferenceProblem.FillState(engine.Layout, Workload.Seed, state);
        _parameters = new FlatCopy([.. _model.parameters()]);
        _parameters.CopyFrom(state.AsSpan(0, engine.Layout.ParameterFloats));

        var (images, labels) = (new float[workload.Batch * options.Image.Floats], new long[workload.Batch]);
        ReferenceProblem.FillLeaf(options.ClassCount, Workload.Seed, images, labels);
        var contiguous = tensor(images, [workload.Batch, 3, 32, 32]);
        _images = (workload.ChannelsLast ? contiguous.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : contiguous).DetachFromDisposeScope();
        _labels = tensor(labels).DetachFromDisposeScope();
    }

    public override string Name => "binding, bare loop";

    public override void Dispose()
    {
        _parameters.Dispose();
        _model.Dispose();
        _images.Dispose();
        _labels.Dispose();
    }

    protected override double Iterate()
    {
        using var scope = NewDisposeScope();
        _parameters.ClearGradients();
        var loss = nn.functional.cross_entropy(_model.call(_images), _labels, reduction: nn.Reduction.Sum);
        loss.backward();
        return loss.ToSingle();
    }
}

/// <summary>The engine as a worker uses it: samples from a span, gradients and buffers into a span, checked.</summary>
internal sealed class EngineLeaf : LocalContender
{
    private readonly GradientEngine _engine;
    private readonly NativeBuffer _node;
    private readonly float[] _images;
    private readonly long[] _labels;

    public EngineLeaf(Workload workload)
    {
        _engine = new GradientEngine(workload.Options);
        _node = NativeBuffer.Allocate(_engine.Layout.StateFloats);
        ReferenceProblem.FillState(_engine.Layout, Workload.Seed, _node.Span);
        _engine.LoadState(_node.Span);
        (_images, _labels) = (new float[workload.Batch * workload.Options.Image.Floats], new long[workload.Batch]);
        ReferenceProblem.FillLeaf(_engine.ClassCount, Workload.Seed, _images, _labels);
    }

    public override string Name => "engine, ComputeLeaf";

    public override void Dispose()
    {
        _engine.Dispose();
        _node.Dispose();
    }

    protected override double Iterate() =>
        _engine.ComputeLeaf(new ImageBatch(_images, _labels, _engine.Options.Image), seed: 1, new StepId(1), leaf: 0, _node.Span).LossSum;
}
