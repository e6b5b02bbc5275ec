using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Configuration;

/// <summary>
/// Options that are each in range and cannot all hold. Every contradiction is one line that names each key, where it
/// stands, why, and what to do; all are reported together. Pure.
/// </summary>
internal static class Contradictions
{
    /// <param name="given">Where the values came from; a default contradicts nobody.</param>
    /// <param name="broken">Keys whose value is unusable; what hangs on them is not judged.</param>
    /// <param name="mistakes">Gets one line per contradiction.</param>
    public static void Find(RunOptions options, SettingsInForce given, IReadOnlySet<string> broken, List<string> mistakes)
    {
        var judge = new Judge(options, given, broken, mistakes);
        Momentum(judge, options.Optimizer);
        Decay(judge, options.Optimizer);
        Clipping(judge, options.Optimizer);
        if (ParameterGroups.MistakeIn(options.Optimizer.Groups) is { } groups) judge.Refuse(true, groups, "optimizer.groups");
        Rate(judge, options);
        Evaluation(judge, options);
        Loss(judge, options.Loss);
        Images(judge, options);
        judge.Refuse(options is { TensorBoard: false, HistogramEvery: > 0 }, "histograms go into the TensorBoard files: set tensorboard to true, or histogram-every to 0", "histogram-every", "tensorboard");
    }

    private static void Momentum(Judge judge, OptimizerOptions o)
    {
        const string Kind = "optimizer.kind", Momentum = "optimizer.momentum", Nesterov = "optimizer.nesterov", Dampening = "optimizer.dampening", Form = "optimizer.momentum-form";
        judge.Refuse(o is { Kind: "sgd", Nesterov: true, Momentum: 0 }, "Nesterov's look ahead needs momentum: set a momentum of 0.9, or nesterov to false", Nesterov, Momentum);
        judge.Refuse(o is { Kind: "sgd", Nesterov: true, Dampening: > 0 }, "Nesterov's momentum allows no dampening: set dampening to 0, or nesterov to false", Nesterov, Dampening);
        judge.Refuse(o is { MomentumForm: "classical", Dampening: > 0 }, "the classical form has no dampening: set dampening to 0, or momentum-form to pytorch", Form, Dampening);
        var hasMomentum = o.Kind is "sgd" or "lars" or "rmsprop";
        judge.Refuse(!hasMomentum && judge.IsGiven(Momentum) && o.Momentum > 0, $"{o.Kind} has no momentum of that kind: its averages are beta1 and beta2; leave momentum away", Kind, Momentum);
        judge.Refuse(o.Kind != "sgd" && judge.IsGiven(Nesterov) && o.Nesterov, $"{o.Kind} has no Nesterov form: leave nesterov away, or choose sgd", Kind, Nesterov);
        judge.Refuse(o.Kind != "sgd" && o.MomentumForm == "classical", $"the classical form of momentum is one of sgd: leave momentum-form away, or choose sgd", Kind, Form);
        judge.Refuse(o.Kind != "sgd" && o.Dampening > 0, $"{o.Kind} has no dampening: leave it away, or choose sgd", Kind, Dampening);
    }

    private static void Decay(Judge judge, OptimizerOptions o)
    {
        const string Kind = "optimizer.kind", Penalty = "optimizer.penalty", WeightDecay = "optimizer.weight-decay", L1 = "optimizer.l1";
        const string Twice = "two kinds of decay at once";
        judge.Refuse(o is { Penalty: "l2" or "l2-over-n" or "decoupled", L1: > 0 }, $"{Twice}: set penalty to elastic-net for l2 and l1 together, or l1 to 0", Penalty, L1);
        judge.Refuse(o is { Penalty: "l1", WeightDecay: > 0 }, $"{Twice}: set penalty to elastic-net for both, or weight-decay to 0", Penalty, WeightDecay);
        judge.Refuse(o.Penalty == "elastic-net" && (o.L1 == 0 || o.WeightDecay == 0), "an elastic net is l1 and weight-decay together: give both a strength above 0", Penalty, L1, WeightDecay);
        judge.Refuse(o is { Penalty: "l2" or "l2-over-n" or "decoupled", WeightDecay: 0 }, "that penalty has no strength: give weight-decay one above 0, or leave penalty away", Penalty, WeightDecay);
        judge.Refuse(o is { Penalty: "l1", L1: 0 }, "that penalty has no strength: give l1 one above 0, or leave penalty away", Penalty, L1);
        judge.Refuse(o is { Kind: "adamw", Penalty: not (null or "decoupled") }, $"{Twice}: adamw is Adam with decoupled decay; choose adam for another penalty", Kind, Penalty);
        judge.Refuse(o is { Kind: "lars", Penalty: not (null or "l2") }, "lars weighs the gradient against l2 decay: leave penalty away", Kind, Penalty);
        judge.Refuse(o is { Kind: "adamw" or "lars", L1: > 0 }, $"{Twice}: {o.Kind} has its own; set l1 to 0", Kind, L1);
    }

