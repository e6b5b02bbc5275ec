using System.Text.RegularExpressions;
using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>report.html: complete, alone, and small.</summary>
public sealed partial class ReportPageSpecs
{
    private const int MaxBytes = 2_000_000;

    [Fact]
    public void Page_tells_verdict_hashes_faults_and_the_command()
    {
        var report = RecordedRun.Report();
        var page = ReportPage.Write(report);
        Assert.Contains("✓ Same bits</h1>", page);
        Assert.Equal(2, Regex.Count(page, $"<dd>{RecordedRun.Hash}</dd>"));
        Assert.Contains("They coincide in every step", page);
        Assert.All(report.Faults, fault => Assert.Contains($"<code>{fault.Fault}</code>", page));
        Assert.Contains(report.Command, page);
        Assert.Contains("<path class=\"calm\" d=\"M", page);
        Assert.Contains("<path class=\"storm\" d=\"M", page);
        Assert.All(RecordedRun.Run.Nodes, node => Assert.Contains($"<div class=\"name\">{node}</div>", page));
        Assert.All(report.Invariants, i => Assert.Contains($"<b>{System.Net.WebUtility.HtmlEncode(i.Name)}</b>", page));
    }

    [Fact]
    public void Page_asks_for_nothing_outside_of_itself()
    {
        var page = ReportPage.Write(RecordedRun.Report());
        Assert.DoesNotMatch(Outside(), page);
        Assert.Contains("default-src 'none'", page);
        Assert.Matches(Outside(), "<img src=x>");
        Assert.Matches(Outside(), "@import 'x'");
    }

    [Fact]
    public void Page_shows_a_failure_as_one()
    {
        var page = ReportPage.Write(RecordedRun.Report(expected: new string('0', 64)));
        Assert.Contains("✗ Other bits</h1>", page);
        Assert.Contains($"<dd class=\"differs\">{RecordedRun.Hash}</dd>", page);
        var differs = ReportPage.Write(RecordedRun.Report(static f => f with { Calm = f.Calm! with { Commits = [.. f.Calm.Commits.Select(static c => c.Step == 17 ? c with { Loss = 9 } : c)] } }));
        Assert.Contains("The curves part at step 17.", differs);
        Assert.Contains("no state: it did not finish", ReportPage.Write(RecordedRun.Report(static f => f with { Failure = "x" })));
    }

    [Fact]
    public void Text_from_the_run_cannot_become_markup()
    {
        const string Evil = "</script><script>alert(1)</script>";
        var page = ReportPage.Write(RecordedRun.Report(static f => f with { Audit = Evil, Storm = f.Storm with { Config = Evil, Events = [.. f.Storm.Events.Select(static e => e with { Sentence = e.Sentence + Evil, Node = e.Node })] } }));
        Assert.DoesNotContain("<script>alert", page);
        Assert.Contains("&lt;script&gt;alert", page);
    }

    [Fact]
    public void Largest_report_stays_under_two_megabytes()
    {
        var report = RecordedRun.Report();
        var sentence = new string('x', 380);
        var notice = new Notice(3, "worker-lost", "worker-1", sentence[..150]);
        var page = ReportPage.Write(report with
        {
            Run = report.Run with { Steps = 200_000 },
            Faults = [.. Enumerable.Range(1, 2_000).Select(i => report.Faults[0] with { Step = i * 90, Said = sentence[..150], Noticed = notice, Done = [notice, notice, notice, notice] })],
            Steps = [.. Enumerable.Range(1, 200_000).Select(i => report.Steps[i % 30] with { Step = i, Time = report.Began.AddMilliseconds(i * 7), Loss = Math.Sin(i) })],
            Undisturbed = [.. Enumerable.Range(1, 200_000).Select(i => new CalmStep(i, 7, Math.Sin(i)))],
            Events = [.. Enumerable.Range(0, 100_000).Select(i => report.Events[i % report.Events.Count])],
        });
        Assert.InRange(System.Text.Encoding.UTF8.GetByteCount(page), 100_000, MaxBytes);
        Assert.Contains($"The first {Limits.ReportFaultRows} of 2000", page);
        Assert.Contains("report.json has all", page);
    }

    [Fact]
    public void Thinned_curve_keeps_its_ends_and_its_peak()
    {
        List<CurvePoint> points = [.. Enumerable.Range(0, 100_000).Select(static i => new CurvePoint(i, i == 54_321 ? 99 : Math.Sin(i)))];
        var thin = Curve.Thin(points, 2_000);
        Assert.InRange(thin.Count, 500, 2_000);
        Assert.Contains(new CurvePoint(54_321, 99), thin);
        Assert.Equal(points[0], thin[0]);
        Assert.Equal(thin.Select(static p => p.X).Order(), thin.Select(static p => p.X));
        Assert.Equal("M0 1000L500 0M1000 500", Curve.Path([new(0, 0), new(5, 10), new(7, double.NaN), new(10, 5)], new Axis(0, 10), new Axis(0, 10)));
    }

    [Fact]
    public void Axes_have_round_ticks_inside()
    {
        Assert.Equal([0, 0.5, 1, 1.5, 2], new Axis(0, 2.3).Ticks());
        Assert.Equal([10, 100, 1000], new Axis(8, 3_000, IsLogarithmic: true).Ticks());
        Assert.Equal(0.5, new Axis(1, 100, IsLogarithmic: true).At(10), 9);
        Assert.Single(new Axis(3, 3).Ticks());
        Assert.True(Axis.Around([double.NaN, 1, 1]).Most > 1);
    }

    [Fact]
    public void Lives_of_a_node_end_with_its_process_or_with_the_supervisor()
    {
        var begin = DateTimeOffset.UnixEpoch;
        EventRow At(int second, string kind) => new(begin.AddSeconds(second), kind, "worker-1", "process", "");
        var lives = ReportLanes.Lives("worker-1", [At(0, "process-started"), At(5, "process-ended"), At(6, "process-started"), At(20, "process-started")], [begin.AddSeconds(12)], begin.AddSeconds(30));
        Assert.Equal([(0, 5), (6, 12), (20, 30)], lives.Select(l => ((l.From - begin).TotalSeconds, (l.To - begin).TotalSeconds)));
    }

    [GeneratedRegex(@"(?<!-)\b(src|href|srcset)\s*=|https?://|url\(|@import|<link\b|fetch\(|XMLHttpRequest", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex Outside();
}
