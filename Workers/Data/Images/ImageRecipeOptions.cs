using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Images;

/// <summary>Which augmentation options images of any size allow.</summary>
internal static class ImageRecipeOptions
{
    /// <exception cref="UserMistakeException">One that they do not.</exception>
    public static void Check(AugmentationOptions options, ImageShape shape, int shortSide)
    {
        if (shape.Channels != ImageRecipe.Channels || shape.Width != shape.Height || shape.Width < 1)
            throw new ArgumentException($"encoded images become squares of {ImageRecipe.Channels} channels, not {shape}", nameof(shape));
        if (shortSide < shape.Width || shortSide > Limits.MaxImageSide)
            throw new UserMistakeException($"eval-resize {shortSide} must lie between image-size {shape.Width} and {Limits.MaxImageSide}");
        if (options.PadCrop != 0) throw Only("pad-crop", options.PadCrop, "crop-scale");
        if (options.Cutout != 0) throw Only("cutout", options.Cutout, "random-erasing");
        CheckRange("crop-scale", options.CropScale, 1);
        CheckRange("crop-ratio", options.CropRatio, 100);
        CheckJitter(options.ColorJitter);
        if (options.RandomErasing is not (>= 0 and <= 1))
            throw new UserMistakeException($"augmentation random-erasing {Text([options.RandomErasing])} is a probability: from 0 to 1");
        CheckChannels("mean", options.Mean, static v => double.IsFinite(v), "finite");
        CheckChannels("std", options.Std, static v => double.IsFinite(v) && v > 0, "finite and above 0");
    }

    private static UserMistakeException Only(string name, int value, string instead) =>
        new($"augmentation {name} {value} is for images that all have one size; these have any: set it to 0 and use {instead}");

    /// <summary>Two ascending numbers above 0; null is allowed.</summary>
    private static void CheckRange(string name, IReadOnlyList<double>? values, double most)
    {
        if (values is null) return;
        if (values.Count != 2 || !(values[0] > 0) || !(values[0] <= values[1]) || !(values[1] <= most) || (name == "crop-ratio" && !(values[0] >= 1 / most)))
            throw new UserMistakeException(string.Create(CultureInfo.InvariantCulture,
                $"augmentation {name} [{Text(values)}] must be two numbers, the smaller one first, {(name == "crop-ratio" ? $"from {1 / most}" : "above 0")} and at most {most}"));
    }

    private static void CheckJitter(IReadOnlyList<double>? values)
    {
        if (values is null) return;
        if (values.Count != 4 || values.Any(static v => !double.IsFinite(v) || v < 0 || v > 100))
            throw new UserMistakeException($"augmentation color-jitter [{Text(values)}] must be four numbers from 0 to 100: brightness, contrast, saturation, hue");
        if (values[3] > 0.5) throw new UserMistakeException($"augmentation color-jitter [{Text(values)}]: hue, the fourth, is at most 0.5, half a turn of the colour circle");
    }

    private static void CheckChannels(string name, IReadOnlyList<double>? values, Func<double, bool> isGood, string must)
    {
        if (values is null) return;
        if (values.Count != ImageRecipe.Channels) throw new UserMistakeException($"augmentation {name} has {values.Count} values, expected one for each of the {ImageRecipe.Channels} channels");
        if (!values.All(isGood)) throw new UserMistakeException($"augmentation {name} [{Text(values)}] must be {must}");
    }

    private static string Text(IReadOnlyList<double> values) => string.Join(", ", values.Select(static v => v.ToString(CultureInfo.InvariantCulture)));
}
