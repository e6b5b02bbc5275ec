using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>Rules that look at whole tensors or rows, which may lie on several shards: the same bits however they are cut, and after faults.</summary>
public sealed class RuleRunSpecs
{
    private const int Steps = 4;

    private static readonly Dictionary<string, OptimizerOptions> Rules = new()
    {
        ["clip-parameter-norm"] = new OptimizerOptions { ClipParameterNorm = 0.05 },
        ["lars"] = new OptimizerOptions { Kind = "lars", Nesterov = false, TrustCoefficient = 0.02, ClipNorm = 1 },
        ["clip-value"] = new OptimizerOptions { ClipValue = 1e-3 },
        ["clip-adaptive"] = new OptimizerOptions { ClipAdaptive = 0.01 },
        ["adam"] = new OptimizerOptions { Kind = "adam", EmaDecay = 0.5, ClipNorm = 1e-3 },
        ["max-norm"] = new OptimizerOptions { MaxNorm = 0.3, EmaDecay = 0.5 },
    };

    public static TheoryData<string> Names => [.. Rules.Keys];

    private static string Bits(IEnumerable<CommitRecord> log) => string.Join('\n', log.Select(static r =>
        string.Join(' ', new[] { r.Loss, r.GradNorm, r.Scale }.Concat(r.TensorScales ?? []).Select(static x => BitConverter.DoubleToInt64Bits(x).ToString("x16")))));

    [Theory]
    [MemberData(nameof(Names))]
    public async Task State_and_factors_are_the_same_for_any_cut_and_when_shards_are_lost(string name)
    {
        var options = Rules[name];
        var calm = await new LocalRun { Workers = 1, Steps = Steps, Optimizer = options }.RunAsync();
        Assert.True(calm.End == RunEnd.Finished, calm.Reason);
        Assert.Equal(options.NeedsTensorSums(), calm.Log[0].TensorScales is { Count: 3 });
        if (options.MaxNorm == 0) Assert.Contains(calm.Log, r => r.Scale < 1 || r.TensorScales is { } t && t.Min() < 1);
        var cut = await new LocalRun { Workers = 3, Shards = 3, Steps = Steps, Optimizer = options }.RunAsync();
        Assert.Equal(Bits(calm.Log), Bits(cut.Log));
        Assert.Equal((calm.Hash, calm.Evaluations[^1]), (cut.Hash, cut.Evaluations[^1]));

        // A standby is promoted in mid-step; without standbys the shards load the first weights and replay two steps.
        foreach (var replicas in new[] { 1, 0 })
        {
            await using var run = new ClusterRun { Steps = Steps, Shards = 2, Replicas = replicas, Optimizer = options };
            var isKilled = 0;
            run.OnLeaf = (_, step, _) =>
            {
                if (step.Value != 3 || Interlocked.Exchange(ref isKilled, 1) != 0) return;
                run.KillNode(0);
                if (replicas == 0) run.StartNode(0);
            };
            var recorder = run.Start();
            var outcome = await recorder.End.WaitAsync(ClusterRun.Patience);
            Assert.True(outcome.End == RunEnd.Finished, $"{outcome.End}: {outcome.Reason}\n{string.Join('\n', recorder.Sentences)}");
            Assert.Equal(calm.Hash, outcome.StateSha256);
            Assert.Equal(Bits(calm.Log), Bits(run.Log()));
            Assert.Equal(replicas == 0, recorder.Commits.Any(static c => c.IsReplay));
        }
    }
}
