using System.Collections.Immutable;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>One run of a study.</summary>
/// <param name="Name">Of its folder: <c>resnet18-l2</c>.</param>
/// <param name="Settings">What it sets beside what all cells share.</param>
internal sealed record StudyCell(string Name, string Model, string Variant, ImmutableArray<CellSetting> Settings)
{
    public bool Equals(StudyCell? other) => other is not null && (Name, Model, Variant) == (other.Name, other.Model, other.Variant) && Settings.SequenceEqual(other.Settings);

    public override int GetHashCode() => HashCode.Combine(Name, Model, Variant, Settings.Length);
}

/// <summary>What a model's step was found to cost before the study was planned, on the machine and with the workers of that time.</summary>
/// <param name="SetupSeconds">From the start of a run to its second step, less one step, and from its last evaluation to its end.</param>
/// <param name="StepSeconds">One step.</param>
/// <param name="ImageSeconds">Evaluation of one image by one worker.</param>
internal sealed record StudyProbe(string Model, double SetupSeconds, double StepSeconds, double ImageSeconds);

/// <summary>What a study is: decided once, written to its folder, and read from there by whoever goes on with it.</summary>
/// <param name="Study">Name of its definition.</param>
/// <param name="Minutes">What was asked for; null when steps or epochs were.</param>
/// <param name="Steps">Of every cell: each has seen the same samples.</param>
/// <param name="StepsPerEpoch">Of the data set at the shared batch.</param>
/// <param name="TestSamples">Of the whole test set.</param>
/// <param name="Base">What all cells share; complete. Its folder is not set.</param>
/// <param name="Cells">In the order in which they are trained.</param>
/// <param name="LeftOut">Variants that the time did not allow.</param>
/// <param name="Probes">What the steps were computed from; empty when they were given.</param>
internal sealed record StudyPlan(
    string Study, double? Minutes, long Steps, int StepsPerEpoch, int TestSamples, RunOptions Base, ImmutableArray<StudyCell> Cells, ImmutableArray<string> LeftOut, ImmutableArray<StudyProbe> Probes)
{
    /// <summary>The learning rate that was given for all models; null = each has its own.</summary>
    public double? Rate { get; init; }

    /// <summary>Samples of the test set that every cell is evaluated on.</summary>
    public int Evaluated => Base.EvalSamples == 0 ? TestSamples : Math.Min(Base.EvalSamples, TestSamples);

    public double Epochs => (double)Steps / StepsPerEpoch;

    public IReadOnlyList<string> Models => [.. Cells.Select(static cell => cell.Model).Distinct()];

    public IReadOnlyList<string> Variants => [.. Cells.Select(static cell => cell.Variant).Distinct()];

    /// <summary>Everything that a cell is trained with.</summary>
    /// <param name="placed">What may differ from the plan without changing a bit: workers, shards, devices.</param>
    /// <exception cref="UserMistakeException">A setting that the option table does not take: the plan was made by another version or changed by hand.</exception>
    public RunOptions OptionsOf(StudyCell cell, RunOptions? placed = null)
    {
        var options = Applied(cell, placed ?? Base);
        return options with { Steps = Steps, Schedule = options.Schedule with { TotalSteps = Steps } };
    }

    /// <summary>The options with what the cell sets.</summary>
    /// <inheritdoc cref="OptionsOf" path="/exception"/>
    public static RunOptions Applied(StudyCell cell, RunOptions options)
    {
        ArgumentNullException.ThrowIfNull(cell);
        foreach (var setting in cell.Settings)
        {
            var row = OptionTable.ByKey(setting.Key) ?? throw new UserMistakeException($"cell {cell.Name}: unknown option {setting.Key}");
            try
            {
                options = row.Write(options, setting.Value);
            }
            catch (FormatException e)
            {
                throw new UserMistakeException($"cell {cell.Name}: {setting.Key} {setting.Value}: must be {e.Message}", e);
            }
        }
        return options;
    }

    /// <summary>Cells of these models and variants, variant by variant: what is compared first is complete first.</summary>
    /// <param name="shared">What all cells share; its rate counts when <paramref name="isRateGiven"/>, else each model's own.</param>
    public static ImmutableArray<StudyCell> CellsOf(IReadOnlyList<StudyVariant> variants, IReadOnlyList<StudyModel> models, RunOptions shared, bool isRateGiven) =>
    [
        .. from variant in variants
           from model in models
           let rate = isRateGiven ? shared.Schedule.LearningRate : model.LearningRate
           let known = shared with { Model = model.Name, Schedule = shared.Schedule with { LearningRate = rate } }
           let own = new[] { new CellSetting("model", model.Name), new CellSetting("schedule.lr", OptionRow.Number(rate)) }
           let chosen = variant.Settings(known)
           // A variant may have a rate of its own.
           select new StudyCell($"{model.Name}-{variant.Name}", model.Name, variant.Name, [.. own.Where(setting => chosen.All(other => other.Key != setting.Key)).Concat(chosen)])
    ];
}
