using System.Globalization;
using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Cli.Verbs;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Study;

/// <summary>Plans a study or goes on with one, trains its cells in turn, and writes its outputs after each.</summary>
internal sealed class StudyRunner(StudyCommand command, TrainingJob job, CellEvaluation evaluate, StudyDisplay display)
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <param name="folder">Absolute; may not exist yet.</param>
    /// <exception cref="UserMistakeException">The folder holds something else, or options differ from the plan in it.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> was triggered; the message says how to go on.</exception>
    /// <exception cref="ClusterException">A cell failed for another reason than that it diverged.</exception>
    public async Task<StudyState> RunAsync(string folder, CancellationToken stop)
    {
        var environment = new ResolveEnvironment();
        var stored = StudyFolder.PlanIn(folder, command.Study.Name);
        // Everything that can be wrong is found before the folder is made.
        var placed = stored is null ? command.SharedOptions(environment, []) : command.Placed(stored, folder, environment);
        if (stored is null) HelpVerb.Refuse(CellMistakes(placed, environment));
        await DataVerb.EnsureAsync(placed, stop);
        using var claim = Claim(folder);
        var plan = stored;
        try
        {
            plan ??= await PlanAsync(placed, folder, stop);
            if (stored is null) StudyFolder.Replace(Path.Combine(folder, StudyPlanFile.Name), Utf8.GetBytes(StudyPlanFile.Write(plan)));
            return await TrainAsync(StudyFolder.StateIn(folder, plan), folder, stored is null ? plan.Base : placed, stop);
        }
        catch (OperationCanceledException e)
        {
            var sentence = plan is null
                ? "interrupted before the study was planned: give the same command again"
                : $"interrupted; go on with: ./cluster study {command.Study.Name} --out {folder}";
            throw new OperationCanceledException(sentence, new ClusterException(sentence, e), stop);
        }
    }

    private async Task<StudyState> TrainAsync(StudyState state, string folder, RunOptions placed, CancellationToken stop)
    {
        display.Begin(state);
        Write(state, folder);
        var cells = new CellRunner(job, evaluate, state.Plan, folder, placed);
        while (state.Next is { } cell)
        {
            stop.ThrowIfCancellationRequested();
            var outcome = await display.ShowAsync(state, cell, observer => cells.RunAsync(cell, observer, stop));
            state = state.With(outcome);
            Write(state, folder);
            display.Ended(state, cell, outcome);
        }
        return state;
    }

    /// <summary>The steps of a cell: as given, or as the time allows by what a step of each model is found to cost.</summary>
    private async Task<StudyPlan> PlanAsync(RunOptions shared, string folder, CancellationToken stop)
    {
        var (train, test) = Datasets.Open(DataRequest.Of(shared));
        using var trainSet = train;
        using var testSet = test;
        if (test.Count == 0) throw new UserMistakeException($"--data {shared.Data}: the data set has no test split to compare on");
        var stepsPerEpoch = StepPlan.StepsPerEpoch(train.Count, shared.Batch);
        var request = command.Request(shared, stepsPerEpoch, test.Count);
        var (minutes, steps) = command.Length(shared, stepsPerEpoch);
        if (steps is { } given) return StudyPlanner.ForSteps(request, given);

        var started = TimeProvider.System.GetTimestamp();
        var probes = new List<StudyProbe>();
        foreach (var cell in StudyPlan.CellsOf([request.Variants[0]], request.Models, shared, request.IsRateGiven))
        {
            var probe = await StudyProber.MeasureAsync(job, folder, StudyPlan.Applied(cell, shared), stop);
            probes.Add(probe);
            display.Say(string.Create(CultureInfo.InvariantCulture, $"{probe.Model}: a step takes {probe.StepSeconds:0.00} s, a run {probe.SetupSeconds:0.0} s beside its steps, an image {probe.ImageSeconds * 1000:0.0} ms to evaluate"));
        }
        return StudyPlanner.ForMinutes(request, minutes!.Value, TimeProvider.System.GetElapsedTime(started).TotalSeconds, probes);
    }

    /// <summary>Contradictions of single cells with what was given.</summary>
    private List<string> CellMistakes(RunOptions shared, ResolveEnvironment environment)
    {
        var mistakes = new List<string>();
        var request = command.Request(shared, stepsPerEpoch: 1, testSamples: 1);
        // What contradicts a variant does so whatever the model.
        foreach (var cell in StudyPlan.CellsOf(request.Variants, [request.Models[0]], shared, request.IsRateGiven))
        {
            var own = new List<string>();
            RunValidator.Check(StudyPlan.Applied(cell, shared), SettingsInForce.Unknown, new HashSet<string>(), environment, own);
            mistakes.AddRange(own.Select(mistake => $"{command.Study.Axis} {cell.Variant}: {mistake}"));
        }
        return mistakes;
    }

    private string CommandFor(StudyState state, string folder) =>
        $"./cluster study {command.Study.Name} {(state.IsComplete ? state.Plan.Minutes is { } minutes ? $"--minutes {OptionRow.Number(minutes)} " : $"--steps {state.Plan.Steps} " : "")}--out {(state.IsComplete ? "DIR" : folder)}";

    private static RunLock Claim(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"--out {folder}: cannot make the folder: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        return RunLock.Take(folder);
    }

    private void Write(StudyState state, string folder)
    {
        StudyFolder.Replace(Path.Combine(folder, StudyFolder.CsvName), Utf8.GetBytes(StudyCsv.Write(state)));
        StudyFolder.Replace(Path.Combine(folder, StudyFolder.JsonName), StudyJson.Write(state));
        StudyFolder.Replace(Path.Combine(folder, StudyFolder.PageName), Utf8.GetBytes(StudyPage.Write(state, command.Study, CommandFor(state, folder))));
    }
}
