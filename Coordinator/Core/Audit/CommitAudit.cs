using Cluster.Contracts;

namespace Cluster.Coordinator.Core.Audit;

/// <summary>
/// Proves from a run's log and configuration alone that every sample was taken exactly once per epoch: the digests that
/// workers reported of the samples they decoded are held against digests recomputed from (seed, epoch). What else the log
/// says is checked on the way: steps without gap or repeat, terms, checksums, learning rate, clipping. Pure.
/// </summary>
public static class CommitAudit
{
    /// <summary>Lines that are in memory at a time.</summary>
    private const int BlockLines = 4096;

    /// <summary>Audits a log; what is wrong with it is in the report, never thrown.</summary>
    /// <exception cref="UserMistakeException">The options cannot be those of a run, so there is nothing to hold the log against.</exception>
    public static AuditReport Run(AuditInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var options = input.Options;
        if (input.TrainingSamples < 1) throw new UserMistakeException($"a run over {input.TrainingSamples} training samples cannot be audited: training-samples must be at least 1");
        if (options.Microbatches < 1 || options.Batch < 1 || options.Batch % options.Microbatches != 0)
            throw new UserMistakeException($"a run with batch {options.Batch} and {options.Microbatches} microbatches cannot be: the batch is divisible by the microbatches");

        var lines = new LineAudit(options, input.TrainingSamples, input.SampleOrder);
        var history = new LogHistory(options, input.TrainingSamples, Math.Max(0, input.MaxFindings));
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = input.Parallelism > 0 ? input.Parallelism : Environment.ProcessorCount };
        var ranges = new List<Range>(BlockLines);
        var verdicts = new LineVerdict[BlockLines];
        var (start, number) = (0, 1);
        while (true)
        {
            start = NextLines(input.Commits.Span, start, ranges);
            if (ranges.Count == 0) break;
            Parallel.For(0, ranges.Count, parallel, i => verdicts[i] = lines.Check(input.Commits.Span[ranges[i]], number + i));
            for (var i = 0; i < ranges.Count; i++) history.Add(verdicts[i], number + i);
            number += ranges.Count;
        }
        return history.Finish(input.TotalSteps ?? options.Steps ?? LearningRateSchedule.RecipeSteps(options, input.TrainingSamples), input.ClaimedSteps, input.Commits.Length - start);
    }

    /// <summary>Finds the next whole lines; returns where the one after them begins.</summary>
    private static int NextLines(ReadOnlySpan<byte> log, int start, List<Range> ranges)
    {
        ranges.Clear();
        while (ranges.Count < BlockLines)
        {
            var length = log[start..].IndexOf((byte)'\n');
            if (length < 0) break;
            ranges.Add(start..(start + length));
            start += length + 1;
        }
        return start;
    }
}
