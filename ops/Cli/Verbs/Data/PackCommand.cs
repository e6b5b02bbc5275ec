using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Display;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs.Data;

/// <summary><c>cluster data pack</c>: puts a folder's images into a few large archives.</summary>
internal sealed class PackCommand : IDataCommand
{
    /// <summary>Smaller shards would be what packing is to avoid: many files.</summary>
    private const long LeastShardBytes = 1 << 20;

    private readonly Argument<string?> _name = new("name") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> _out = new("out") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string?> _resize = new("--resize") { HelpName = "SHORT" };
    private readonly Option<string?> _shardSize = new("--shard-size") { HelpName = "BYTES" };
    private readonly Option<string?> _quality = new("--quality") { HelpName = "Q" };

    public PackCommand() => Command = new Command("pack", "Pack a set's images into a few large tar files.") { _name, _out, _resize, _shardSize, _quality };

    public Command Command { get; }

    public IReadOnlyList<(string Usage, string Meaning)> Help { get; } =
    [
        ("cluster data pack imagefolder:DIR OUT", "Pack all images, mixed, into tar files (WebDataset's) and an index, for --data shards:OUT."),
        ("", "The same command again goes on where it was stopped. Of shards:DIR it makes another pack."),
        ("  --resize SHORT", "Give images whose short side is longer this one, as JPEGs; others are copied. Unset: all are copied."),
        ("  --shard-size BYTES", "Largest tar file, such as 64M or 1G. Unset: 256M."),
        ("  --quality Q", "Of the JPEGs that --resize makes, 1 to 100. Unset: 95."),
    ];

    public async Task<int> RunAsync(ParseResult parse, CancellationToken stop)
    {
        var spec = DataSpec.Parse(parse.GetValue(_name), "pack", [ImageFolderSource.SetName, ShardSource.SetName]);
        var directory = parse.GetValue(_out) is { Length: > 0 } given ? Path.GetFullPath(given) : throw new UserMistakeException($"where to? write cluster data pack {spec} OUT, with a folder that is empty or not there yet");
        if (IsWithin(directory, spec.Folder!)) throw new UserMistakeException($"{directory} lies in {spec.Folder}, whose images are to be packed: name a folder outside of it");
        var request = new PackRequest(new DataRequest(spec.ToString(), Seed: 0), directory);
        if (parse.GetValue(_resize) is { } resize) request = request with { Resize = (int)Number("--resize", resize, 1, Limits.MaxImageSide, "a short side in pixels") };
        if (parse.GetValue(_shardSize) is { } size) request = request with { ShardBytes = Bytes("--shard-size", size) };
        if (parse.GetValue(_quality) is { } quality)
        {
            if (request.Resize == 0) throw new UserMistakeException("--quality is of the JPEGs that --resize makes: give --resize too, or leave --quality away");
            request = request with { Quality = (int)Number("--quality", quality, 1, 100, "a quality") };
        }
        var summary = await DownloadDisplay.ShowAsync(progress => Task.Run(() => ShardSource.Pack(request with { Source = request.Source with { Progress = progress } }, stop), stop));
        Console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{summary.Samples:N0} images are in {summary.Shards:N0} {(summary.Shards == 1 ? "shard" : "shards")} of {summary.Bytes / 1e6:N1} MB in {directory}{(summary.Kept > 0 ? $" ({summary.Kept} kept from before)" : "")}: train with --data shards:{directory}"));
        return ExitCodes.Done;
    }

    /// <summary><c>cluster data check shards:DIR</c>.</summary>
    /// <exception cref="UserMistakeException">A line for each bad shard and image.</exception>
    public static async Task<int> CheckAsync(DataSpec spec, CancellationToken stop)
    {
        var findings = await DownloadDisplay.ShowAsync(progress => Task.Run(() => ShardSource.Check(new DataRequest(spec.ToString(), Seed: 0) { Progress = progress }, stop), stop));
        foreach (var sound in findings.Where(static finding => finding.Fault is null)) Console.Out.WriteLine($"ok  {sound.Path}");
        var faults = findings.Where(static finding => finding.Fault is not null).Select(static finding => finding.Fault).ToList();
        return faults.Count == 0 ? ExitCodes.Done : throw new UserMistakeException(string.Join('\n', faults));
    }

    /// <summary>A whole number of bytes, or of K, M, G: 1,024 bytes and so on.</summary>
    internal static long Bytes(string option, string text)
    {
        var unit = text.Length > 0 ? char.ToUpperInvariant(text[^1]) switch { 'K' => 10, 'M' => 20, 'G' => 30, _ => 0 } : 0;
        var digits = unit == 0 ? text : text[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= long.MaxValue >> unit >> 1 && number << unit is >= LeastShardBytes and <= 1L << 40
            ? number << unit
            : throw new UserMistakeException($"{option} {text}: must be a number of bytes from 1M to 1024G, such as 256M");
    }

    private static long Number(string option, string text, long least, long most, string what) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new UserMistakeException(string.Create(CultureInfo.InvariantCulture, $"{option} {text}: must be {what} from {least} to {most}"));

    private static bool IsWithin(string directory, string source)
    {
        var root = Path.TrimEndingDirectorySeparator(source) + Path.DirectorySeparatorChar;
        return (directory + Path.DirectorySeparatorChar).StartsWith(root, StringComparison.Ordinal);
    }
}
