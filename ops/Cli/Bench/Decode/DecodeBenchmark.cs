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
        List<double> bare = [], training = [], evaluation = [], theirs = [], allocated = [];
        Func<Task>[] sides =
        [
            () => Here(threads.Bare, bare, null), () => Here(threads.Training, training, allocated), () => Here(threads.Evaluation, evaluation, null),
            async () =>
            {
                if (loader is not null) theirs.Add(await loader.RunAsync(options.Seconds, stop));
            },
        ];
        // The runtime compiles the loops anew while they run: one round for it.
        for (var round = -1; round < options.Pairs; round++)
        {
            if (round == 0)
                foreach (var list in new[] { bare, training, evaluation, theirs, allocated }) list.Clear();
            foreach (var side in round % 2 == 0 ? sides : sides.Reverse()) await side();
            if (round >= 0) options.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round + 1} of {options.Pairs}: bare {bare[^1]:0} images/s, training {training[^1]:0}, evaluation {evaluation[^1]:0}{(loader is null ? "" : $", torchvision {theirs[^1]:0}")}"));
        }
        return Report(options, images, loader?.Version, missing, bare, training, evaluation, theirs, allocated);

        // Native work: on a thread of its own, not on the pool.
        Task Here(Func<double, DecodeThreads.Rate> measure, List<double> rates, List<double>? bytes) => Task.Factory.StartNew(() =>
        {
            stop.ThrowIfCancellationRequested();
            var rate = measure(options.Seconds);
            rates.Add(rate.ImagesPerSecond);
            bytes?.Add(rate.BytesPerImage);
        }, stop, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static BenchmarkReport Report(
        BenchmarkOptions options, List<byte[]> images, string? version, string? missing,
        List<double> bare, List<double> training, List<double> evaluation, List<double> theirs, List<double> allocated)
    {
        const string rates = "rate", ratios = "ratio, round by round", memory = "memory";
        Figure whole = new(rates, "libjpeg-turbo, whole image", "images/s", bare), ours = new(rates, "training transform", "images/s", training), centre = new(rates, "evaluation transform", "images/s", evaluation);
        List<Figure> figures = [whole, ours, centre];
        if (version is not null) figures.Add(new Figure(rates, "torchvision, training transform", "images/s", theirs));
        figures.Add(Figure.Ratio(ratios, "training / libjpeg-turbo", ours, whole) with { Bound = Bound.AtLeast(0.9) });
        figures.Add(Figure.Ratio(ratios, "evaluation / libjpeg-turbo", centre, whole) with { Bound = Bound.AtLeast(0.9) });
        if (version is not null) figures.Add(Figure.Ratio(ratios, "training / torchvision", ours, figures[3]) with { Bound = Bound.AtLeast(1.5) });
        figures.Add(new Figure(memory, "managed bytes allocated an image, training", "By", allocated) { Bound = Bound.AtMost(0) });
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
