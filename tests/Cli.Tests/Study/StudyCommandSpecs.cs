using Cluster.Cli.Configuration;
using Cluster.Cli.Study;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Study;

public sealed class StudyCommandSpecs
{
    private static readonly World Anywhere = new();

    private static StudyCommand Command(double? minutes = null, string[]? models = null, string[]? variants = null, params string[] flagsAndValues) =>
        new(Studies.WeightDecay, minutes, models, variants, [.. flagsAndValues.Chunk(2).Select(static pair =>
            new Setting(OptionTable.Rows.Single(row => row.Flag == pair[0]), pair[1], $"{pair[0]} {pair[1]}", RunResolver.FromCommandLine))]);

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once()
    {
        var mistakes = Command(0, ["small-cn", "resnet20", "resnet20"], ["none", "l3"], "--steps", "4", "--epochs", "2", "--model", "resnet18", "--penalty", "l2").Mistakes([]);
        Assert.Equal(
            [
                "--minutes 0: give more than 0, at most 10080 (a week)",
                "--minutes and --steps exclude each other: the length of a cell follows from the time, or is given",
                "--steps and --epochs exclude each other: give the length of a cell once",
                "--model: a study compares several: --models NAME,…",
                "--penalty: a study of weight-decay sets it in every cell; --variants chooses among none, l2, decoupled, l1, elastic-net, max-norm",
            ],
            mistakes.Where(static mistake => !mistake.StartsWith("--models", StringComparison.Ordinal) && !mistake.StartsWith("--variants", StringComparison.Ordinal)));
        Assert.Contains(mistakes, static mistake => mistake.StartsWith("--models small-cn: unknown model; did you mean small-cnn?", StringComparison.Ordinal));
        Assert.Contains("--models: resnet20 is named twice", mistakes);
        Assert.Contains(mistakes, static mistake => mistake.StartsWith("--variants l3: unknown penalty", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(-1)]
    [InlineData(1e9)]
    public void A_time_that_makes_no_sense_is_refused(double minutes) => Assert.Single(Command(minutes).Mistakes([]));

    [Fact]
    public void Options_of_the_command_line_hold_for_all_cells()
    {
        var shared = Command(null, null, null, "--batch", "64", "--weight-decay", "0.002", "--flip", "true").SharedOptions(Anywhere.Environment, []);
        Assert.Equal((64, 0.002, true), (shared.Batch, shared.Optimizer.WeightDecay, shared.Augmentation.Flip));
        Assert.Equal(Studies.WeightDecay.Base.Schedule, shared.Schedule);
    }

    [Fact]
    public void The_same_command_goes_on_and_where_it_is_carried_out_may_change()
    {
        var command = Command(null, ["small-cnn"], ["none", "l2"], "--steps", "9", "--batch", "64", "--lr", "0.2", "--data", "synthetic");
        var plan = StudyPlanner.ForSteps(command.Request(command.SharedOptions(Anywhere.Environment, []), 390, 10_000), 9);
        Assert.Equal(2, command.Placed(plan, "s", Anywhere.Environment).Workers);
        Assert.Equal((5, 64), (Command(null, null, null, "--workers", "5").Placed(plan, "s", Anywhere.Environment).Workers, Command().Placed(plan, "s", Anywhere.Environment).Batch));
    }

    [Fact]
    public void Whatever_decides_the_result_must_be_as_it_was_planned()
    {
        var first = Command(10, ["small-cnn"], ["none", "l2"], "--batch", "64", "--data", "synthetic");
        var plan = StudyPlanner.ForMinutes(first.Request(first.SharedOptions(Anywhere.Environment, []), 390, 10_000), 10, 0, StudyFixtures.Probes);
        var other = Command(11, ["resnet20"], ["none", "l1"], "--batch", "32", "--seed", "3", "--lr", "0.1");
        Assert.Equal(
            [
                "--minutes 11: the study in s was planned with 10; go on without it, or choose another folder",
                "--models resnet20: the study in s was planned with small-cnn; go on without it, or choose another folder",
                "--variants none,l1: the study in s was planned with none,l2; go on without it, or choose another folder",
                "--batch 32: the study in s was planned with 64; go on without it, or choose another folder",
                "--seed 3: the study in s was planned with 1; go on without it, or choose another folder",
                "--lr 0.1: the study in s was planned with a rate for each model; go on without it, or choose another folder",
            ],
            Assert.Throws<UserMistakeException>(() => other.Placed(plan, "s", Anywhere.Environment)).Message.Split('\n'));
        Assert.Contains($"--steps 4: the study in s was planned with {plan.Steps} steps", Assert.Throws<UserMistakeException>(() => Command(null, null, null, "--steps", "4").Placed(plan, "s", Anywhere.Environment)).Message);
    }
}
