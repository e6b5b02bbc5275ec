using System.Collections.Concurrent;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Core;

namespace Cluster.Actors.Tests;

/// <summary>Keeps what a coordinator tells its host, and lets a test wait for it.</summary>
internal sealed class RunRecorder : IRunListener
{
    private readonly TaskCompletionSource<RunOutcome> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource Came)> _awaited = [];

    public ConcurrentQueue<(CommitRecord Record, bool IsReplay)> Commits { get; } = [];
    public ConcurrentQueue<EvaluationTotals> Evaluations { get; } = [];
    public ConcurrentQueue<string> Sentences { get; } = [];
    public ConcurrentQueue<CheckpointWritten> Checkpoints { get; } = [];

    /// <summary>Runs on the coordinator's thread.</summary>
    public Action<StepId>? OnBegun { get; init; }

    public Task<RunOutcome> End => _end.Task;

    /// <summary>Completes when such a sentence has been said, written as <c>kind node: sentence</c>.</summary>
    public Task Hears(Func<string, bool> wanted)
    {
        lock (_awaited)
        {
            var came = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (Sentences.Any(wanted)) came.SetResult();
            else _awaited.Add((wanted, came));
            return came.Task;
        }
    }

    public void Begun(StepId step) => OnBegun?.Invoke(step);

    public void Committed(CommitRecord record, TimeSpan sincePrevious, bool replayed) => Commits.Enqueue((record, replayed));

    public void Evaluated(EvaluationTotals totals, IReadOnlyList<int> predictions) => Evaluations.Enqueue(totals);

    public void Checkpointed(CheckpointWritten checkpoint)
    {
        Checkpoints.Enqueue(checkpoint);
        Said("checkpoint", "coordinator", $"step {checkpoint.Version}");
    }

    public void Said(string kind, string node, string sentence)
    {
        lock (_awaited)
        {
            var text = $"{kind} {node}: {sentence}";
            Sentences.Enqueue(text);
            foreach (var (_, came) in _awaited.Where(a => a.Wanted(text))) came.TrySetResult();
        }
    }

    public void Ended(RunOutcome outcome) => _end.TrySetResult(outcome);
}
