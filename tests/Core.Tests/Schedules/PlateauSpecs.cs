using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

/// <summary>Golden folds are in <see cref="LearningRateScheduleSpecs"/>.</summary>
public sealed class PlateauSpecs
{
    private static readonly ScheduleOptions Options = new() { Kind = "plateau", LearningRate = 1, Gamma = 0.5, Patience = 0 };

    private static EvaluationNote Note(long version, double loss) => new(new WeightsVersion(version), loss, 0.5);

    [Fact]
    public void A_fold_over_the_log_gives_the_rate_that_the_run_had()
    {
        var schedule = LearningRateSchedule.Create(Options, 100, 4);
        var (live, log) = (new RunCourse(schedule, new EarlyStopping(new EarlyStoppingOptions())), new List<EvaluationNote>());
        var rates = new List<double>();
        foreach (var (step, loss) in new (long, double?)[] { (1, null), (2, 2.0), (3, null), (4, 2.5), (5, 1.9), (6, 1.95) })
        {
            if (loss is { } known)
            {
                live = live.Knowing(Note(step - 1, known));
                log.Add(Note(step - 1, known));
            }
            rates.Add(live.Schedule.At(new StepId(step)));
            Assert.Equal(rates[^1], new RunCourse(schedule, live.Stopping).Knowing(log).Schedule.At(new StepId(step)));
        }
        Assert.Equal([1, 1, 1, 0.5, 0.5, 0.25], rates);
    }

    [Fact]
    public void Evaluations_before_the_end_of_the_warm_up_say_nothing()
    {
        var schedule = LearningRateSchedule.Create(Options with { WarmupEpochs = 1 }, 100, 4);
        schedule = schedule.Knowing(Note(1, 0.1)).Knowing(Note(3, 0.2));
        Assert.Equal(1, schedule.At(new StepId(5)));
        schedule = schedule.Knowing(Note(4, 0.3));
        Assert.Equal(1, schedule.At(new StepId(5)));
        Assert.Equal(0.5, schedule.Knowing(Note(5, 0.3)).At(new StepId(6)));
    }

    [Fact]
    public void Other_schedules_do_not_listen_to_evaluations()
    {
        foreach (var kind in ScheduleRules.Kinds)
        {
            var schedule = LearningRateSchedule.Create(new ScheduleOptions { Kind = kind, Milestones = [3], Patience = 0 }, 100, 4);
            Assert.Equal(kind == "plateau", schedule.FollowsEvaluations);
            Assert.Equal(kind != "plateau", ReferenceEquals(schedule, schedule.Knowing(Note(1, 5)).Knowing(Note(2, 6))));
        }
    }
}
