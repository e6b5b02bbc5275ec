using Cluster.Contracts;
using static Cluster.Cli.Configuration.OptionRows;

namespace Cluster.Cli.Configuration;

/// <summary>Every option of a run, one row each, in the order in which the help shows them.</summary>
public static class OptionTable
{
    private const string What = "What is trained";
    private const string Where = "On what";
    private const string HowLong = "How long";
    private const string Optimizer = "Optimizer (torch.optim.SGD)";
    private const string Rate = "Learning rate";
    private const string Loss = "Loss";
    private const string Images = "Augmentation";
    private const string Run = "The run";

    /// <summary>Rows that decide the result come first; workers, shards, devices and folders cannot change a bit.</summary>
    public static IReadOnlyList<OptionRow> Rows { get; } =
    [
        Choice(What, "model", "--model", "Architecture.", [.. KnownNames.Models.Select(model => model.Name)], mayBeNull: false,
            o => o.Model, (o, v) => o with { Model = v! }),
        Choice(What, "stem", "--stem", "First layers of a ResNet; unset: images of at most 64 pixels get the CIFAR stem.", KnownNames.Stems, mayBeNull: true,
            o => o.Stem, (o, v) => o with { Stem = v }),
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
        Switch(HowLong, "evaluate", "--evaluate", "Evaluate on the test set at the end and when eval-every says so; false to measure speed alone.",
            o => o.Evaluate, (o, v) => o with { Evaluate = v }),
        OptionalInteger(HowLong, "checkpoint-every", "--checkpoint-every", "Write a checkpoint every so many steps; null = every minute and at the end; 0 = none at all.", NumberRange.NotNegative,
            o => o.CheckpointEvery, (o, v) => o with { CheckpointEvery = v }, "steps"),
        Integer<int>(HowLong, "checkpoint-keep", "--checkpoint-keep", "Newest checkpoints to keep, besides the one with the best test accuracy.", NumberRange.FromOne,
            o => o.KeepCheckpoints, (o, v) => o with { KeepCheckpoints = v }),

        Real(Optimizer, "optimizer.momentum", "--momentum", "Share of the momentum buffer that a step keeps.", new(0, 1, MaximumExcluded: true),
            o => o.Optimizer.Momentum, (o, v) => o with { Optimizer = o.Optimizer with { Momentum = v } }),
        Real(Optimizer, "optimizer.dampening", "--dampening", "Share of a new gradient that does not enter the momentum buffer.", new(0, 1),
            o => o.Optimizer.Dampening, (o, v) => o with { Optimizer = o.Optimizer with { Dampening = v } }),
        Switch(Optimizer, "optimizer.nesterov", "--nesterov", "Nesterov momentum; needs momentum and no dampening.",
            o => o.Optimizer.Nesterov, (o, v) => o with { Optimizer = o.Optimizer with { Nesterov = v } }),
        Real(Optimizer, "optimizer.weight-decay", "--weight-decay", "L2 penalty, or decoupled decay.", NumberRange.NotNegative,
            o => o.Optimizer.WeightDecay, (o, v) => o with { Optimizer = o.Optimizer with { WeightDecay = v } }),
        Switch(Optimizer, "optimizer.decoupled-decay", "--decoupled-decay", "Decay the weights themselves instead of adding to the gradient (Loshchilov and Hutter, 2019).",
            o => o.Optimizer.DecoupledDecay, (o, v) => o with { Optimizer = o.Optimizer with { DecoupledDecay = v } }),
        Switch(Optimizer, "optimizer.decay-norm-and-bias", "--decay-norm-and-bias", "Decay biases and norm layers too.",
            o => o.Optimizer.DecayNormAndBias, (o, v) => o with { Optimizer = o.Optimizer with { DecayNormAndBias = v } }),
        Real(Optimizer, "optimizer.clip-norm", "--clip-norm", "Largest norm of the mean gradient; 0 = no clipping.", NumberRange.NotNegative,
            o => o.Optimizer.ClipNorm, (o, v) => o with { Optimizer = o.Optimizer with { ClipNorm = v } }),

        Choice(Rate, "schedule.kind", "--schedule", "The learning rate as a function of the step.", KnownNames.Schedules, mayBeNull: false,
            o => o.Schedule.Kind, (o, v) => o with { Schedule = o.Schedule with { Kind = v! } }),
        Real(Rate, "schedule.lr", "--lr", "Initial rate of constant and step, highest rate of one-cycle.", NumberRange.NotNegative,
            o => o.Schedule.LearningRate, (o, v) => o with { Schedule = o.Schedule with { LearningRate = v } }),
        Real(Rate, "schedule.step-epochs", "--step-epochs", "Step schedule: epochs between drops.", NumberRange.Positive,
            o => o.Schedule.StepEpochs, (o, v) => o with { Schedule = o.Schedule with { StepEpochs = v } }, "epochs"),
        Real(Rate, "schedule.gamma", "--gamma", "Step schedule: factor of a drop.", new(0, 1, MinimumExcluded: true),
            o => o.Schedule.Gamma, (o, v) => o with { Schedule = o.Schedule with { Gamma = v } }),
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

        Real(Loss, "loss.label-smoothing", "--label-smoothing", "Share of the target spread evenly over all classes (torch.nn.CrossEntropyLoss).", new(0, 1, MaximumExcluded: true),
            o => o.Loss.LabelSmoothing, (o, v) => o with { Loss = o.Loss with { LabelSmoothing = v } }),
        Real(Loss, "loss.logit-scale", "--logit-scale", "Factor on the logits, an inverse temperature.", NumberRange.Positive,
            o => o.Loss.LogitScale, (o, v) => o with { Loss = o.Loss with { LogitScale = v } }),

        Integer<int>(Images, "augmentation.pad-crop", "--pad-crop", "Padding before a random crop back to the original size; 0 = no crop.", new(0, 64),
            o => o.Augmentation.PadCrop, (o, v) => o with { Augmentation = o.Augmentation with { PadCrop = v } }, "pixels"),
        Choice(Images, "augmentation.pad-mode", "--pad-mode", "What the padding shows.", KnownNames.PadModes, mayBeNull: false,
            o => o.Augmentation.PadMode, (o, v) => o with { Augmentation = o.Augmentation with { PadMode = v! } }),
        Switch(Images, "augmentation.flip", "--flip", "Mirror left and right with probability one half.",
            o => o.Augmentation.Flip, (o, v) => o with { Augmentation = o.Augmentation with { Flip = v } }),
        Integer<int>(Images, "augmentation.cutout", "--cutout", "Side of a square that is set to the mean colour; 0 = none.", new(0, 1024),
            o => o.Augmentation.Cutout, (o, v) => o with { Augmentation = o.Augmentation with { Cutout = v } }, "pixels"),
        Channels(Images, "augmentation.mean", "--mean", "Mean per channel of pixels in 0 to 1; unset: the data set's own.", new(0, 1),
            o => o.Augmentation.Mean, (o, v) => o with { Augmentation = o.Augmentation with { Mean = v } }),
        Channels(Images, "augmentation.std", "--std", "Standard deviation per channel; unset: the data set's own.", new(0, 1, MinimumExcluded: true),
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
