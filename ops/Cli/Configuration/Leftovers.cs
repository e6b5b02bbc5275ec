using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>
/// What a choice makes pointless gives way to it when it is only a default, or only the recipe's where the choice is the
/// command line's: <c>--optimizer adam</c> works with any recipe. Two of the same origin contradict each other. Pure.
/// </summary>
internal static class Leftovers
{
    public static RunOptions Drop(RunOptions options, SettingsInForce given) => DropImages(options with { Optimizer = Drop(options.Optimizer, given), Loss = Drop(options.Loss, given) }, given);

    /// <summary>A recipe for images of one size works with <c>--data imagefolder:DIR</c>, and the other way round.</summary>
    private static RunOptions DropImages(RunOptions options, SettingsInForce given)
    {
        if (KnownData.Of(options.Data) is not { } data) return options;
        bool Yields(string key) => given.Yields(key, "data");
        var a = options.Augmentation;
        if (data.AnySize)
        {
            return options with
            {
                Augmentation = a with { PadCrop = Yields("augmentation.pad-crop") ? 0 : a.PadCrop, Cutout = Yields("augmentation.cutout") ? 0 : a.Cutout },
            };
        }
        return options with
        {
            ImageSize = Yields("image-size") ? null : options.ImageSize,
            EvalResize = Yields("eval-resize") ? null : options.EvalResize,
            Augmentation = a with
            {
                CropScale = Yields("augmentation.crop-scale") ? null : a.CropScale,
                CropRatio = Yields("augmentation.crop-ratio") ? null : a.CropRatio,
                ColorJitter = Yields("augmentation.color-jitter") ? null : a.ColorJitter,
                RandomErasing = Yields("augmentation.random-erasing") ? 0 : a.RandomErasing,
            },
        };
    }

    private static OptimizerOptions Drop(OptimizerOptions o, SettingsInForce given)
    {
        const string Kind = "optimizer.kind", Penalty = "optimizer.penalty", L1 = "optimizer.l1";
        if (o.Kind != "sgd" && given.Yields("optimizer.nesterov", Kind)) o = o with { Nesterov = false };
        if (o.Kind != "sgd" && given.Yields("optimizer.dampening", Kind)) o = o with { Dampening = 0 };
        if (o.Kind != "sgd" && given.Yields("optimizer.momentum-form", Kind)) o = o with { MomentumForm = "pytorch" };
        if (o.Kind is not ("sgd" or "lars") && given.Yields("optimizer.momentum", Kind)) o = o with { Momentum = 0 };
        if (o.Penalty == "l1" ? given.Yields("optimizer.weight-decay", Penalty) : o.Penalty is null && o.L1 > 0 && !given.IsGiven("optimizer.weight-decay")) o = o with { WeightDecay = 0 };
        if (o.Penalty is "l2" or "l2-over-n" or "decoupled" && given.Yields(L1, Penalty)) o = o with { L1 = 0 };
        return DropClipping(o, given);
    }

    /// <summary>A way of clipping on the command line replaces the recipe's.</summary>
    private static OptimizerOptions DropClipping(OptimizerOptions o, SettingsInForce given)
    {
        const string Global = "optimizer.clip-norm", Parameter = "optimizer.clip-parameter-norm", Value = "optimizer.clip-value", Adaptive = "optimizer.clip-adaptive";
        var chosen = new[] { (Global, o.ClipNorm), (Parameter, o.ClipParameterNorm), (Value, o.ClipValue), (Adaptive, o.ClipAdaptive) }.Where(static way => way.Item2 > 0).Select(static way => way.Item1).ToArray();
        bool IsReplaced(string way) => chosen.Any(other => other != way && given.IsGiven(other) && given.Yields(way, other));
        return o with
        {
            ClipNorm = IsReplaced(Global) ? 0 : o.ClipNorm,
            ClipParameterNorm = IsReplaced(Parameter) ? 0 : o.ClipParameterNorm,
            ClipValue = IsReplaced(Value) ? 0 : o.ClipValue,
            ClipAdaptive = IsReplaced(Adaptive) ? 0 : o.ClipAdaptive,
        };
    }

    private static LossOptions Drop(LossOptions o, SettingsInForce given)
    {
        if (o.Kind != "squared-error") return o;
        if (given.Yields("loss.label-smoothing", "loss.kind")) o = o with { LabelSmoothing = 0 };
        return given.Yields("loss.logit-scale", "loss.kind") ? o with { LogitScale = 1 } : o;
    }
}
