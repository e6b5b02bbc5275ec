using Cluster.Cli.Report;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor;
using Cluster.Workers.Data;

namespace Cluster.Cli.Tests.Report;

/// <summary>What a report needs and no log holds is kept, over resumes, and a disk that refuses is told once.</summary>
public sealed class ReportKeeperSpecs : IDisposable
{
    private readonly World _world = new();
    private readonly List<string> _said = [];

    public void Dispose() => _world.Dispose();

    /// <summary>Three classes; sample i is of class i % 3.</summary>
    private sealed class Data : IDataset
    {
        public string Name => "data";
        public string Split => "test";
        public int Count => 9;
        public ImageShape Shape { get; } = new(1, 2, 2);
        public int ClassCount => 3;
        public IReadOnlyList<string> ClassNames => ["a", "b", "c"];
        public IReadOnlyList<double> Mean => [0];
        public IReadOnlyList<double> Std => [1];
        public string Fingerprint => "";
        public int LabelOf(int sample) => sample % 3;
        public ISampleSource With(AugmentationOptions augmentation, ulong seed) => throw new NotSupportedException();
        public int Read(int sample, Span<byte> pixels) => sample % 3;
        public void Dispose() { }
    }

    private ReportKeeper Open(string folder, long logged = 0) => new(folder, new RunOptions(), new Data(), logged, TimeProvider.System, _said.Add);

    private static CommittedStep Step(long step) => new(
        new CommitRecord(new Term(1), new StepId(step), 1, 0, 64, 1, 0.5, 1, 1, 0.1, true, [new LeafRecord(new WorkerId(0), 64, 1)]), TimeSpan.Zero, false, 0, DateTimeOffset.UnixEpoch);

    private static SpanBatch Spans(params (string Name, long Milliseconds)[] spans) =>
        new([.. spans.Select(static s => new SpanRecord(1, 2, 3, 0, s.Name, 0, s.Milliseconds * 1_000_000, [], [], null))], 0);

    [Fact]
    public void The_last_evaluation_and_the_phases_of_all_processes_are_kept()
    {
        using (var first = Open(_world.Folder))
        {
            first.Committed(Step(1));
            first.Committed(Step(2));
            first.Traced("worker-0", Spans(("forward", 30), ("backward", 50)));
            first.Traced("worker-1", Spans(("forward", 10)));
            first.Evaluated(new EvaluationTotals(new WeightsVersion(1), 9, 2, 0, 1), [1, 2, 0, 1, 2, 0, 1, 2, 0]);
            first.Evaluated(new EvaluationTotals(new WeightsVersion(2), 9, 0.5, 7 / 9.0, 1), [0, 1, 2, 0, 1, 2, 0, 0, 0]);
        }
        using (var second = Open(_world.Folder, logged: 2))
        {
            second.Committed(Step(2));
            second.Committed(Step(3));
            second.Traced("worker-0", Spans(("forward", 20)));
        }
        var evaluation = EvaluationFile.Read(_world.Folder)!;
        Assert.Equal((2L, 9L, 0.5), (evaluation.Step, evaluation.Samples, evaluation.Loss));
        Assert.Equal([(0, 0, 3L), (1, 0, 1L), (1, 1, 2L), (2, 0, 1L), (2, 2, 2L)], evaluation.Confusion);
        Assert.Equal([3L, 2L, 2L], evaluation.RightByLabel());
        var phases = PhaseFile.Read(_world.Folder);
        Assert.Equal(3, phases.Steps);
        Assert.Equal((3L, 0.06), (phases.Phases["forward"].Count, Math.Round(phases.Phases["forward"].Seconds, 9)));
        Assert.Equal((1L, 0.05), (phases.Phases["backward"].Count, Math.Round(phases.Phases["backward"].Seconds, 9)));
        Assert.Empty(_said);
    }

    [Fact]
    public void A_disk_that_refuses_is_told_once()
    {
        using (var keeper = Open(_world.PathOf("missing")))
        {
            keeper.Committed(Step(1));
            keeper.Traced("worker-0", Spans(("forward", 30)));
            keeper.Evaluated(new EvaluationTotals(new WeightsVersion(1), 9, 2, 0, 1), [1, 2, 0, 1, 2, 0, 1, 2, 0]);
            keeper.Rested();
            keeper.Rested();
        }
        Assert.Contains("Training goes on", Assert.Single(_said));
    }
}
