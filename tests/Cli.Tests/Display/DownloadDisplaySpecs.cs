using Cluster.Cli.Display;
using Cluster.Workers.Data;

namespace Cluster.Cli.Tests.Display;

/// <summary>Downloads and indexes on a pipe: few lines, none of what was found lost.</summary>
public sealed class DownloadDisplaySpecs
{
    [Fact]
    public void A_kind_of_work_is_a_line_and_results_are_lines_of_their_own()
    {
        var output = new StringWriter();
        var lines = new DownloadDisplay.PlainLines(output, new StoppedClock());
        lines.Report(new DownloadProgress("listing images", 1_000, 0) { Unit = "images" });
        lines.Report(new DownloadProgress("listing images", 2_000, 0) { Unit = "images" });
        lines.Report(new DownloadProgress("reading headers", 512, 2_000) { Unit = "images" });
        lines.Report(new DownloadProgress("indexed a: 2,000 images", 0, 0) { IsResult = true });
        lines.Report(new DownloadProgress("indexed b: 1 image", 0, 0) { IsResult = true });
        lines.Report(new DownloadProgress("writing data_batch_1.bin", 3_000_000, 30_000_000));
        Assert.Equal(["listing images  1,000 images", "reading headers  512 of 2,000 images", "indexed a: 2,000 images", "indexed b: 1 image", "writing data_batch_1.bin  3 of 30 MB"], output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void The_end_of_a_kind_of_work_is_told_once_and_nothing_that_was_overtaken()
    {
        var output = new StringWriter();
        var lines = new DownloadDisplay.PlainLines(output, new StoppedClock());
        foreach (var done in (long[])[32, 64, 210, 191, 210]) lines.Report(new DownloadProgress("decoding", done, 210) { Unit = "images" });
        Assert.Equal(["decoding  32 of 210 images", "decoding  210 of 210 images"], output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
    }

    private sealed class StoppedClock : TimeProvider
    {
        public override long GetTimestamp() => 0;
    }
}
