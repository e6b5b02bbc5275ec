using System.Text.RegularExpressions;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Report;
using Cluster.Cli.Tests.Audit;
using Cluster.Cli.Tests.EndToEnd;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Report;

/// <summary>A report says what the run's folder says, whatever state it is in, and asks for nothing else.</summary>
public sealed partial class ReportSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    private string PageOf(string folder)
    {
        RunReport.Make(folder, _world.PathOf("page.html"));
        return File.ReadAllText(_world.PathOf("page.html"));
    }

    [Fact]
    public void Everything_that_the_folder_holds_is_told_and_nothing_is_taken_for_markup()
    {
        var folder = RunMaker.Make(_world, "a");
        new EvaluationFile(10, 100, 0.5, 0.8125, 0.99, ["<b>cat</b>", "dog"], [(0, 0, 40), (0, 1, 10), (1, 1, 50)]).Write(folder);
        new PhaseFile(10, new Dictionary<string, PhaseTime> { ["forward & back"] = new(20, 3.5) }).Write(folder);
        File.WriteAllText(Path.Combine(folder, "events.jsonl"),
            """
            {"time":"2026-11-22T12:00:00.000Z","kind":"started","node":"coordinator","phase":"run","sentence":"small-cnn"}
            {"time":"2026-11-22T12:00:04.500Z","kind":"worker-lost","node":"worker-1","phase":"step","sentence":"worker-1 is lost in step 4: <script>alert('x')</script>"}
            {"time":"2026-11-22T12:00:09.000Z","kind":"finished","node":"coordinator","phase":"run","sentence":"10 steps"}
            {"time":"2026-11-22T12:0
            """);
        Directory.CreateDirectory(Path.Combine(folder, "checkpoints", "step-00000010"));
        var page = PageOf(folder);
        Assert.Contains(">finished</span>", page);
        Assert.Contains("10 steps of 64 images; 81.25 % of the test images right; 1 event tells of trouble on the way", page);
        Assert.Contains("<code>ab12</code>", page);
        Assert.Contains("80.00 % of 50", page);
        Assert.Contains("&lt;b&gt;cat&lt;/b&gt; taken for dog</td><td class=\"n\">10 of 50", page);
        Assert.Contains("forward &amp; back", page);
        Assert.Contains("350 ms in 2 spans of 175 ms", page);
        Assert.Contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;", page);
        Assert.Contains("4.5 s", page);
        Assert.Contains("optimizer.clip-norm", page);
        Assert.Contains("step-00000010", page);
        // worker-0 has 20 of the 38 leaves.
        var samples = CommitHistory.Read(Path.Combine(folder, "commits.jsonl")).Workers.Select(static w => w.Samples).ToArray();
        Assert.Equal(600, samples.Sum());
        Assert.Contains(FormattableString.Invariant($"data-name=\"images\">{samples[0]}</td><td class=\"n\" data-name=\"share\">{samples[0] / 6.0:0.00} %"), page);
        foreach (var outside in (string[])["<script", "<b>cat", "http:", "https:", "src=", "href=", "url(", "@import"]) Assert.DoesNotContain(outside, page);
    }

    [Fact]
    public void A_test_image_without_a_prediction_does_not_count() =>
        Assert.Equal([(0, 0, 1L), (1, 0, 1L)], EvaluationFile.Count([0, 1, 1], [0, -1, 0]));

    [Fact]
    public void A_torn_or_damaged_log_is_told_as_far_as_it_goes()
    {
        var torn = PageOf(RunMaker.Make(_world, "torn", lines => lines.Take(7).SelectMany(line => line).Concat(lines[7].Take(100)), summary: 0));
        Assert.Contains(">interrupted</span>", torn);
        Assert.Contains("7 of 10 steps", torn);
        Assert.Contains("The last line of commits.jsonl is torn: step 8 was never committed.", torn);

        var damaged = PageOf(RunMaker.Make(_world, "damaged", lines =>
        {
            lines[4][0] = (byte)'?';
            return lines.SelectMany(line => line);
        }));
        Assert.Contains("Line 5 of commits.jsonl is damaged", damaged);
        Assert.Contains("4 of 10 steps", damaged);

        var empty = PageOf(RunMaker.Make(_world, "empty", _ => [], summary: 0));
        Assert.Contains("The run has committed no step.", empty);
    }

    [Fact]
    public void Files_that_cannot_be_understood_cost_their_part_of_the_page_alone()
    {
        var folder = RunMaker.Make(_world, "a");
        var whole = PageOf(folder);
        File.WriteAllText(Path.Combine(folder, EvaluationFile.Name), """{"step":1,"samples":1,"loss":1,"accuracy":1,"top5":1,"classes":["a"],"confusion":[[0,7,1]]}""");
        File.WriteAllText(Path.Combine(folder, PhaseFile.Name), """{"steps":1,"phases":[{}]}""");
        File.WriteAllText(Path.Combine(folder, "metrics.csv"), "what,is\nthis");
        Assert.Equal(whole, PageOf(folder));
        File.WriteAllText(Path.Combine(folder, "summary.json"), "[");
        Assert.Contains("10 steps of 64 images", PageOf(folder));
    }

    [Fact]
    public void What_is_no_run_is_refused()
    {
        Directory.CreateDirectory(_world.PathOf("nothing"));
        Outcome Report(params string[] arguments) => Processes.Run(Processes.Cluster, _world.Folder, ["report", .. arguments]);
        var outcome = Report("nothing");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains("nothing is no run: it holds no config.yaml", outcome.Error);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.PathOf("nothing")));

        RunMaker.Make(_world, "a");
        Assert.Equal((2, true), (Report("a", "--out", "missing/page.html").ExitCode, !Directory.Exists(_world.PathOf("missing"))));
        Assert.Equal((0, "a/report.html\n"), (Report("a").ExitCode, Report("a").Output));
        // What 'cluster chaos' says of its faults is not written over.
        _world.Write("a/report.json", "{}");
        _world.Write("a/report.html", "of faults");
        Assert.Equal((0, "a/run.html\n", "of faults"), (Report("a").ExitCode, Report("a").Output, File.ReadAllText(_world.PathOf("a/report.html"))));
    }

    [Fact]
    public void A_long_run_is_drawn_with_few_points_and_loses_no_peak()
    {
        const int count = 20_000;
        var run = _world.Resolve(null, "--out", "long");
        using (var folder = RunFolder.Create(run))
        using (var log = File.Create(Path.Combine(folder.Location, RunFolder.CommitsName)))
        {
            for (var step = 1; step <= count; step++)
                log.Write(CommitLog.Write(new CommitRecord(
                    new Term(1), new StepId(step), 1, 0, 64, step == 12_345 ? 77 : step == 300 ? double.NaN : 1, 0.5, 1, 1, 0.1, true,
                    [new LeafRecord(new WorkerId(0), 32, 1), new LeafRecord(new WorkerId(step <= 15_000 ? 1 : 2), 32, 2)]), 20));
        }
        var page = PageOf(_world.PathOf("long"));
        var paths = PathData().Matches(page).Select(static match => match.Groups["data"].Value).ToList();
        Assert.True(paths.Count > 8);
        Assert.All(paths, static path => Assert.InRange(path.Count(static c => c is 'L' or 'M'), 1, 1000));
        var history = CommitHistory.Read(_world.PathOf("long/commits.jsonl"));
        Assert.Equal((count, null), (history.Steps.Count, history.Trouble));
        Assert.Equal(77, history.Steps[12_344].Loss);
        Assert.True(double.IsNaN(history.Steps[299].Loss));
        Assert.InRange(history.Shares.Rows.Count, ShareTable.MostRows / 2, ShareTable.MostRows);
        Assert.Equal(history.Workers.Select(static w => w.Samples), [.. Enumerable.Range(0, 3).Select(worker => history.Shares.Rows.Sum(row => row.GetValueOrDefault(worker)))]);
        Assert.Equal([(0, 1L, 20_000L, 20_000L), (1, 1L, 15_000L, 15_000L), (2, 15_001L, 20_000L, 5_000L)], history.Workers.Select(static w => (w.Worker, w.First, w.Last, w.Steps)));
        // The peak is the top of the drawing: the loss axis reaches beyond it.
        Assert.Contains(">80</div>", page);
    }

    [Fact]
    public void Steps_are_marked_of_which_a_sentence_speaks()
    {
        string[] sentences = ["fault kill:worker-1@30: SIGKILL.", "worker-1 is lost in step 31: its link was reset.", "in step 31 again", "step 900 is beyond", "no number", "step 99999999999999999999"];
        Assert.Equal([30, 31], ReportCurves.MarksOf(sentences, 100));
    }

    [Fact]
    public void Smoothing_is_the_mean_of_what_lies_around()
    {
        CurvePoint[] points = [new(1, 1), new(2, 2), new(3, double.NaN), new(4, 9), new(5, 1)];
        Assert.Equal([1.5, 1.5, 5.5, 5, 5], ReportCurves.Smooth(points, 3).Select(static p => p.Y));
    }

    [GeneratedRegex(" d=\"(?<data>[^\"]*)\"", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex PathData();
}
