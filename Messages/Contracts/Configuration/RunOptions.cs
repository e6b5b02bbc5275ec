namespace Cluster.Contracts;

/// <summary>
/// Everything that a run's result depends on, and how it is carried out. The first group and the nested records decide
/// the bits; the second group (workers, shards, devices, folders) may differ between two runs with equal results.
/// </summary>
public sealed record RunOptions
{
    /// <summary>Name of the recipe that the options came from; for people.</summary>
    public string Recipe { get; init; } = "small-cnn";

    /// <summary>Architecture: <c>small-cnn</c>, <c>resnet20</c>, <c>resnet18</c>, …</summary>
    public string Model { get; init; } = "small-cnn";

    /// <summary><c>cifar</c>, <c>imagenet</c>, or null: images of at most 64 pixels get the CIFAR stem.</summary>
    public string? Stem { get; init; }

    /// <summary>Share of activations that the architecture's dropout layers set to zero; null = the architecture's own.</summary>
    public double? Dropout { get; init; }

    /// <summary><c>cifar10[:DIR]</c>, <c>imagefolder:DIR</c>, <c>shards:DIR</c>, <c>synthetic</c>, …</summary>
    public string Data { get; init; } = "cifar10";

    /// <summary>Side of the square that the network sees of an image of any size, in pixels; null = 224. Sets of one size have their own.</summary>
    public long? ImageSize { get; init; }

    /// <summary>Short side that an image of any size gets before evaluation takes its centre, in pixels; null = 256/224 of <see cref="ImageSize"/>.</summary>
    public long? EvalResize { get; init; }

    /// <summary>B: samples of one step over all workers.</summary>
    public int Batch { get; init; } = 512;

    /// <summary>K: leaves of a full step; B is divisible by it.</summary>
    public int Microbatches { get; init; } = 8;

    /// <summary>Length of the run in epochs, when <see cref="Steps"/> is null. Fractions are rounded to whole steps.</summary>
    public double Epochs { get; init; } = 1;

    /// <summary>Length of the run in steps; stops a run early or late without changing the schedule's length when <see cref="ScheduleOptions.TotalSteps"/> says so.</summary>
    public long? Steps { get; init; }

    /// <summary>Keys initial weights, sample order, augmentation and dropout.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>libtorch's and BLAS's threads per worker; part of the numeric fingerprint.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Let convolutions run on channels-last memory: faster on CPU and GPU, other (equally valid) bits.</summary>
    public bool ChannelsLast { get; init; } = true;

    public OptimizerOptions Optimizer { get; init; } = new();
    public ScheduleOptions Schedule { get; init; } = new();
    public LossOptions Loss { get; init; } = new();
    public AugmentationOptions Augmentation { get; init; } = new();
    public EarlyStoppingOptions EarlyStopping { get; init; } = new();

    /// <summary>W: worker actors.</summary>
    public int Workers { get; init; } = 2;

    /// <summary>Devices that each worker drives at once; what they compute is added in the worker's memory and pushed once.</summary>
    public int DevicesPerWorker { get; init; } = 1;

    /// <summary>P: parameter shards.</summary>
    public int Ps { get; init; } = 1;

    /// <summary>Standbys per shard, 0 or 1; null = 1 when several nodes hold shards, else 0.</summary>
    public long? Replicas { get; init; }

    /// <summary><c>cpu</c> or a list such as <c>cuda:0,cuda:1</c>; workers take them in turn.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Every so many steps one leaf is computed by two workers, whose bits are compared; 0 = never.</summary>
    public long AuditEvery { get; init; } = 100;

    /// <summary>What becomes of a step with a gradient that is NaN or infinite: <c>recompute</c>, <c>skip</c> or <c>halt</c>.</summary>
    public string NonFinite { get; init; } = "recompute";

    /// <summary>Threads of each worker that read, decode and augment images; null = the cores of the machine shared among the workers.</summary>
    public long? DecodeThreads { get; init; }

    /// <summary>Evaluate every so many steps; 0 = at the end only.</summary>
    public long EvalEvery { get; init; }

    /// <summary>Samples of the test set that are evaluated: the first so many of a permutation that is fixed by the set's size alone, the same for every run; 0 = all.</summary>
    public int EvalSamples { get; init; }

