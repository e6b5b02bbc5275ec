using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

public sealed class RunStoreSpecs : IDisposable
{
    /// <summary>Above every term of these tests.</summary>
    private static readonly Term Late = new(1_000);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-test-");

    private sealed class NoCheckpoints : ICheckpointSource
    {
        public WeightsVersion? Newest(StepId logged) => null;
        public LoadShard Load(WeightsVersion version) => throw new InvalidOperationException("there is none");
    }

    /// <summary>One checkpoint, of one float.</summary>
    private sealed class OneCheckpoint(long version) : ICheckpointSource
    {
        public WeightsVersion? Newest(StepId logged) => version <= logged.Value ? new WeightsVersion(version) : null;
        public LoadShard Load(WeightsVersion at) => LoadShard.First(Term.First, NativeBuffer.Allocate(1), default) with { Version = at };
    }

    private string CommitsPath => Path.Combine(_folder.FullName, RunStore.CommitsName);
    private string TermPath => Path.Combine(_folder.FullName, RunStore.TermName);

    private RunStore Open(ICheckpointSource? checkpoints = null) => new(_folder.FullName, checkpoints ?? new NoCheckpoints());

    private static CommitRecord Record(int step, int term = 1, double loss = 2.5) =>
        new(new Term(term), new StepId(step), 1, 0, 64, loss, 0.25, 8, 0.5, 0.125, true, [new LeafRecord(new WorkerId(1), 64, (ulong)step)]);

    private static CommitRecord[] Records(int count) => [.. Enumerable.Range(1, count).Select(i => Record(i))];

    private static byte[] Lines(IEnumerable<CommitRecord> records) => [.. records.SelectMany(static r => CommitLog.Write(r, 7))];

    private StepId[] Logged() => [.. CommitLog.Read(File.ReadAllBytes(RunStore.LogOf(_folder.FullName))).Lines.Select(static l => l.Record.Step)];

    private static StepId[] Steps(int count) => [.. Enumerable.Range(1, count).Select(static i => new StepId(i))];

    [Fact]
    public void New_folder_has_seen_no_term_and_no_step()
    {
        using var store = Open();
        Assert.Equal(new Term(0), store.ReadTerm());
        var adopted = store.AdoptLog(Late, [])!;
        Assert.Equal((new StepId(0), WeightsVersion.Initial), (adopted.Last, adopted.Checkpoint));
        Assert.Empty(adopted.Recorded);
        Assert.Null(store.Load(WeightsVersion.Initial));
    }

    [Fact]
    public void Written_term_is_what_anybody_reads_and_leaves_no_other_file()
    {
        using var store = Open();
        store.WriteTerm(new Term(7), store.ReadTerm());
        Assert.Equal("7\n", File.ReadAllText(TermPath));
        store.WriteTerm(new Term(12), store.ReadTerm());
        using var other = Open();
        Assert.Equal(new Term(12), other.ReadTerm());
        Assert.Equal(new Term(12), RunStore.TermOf(_folder.FullName));
        Assert.Equal([TermPath], Directory.GetFiles(_folder.FullName));
    }

