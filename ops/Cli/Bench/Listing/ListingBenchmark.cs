using System.Globalization;
using Cluster.Workers.Data;

namespace Cluster.Cli.Bench.Listing;

/// <summary>How fast a folder of images is indexed, and how much memory its index needs.</summary>
internal sealed class ListingBenchmark : IBenchmark
{
    /// <summary>The set that the bounds are meant for: ImageNet's training images.</summary>
    private const double ImageNet = 1_281_167;

    private const double MostListing = 60, MostHeaders = 300, MostBytes = 200;

    public string Name => "listing";

    public string Description => "Listing a folder of images, reading their headers, and the memory of the index.";

    public string Details =>
        """
        Makes a folder of N generated images (hard links to a few small files) in the temporary folder, indexes it as
        --data imagefolder does, and removes it. Listing finds and sorts the names; reading headers opens every file for its
        size, format and time. Times are also given for as many images as ImageNet has (1,281,167), for which the bounds are
        meant. Memory: what the index holds, and by how much the process grew at its largest while it was made. The files
        have just been made, so the disk itself is not measured: names and first blocks lie in memory.
        """;

    public IReadOnlyList<BenchmarkFlag> Flags { get; } = [BenchmarkFlags.Files, BenchmarkFlags.Pairs];

    public BenchmarkOptions Defaults { get; } = new() { Pairs = 1 };

    public Task<BenchmarkReport> RunAsync(BenchmarkOptions options, CancellationToken stop) => Task.Run(() => Run(options, stop), stop);

    private static BenchmarkReport Run(BenchmarkOptions options, CancellationToken stop)
    {
        options.Progress(string.Create(CultureInfo.InvariantCulture, $"making {options.Files:N0} files in {Path.GetTempPath()}"));
        using var images = GeneratedImages.Create(options.Files, stop);
        // What is compiled at the first call is no part of a minute.
        using (var few = GeneratedImages.Create(GeneratedImages.PerClass, stop)) ImageFolderSource.Measure(few.Root, few.Cache, progress: null, stop);
        var rounds = new List<(IndexingTimes Times, long Peak)>();
        for (var round = 0; round < options.Pairs; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            var before = ResidentBytes.ResetPeak();
            var times = ImageFolderSource.Measure(images.Root, images.Cache, progress: null, stop);
            rounds.Add((times, Math.Max(0, ResidentBytes.Peak() - before)));
            options.Progress(string.Create(CultureInfo.InvariantCulture, $"round {round + 1}: listed in {times.Listing.TotalSeconds:0.0} s, headers in {times.Headers.TotalSeconds:0.0} s"));
        }
        options.Progress("removing the files");
        return Report(options, rounds);
    }

    private static BenchmarkReport Report(BenchmarkOptions options, List<(IndexingTimes Times, long Peak)> rounds)
    {
        const string here = "as measured", imageNet = "for as many images as ImageNet has", memory = "memory of each image";
        Figure Seconds(string name, Func<IndexingTimes, TimeSpan> of) => new(here, name, "s", [.. rounds.Select(round => of(round.Times).TotalSeconds)]);
        Figure Scaled(string name, Func<IndexingTimes, TimeSpan> of, double most) =>
            new(imageNet, name, "s", [.. rounds.Select(round => of(round.Times).TotalSeconds / round.Times.Images * ImageNet)]) { Bound = Bound.AtMost(most) };
        return new BenchmarkReport("listing", string.Create(CultureInfo.InvariantCulture, $"index of {rounds[0].Times.Images:N0} generated images"),
        [
            Seconds("listing", static times => times.Listing),
            Seconds("reading headers", static times => times.Headers),
            Seconds("writing the index", static times => times.Writing),
            Seconds("reading the index back", static times => times.Reading),
            Scaled("listing", static times => times.Listing, MostListing),
            Scaled("reading headers", static times => times.Headers, MostHeaders),
            new(memory, "held by the index", "B", [.. rounds.Select(static round => (double)round.Times.HeldBytes / round.Times.Images)]) { Bound = Bound.AtMost(MostBytes) },
            new(memory, "growth of the process at its largest", "B", [.. rounds.Select(static round => (double)round.Peak / round.Times.Images)]) { Bound = Bound.AtMost(MostBytes) },
            new(memory, "of the stored index", "B", [.. rounds.Select(static round => (double)round.Times.FileBytes / round.Times.Images)]),
        ])
        {
            Notes = options.Files < ImageNet / 4 ? ["Few files: what every process costs once is shared by few images, so the memory of each looks larger than it is."] : [],
        };
    }
}
