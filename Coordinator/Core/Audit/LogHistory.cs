using Cluster.Contracts;

namespace Cluster.Coordinator.Core.Audit;

/// <summary>What the lines of a log show together, line by line in the order of the log.</summary>
/// <exception cref="UserMistakeException">The options cannot be those of a run.</exception>
internal sealed class LogHistory(RunOptions options, int trainingSamples, int maxFindings)
{
    private readonly FindingList _findings = new(maxFindings);
    private readonly HashSet<long> _seen = [];
    private readonly HashSet<long> _terms = [];
    private readonly SortedDictionary<WorkerId, (long Leaves, long Samples)> _workers = [];
    private readonly List<SkippedStep> _skipped = [];
    private readonly List<LeftOutSample> _leftOut = [];
    private readonly Dictionary<long, EpochTally> _epochs = [];
    private readonly RateAudit _rates = new(options, trainingSamples);
    private readonly int _stepsPerEpoch = StepPlan.StepsPerEpoch(trainingSamples, options.Batch);
    private long _next = 1, _damaged, _firstTerm, _highestTerm;
    private long _leaves, _proven, _applied, _skippedCount, _retried, _leftOutCount;

    private sealed class EpochTally
    {
        public long Proven;
        public long LeftOut;
        public bool Repeated;
    }

    public void Add(LineVerdict verdict, int line)
    {
        if (verdict.Content is not { Record: var record } || !verdict.InReach)
        {
            _damaged++;
            _findings.Add(verdict.Findings);
            return;
        }
        var isNew = CheckOrder(record, line);
        CheckTerm(record, line);
        _findings.Add(verdict.Findings);
        if (_rates.Mistake(record, isNew) is { } mistake) _findings.Add(AuditFault.LearningRateDiffers, line, record.Step.Value, null, mistake);
        if (record.Attempt > 1) _retried++;
        foreach (var leaf in record.Leaves)
        {
            var share = _workers.GetValueOrDefault(leaf.Worker);
            _workers[leaf.Worker] = (share.Leaves + 1, share.Samples + leaf.Samples);
        }
        _leaves += verdict.LeavesChecked;

        var tally = Tally((record.Step.Value - 1) / _stepsPerEpoch);
        if (!isNew)
        {
            tally.Repeated = true;
            return;
        }
        tally.Proven += verdict.SamplesProven;
        tally.LeftOut += verdict.LeftOut.Count;
        _leftOutCount += verdict.LeftOut.Count;
        foreach (var sample in verdict.LeftOut.Take(maxFindings - _leftOut.Count)) _leftOut.Add(new LeftOutSample(record.Step.Value, sample));
        _proven += verdict.SamplesProven;
        if (record.Applied) _applied += verdict.SamplesProven;
        else Skip(record);
    }

    /// <param name="cutBytes">Behind the last whole line.</param>
    public AuditReport Finish(long totalSteps, long? claimedSteps, long cutBytes)
    {
        var last = _next - 1;
        if (claimedSteps > last + _damaged)
        {
            _findings.Add(AuditFault.LogShortened, 0, null, null, last == 0
                ? $"holds no step, but the run's summary claims {claimedSteps}"
                : $"ends with step {last}, but the run's summary claims {claimedSteps}");
        }
        var over = last / _stepsPerEpoch;
        var whole = _epochs.Count(e => e.Key < over && e.Value.Proven + e.Value.LeftOut == trainingSamples && !e.Value.Repeated);
        var partial = last % _stepsPerEpoch == 0 ? null : new PartialEpoch(over, Tally(over).Proven);
        return new AuditReport(
            _seen.Count, totalSteps, trainingSamples, _leaves, _proven, _applied, whole, over - whole, partial, _skipped, _skippedCount, _retried,
            _firstTerm, _highestTerm, _terms.Count, [.. _workers.Select(static w => new WorkerShare(w.Key, w.Value.Leaves, w.Value.Samples))],
            cutBytes, _findings.Listed, _findings.Count)
        {
            LeftOut = _leftOut,
            LeftOutCount = _leftOutCount,
        };
    }

    private EpochTally Tally(long epoch)
    {
        if (!_epochs.TryGetValue(epoch, out var tally)) _epochs[epoch] = tally = new EpochTally();
        return tally;
    }

    private void Skip(CommitRecord record)
    {
        _skippedCount++;
        if (_skipped.Count < maxFindings) _skipped.Add(new SkippedStep(record.Step.Value, record.Epoch, record.Samples));
    }

    /// <returns>False for a step that was in the log before.</returns>
    private bool CheckOrder(CommitRecord record, int line)
    {
        var step = record.Step.Value;
        if (!_seen.Add(step))
        {
            _findings.Add(AuditFault.StepRepeated, line, step, null, $"the step is in the log a second time: its {record.Samples} samples were taken twice");
            return false;
        }
        if (step < _next)
        {
            _findings.Add(AuditFault.StepMissing, line, step, null, $"the step stands behind step {_next - 1}: steps are committed in order");
        }
        else if (step > _next + _damaged)
        {
            // Each damaged line before this one may have held one of the steps.
            var which = step - 1 == _next ? $"step {_next} is" : $"steps {_next} to {step - 1} are";
            _findings.Add(AuditFault.StepMissing, line, step, null, $"{which} missing before this one{(_damaged > 0 ? " or damaged" : "")}: those samples are not proven to have been applied");
        }
        _next = Math.Max(_next, step + 1);
        _damaged = 0;
        return true;
    }

    private void CheckTerm(CommitRecord record, int line)
    {
        var term = record.Term.Value;
        if (_terms.Count == 0) _firstTerm = term;
        else if (term < _highestTerm)
            _findings.Add(AuditFault.TermFalls, line, record.Step.Value, null, $"term {term} after term {_highestTerm}: terms never fall, so an old coordinator wrote this");
        _highestTerm = Math.Max(_highestTerm, term);
        _terms.Add(term);
    }
}
