using Cluster.Contracts;
using static Cluster.Cli.Configuration.OptionRows;

namespace Cluster.Cli.Configuration;

/// <summary>Every option of a run, one row each, in the order in which the help shows them.</summary>
public static class OptionTable
{
    private const string What = "What is trained";
    private const string Where = "On what";
    private const string HowLong = "How long";
    private const string Optimizer = "Optimizer";
    private const string Penalty = "Weight penalty";
    private const string Clipping = "Gradient clipping";
    private const string Rate = "Learning rate";
    private const string Loss = "Loss";
    private const string Images = "Augmentation";
    private const string Watching = "Watching";
    private const string Run = "The run";

    /// <summary>Rows that decide the result come first; workers, shards, devices and folders cannot change a bit.</summary>
    public static IReadOnlyList<OptionRow> Rows { get; } =
    [
        Choice(What, "model", "--model", "Architecture.", [.. KnownNames.Models.Select(model => model.Name)], mayBeNull: false,
            o => o.Model, (o, v) => o with { Model = v! }),
        Choice(What, "stem", "--stem", "First layers of a model that has both; unset: images of at most 64 pixels get the CIFAR stem.", KnownNames.Stems, mayBeNull: true,
            o => o.Stem, (o, v) => o with { Stem = v }),
        OptionalReal(What, "dropout", "--dropout", "Share of activations that the architecture's dropout layers set to zero; unset: the architecture's own.", new(0, 1, MaximumExcluded: true),
            o => o.Dropout, (o, v) => o with { Dropout = v }),
        Text(What, "data", "--data", "Data set: cifar10 (downloaded when missing), cifar10:DIR, or synthetic.", "NAME[:DIR]", mayBeNull: false,
            o => o.Data, (o, v) => o with { Data = v! }),
        Integer<int>(What, "batch", "--batch", "B, the samples of one step over all workers; divisible by the microbatches.", new(1, Limits.MaxGlobalBatch),
            o => o.Batch, (o, v) => o with { Batch = v }, "samples"),
        Integer<int>(What, "microbatches", "--microbatches", "K, the parts of a step: the unit of work and of determinism, whatever the number of workers.", new(1, Limits.MaxMicrobatches),
            o => o.Microbatches, (o, v) => o with { Microbatches = v }, "leaves"),
        Choice(What, "on-non-finite", "--on-non-finite", "When a gradient is NaN or infinite: recompute the leaf on another worker and halt if it is again, skip the step, or halt.", ["recompute", "skip", "halt"], mayBeNull: false,
            o => o.NonFinite, (o, v) => o with { NonFinite = v! }),
        Integer<ulong>(What, "seed", "--seed", "Keys first weights, sample order, augmentation and dropout.", new(0, ulong.MaxValue),
            o => o.Seed, (o, v) => o with { Seed = v }),
        Switch(What, "channels-last", "--channels-last", "Let convolutions run on channels-last memory: faster, other (equally valid) bits.",
            o => o.ChannelsLast, (o, v) => o with { ChannelsLast = v }),

        Real(HowLong, "epochs", "--epochs", "Length of the run, and of the schedule; fractions are rounded to whole steps.", NumberRange.Positive,
            o => o.Epochs, (o, v) => o with { Epochs = v }, "epochs"),
        OptionalInteger(HowLong, "steps", "--steps", "Stop after so many steps in total; the schedule keeps the length that the epochs give it.", NumberRange.FromOne,
            o => o.Steps, (o, v) => o with { Steps = v }, "steps"),
        Integer<long>(HowLong, "eval-every", "--eval-every", "Evaluate on the test set every so many steps; 0 = at the end only.", NumberRange.NotNegative,
            o => o.EvalEvery, (o, v) => o with { EvalEvery = v }, "steps"),
        Integer<int>(HowLong, "early-stopping.patience", "--patience", "Evaluations in a row without improvement that end the run; its result is then the best version. 0 = never.", NumberRange.NotNegative,
            o => o.EarlyStopping.Patience, (o, v) => o with { EarlyStopping = o.EarlyStopping with { Patience = v } }, "evaluations"),
        Real(HowLong, "early-stopping.min-delta", "--min-delta", "Early stopping: what an improvement exceeds.", NumberRange.NotNegative,
            o => o.EarlyStopping.MinDelta, (o, v) => o with { EarlyStopping = o.EarlyStopping with { MinDelta = v } }),
        Choice(HowLong, "early-stopping.metric", "--stopping-metric", "Early stopping: what is watched, of the test set.", KnownNames.StoppingMetrics, mayBeNull: false,
            o => o.EarlyStopping.Metric, (o, v) => o with { EarlyStopping = o.EarlyStopping with { Metric = v! } }),
        Switch(HowLong, "evaluate", "--evaluate", "Evaluate on the test set at the end and when eval-every says so; false to measure speed alone.",
            o => o.Evaluate, (o, v) => o with { Evaluate = v }),
        Integer<int>(HowLong, "eval-samples", "--eval-samples", "Samples of the test set that are evaluated, drawn once and the same for every run; 0 = all.", NumberRange.NotNegative,
            o => o.EvalSamples, (o, v) => o with { EvalSamples = v }, "samples"),
        OptionalInteger(HowLong, "checkpoint-every", "--checkpoint-every", "Write a checkpoint every so many steps; null = every minute and at the end; 0 = none at all.", NumberRange.NotNegative,
            o => o.CheckpointEvery, (o, v) => o with { CheckpointEvery = v }, "steps"),
        Integer<int>(HowLong, "checkpoint-keep", "--checkpoint-keep", "Newest checkpoints to keep, besides the one with the best test accuracy.", NumberRange.FromOne,
            o => o.KeepCheckpoints, (o, v) => o with { KeepCheckpoints = v }),

        Choice(Optimizer, "optimizer.kind", "--optimizer", "The rule, by torch.optim's definitions; lars by You et al. (2017).", KnownNames.Optimizers, mayBeNull: false,
            o => o.Optimizer.Kind, (o, v) => o with { Optimizer = o.Optimizer with { Kind = v! } }),
        Real(Optimizer, "optimizer.momentum", "--momentum", "Share of the momentum buffer that a step keeps (sgd, lars, rmsprop).", new(0, 1, MaximumExcluded: true),
            o => o.Optimizer.Momentum, (o, v) => o with { Optimizer = o.Optimizer with { Momentum = v } }),
        Choice(Optimizer, "optimizer.momentum-form", "--momentum-form", "pytorch: the rate multiplies the buffer; classical: the buffer holds the rate's steps (Sutskever et al., 2013). They differ when the rate changes.", KnownNames.MomentumForms, mayBeNull: false,
            o => o.Optimizer.MomentumForm, (o, v) => o with { Optimizer = o.Optimizer with { MomentumForm = v! } }),
        Real(Optimizer, "optimizer.dampening", "--dampening", "Share of a new gradient that does not enter the momentum buffer.", new(0, 1),
            o => o.Optimizer.Dampening, (o, v) => o with { Optimizer = o.Optimizer with { Dampening = v } }),
        Switch(Optimizer, "optimizer.nesterov", "--nesterov", "Nesterov momentum; needs momentum and no dampening.",
            o => o.Optimizer.Nesterov, (o, v) => o with { Optimizer = o.Optimizer with { Nesterov = v } }),
        Real(Optimizer, "optimizer.beta1", "--beta1", "adam, adamw: share of the mean gradient that a step keeps.", new(0, 1, MaximumExcluded: true),
            o => o.Optimizer.Beta1, (o, v) => o with { Optimizer = o.Optimizer with { Beta1 = v } }),
        Real(Optimizer, "optimizer.beta2", "--beta2", "adam, adamw: share of the mean squared gradient that a step keeps.", new(0, 1, MaximumExcluded: true),
            o => o.Optimizer.Beta2, (o, v) => o with { Optimizer = o.Optimizer with { Beta2 = v } }),
        OptionalReal(Optimizer, "optimizer.eps", "--eps", "Added to a root before it divides; unset: 1e-10 for adagrad, 1e-8 for the others.", NumberRange.Positive,
            o => o.Optimizer.Epsilon, (o, v) => o with { Optimizer = o.Optimizer with { Epsilon = v } }),
        Real(Optimizer, "optimizer.alpha", "--alpha", "rmsprop: share of the mean squared gradient that a step keeps.", new(0, 1, MaximumExcluded: true),
            o => o.Optimizer.Alpha, (o, v) => o with { Optimizer = o.Optimizer with { Alpha = v } }),
        Switch(Optimizer, "optimizer.centered", "--centered", "rmsprop: divide by the deviation instead of the root of the mean square.",
            o => o.Optimizer.Centered, (o, v) => o with { Optimizer = o.Optimizer with { Centered = v } }),
        Real(Optimizer, "optimizer.rate-decay", "--rate-decay", "adagrad: step t has the rate lr / (1 + (t - 1) times this).", NumberRange.NotNegative,
            o => o.Optimizer.RateDecay, (o, v) => o with { Optimizer = o.Optimizer with { RateDecay = v } }),
        Real(Optimizer, "optimizer.initial-accumulator", "--initial-accumulator", "adagrad: what the sums of squares begin with.", NumberRange.NotNegative,
            o => o.Optimizer.InitialAccumulator, (o, v) => o with { Optimizer = o.Optimizer with { InitialAccumulator = v } }),
        Real(Optimizer, "optimizer.trust-coefficient", "--trust-coefficient", "lars: a tensor's rate is lr times this times the norm of its weights over that of its gradient.", NumberRange.Positive,
            o => o.Optimizer.TrustCoefficient, (o, v) => o with { Optimizer = o.Optimizer with { TrustCoefficient = v } }),
        Real(Optimizer, "optimizer.ema-decay", "--ema-decay", "Share of the average of all weights so far that a step keeps; evaluation then uses the average. 0 = none.", new(0, 1, MaximumExcluded: true),
            o => o.Optimizer.EmaDecay, (o, v) => o with { Optimizer = o.Optimizer with { EmaDecay = v } }),
        Text(Optimizer, "optimizer.groups", "--groups", "Parameter groups: factors on rate and penalty for the parameters whose name matches, the first match counts: 'fc.*:lr=0.1,decay=0; conv1.*:lr=0'.", "PATTERN:…", mayBeNull: true,
            o => o.Optimizer.Groups, (o, v) => o with { Optimizer = o.Optimizer with { Groups = v } }),

        Choice(Penalty, "optimizer.penalty", "--penalty", "What is added for the weights' size; unset: what weight-decay and l1 say (decoupled for adamw, else l2).", KnownNames.Penalties, mayBeNull: true,
            o => o.Optimizer.Penalty, (o, v) => o with { Optimizer = o.Optimizer with { Penalty = v } }),
        Real(Penalty, "optimizer.weight-decay", "--weight-decay", "Strength of l2, decoupled decay and the elastic net's second part.", NumberRange.NotNegative,
            o => o.Optimizer.WeightDecay, (o, v) => o with { Optimizer = o.Optimizer with { WeightDecay = v } }),
        Real(Penalty, "optimizer.l1", "--l1", "Strength of l1 and the elastic net's first part.", NumberRange.NotNegative,
            o => o.Optimizer.L1, (o, v) => o with { Optimizer = o.Optimizer with { L1 = v } }),
        Real(Penalty, "optimizer.max-norm", "--max-norm", "Largest norm of an output unit's weights, enforced after every step; 0 = any.", NumberRange.NotNegative,
            o => o.Optimizer.MaxNorm, (o, v) => o with { Optimizer = o.Optimizer with { MaxNorm = v } }),
        Switch(Penalty, "optimizer.decay-norm-and-bias", "--decay-norm-and-bias", "Biases and norm layers take the penalty too.",
            o => o.Optimizer.DecayNormAndBias, (o, v) => o with { Optimizer = o.Optimizer with { DecayNormAndBias = v } }),

        Real(Clipping, "optimizer.clip-norm", "--clip-norm", "Largest norm of the whole mean gradient (Pascanu et al., 2013); 0 = any.", NumberRange.NotNegative,
            o => o.Optimizer.ClipNorm, (o, v) => o with { Optimizer = o.Optimizer with { ClipNorm = v } }),
        Real(Clipping, "optimizer.clip-parameter-norm", "--clip-parameter-norm", "Largest norm of each parameter's mean gradient; 0 = any.", NumberRange.NotNegative,
            o => o.Optimizer.ClipParameterNorm, (o, v) => o with { Optimizer = o.Optimizer with { ClipParameterNorm = v } }),
        Real(Clipping, "optimizer.clip-value", "--clip-value", "Largest magnitude of an element of the mean gradient; 0 = any.", NumberRange.NotNegative,
            o => o.Optimizer.ClipValue, (o, v) => o with { Optimizer = o.Optimizer with { ClipValue = v } }),
        Real(Clipping, "optimizer.clip-adaptive", "--clip-adaptive", "Largest ratio of a unit's gradient norm to its weights' norm (Brock et al., 2021); 0 = any.", NumberRange.NotNegative,
            o => o.Optimizer.ClipAdaptive, (o, v) => o with { Optimizer = o.Optimizer with { ClipAdaptive = v } }),

        Choice(Rate, "schedule.kind", "--schedule", "The learning rate as a function of the step; plateau: of the evaluations too.", KnownNames.Schedules, mayBeNull: false,
            o => o.Schedule.Kind, (o, v) => o with { Schedule = o.Schedule with { Kind = v! } }),
        Real(Rate, "schedule.lr", "--lr", "The rate behind the warm-up; highest rate of one-cycle.", NumberRange.NotNegative,
            o => o.Schedule.LearningRate, (o, v) => o with { Schedule = o.Schedule with { LearningRate = v } }),
        OptionalInteger(Rate, "schedule.base-batch", "--base-batch", "Batch that lr and final-lr were chosen for: they are scaled by batch / this (Goyal et al., 2017); unset: they are meant for the batch as it is.", new(1, Limits.MaxGlobalBatch),
            o => o.Schedule.BaseBatch, (o, v) => o with { Schedule = o.Schedule with { BaseBatch = (int?)v } }, "samples"),
        Real(Rate, "schedule.warmup-epochs", "--warmup-epochs", "Epochs in which the rate warms up; the schedule begins behind them and ends where it would without. 0 = none.", NumberRange.NotNegative,
            o => o.Schedule.WarmupEpochs, (o, v) => o with { Schedule = o.Schedule with { WarmupEpochs = v } }, "epochs"),
        Choice(Rate, "schedule.warmup", "--warmup", "linear: from warmup-factor to the whole rate; constant: warmup-factor all along.", KnownNames.Warmups, mayBeNull: false,
            o => o.Schedule.Warmup, (o, v) => o with { Schedule = o.Schedule with { Warmup = v! } }),
        Real(Rate, "schedule.warmup-factor", "--warmup-factor", "Where the warm-up begins, as a share of the rate.", new(0, 1),
            o => o.Schedule.WarmupFactor, (o, v) => o with { Schedule = o.Schedule with { WarmupFactor = v } }),
        Real(Rate, "schedule.step-epochs", "--step-epochs", "step: epochs between drops.", NumberRange.Positive,
            o => o.Schedule.StepEpochs, (o, v) => o with { Schedule = o.Schedule with { StepEpochs = v } }, "epochs"),
        Numbers(Rate, "schedule.milestones", "--milestones", "multi-step: epochs after which the rate drops, ascending, counted from the run's beginning.", NumberRange.Positive,
            o => o.Schedule.Milestones, (o, v) => o with { Schedule = o.Schedule with { Milestones = v } }) with { Unit = "epochs" },
        Real(Rate, "schedule.gamma", "--gamma", "Factor of a drop (step, multi-step, plateau); exponential: lr · gamma^(step / decay-steps); inverse-sqrt: lr / √(1 + gamma² · step).", NumberRange.Positive,
            o => o.Schedule.Gamma, (o, v) => o with { Schedule = o.Schedule with { Gamma = v } }),
        OptionalInteger(Rate, "schedule.decay-steps", "--decay-steps", "exponential: steps for one factor of gamma; unset: an epoch's.", NumberRange.FromOne,
            o => o.Schedule.DecaySteps, (o, v) => o with { Schedule = o.Schedule with { DecaySteps = v } }, "steps"),
        Switch(Rate, "schedule.staircase", "--staircase", "exponential: whole powers of gamma only.",
            o => o.Schedule.Staircase, (o, v) => o with { Schedule = o.Schedule with { Staircase = v } }),
        Real(Rate, "schedule.epoch-decay", "--epoch-decay", "per-epoch: the rate is multiplied by 1 minus this after every epoch.", new(0, 1),
            o => o.Schedule.EpochDecay, (o, v) => o with { Schedule = o.Schedule with { EpochDecay = v } }),
        Real(Rate, "schedule.final-lr", "--final-lr", "linear, cosine: the rate at the end; plateau: never below it.", NumberRange.NotNegative,
            o => o.Schedule.FinalLearningRate, (o, v) => o with { Schedule = o.Schedule with { FinalLearningRate = v } }),
        Integer<int>(Rate, "schedule.patience", "--lr-patience", "plateau: evaluations without a better test loss before a drop.", NumberRange.NotNegative,
            o => o.Schedule.Patience, (o, v) => o with { Schedule = o.Schedule with { Patience = v } }, "evaluations"),
        Real(Rate, "schedule.threshold", "--lr-threshold", "plateau: a test loss is better when it is below the best · (1 - this).", new(0, 1, MaximumExcluded: true),
            o => o.Schedule.Threshold, (o, v) => o with { Schedule = o.Schedule with { Threshold = v } }),
        Integer<int>(Rate, "schedule.cooldown", "--lr-cooldown", "plateau: evaluations after a drop that are not counted.", NumberRange.NotNegative,
            o => o.Schedule.Cooldown, (o, v) => o with { Schedule = o.Schedule with { Cooldown = v } }, "evaluations"),
        Real(Rate, "schedule.pct-start", "--pct-start", "One-cycle: share of the steps that rise.", new(0, 1),
            o => o.Schedule.PercentStart, (o, v) => o with { Schedule = o.Schedule with { PercentStart = v } }),
        Real(Rate, "schedule.div-factor", "--div-factor", "One-cycle: the initial rate is the highest divided by this.", NumberRange.Positive,
            o => o.Schedule.DivFactor, (o, v) => o with { Schedule = o.Schedule with { DivFactor = v } }),
        Real(Rate, "schedule.final-div-factor", "--final-div-factor", "One-cycle: the last rate is the initial one divided by this.", NumberRange.Positive,
            o => o.Schedule.FinalDivFactor, (o, v) => o with { Schedule = o.Schedule with { FinalDivFactor = v } }),
        Choice(Rate, "schedule.anneal", "--anneal", "One-cycle: shape of the rise and the fall.", KnownNames.Anneals, mayBeNull: false,
            o => o.Schedule.Anneal, (o, v) => o with { Schedule = o.Schedule with { Anneal = v! } }),
        OptionalInteger(Rate, "schedule.total-steps", "--schedule-steps", "Steps that the schedule spans; unset: the epochs.", NumberRange.FromOne,
            o => o.Schedule.TotalSteps, (o, v) => o with { Schedule = o.Schedule with { TotalSteps = v } }, "steps"),

        Choice(Loss, "loss.kind", "--loss", "cross-entropy, or squared-error: half the squared distance of the outputs to the label's one-hot vector.", KnownNames.Losses, mayBeNull: false,
            o => o.Loss.Kind, (o, v) => o with { Loss = o.Loss with { Kind = v! } }),
        Real(Loss, "loss.label-smoothing", "--label-smoothing", "Share of the target spread evenly over all classes (torch.nn.CrossEntropyLoss).", new(0, 1, MaximumExcluded: true),
            o => o.Loss.LabelSmoothing, (o, v) => o with { Loss = o.Loss with { LabelSmoothing = v } }),
        Real(Loss, "loss.logit-scale", "--logit-scale", "Factor on the logits, an inverse temperature.", NumberRange.Positive,
            o => o.Loss.LogitScale, (o, v) => o with { Loss = o.Loss with { LogitScale = v } }),
        Real(Loss, "loss.auxiliary-weight", "--auxiliary-weight", "Weight of each auxiliary head's loss, in training alone; for architectures that have such heads.", NumberRange.NotNegative,
            o => o.Loss.AuxiliaryWeight, (o, v) => o with { Loss = o.Loss with { AuxiliaryWeight = v } }),

        Integer<int>(Images, "augmentation.pad-crop", "--pad-crop", "Padding before a random crop back to the original size; 0 = no crop.", new(0, 64),
            o => o.Augmentation.PadCrop, (o, v) => o with { Augmentation = o.Augmentation with { PadCrop = v } }, "pixels"),
        Choice(Images, "augmentation.pad-mode", "--pad-mode", "What the padding shows.", KnownNames.PadModes, mayBeNull: false,
            o => o.Augmentation.PadMode, (o, v) => o with { Augmentation = o.Augmentation with { PadMode = v! } }),
        Switch(Images, "augmentation.flip", "--flip", "Mirror left and right with probability one half.",
            o => o.Augmentation.Flip, (o, v) => o with { Augmentation = o.Augmentation with { Flip = v } }),
        Integer<int>(Images, "augmentation.cutout", "--cutout", "Side of a square that is set to the mean colour; 0 = none.", new(0, 1024),
            o => o.Augmentation.Cutout, (o, v) => o with { Augmentation = o.Augmentation with { Cutout = v } }, "pixels"),
        Numbers(Images, "augmentation.mean", "--mean", "Mean per channel of pixels in 0 to 1; unset: the data set's own.", new(0, 1),
            o => o.Augmentation.Mean, (o, v) => o with { Augmentation = o.Augmentation with { Mean = v } }),
        Numbers(Images, "augmentation.std", "--std", "Standard deviation per channel; unset: the data set's own.", new(0, 1, MinimumExcluded: true),
            o => o.Augmentation.Std, (o, v) => o with { Augmentation = o.Augmentation with { Std = v } }),

        Integer<int>(Where, "workers", "--workers", "W, the workers that compute leaves.", new(1, Limits.MaxWorkers),
            o => o.Workers, (o, v) => o with { Workers = v }, "workers"),
        Integer<int>(Where, "ps", "--ps", "P, the parameter shards.", new(1, Limits.MaxShards),
            o => o.Ps, (o, v) => o with { Ps = v }, "shards"),
        OptionalInteger(Where, "replicas", "--replicas", "Standbys of each parameter shard on another process: 0 or 1; null = 1 in launch with --ps 2 and more, else 0. Alone in one process there is none.", new(0, 1),
            o => o.Replicas, (o, v) => o with { Replicas = v }, "standbys"),
        Integer<long>(Where, "audit-every", "--audit-every", "Every so many steps one leaf is computed by two workers and their bits are compared: finds a device that computes wrongly. 0 = never.", NumberRange.NotNegative,
            o => o.AuditEvery, (o, v) => o with { AuditEvery = v }, "steps"),
        Text(Where, "device", "--device", "cpu, or a list such as cuda:0,cuda:1; workers take them in turn.", "DEVICE", mayBeNull: false,
            o => o.Device, (o, v) => o with { Device = v! }),
        Integer<int>(Where, "threads", "--threads", "libtorch's and BLAS's threads per worker; another number gives other bits.", new(1, 1024),
            o => o.Threads, (o, v) => o with { Threads = v }, "threads"),

        Text(Watching, "monitor", "--monitor", "Where the live page, /metrics and /healthz are served: HOST:PORT (port 0 = any free one), or none.", "HOST:PORT|none", mayBeNull: false,
            o => o.Monitor, (o, v) => o with { Monitor = v! }),
        Integer<long>(Watching, "trace-every", "--trace-every", "Keep the trace of every so many steps; those of slow and failed steps are kept always. 1 = of all; 0 = of slow and failed ones alone.", NumberRange.NotNegative,
            o => o.TraceEvery, (o, v) => o with { TraceEvery = v }, "steps"),
        Switch(Watching, "tensorboard", "--tensorboard", "Write TensorBoard event files into the run's folder.",
            o => o.TensorBoard, (o, v) => o with { TensorBoard = v }),
        Integer<long>(Watching, "histogram-every", "--histogram-every", "Steps between histograms of the weights in the TensorBoard files; 0 = none.", NumberRange.NotNegative,
            o => o.HistogramEvery, (o, v) => o with { HistogramEvery = v }, "steps"),

        Text(Run, "out", "--out", "The run's folder; unset: a new one under runs/.", "DIR", mayBeNull: true,
            o => o.Out, (o, v) => o with { Out = v }) with { InRecipes = false },
    ];

    /// <summary>The row of a YAML key in either spelling, or null.</summary>
    public static OptionRow? ByKey(string key)
    {
        var canonical = key.Replace('_', '-');
        return Rows.FirstOrDefault(row => row.Key == canonical);
    }
}
