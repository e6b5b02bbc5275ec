using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Study;

/// <summary>Through the real executable: a study of two small cells, stopped and killed on its way, and folders that hold something else.</summary>
public sealed class StudySpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    private static string[] Study(string folder, params string[] more) =>
        ["study", "weight-decay", "--data", "synthetic", "--models", "small-cnn", "--variants", "none,l2", "--steps", "12", "--batch", "16", "--eval-samples", "100", "--checkpoint-every", "3", "--out", folder, .. more];

    /// <summary>study.csv without its last column, the seconds.</summary>
    private string[] Rows(string folder) => [.. File.ReadAllLines(Path.Combine(_world.PathOf(folder), "study.csv")).Select(static line => line[..line.LastIndexOf(',')])];

    [Fact]
    public async Task A_study_that_was_stopped_and_killed_goes_on_to_the_same_table()
    {
        var undisturbed = Processes.Run(Processes.Cluster, _world.Folder, Study("calm"));
        Assert.True(undisturbed.ExitCode == 0, undisturbed.Error + undisturbed.Output);
        Assert.Contains("[1/2] small-cnn none: train loss ", undisturbed.Output);
        Assert.Contains("[2/2] small-cnn l2: train loss ", undisturbed.Output);
        var expected = Rows("calm");
        Assert.Equal(["model,penalty", "small-cnn,none", "small-cnn,l2"], expected.Select(static row => string.Join(',', row.Split(',')[..2])));
        Assert.NotEqual(expected[1].Split(',')[4..], expected[2].Split(',')[4..]);

        var first = Directory.CreateDirectory(_world.PathOf("storm/cells/small-cnn-none")).FullName;
        using (var cluster = RunningCluster.Start(_world.Folder, Study("storm")))
        {
            await cluster.CommittedAsync(first, 4);
            cluster.Signal(RunningCluster.Interrupt);
            var outcome = await cluster.EndAsync();
            Assert.Equal(130, outcome.ExitCode);
            Assert.EndsWith($"; go on with: ./cluster study weight-decay --out {_world.PathOf("storm")}", Assert.Single(outcome.ErrorLines));
        }
        var plan = File.ReadAllBytes(_world.PathOf("storm/study.yaml"));
        var second = Directory.CreateDirectory(_world.PathOf("storm/cells/small-cnn-l2")).FullName;
        using (var cluster = RunningCluster.Start(_world.Folder, "study", "weight-decay", "--out", "storm", "--workers", "1"))
        {
            await cluster.CommittedAsync(second, 4);
            cluster.Signal(RunningCluster.Kill);
            await cluster.EndAsync();
        }
        Assert.Equal(expected[..2], Rows("storm"));

        var last = Processes.Run(Processes.Cluster, _world.Folder, Study("storm", "--workers", "3", "--ps", "2"));
        Assert.True(last.ExitCode == 0, last.Error + last.Output);
        Assert.Contains("1 of 2 cells are done, going on", last.Output);
        Assert.DoesNotContain("small-cnn none: train loss", last.Output);
        Assert.Equal(expected, Rows("storm"));
        Assert.Equal(plan, File.ReadAllBytes(_world.PathOf("storm/study.yaml")));
        foreach (var name in (string[])["study.json", "study.html"]) Assert.True(new FileInfo(_world.PathOf($"storm/{name}")).Length > 1000);
    }

    [Fact]
    public void A_folder_that_holds_something_else_is_refused_and_untouched()
    {
        Directory.CreateDirectory(_world.PathOf("run"));
        _world.Write("run/config.yaml", "recipe: x\n");
        _world.Write("file", "");
        Directory.CreateDirectory(_world.PathOf("other"));
        _world.Write("other/study.yaml", Cli.Study.StudyPlanFile.Write(StudyFixtures.Plan()));
        foreach (var (arguments, expected) in new[]
        {
            (Study("run"), "the folder holds a run, not a study; nothing was touched, choose another folder"),
            (Study("file"), "is a file, not a folder"),
            (["study", "clipping", "--out", "other"], "the folder holds a study of weight-decay; go on with './cluster study weight-decay --out "),
            (["study", "weight-decay", "--out", "other", "--minutes", "3"], "--minutes 3: the study in "),
        })
        {
            var outcome = Processes.Run(Processes.Cluster, _world.Folder, arguments);
            Assert.Equal(2, outcome.ExitCode);
            Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
        }
        Assert.Equal(["config.yaml"], Directory.EnumerateFileSystemEntries(_world.PathOf("run")).Select(Path.GetFileName));
        Assert.Equal(["study.yaml"], Directory.EnumerateFileSystemEntries(_world.PathOf("other")).Select(Path.GetFileName));
    }
}
