using System.Diagnostics;
using Cluster.Architectures;
using Cluster.Contracts;
using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Engine;

/// <summary>
/// Computes gradients of one model with libtorch. Every leaf is a pure function of (loaded state, batch): two engines on
/// two threads, or one engine twice, give the same bits for the same thread count and device type.
/// </summary>
/// <remarks>
/// Not thread-safe: all calls come from one compute thread at a time. A call on a thread that is new to the engine sets
/// that thread's libtorch and BLAS threads first (under OpenMP they are a property of the thread). The owner disposes.
/// </remarks>
public sealed class GradientEngine : IGradientEngine
{
    /// <summary>Thread count that this thread was set to by any engine; 0 = none yet.</summary>
    [ThreadStatic] private static int threadsOfThisThread;

    private readonly ModelState _state;
    private readonly nn.Module<Tensor, Tensor> _model;
    private readonly Device _device;
    private readonly LossFunction _loss;
    private readonly LeafKey _leaf = new();
    private float[] _logits = [];
    private bool _isTraining = true;
    private bool _isDisposed;

    /// <summary>Builds the model on its device. No state is loaded yet: <see cref="LoadState"/> comes before any leaf.</summary>
    /// <exception cref="UserMistakeException">Unknown model, stem or device, no such GPU, or a thread count below 1.</exception>
    public GradientEngine(GradientEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Threads < 1) throw new UserMistakeException($"--threads {options.Threads}: a worker needs at least 1 thread");
        Options = options;
        _device = Devices.Find(options.Device);
        _loss = new LossFunction(options.Loss);
        NativeHeap.KeepFreedMemory();
        UseThread();
        TorchRuntime.Deterministic();
        // Built outside any caller's scope: the model lives as long as the engine.
        using var scope = NewDisposeScope();
        _model = ModelCatalog.Create(options.Model, options.Stem, options.ClassCount, options.Image, options.Dropout, _leaf);
        _model.to(_device);
        _model.train();
        _state = new ModelState(_model, options.DecayNormAndBias, options.WholeRows);
    }

    /// <summary>What the engine was built for.</summary>
    public GradientEngineOptions Options { get; }

    /// <summary>Whether <see cref="LoadState"/> has been called.</summary>
    public bool HasState => _state.IsLoaded;

    public ParameterLayout Layout => _state.Layout;

    public int ClassCount => Options.ClassCount;

    /// <summary>
    /// First weights as PyTorch's and torchvision's own initialisations distribute them (see <see cref="Initialization"/>),
    /// drawn from Philox streams keyed by (seed, index of the parameter). Does not load them.
    /// </summary>
    public void Initialize(ulong seed, Span<float> state)
    {
        RequireState(state.Length, nameof(state));
        WeightInitialization.Fill(Layout, ModelCatalog.InitializationOf(Options.Model, Options.Stem, Options.Image), seed, state);
    }

    public void LoadState(ReadOnlySpan<float> state)
    {
        RequireState(state.Length, nameof(state));
        UseThread();
        _state.Load(state);
    }

    /// <summary>Writes the loaded state back into <paramref name="state"/> [StateFloats], bit for bit; zero in the padding.</summary>
    /// <exception cref="InvalidOperationException">No state is loaded.</exception>
    public void CopyLoadedState(Span<float> state)
    {
        RequireState(state.Length, nameof(state));
        UseThread();
        _state.CopyLoaded(state);
    }

    /// <summary>Forgets the loaded state: leaves are refused until the next <see cref="LoadState"/>.</summary>
    internal void UnloadState() => _state.Unload();

    /// <inheritdoc/>
    /// <exception cref="ClusterException">The batch does not fit the model, or a label is no class of it.</exception>
    /// <exception cref="InvalidOperationException">No state is loaded.</exception>
    public LeafOutcome ComputeLeaf(in ImageBatch batch, ulong seed, StepId step, int leaf, Span<float> node)
    {
        RequireState(node.Length, nameof(node));
        RequireBatch(batch, withLabels: true);
        UseThread();
        _state.Rewind();
        SetTraining(true);
        _leaf.Set(seed, step, leaf);
        double lossSum;
        Span<float> logits = LogitsOf(batch.Count);
        using (NewDisposeScope())
        {
            Tensor output, loss;
            using (StartPhase(ClusterTelemetry.Spans.Forward))
            {
                _state.BeginTraining();
                (output, loss) = _loss.Of(_model, Upload(batch), batch.Labels);
            }
            using (StartPhase(ClusterTelemetry.Spans.Backward))
            {
                loss.backward();
                _state.TakeGradients(node);
            }
            lossSum = loss.ToSingle();
            HostMemory.Download(output, logits);
        }
        return new LeafOutcome(lossSum, CountCorrect(logits, batch.Labels), FiniteCheck.FirstBad(Layout, node));
    }

    /// <summary>
    /// Forward in evaluation mode: BatchNorm uses the loaded running statistics. The logits are the model's own, not
    /// multiplied by <see cref="LossOptions.LogitScale"/>.
    /// </summary>
    /// <exception cref="ClusterException">The batch does not fit the model.</exception>
    /// <exception cref="InvalidOperationException">No state is loaded.</exception>
    public void Predict(in ImageBatch batch, Span<float> logits)
    {
        RequireBatch(batch, withLabels: false);
        if (logits.Length != batch.Count * ClassCount)
            throw new ArgumentException($"logits of {batch.Count} samples need {batch.Count * ClassCount} floats, not {logits.Length}", nameof(logits));
        UseThread();
        _state.Rewind();
        SetTraining(false);
        using (NewDisposeScope())
        using (no_grad())
        {
            HostMemory.Download(_model.call(Upload(batch)), logits);
        }
    }

    public void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        _state.Dispose();
        _model.Dispose();
    }

    /// <summary>A child of what the thread computes under; nothing where nobody traces, so that no span becomes a root of its own.</summary>
    private static Activity? StartPhase(string name) => ClusterTelemetry.StartChild(name, StepTrace.Current);

    /// <summary>[N, C, H, W] on the engine's device, in the memory format that the run asks for. Belongs to the current scope.</summary>
    private Tensor Upload(in ImageBatch batch)
    {
        var images = HostMemory.Upload(batch.Images, [batch.Count, batch.Shape.Channels, batch.Shape.Height, batch.Shape.Width], _device);
        return Options.ChannelsLast ? HostMemory.ChannelsLast(images) : images;
    }

    private Span<float> LogitsOf(int count)
    {
        var needed = count * ClassCount;
        if (_logits.Length < needed) _logits = new float[needed];
        return _logits.AsSpan(0, needed);
    }

    /// <summary>Samples whose first largest logit is their label's, as torch.argmax decides ties on one thread; NaN is never right.</summary>
    private int CountCorrect(ReadOnlySpan<float> logits, ReadOnlySpan<long> labels)
    {
        var correct = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var row = logits.Slice(i * ClassCount, ClassCount);
            var best = 0;
            for (var c = 1; c < row.Length; c++)
            {
                if (row[c] > row[best]) best = c;
            }
            if (best == labels[i] && !float.IsNaN(row[best])) correct++;
        }
        return correct;
    }

    private void SetTraining(bool training)
    {
        if (_isTraining == training) return;
        _model.train(training);
        _isTraining = training;
    }

    private void UseThread()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (threadsOfThisThread == Options.Threads) return;
        TorchRuntime.SetThreads(Options.Threads);
        threadsOfThisThread = Options.Threads;
    }

    private void RequireState(int length, string parameter)
    {
        if (length != Layout.StateFloats) throw new ArgumentException($"the state of '{Options.Model}' has {Layout.StateFloats} floats, not {length}", parameter);
    }

    private void RequireBatch(in ImageBatch batch, bool withLabels)
    {
        if (batch.Count == 0) throw new ClusterException("a batch without samples cannot be computed");
        if (batch.Shape != Options.Image) throw new ClusterException($"the batch holds {batch.Shape} images, the engine was built for {Options.Image}");
        if (batch.Images.Length != (long)batch.Count * batch.Shape.Floats)
            throw new ClusterException($"{batch.Count} images of {batch.Shape} need {(long)batch.Count * batch.Shape.Floats} floats, the batch has {batch.Images.Length}");
        if (!withLabels) return;
        for (var i = 0; i < batch.Count; i++)
        {
            // On CUDA libtorch would only assert on the device, which ends the process's use of it.
            if ((ulong)batch.Labels[i] >= (ulong)ClassCount)
                throw new ClusterException($"label {batch.Labels[i]} of sample {i} in the batch is no class of a model with {ClassCount} classes: check the data set");
        }
    }
}
