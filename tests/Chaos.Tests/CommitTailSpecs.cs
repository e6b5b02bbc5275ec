using System.Text;
using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>The watch over commits.jsonl: sees every record once, and sees when one is taken back.</summary>
public sealed class CommitTailSpecs : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] Lines = File.ReadAllLines(RecordedRun.PathOf("commits.jsonl"));

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-tail-").FullName;

    private string Log => Path.Combine(_folder, "commits.jsonl");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Records_are_seen_as_they_come_and_a_torn_one_when_it_is_whole()
    {
        using var tail = new CommitTail(Log);
        var before = DateTimeOffset.UtcNow;
        File.WriteAllText(Log, Lines[0] + "\n" + Lines[1] + "\n" + Lines[2][..40]);
        await tail.Reaches(new StepId(2)).WaitAsync(Patience);
        Assert.Equal([1, 2], tail.Seen.Select(static s => s.Step));
        Assert.False(tail.Reaches(new StepId(3)).IsCompleted);
        File.AppendAllText(Log, Lines[2][40..] + "\n");
        await tail.Reaches(new StepId(3)).WaitAsync(Patience);
        Assert.All(tail.Seen, s => Assert.InRange(s.Time, before, DateTimeOffset.UtcNow));
        tail.Dispose();
        Assert.Null(tail.WentBack);
    }

    [Fact]
    public async Task Copy_in_the_logs_place_changes_nothing_and_other_bytes_are_found()
    {
        using var tail = new CommitTail(Log);
        File.WriteAllLines(Log, Lines[..3]);
        await tail.Reaches(new StepId(3)).WaitAsync(Patience);
        File.WriteAllLines(Log + ".new", Lines[..5]);
        File.Move(Log + ".new", Log, overwrite: true);
        await tail.Reaches(new StepId(5)).WaitAsync(Patience);
        File.WriteAllLines(Log + ".new", [Lines[0], Lines[1], Lines[2].Replace("\"step\":3", "\"step\":9"), .. Lines[3..5]]);
        File.Move(Log + ".new", Log, overwrite: true);
        tail.Dispose();
        Assert.Equal("the record of step 3 is not what it was when it was written", tail.WentBack);
    }

    [Fact]
    public async Task Log_that_becomes_shorter_is_told()
    {
        using var tail = new CommitTail(Log);
        File.WriteAllLines(Log, Lines[..4]);
        await tail.Reaches(new StepId(4)).WaitAsync(Patience);
        File.WriteAllLines(Log, Lines[..2]);
        tail.Dispose();
        Assert.Equal("the log became shorter: it held 4 records before", tail.WentBack);
    }

    [Fact]
    public void Tear_cuts_the_largest_file_of_the_newest_checkpoint_in_the_middle()
    {
        Assert.Null(Storm.Tear(_folder).Step);
        foreach (var (name, bytes) in (ReadOnlySpan<(string, int)>)[("step-000009/a", 50), ("step-000010/model", 1_001), ("step-000010/small", 10), ("step-000011.new/model", 5_000)])
        {
            Directory.CreateDirectory(Path.Combine(_folder, Path.GetDirectoryName(name)!));
            File.WriteAllBytes(Path.Combine(_folder, name), new byte[bytes]);
        }
        var (sentence, step) = Storm.Tear(_folder);
        Assert.Equal("model of the newest checkpoint, step-000010, was cut from 1001 to 500 bytes", sentence);
        Assert.Equal(10, step);
        Assert.Equal(500, new FileInfo(Path.Combine(_folder, "step-000010/model")).Length);
    }

    [Fact]
    public void Line_that_is_no_record_is_passed_over()
    {
        Assert.Null(CommitRow.Parse(Encoding.UTF8.GetBytes("{\"step\":1}")));
        Assert.Null(CommitRow.Parse([]));
        Assert.Null(EventRow.Parse("{\"time\":"));
        Assert.Equal(8, CommitRow.Parse(Encoding.UTF8.GetBytes(Lines[0]))!.Leaves);
    }
}
