using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>
/// The learning rate as a pure function of the step. Step t has the rate that PyTorch's scheduler of the same name has
/// after t-1 calls of <c>scheduler.step()</c>; steps beyond the schedule's end hold its last value.
/// </summary>
public abstract class LearningRateSchedule
{
    private LearningRateSchedule() { }

    /// <summary>The rate of <paramref name="step"/>, from 1.</summary>
    public double At(StepId step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step.Value, 1, nameof(step));
        return After(step.Value - 1);
    }

    /// <summary>The rate after so many completed steps.</summary>
    protected abstract double After(long steps);

    /// <param name="totalSteps">Steps that the schedule spans unless the options say so.</param>
    /// <param name="stepsPerEpoch">Turns the options' epochs into steps.</param>
    /// <exception cref="UserMistakeException">Unknown kind, or a number out of range.</exception>
    public static LearningRateSchedule Create(ScheduleOptions options, long totalSteps, long stepsPerEpoch)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(stepsPerEpoch, 1);
        Require(double.IsFinite(options.LearningRate) && options.LearningRate >= 0, $"learning rate {options.LearningRate} must be a number of at least 0");
        switch (options.Kind)
        {
            case "constant":
                return new Constant(options.LearningRate);
            case "step":
                Require(double.IsFinite(options.Gamma) && options.Gamma >= 0, $"schedule 'step': gamma {options.Gamma} must be a number of at least 0");
                Require(double.IsFinite(options.StepEpochs) && options.StepEpochs > 0, $"schedule 'step': {options.StepEpochs} epochs between drops must be more than 0");
                return new Step(options.LearningRate, options.Gamma, Math.Max(1, (long)Math.Round(options.StepEpochs * stepsPerEpoch)));
            case "one-cycle":
                var total = options.TotalSteps ?? totalSteps;
                Require(total >= 1, $"schedule 'one-cycle' over {total} steps: it needs at least 1");
                Require(options.PercentStart is >= 0 and <= 1, $"schedule 'one-cycle': the rising share {options.PercentStart} must be between 0 and 1");
                Require(options.DivFactor > 0 && options.FinalDivFactor > 0, "schedule 'one-cycle': both division factors must be more than 0");
                Require(options.Anneal is "cos" or "linear", $"schedule 'one-cycle': unknown anneal '{options.Anneal}'; use cos or linear");
                return new OneCycle(options, total);
            default:
                throw new UserMistakeException($"unknown schedule '{options.Kind}'; use constant, step or one-cycle");
        }
    }

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new UserMistakeException(message);
    }

    private sealed class Constant(double rate) : LearningRateSchedule
    {
        protected override double After(long steps) => rate;
    }

    /// <summary>torch.optim.lr_scheduler.StepLR: rate · gamma^⌊steps / every⌋.</summary>
    private sealed class Step(double rate, double gamma, long every) : LearningRateSchedule
    {
        protected override double After(long steps)
        {
            // Multiplied out as PyTorch does it, drop by drop: a power function's last bit depends on the C library.
            var value = rate;
            for (var drop = steps / every; drop > 0; drop--)
            {
                var next = value * gamma;
                if (next == value) break;
                value = next;
            }
            return value;
        }
    }

    /// <summary>torch.optim.lr_scheduler.OneCycleLR with two phases (Smith and Topin, 2018), without its cycling of the momentum.</summary>
    private sealed class OneCycle : LearningRateSchedule
    {
        private readonly double _initial, _highest, _lowest, _riseEnd, _fallEnd;
        private readonly bool _cosine;

        public OneCycle(ScheduleOptions options, long total)
        {
            _highest = options.LearningRate;
            _initial = _highest / options.DivFactor;
            _lowest = _initial / options.FinalDivFactor;
            _riseEnd = options.PercentStart * total - 1;
            _fallEnd = total - 1;
            _cosine = options.Anneal == "cos";
        }

        protected override double After(long steps)
        {
            var at = Math.Min(steps, _fallEnd);
            return at <= _riseEnd
                ? Anneal(_initial, _highest, Share(at, _riseEnd))
                : Anneal(_highest, _lowest, Share(at - _riseEnd, _fallEnd - _riseEnd));
        }

        /// <summary>A phase of no length is at its end (PyTorch divides by zero there).</summary>
        private static double Share(double passed, double length) => length > 0 ? passed / length : 1;

        private double Anneal(double from, double to, double share) =>
            _cosine ? to + (from - to) / 2.0 * (Math.Cos(Math.PI * share) + 1) : (to - from) * share + from;
    }
}