    /// <summary>Evaluate on the test set at all; false for pure speed measurements.</summary>
    public bool Evaluate { get; init; } = true;

    /// <summary>Steps between checkpoints; null = every <see cref="Limits.CheckpointSeconds"/> seconds and at the end; 0 = none at all.</summary>
    public long? CheckpointEvery { get; init; }

    /// <summary>Newest checkpoints that are kept, besides the best.</summary>
    public int KeepCheckpoints { get; init; } = 3;

    /// <summary>Where the live page, the metrics and the health of the run are served: HOST:PORT (port 0 = any free one), or <c>none</c>.</summary>
    public string Monitor { get; init; } = "127.0.0.1:0";

    /// <summary>Keep the trace of every so many steps; those of slow and failed steps are kept always. 1 = of all; 0 = of slow and failed ones alone.</summary>
    public long TraceEvery { get; init; } = 1;

    /// <summary>Write TensorBoard event files.</summary>
    public bool TensorBoard { get; init; } = true;

    /// <summary>Steps between histograms of the weights in the TensorBoard files; 0 = none.</summary>
    public long HistogramEvery { get; init; }

    /// <summary>The run's folder; null = a new one under <c>runs/</c>.</summary>
    public string? Out { get; init; }
}

/// <summary>What is minimised: summed over samples here, divided by their number on the server.</summary>
public sealed record LossOptions
{
    /// <summary><c>cross-entropy</c> over softmax(logits · LogitScale), or <c>squared-error</c>: half the squared distance of the outputs to the label's one-hot vector.</summary>
    public string Kind { get; init; } = "cross-entropy";

    /// <summary>ε of torch.nn.CrossEntropyLoss: the label's share of the target is 1 − ε, every class gets ε / classes more. Training only.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Factor on the logits in training (an inverse temperature); evaluation uses it too.</summary>
    public double LogitScale { get; init; } = 1;

    /// <summary>Weight of each auxiliary head's loss (Szegedy et al., 2015, section 5: 0.3); 0 or a model without such heads: none.</summary>
    public double AuxiliaryWeight { get; init; } = 0.3;

    /// <summary>Whether <see cref="Kind"/> is <c>squared-error</c>.</summary>
    /// <exception cref="ClusterException">No such kind.</exception>
    public bool IsSquaredError() => Kind switch
    {
        "cross-entropy" => false,
        "squared-error" => true,
        _ => throw new ClusterException($"unknown loss '{Kind}': cross-entropy or squared-error"),
    };
}

/// <summary>Per-sample augmentation, keyed by (seed, epoch, sample).</summary>
public sealed record AugmentationOptions
{
    /// <summary>Pixels of padding before a random crop back to the original size; 0 = no crop.</summary>
    public int PadCrop { get; init; }

    /// <summary><c>zero</c> (after normalisation: the mean colour is not used; black before it) or <c>reflect</c>.</summary>
    public string PadMode { get; init; } = "reflect";

    /// <summary>Mirror left and right with probability one half.</summary>
    public bool Flip { get; init; }

    /// <summary>Side of a square that is set to the mean colour (DeVries and Taylor, 2017); 0 = none.</summary>
    public int Cutout { get; init; }

    /// <summary>Images of any size: least and largest share of the image's area that a random crop takes (Szegedy et al., 2015); null = 0.08, 1.</summary>
    public IReadOnlyList<double>? CropScale { get; init; }

    /// <summary>Images of any size: least and largest width over height of a random crop; null = 3/4, 4/3.</summary>
    public IReadOnlyList<double>? CropRatio { get; init; }

    /// <summary>Images of any size: torchvision's ColorJitter; brightness, contrast, saturation (factors in [1 - x, 1 + x]), hue (at most 0.5). Null = none.</summary>
    public IReadOnlyList<double>? ColorJitter { get; init; }

    /// <summary>Images of any size: probability that a rectangle is erased (Zhong et al., 2017), with torchvision's sizes; 0 = never.</summary>
    public double RandomErasing { get; init; }

    /// <summary>Per-channel mean of pixels scaled to [0, 1]; null = the data set's own.</summary>
    public IReadOnlyList<double>? Mean { get; init; }

    /// <summary>Per-channel standard deviation; null = the data set's own.</summary>
    public IReadOnlyList<double>? Std { get; init; }
}
