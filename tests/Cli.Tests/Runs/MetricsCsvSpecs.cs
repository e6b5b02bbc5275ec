using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Tests.Runs;

public sealed class MetricsCsvSpecs : IDisposable
{
    private readonly World _world = new();
    private readonly List<string> _said = [];

    public void Dispose() => _world.Dispose();

    private string Path => _world.PathOf("metrics.csv");

    private static CommitRecord Record(long step) =>
        new(Term.First, new StepId(step), 1, (step - 1) / 4, 64, 1.0 / step, 0.5, 0.1 + 0.2, 1, 1e-7, true, [new LeafRecord(new WorkerId(0), 64, 1)]);

    private static List<CommitLine> LogTo(long last) => [.. Enumerable.Range(1, (int)last).Select(step => new CommitLine(Record(step), 500))];

    private MetricsCsv Open(long logged = 0, Func<string, Stream>? open = null) => MetricsCsv.Open(Path, LogTo(logged), _said.Add, open);

    private static void Commit(MetricsCsv metrics, params int[] steps)
    {
        foreach (var step in steps) metrics.Committed(Record(step), 1234.56, TimeSpan.FromSeconds(step));
    }

    private string[] Rows => File.ReadAllLines(Path)[1..];

    private IEnumerable<string> Steps => Rows.Select(row => row.Split(',')[0]);

    [Fact]
    public void New_file_has_a_header_and_one_row_per_step()
    {
        using (var metrics = Open()) Commit(metrics, 1, 2, 3);
        var lines = File.ReadAllLines(Path);
        Assert.Equal("step,epoch,loss,accuracy,lr,grad_norm,scale,clipped_share,images_per_second,elapsed_seconds,test_loss,test_accuracy", lines[0]);
        Assert.Equal("3,0,0.3333333333333333,0.5,1E-07,0.30000000000000004,1,0,1234.6,3.000,,", lines[3]);
        Assert.Equal(4, lines.Length);
        Assert.All(lines, line => Assert.Equal(12, line.Split(',').Length));
        Assert.EndsWith("\n", File.ReadAllText(Path));
    }

    [Fact]
    public void Evaluation_stands_in_the_row_of_its_step_else_in_one_of_its_own()
    {
        using (var metrics = Open())
        {
            Commit(metrics, 1, 2);
            metrics.Evaluated(new EvaluationResult(2, 0.25, 0.75, 1, 100));
            Commit(metrics, 3);
        }
        using (var metrics = Open(logged: 3)) metrics.Evaluated(new EvaluationResult(3, 0.125, 0.875, 1, 100));
        Assert.EndsWith(",0.25,0.75", Rows[1]);
        Assert.EndsWith(",,", Rows[2]);
        Assert.Equal("3,,,,,,,,,,0.125,0.875", Rows[3]);
        Assert.All(Rows, row => Assert.Equal(12, row.Split(',').Length));
    }

    [Fact]
    public void Share_of_clipped_steps_counts_the_whole_run_and_a_replayed_step_once()
    {
        static CommitRecord At(long step) => Record(step) with { Scale = step % 2 == 0 ? 0.25 : 1 };
        using (var metrics = Open())
        {
            for (var step = 1L; step <= 4; step++) metrics.Committed(At(step), 1, TimeSpan.Zero);
            Assert.Equal(2, metrics.ClippedSteps);
        }
        using (var metrics = MetricsCsv.Open(Path, [.. Enumerable.Range(1, 4).Select(step => new CommitLine(At(step), 1))], _said.Add))
        {
            for (var step = 3L; step <= 5; step++) metrics.Committed(At(step), 1, TimeSpan.Zero);
            Assert.Equal(2, metrics.ClippedSteps);
        }
        Assert.Equal(["0", "0.5", "0.3333", "0.5", "0.4"], Rows.Select(static row => row.Split(',')[7]));
    }

