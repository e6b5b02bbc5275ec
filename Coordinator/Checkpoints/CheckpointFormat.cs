using System.Globalization;
using System.Text.RegularExpressions;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>Names and bounds of a checkpoint's files.</summary>
internal static partial class CheckpointFormat
{
    /// <summary>Of MANIFEST.json. A reader refuses a higher one.</summary>
    public const int Version = 1;

    public const string ModelName = "model.safetensors";
    public const string OptimizerName = "optimizer.safetensors";
    public const string RunName = "run.json";
    public const string ManifestName = "MANIFEST.json";

    /// <summary>Longest MANIFEST.json: three files take 600 bytes; room for a thousand.</summary>
    public const int MaxManifestBytes = 1 << 18;

    /// <summary>Longest run.json: a configuration takes some KiB.</summary>
    public const int MaxRunBytes = 1 << 24;

    public static readonly string[] RequiredFiles = [ModelName, OptimizerName, RunName];

    public static string FolderOf(long step) => "step-" + step.ToString("D6", CultureInfo.InvariantCulture);

    /// <summary>Name of the folder that a writer fills, or that is on its way out; nobody takes it for a checkpoint.</summary>
    public static string TemporaryOf(long step, int process) => $".{FolderOf(step)}.{process.ToString(CultureInfo.InvariantCulture)}.tmp";

    public static bool TryParseFolder(string name, out long step)
    {
        step = 0;
        return StepFolder().Match(name) is { Success: true } match
            && long.TryParse(match.Groups["step"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out step)
            && FolderOf(step) == name;      // one spelling per step
    }

    public static bool TryParseTemporary(string name, out int process)
    {
        process = 0;
        return TemporaryFolder().Match(name) is { Success: true } match
            && int.TryParse(match.Groups["process"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out process);
    }

    /// <summary>A bare file name: no separator, no leading dot, so it cannot leave the folder.</summary>
    public static bool IsFileName(string name) => FileName().IsMatch(name);

    public static bool IsSha256(string text) => Sha256().IsMatch(text);

    /// <summary>A slot's name has no dot: <c>parameter.slot</c> must come apart again.</summary>
    public static bool IsSlotName(string name) => SlotName().IsMatch(name);

    [GeneratedRegex(@"\Astep-(?<step>[0-9]{6,18})\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex StepFolder();

    [GeneratedRegex(@"\A\.step-[0-9]{6,18}\.(?<process>[0-9]{1,10})\.tmp\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex TemporaryFolder();

    [GeneratedRegex(@"\A[a-z][a-z0-9_-]{0,63}\.(safetensors|json)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex FileName();

    [GeneratedRegex(@"\A[0-9a-f]{64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Sha256();

    [GeneratedRegex(@"\A[a-z][a-z0-9_]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex SlotName();
}
