using System.Text.Json;
using Cluster.Coordinator.Monitor.Tests;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What a real run leaves for people to look at, over a resume.</summary>
[Trait("Clock", "wall")]
public sealed class ReportAndTensorBoardSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void A_run_leaves_event_files_and_a_report_and_a_resume_repeats_nothing()
    {
        var first = Processes.Run(Processes.Cluster, _world.Folder,
            ["train", .. Training.Small, "--steps", "4", "--out", "run", "--eval-every", "2", "--eval-samples", "100", "--histogram-every", "2"]);
        Assert.True(first.ExitCode == 0, first.Error + first.Output);
        var page = File.ReadAllText(_world.PathOf("run/report.html"));
        Assert.Contains(Training.HashOf(first), page);
        Assert.Contains($"4 steps of {Training.Batch} images", page);
        Assert.Contains("Confusion matrix", page);
        using (var json = JsonDocument.Parse(File.ReadAllBytes(_world.PathOf("run/evaluation.json"))))
        {
            var confusion = json.RootElement.GetProperty("confusion").EnumerateArray().ToArray();
            Assert.Equal((4, 100), (json.RootElement.GetProperty("step").GetInt32(), confusion.Sum(static c => c[2].GetInt32())));
            // The diagonal is what the run itself counted as right.
            Assert.Equal(json.RootElement.GetProperty("accuracy").GetDouble(), confusion.Where(static c => c[0].GetInt32() == c[1].GetInt32()).Sum(static c => c[2].GetInt32()) / 100.0, 9);
        }

        var second = Processes.Run(Processes.Cluster, _world.Folder, "train", "--resume", "--out", "run", "--steps", "6");
        Assert.True(second.ExitCode == 0, second.Error + second.Output);
        var read = EventFileReader.OfFolder(_world.PathOf("run/tensorboard"));
        Assert.Equal(2, read.Versions.Count);
        Assert.Equal([1, 2, 3, 4, 5, 6], read.StepsOf("train/loss"));
        Assert.Equal([2, 4, 6], read.StepsOf("test/accuracy"));
        var losses = File.ReadLines(_world.PathOf("run/commits.jsonl")).Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("loss").GetDouble());
        Assert.Equal(losses.Select(static loss => (double)(float)loss), read.Values.Where(static v => v.Tag == "train/loss").Select(static v => v.Scalar));
        var histograms = read.Values.Where(static v => v.Histogram is not null).ToArray();
        // Those in between are made beside the training and may be passed over; the last version's is there before the run ends.
        Assert.Contains(histograms, static h => h.Step == 4);
        Assert.Contains(histograms, static h => h.Step == 6);
        Assert.Equal(histograms.Length, histograms.Select(static h => (h.Tag, h.Step)).Distinct().Count());
        Assert.All(histograms, static h => Assert.Equal(h.Histogram!.Count, h.Histogram.Counts.Sum()));

        File.Delete(_world.PathOf("run/report.html"));
        var report = Processes.Run(Processes.Cluster, _world.Folder, "report", "run");
        Assert.Equal((0, "run/report.html\n", ""), (report.ExitCode, report.Output, report.Error));
        Assert.Contains($"6 steps of {Training.Batch} images", File.ReadAllText(_world.PathOf("run/report.html")));
    }
}