    [Fact]
    public void Resumed_run_doubles_no_row_and_time_goes_on()
    {
        using (var metrics = Open())
        {
            Commit(metrics, 1, 2, 3, 4);
            metrics.Evaluated(new EvaluationResult(4, 0.25, 0.75, 1, 100));
        }
        // From the checkpoint of step 2: steps 3 and 4 are replayed, with their evaluation.
        using (var metrics = Open(logged: 4))
        {
            Commit(metrics, 3, 4);
            metrics.Evaluated(new EvaluationResult(4, 0.25, 0.75, 1, 100));
            Commit(metrics, 5);
        }
        Assert.Equal(["1", "2", "3", "4", "5"], Steps);
        Assert.Contains(",9.000,", Rows[4]);        // 4 s of the first process, 5 s of the second
    }

    [Fact]
    public void Rows_that_a_killed_process_had_not_written_come_from_the_log()
    {
        using (var metrics = Open()) Commit(metrics, 1, 2, 3);
        File.AppendAllText(Path, "4,0,0.2");       // torn
        using (var metrics = Open(logged: 5)) Commit(metrics, 5, 6);
        Assert.Equal(["1", "2", "3", "4", "5", "6"], Steps);
        Assert.Equal("4,0,0.25,0.5,1E-07,0.30000000000000004,1,0,128.0,3.500,,", Rows[3]);
    }

    [Fact]
    public void Rows_that_the_log_does_not_know_are_cut()
    {
        using (var metrics = Open()) Commit(metrics, 1, 2, 3, 4, 5);
        using (var metrics = Open(logged: 3)) Commit(metrics, 4);
        Assert.Equal(["1", "2", "3", "4"], Steps);
    }

    [Fact]
    public void File_of_another_form_is_set_aside()
    {
        File.WriteAllText(Path, "my,own,notes\n1,2,3\n");
        using (var metrics = Open(logged: 2)) Commit(metrics, 3);
        Assert.Equal(["1", "2", "3"], Steps);
        Assert.Equal("my,own,notes\n1,2,3\n", File.ReadAllText(Path + ".old"));
    }

    [Fact]
    public void Rows_reach_the_disk_while_the_run_goes_on()
    {
        using var metrics = Open();
        Commit(metrics, 1, 2, 3, 4, 5, 6);
        Assert.True(Rows.Length >= 4, $"{Rows.Length} rows after six seconds");
    }

    [Fact]
    public void Full_disk_is_told_once_and_rows_are_whole_when_there_is_room_again()
    {
        var disk = new FullDisk();
        using (var metrics = Open(open: path => disk.Over(path)))
        {
            Commit(metrics, 1, 2, 3, 4);
            disk.Room = 40;                         // less than a row: the write stops in the middle of one
            Commit(metrics, 5, 6, 7, 8, 9, 10, 11, 12);
            Assert.StartsWith("metrics.csv cannot be written: no space left", Assert.Single(_said));
            Assert.EndsWith("\n", File.ReadAllText(Path));
            disk.Room = long.MaxValue;
            Commit(metrics, 13);
        }
        Assert.Equal(Enumerable.Range(1, 13).Select(step => $"{step}"), Steps);
        Assert.Single(_said);
    }

    [Fact]
    public void Disk_that_stays_full_costs_bounded_memory_and_never_throws()
    {
        var disk = new FullDisk { Room = 0 };
        using (var metrics = Open(open: path => disk.Over(path)))
            for (var step = 1; step <= 30_000; step++) metrics.Committed(Record(step), 1, TimeSpan.FromSeconds(step));
        Assert.Single(_said);
        Assert.Equal("", File.ReadAllText(Path));
    }

    [Fact]
    public void File_that_cannot_be_opened_is_told_once()
    {
        Directory.CreateDirectory(Path);
        using (var metrics = Open()) Commit(metrics, 1, 2, 3, 4);
        Assert.StartsWith("metrics.csv cannot be written: ", Assert.Single(_said));
    }

    /// <summary>A disk with room for so many bytes more.</summary>
    private sealed class FullDisk
    {
        public long Room { get; set; } = long.MaxValue;

        public Stream Over(string path) => new Limited(path, this);

        private sealed class Limited(string path, FullDisk disk) : FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0)
        {
            public override void Write(ReadOnlySpan<byte> buffer)
            {
                var fits = (int)Math.Min(buffer.Length, disk.Room);
                base.Write(buffer[..fits]);
                if (disk.Room != long.MaxValue) disk.Room -= fits;
                if (fits < buffer.Length) throw new IOException("no space left on device");
            }
        }
    }
}