    [Theory]
    [InlineData("")]
    [InlineData("seven\n")]
    [InlineData("-7\n")]
    [InlineData("7 8\n")]
    [InlineData("99999999999999999999\n")]
    public void Damaged_term_file_is_an_error_that_names_it(string content)
    {
        File.WriteAllText(TermPath, content);
        using var store = Open();
        var e = Assert.Throws<ClusterException>(() => store.ReadTerm());
        Assert.Contains(TermPath, e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Term_of_the_last_record_counts_where_the_term_file_is_missing_or_older()
    {
        File.WriteAllBytes(CommitsPath, Lines([Record(1), Record(2, term: 5)]));
        using var store = Open();
        Assert.Equal(new Term(5), store.ReadTerm());
        store.WriteTerm(new Term(3), store.ReadTerm());
        Assert.Equal(new Term(5), store.ReadTerm());
        store.WriteTerm(new Term(6), store.ReadTerm());
        Assert.Equal(new Term(6), store.ReadTerm());
    }

    [Fact]
    public void Torn_last_line_is_cut_wherever_it_is_torn()
    {
        var whole = Lines(Records(2));
        var third = CommitLog.Write(Record(3), 7);
        foreach (var bytes in new[] { 0, 1, third.Length / 2, third.Length - 1 })
        {
            File.WriteAllBytes(CommitsPath, [.. whole, .. third.AsSpan(0, bytes)]);
            using (var store = Open())
            {
                Assert.Equal(new StepId(2), store.AdoptLog(Late, [])!.Last);
                Assert.Equal(whole, File.ReadAllBytes(CommitsPath));
                store.Append(third);
            }
            Assert.Equal([.. whole, .. third], File.ReadAllBytes(CommitsPath));
        }
    }

    [Fact]
    public void Damaged_line_that_is_not_the_last_is_an_error_that_names_it_and_changes_nothing()
    {
        var bytes = Lines(Records(3));
        bytes[bytes.AsSpan().IndexOf((byte)'\n') + 20] ^= 1;
        File.WriteAllBytes(CommitsPath, bytes);
        using var store = Open();
        Assert.Contains($"{CommitsPath}, line 2", Assert.Throws<ClusterException>(() => store.AdoptLog(Late, Records(4))).Message);
        Assert.Contains($"{CommitsPath}, line 2", Assert.Throws<ClusterException>(() => store.ReadTerm()).Message);
        Assert.Equal(bytes, File.ReadAllBytes(CommitsPath));
    }

    [Fact]
    public void Promised_records_that_the_log_lacks_are_appended_and_those_it_has_keep_their_lines()
    {
        var first = Lines(Records(2));
        File.WriteAllBytes(CommitsPath, first);
        using (var store = Open())
        {
            // As a shard reports them: from its oldest on.
            var adopted = store.AdoptLog(Late, [Record(2), Record(3), Record(4)])!;
            Assert.Equal(new StepId(4), adopted.Last);
            Assert.Equal(Steps(4), adopted.Recorded.Select(static r => r.Step));
            store.Append(CommitLog.Write(Record(5), 7));
        }
        Assert.Equal(Steps(5), Logged());
        Assert.Equal(first, File.ReadAllBytes(CommitsPath)[..first.Length]);
    }

    [Fact]
    public void Shard_that_remembers_another_step_than_the_log_is_an_error()
    {
        File.WriteAllBytes(CommitsPath, Lines(Records(3)));
        using var store = Open();
        var e = Assert.Throws<ClusterException>(() => store.AdoptLog(Late, [Record(2), Record(3, loss: 9), Record(4)]));
        Assert.Contains("step 3", e.Message);
        Assert.Equal(Steps(3), Logged());
    }

    [Fact]
    public void Gap_between_the_log_and_what_the_shards_remember_is_an_error()
    {
        File.WriteAllBytes(CommitsPath, Lines(Records(3)));
        using var store = Open();
        var e = Assert.Throws<ClusterException>(() => store.AdoptLog(Late, [Record(5), Record(6)]));
        Assert.Contains("ends at step 3", e.Message);
        Assert.Contains("from 5", e.Message);
        Assert.Equal(Steps(3), Logged());
    }

    [Fact]
    public void Recorded_steps_begin_behind_the_checkpoint_that_can_be_loaded()
    {
        File.WriteAllBytes(CommitsPath, Lines(Records(5)));
        using var store = Open(new OneCheckpoint(3));
        var adopted = store.AdoptLog(Late, [])!;
        Assert.Equal((new StepId(5), new WeightsVersion(3)), (adopted.Last, adopted.Checkpoint));
        Assert.Equal([4L, 5], adopted.Recorded.Select(static r => r.Step.Value));
        var load = store.Load(adopted.Checkpoint)!;
        Assert.Equal(new WeightsVersion(3), load.Version);
        load.Release();
        Assert.Null(store.Load(WeightsVersion.Initial));
    }

    [Fact]
    public void Whoever_has_the_old_log_open_writes_to_nothing()
    {
        using var old = Open();
        old.AdoptLog(Late, []);
        old.Append(CommitLog.Write(Record(1), 7));
        using var next = Open();
        Assert.Equal(new StepId(1), next.AdoptLog(Late, [])!.Last);
        old.Append(CommitLog.Write(Record(2, loss: 9), 7));
        next.Append(CommitLog.Write(Record(2, term: 2), 7));
        old.Append(CommitLog.Write(Record(3, loss: 9), 7));
        old.Dispose();
        var lines = CommitLog.Read(File.ReadAllBytes(CommitsPath)).Lines;
        Assert.Equal([1L, 2], lines.Select(static l => l.Record.Term.Value));
        Assert.All(lines, static l => Assert.Equal(2.5, l.Record.Loss));
    }

    [Fact]
    public void Log_can_be_adopted_again_by_the_one_who_has_it()
    {
        using var store = Open();
        store.AdoptLog(Late, []);
        store.Append(CommitLog.Write(Record(1), 7));
        Assert.Equal(new StepId(2), store.AdoptLog(Late, Records(2))!.Last);
        store.Append(CommitLog.Write(Record(3), 7));
        Assert.Equal(Steps(3), Logged());
    }

    [Fact]
    public void Record_before_the_log_was_adopted_is_an_error()
    {
        using var store = Open();
        Assert.Throws<ClusterException>(() => store.Append(CommitLog.Write(Record(1), 7)));
        Assert.False(File.Exists(CommitsPath));
    }

    [Fact]
    public void Disk_that_refuses_leaves_the_log_as_it_was_and_it_can_be_adopted_later()
    {
        File.WriteAllBytes(CommitsPath, Lines(Records(2)));
        // A folder in the place of the new file: the write is refused, whoever runs the test.
        var inTheWay = Directory.CreateDirectory(CommitsPath + ".next");
        using var store = Open();
        Assert.ThrowsAny<Exception>(() => store.AdoptLog(Late, Records(3)));
        Assert.Equal(Steps(2), Logged());
        inTheWay.Delete();
        Assert.Equal(new StepId(3), store.AdoptLog(Late, Records(3))!.Last);
        store.Append(CommitLog.Write(Record(4), 7));
        Assert.Equal(Steps(4), Logged());
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
