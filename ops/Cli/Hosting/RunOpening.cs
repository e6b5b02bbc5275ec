using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Hosting;

/// <summary>Where a run begins: at step 1 with an empty log, or where an earlier process left it.</summary>
/// <param name="CounterBase">What counters stood at before the run's first step.</param>
/// <param name="Finished">The result, when nothing is left to do; the caller disposes it.</param>
/// <param name="Logged">What the log held.</param>
/// <param name="Version">Of the newest whole checkpoint; 0 = the first weights.</param>
internal sealed record RunOpening(IReadOnlyDictionary<string, long> CounterBase, LoadedCheckpoint? Finished, IReadOnlyList<CommitLine> Logged, WeightsVersion Version)
{
    /// <summary>The run stopped early: <see cref="Finished"/> is its best version. Null = it did not.</summary>
    public EarlyEnd? Early { get; init; }

    private static readonly Dictionary<string, long> NoCounters = [];

    public static readonly RunOpening New = new(NoCounters, null, [], WeightsVersion.Initial);

    /// <summary>Looks at the log and the newest whole checkpoint; says what was passed over, cut, and will be replayed.</summary>
    /// <exception cref="UserMistakeException">The log is damaged, or longer than the steps asked for.</exception>
    public static RunOpening Resume(RunFolder folder, ParameterLayout layout, long totalSteps, ITrainingObserver observer) =>
        Open(folder, layout, totalSteps, observer, (from, recorded, _) => ("resumed", $"Resumed from {from}; {recorded} recorded steps are replayed."));

    /// <summary>The same for a coordinator whose shards may be alive: then nothing is replayed, and if they are not, the new term tells.</summary>
    /// <inheritdoc cref="Resume" path="/exception"/>
    public static RunOpening TakeOver(RunFolder folder, ParameterLayout layout, long totalSteps, ITrainingObserver observer) =>
        Open(folder, layout, totalSteps, observer, (_, _, last) => ("took-over", $"Took over at step {last.Step} (term {last.Term.Next()} comes next)."));

    private static RunOpening Open(
        RunFolder folder, ParameterLayout layout, long totalSteps, ITrainingObserver observer, Func<string, long, (StepId Step, Term Term), (string Kind, string Sentence)> opened)
    {
        var content = ReadLog(RunStore.LogOf(folder.Location));
        if (content.CutBytes > 0) Say("log-cut", $"The last line of {RunFolder.CommitsName} was torn ({content.CutBytes} bytes without a newline) and is cut: that step was never committed.");
        var logged = content.Lines.Count == 0 ? new StepId(0) : content.Lines[^1].Record.Step;
        // An end that is in the summary is final: other steps than those asked for now would not have been taken either.
        if (EarlyEnd.Read(folder.Location) is { } early && early.StoppedAt == logged.Value)
            return new RunOpening(NoCounters, early.Load(folder.Location, layout), content.Lines, new WeightsVersion(early.BestStep)) { Early = early };
        if (logged.Value > totalSteps) throw new UserMistakeException($"{folder.Location} has committed {logged} steps already; --steps {totalSteps} would go back. Give at least {logged}.");

        var search = CheckpointStore.OpenForWriting(folder.Location).FindNewest(layout);
        foreach (var passed in search.PassedOver) Say("checkpoint-passed-over", $"Checkpoint {passed.Path} is passed over: {passed.Reason}");
        var loaded = search.Newest is { } newest ? CheckpointStore.Load(newest.Path, layout) : null;
        if (loaded is not null && loaded.Version.Value > logged.Value && loaded.Version.Value > 0)
            throw new UserMistakeException($"{folder.Location}: the checkpoint of step {loaded.Version} is newer than the log, which ends at step {logged}; {RunFolder.CommitsName} was cut by hand or lost. Put the whole file back, or move {loaded.Path} away to go on from an earlier one");
        var version = loaded?.Version ?? WeightsVersion.Initial;
        var counterBase = loaded?.Counters.ToDictionary(c => c.Key, c => c.Value - loaded.AppliedSteps, StringComparer.Ordinal) ?? NoCounters;
        if (loaded is not null && version.Value == totalSteps) return new RunOpening(counterBase, loaded, content.Lines, version);

        var recorded = logged.Value - version.Value;
        var from = loaded is null ? "the seeded first weights (there is no whole checkpoint)" : $"{loaded.Path}, step {version}";
        var (kind, sentence) = opened(from, recorded, (logged, TermOf(folder, content)));
        Say(kind, sentence);
        loaded?.Dispose();
        return new RunOpening(counterBase, null, content.Lines, version);

        void Say(string kind, string sentence)
        {
            folder.Events.Append(kind, sentence, "coordinator");
            observer.Said(sentence);
        }
    }

    private static Term TermOf(RunFolder folder, CommitLogContent content)
    {
        var written = RunStore.TermOf(folder.Location);
        var logged = content.Lines.Select(static line => line.Record.Term).DefaultIfEmpty(new Term(0)).Max();
        return written > logged ? written : logged;
    }

    private static CommitLogContent ReadLog(string path)
    {
        if (!File.Exists(path)) return new CommitLogContent([], 0, 0);
        try
        {
            return CommitLog.Read(File.ReadAllBytes(path));
        }
        catch (CommitLogException e)
        {
            throw new UserMistakeException($"{Path.GetDirectoryName(path)} cannot be resumed: {e.Message}", e);
        }
    }
}
