using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

public sealed class FullDiskSpecs
{
    /// <summary>A disk without room for the first write of each kind.</summary>
    private sealed class FullDisk(IRunStore store, string refused) : IRunStore
    {
        private bool _hasRefused;

        private void Try(string what)
        {
            if (what != refused || _hasRefused) return;
            _hasRefused = true;
            throw new IOException("no space left on device");
        }

        public Term ReadTerm() => store.ReadTerm();

        public Term? WriteTerm(Term term, Term known)
        {
            Try("term");
            return store.WriteTerm(term, known);
        }

        public LogAdopted? AdoptLog(Term term, IReadOnlyList<CommitRecord> promised)
        {
            Try("log");
            return store.AdoptLog(term, promised);
        }

        public bool Append(ReadOnlySpan<byte> line)
        {
            Try("commit");
            return store.Append(line);
        }

        public void Flush() => store.Flush();

        public LoadShard? Load(WeightsVersion version) => store.Load(version);

        public void Dispose() { }
    }

    [Theory]
    [InlineData("term")]
    [InlineData("log")]
    [InlineData("commit")]
    public async Task Full_disk_makes_the_run_wait_loudly_and_go_on_when_there_is_room(string refused)
    {
        await using var run = new ClusterRun { Through = store => new FullDisk(store, refused) };
        var recorder = run.Start();
        await ClusterRunSpecs.AssertSame(run, recorder);
        Assert.Contains(recorder.Sentences, s => s.StartsWith($"{refused}-waits coordinator", StringComparison.Ordinal) && s.Contains("no space left"));
        Assert.Contains(recorder.Sentences, static s => s.StartsWith("commit-goes-on", StringComparison.Ordinal));
    }
}
