using System.Globalization;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Bench.Decode;

/// <summary>Our path from encoded bytes to what the network sees, against bare libjpeg-turbo and against torchvision's loader.</summary>
internal sealed class DecodeBenchmark : IBenchmark
{
    private const int Side = DataRequest.DefaultImageSize;

    /// <summary>Encoded bytes that are held; what lies beyond is left out.</summary>
    private const long MostBytes = 1L << 30;

    public string Name => "decode";

    public string Description => "Decoding, crop, resize and normalising against libjpeg-turbo and torchvision.";

    public string Details =>
        """
        The JPEGs of a folder, held in memory, on N threads: our training transform (random crop, resize to 224, mirror, normalise) and
        our evaluation transform (resize to 256, centre) against decoding each file whole with libjpeg-turbo and doing nothing more;
        and, where a Python with torchvision is there, against its training transform in N processes. In turn, once a round.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } = [BenchmarkFlags.Images, BenchmarkFlags.Workers, BenchmarkFlags.Pairs, BenchmarkFlags.Seconds];

    public BenchmarkOptions Defaults { get; } = new() { Pairs = 9, Seconds = 2 };

    public async Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop)
    {
        if (options.Images.Length == 0) throw new UserMistakeException("bench decode needs a folder of JPEGs: --images DIR");
        var (files, images) = Load(options.Images, stop);
        var (loader, missing) = await StartLoaderAsync(files, options.Workers, stop);
        await using var owned = loader;
        var threads = new DecodeThreads(images, options.Workers, Side);
        List<double> theirs = [];
        List<DecodeThreads.Rate> bare = [], training = [], evaluation = [];
        Func<Task>[] sides =
        [
            () => Here(threads.Bare, bare), () => Here(threads.Training, training), () => Here(threads.Evaluation, evaluation),
            async () =>
            {
                if (loader is not null) theirs.Add(await loader.RunAsync(options.Seconds, stop));
            },
        ];
        // The runtime compiles the loops anew while they run: one round for it.
        for (var round = -1; round < options.Pairs; round++)
        {
            if (round == 0)
            {
                foreach (var list in new[] { bare, training, evaluation }) list.Clear();
                theirs.Clear();
            }
            foreach (var side in round % 2 == 0 ? sides : sides.Reverse()) await side();
            if (round >= 0) options.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round + 1} of {options.Pairs}: bare {bare[^1].ImagesPerSecond:0} images/s, training {training[^1].ImagesPerSecond:0}, evaluation {evaluation[^1].ImagesPerSecond:0}{(loader is null ? "" : $", torchvision {theirs[^1]:0}")}"));
        }
        return Report(options, images, loader?.Version, missing, bare, training, evaluation, theirs);

        // Native work: on a thread of its own, not on the pool.
        Task Here(Func<double, DecodeThreads.Rate> measure, List<DecodeThreads.Rate> rates) => Task.Factory.StartNew(() =>
        {
            stop.ThrowIfCancellationRequested();
            rates.Add(measure(options.Seconds));
        }, stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static BenchmarkReport Report(
        BenchmarkOptions options, List<byte[]> images, string? version, string? missing,
        List<DecodeThreads.Rate> bare, List<DecodeThreads.Rate> training, List<DecodeThreads.Rate> evaluation, List<double> theirs)
    {
        const string rates = "rate", times = "processor time of an image", ratios = "ratio, round by round", memory = "memory", whole = "libjpeg-turbo, whole image", ours = "training transform", centre = "evaluation transform";
        Figure wholeRate = Rate(whole, bare), oursRate = Rate(ours, training), centreRate = Rate(centre, evaluation);
        Figure wholeTime = Time(whole, bare), oursTime = Time(ours, training), centreTime = Time(centre, evaluation);
        List<Figure> figures = [wholeRate, oursRate, centreRate];
        if (version is not null) figures.Add(new Figure(rates, "torchvision, training transform", "images/s", theirs));
        figures.AddRange(
        [
            wholeTime, oursTime, centreTime,
            Figure.Ratio(ratios, "training / libjpeg-turbo", oursRate, wholeRate) with { Bound = Bound.AtLeast(0.9) },
            Figure.Ratio(ratios, "evaluation / libjpeg-turbo", centreRate, wholeRate) with { Bound = Bound.AtLeast(0.9) },
            Figure.Ratio(ratios, "training / libjpeg-turbo, by processor time", wholeTime, oursTime) with { Bound = Bound.AtLeast(0.9) },
            Figure.Ratio(ratios, "evaluation / libjpeg-turbo, by processor time", wholeTime, centreTime) with { Bound = Bound.AtLeast(0.9) },
        ]);
        if (version is not null) figures.Add(Figure.Ratio(ratios, "training / torchvision", oursRate, figures[3]) with { Bound = Bound.AtLeast(1.5) });
        figures.Add(new Figure(memory, "managed bytes allocated an image, training", "By", [.. training.Select(static r => r.BytesPerImage)]) { Bound = Bound.AtMost(0) });
        var title = string.Create(CultureInfo.InvariantCulture, $"{images.Count} JPEGs of {images.Average(static i => i.Length) / 1e3:0} kB on {options.Workers} threads, to {Side} x {Side}, {options.Pairs} rounds in turn");
        return new BenchmarkReport("decode", title, figures)
        {
            Notes =
            [
                "A random crop is decoded only where it lies, so training can be faster than decoding the whole image.",
                .. missing is null ? Array.Empty<string>() : [$"torchvision was left out: {missing}"],
            ],
            Versions = version is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["torchvision"] = version },
        };

        static Figure Rate(string name, List<DecodeThreads.Rate> values) => new(rates, name, "images/s", [.. values.Select(static r => r.ImagesPerSecond)]);
        static Figure Time(string name, List<DecodeThreads.Rate> values) => new(times, name, "ms", [.. values.Select(static r => r.CpuMilliseconds)]);
    }

    private static async Task<(TorchvisionLoader? Loader, string? Missing)> StartLoaderAsync(List<string> files, int processes, CancellationToken stop)
    {
        try
        {
            return (await TorchvisionLoader.StartAsync(PythonInterpreter.Find(), files, processes, Side, stop), null);
        }
        catch (ClusterException e) when (e is UserMistakeException or BenchmarkException)
        {
            return (null, e.Message);
        }
    }

    private static (List<string> Files, List<byte[]> Images) Load(string folder, CancellationToken stop)
    {
        var (files, images, bytes) = (new List<string>(), new List<byte[]>(), 0L);
        var all = Directory.EnumerateFiles(Path.GetFullPath(folder), "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Where(static file => Path.GetExtension(file).ToUpperInvariant() is ".JPEG" or ".JPG").Order(StringComparer.Ordinal);
        foreach (var file in all)
        {
            stop.ThrowIfCancellationRequested();
            if (new FileInfo(file).Length > Limits.MaxEncodedImageBytes) continue;
            var image = File.ReadAllBytes(file);
            if ((bytes += image.Length) > MostBytes) break;
            files.Add(file);
            images.Add(image);
        }
        return files.Count > 0 ? (files, images) : throw new UserMistakeException($"{folder} has no .jpg or .jpeg file: name a folder of JPEGs with --images");
    }
}