    private static void Clipping(Judge judge, OptimizerOptions o)
    {
        var ways = new[]
        {
            ("optimizer.clip-norm", o.ClipNorm), ("optimizer.clip-parameter-norm", o.ClipParameterNorm), ("optimizer.clip-value", o.ClipValue), ("optimizer.clip-adaptive", o.ClipAdaptive),
        }.Where(static way => way.Item2 > 0).Select(static way => way.Item1).ToArray();
        judge.Refuse(ways.Length > 1, "the gradient is clipped in one way: leave one and set the others to 0", ways);
        judge.Refuse(o is { Kind: "lars", ClipParameterNorm: > 0 }, "lars scales every tensor's gradient to its norm already: set clip-parameter-norm to 0", "optimizer.kind", "optimizer.clip-parameter-norm");
        judge.Refuse(o is { Kind: "lars", ClipValue: > 0 }, "lars makes its rates from norms, which this clipping changes afterwards: set clip-value to 0, or use clip-norm", "optimizer.kind", "optimizer.clip-value");
        judge.Refuse(o is { Kind: "lars", ClipAdaptive: > 0 }, "lars makes its rates from norms, which this clipping changes afterwards: set clip-adaptive to 0, or use clip-norm", "optimizer.kind", "optimizer.clip-adaptive");
    }

    private static void Rate(Judge judge, RunOptions options)
    {
        const string Kind = "schedule.kind", WarmUp = "schedule.warmup-epochs", Epochs = "epochs", Milestones = "schedule.milestones", Gamma = "schedule.gamma";
        var s = options.Schedule;
        judge.Refuse(s.WarmupEpochs > 0 && s.Kind == "one-cycle", "one-cycle has a rise of its own: set pct-start, and leave warmup-epochs away", Kind, WarmUp);
        judge.Refuse(s.WarmupEpochs > 0 && s.Kind != "one-cycle" && s.TotalSteps is null && s.WarmupEpochs >= options.Epochs, "the warm-up is as long as the whole run: shorten it, or train for more epochs", WarmUp, Epochs);
        judge.Refuse(s is { Kind: "multi-step", Milestones: null or { Count: 0 } }, "multi-step needs the epochs at which the rate drops, such as 80,120", Kind, Milestones);
        judge.Refuse(s.Milestones is { } at && at.Zip(at.Skip(1)).Any(static pair => pair.First >= pair.Second), "milestones ascend: sort them, each once", Milestones);
        judge.Refuse(s.Kind == "multi-step" && s.Milestones is { Count: > 0 } drops && drops.Any(drop => drop <= s.WarmupEpochs) && s.WarmupEpochs > 0, "milestones count from the run's beginning, and the rate does not drop while it warms up: shorten the warm-up, or move them", WarmUp, Milestones);
        judge.Refuse(s.Kind is "step" or "multi-step" or "exponential" && s.Gamma > 1, "a drop does not raise the rate: choose a gamma of at most 1", Kind, Gamma);
        judge.Refuse(s.Kind == "plateau" && s.Gamma >= 1, "plateau needs a drop: choose a gamma below 1", Kind, Gamma);
        judge.Refuse(s.Kind is "linear" or "cosine" or "plateau" && s.FinalLearningRate > s.LearningRate, "the rate falls: choose a final-lr of at most lr", "schedule.lr", "schedule.final-lr");
    }

    private static void Evaluation(Judge judge, RunOptions options)
    {
        judge.Refuse(options is { EarlyStopping.Patience: > 0, Evaluate: false }, "patience counts evaluations, and there are none without validation data: set evaluate to true, or patience to 0", "early-stopping.patience", "evaluate");
        judge.Refuse(options is { EarlyStopping.Patience: > 0, CheckpointEvery: 0 }, "the run ends with its best version, which only a checkpoint keeps: set checkpoint-every above 0 or leave it away, or set patience to 0", "early-stopping.patience", "checkpoint-every");
        judge.Refuse(options is { Schedule.Kind: "plateau", Evaluate: false }, "plateau watches the test loss, and there is none without validation data: set evaluate to true, or choose another schedule", "schedule.kind", "evaluate");
    }

    private static void Loss(Judge judge, LossOptions o)
    {
        judge.Refuse(o is { Kind: "squared-error", LabelSmoothing: > 0 }, "label smoothing is one of cross-entropy: set it to 0", "loss.kind", "loss.label-smoothing");
        judge.Refuse(o.Kind == "squared-error" && o.LogitScale != 1, "a logit scale is one of cross-entropy: set it to 1", "loss.kind", "loss.logit-scale");
    }

    private static void Images(Judge judge, RunOptions options)
    {
        const string Data = "data", PadCrop = "augmentation.pad-crop", Cutout = "augmentation.cutout", CropScale = "augmentation.crop-scale", CropRatio = "augmentation.crop-ratio", Jitter = "augmentation.color-jitter", Erasing = "augmentation.random-erasing", Size = "image-size", Resize = "eval-resize";
        if (KnownData.Of(options.Data) is not { } data) return;
        var a = options.Augmentation;
        judge.Refuse(data.AnySize && judge.IsGiven(PadCrop) && a.PadCrop > 0, "images of any size are cropped by crop-scale and crop-ratio: set pad-crop to 0", PadCrop, Data);
        judge.Refuse(data.AnySize && judge.IsGiven(Cutout) && a.Cutout > 0, "images of any size have random-erasing in its place: set cutout to 0", Cutout, Data);
        var one = $"the images of {data.Name} have one size, which the network sees whole";
        judge.Refuse(!data.AnySize && judge.IsGiven(CropScale) && a.CropScale is not null, $"{one}: leave crop-scale away, or use pad-crop", CropScale, Data);
        judge.Refuse(!data.AnySize && judge.IsGiven(CropRatio) && a.CropRatio is not null, $"{one}: leave crop-ratio away, or use pad-crop", CropRatio, Data);
        judge.Refuse(!data.AnySize && judge.IsGiven(Jitter) && a.ColorJitter is not null, $"{one}: leave color-jitter away, which is one of images of any size", Jitter, Data);
        judge.Refuse(!data.AnySize && judge.IsGiven(Erasing) && a.RandomErasing > 0, $"{one}: set random-erasing to 0, or use cutout", Erasing, Data);
        judge.Refuse(!data.AnySize && judge.IsGiven(Size) && options.ImageSize is not null, $"{one}: leave image-size away", Size, Data);
        judge.Refuse(!data.AnySize && judge.IsGiven(Resize) && options.EvalResize is not null, $"{one}: leave eval-resize away", Resize, Data);
        judge.Refuse(data.AnySize && options is { EvalResize: { } side, ImageSize: var size } && side < (size ?? DefaultImageSize), "the centre that evaluation takes would be larger than the image: choose an eval-resize of at least image-size", Resize, Size);
    }

    private const long DefaultImageSize = Workers.Data.DataRequest.DefaultImageSize;

    private sealed class Judge(RunOptions options, SettingsInForce given, IReadOnlySet<string> broken, List<string> mistakes)
    {
        public bool IsGiven(string key) => given.IsGiven(key);

        public void Refuse(bool isSo, string why, params ReadOnlySpan<string> keys)
        {
            if (!isSo) return;
            var places = new List<string>();
            foreach (var key in keys)
            {
                if (broken.Contains(key)) return;
                places.Add(given.PlaceOf(key, options));
            }
            var last = places.Count - 1;
            mistakes.Add($"{(last == 0 ? places[0] : $"{string.Join(", ", places.Take(last))} and {places[last]}")}: {why}");
        }
    }
}
