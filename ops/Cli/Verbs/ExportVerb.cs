using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster export RUN FILE</c>: a checkpoint's model as a PyTorch state_dict.</summary>
internal sealed class ExportVerb : IVerb
{
    private readonly Argument<string?> _run = new("run") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Argument<string?> _file = new("file") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string> _step = new("--step") { Description = "The checkpoint of this step; unset: the newest whole one, or the best one of a run that stopped early." };
    private readonly Option<bool> _last = new("--last") { Description = "The weights themselves where the run kept their average." };
    private readonly Option<bool> _force = new("--force") { Description = "Replace a file that is there." };

    public ExportVerb() => Command = new Command("export", "Write a run's model as a PyTorch state_dict.") { _run, _file, _step, _last, _force };

    public Command Command { get; }

    public string HelpText =>
        """
        cluster export RUN FILE [--step N] [--last] [--force]

        Writes the model of the run's newest whole checkpoint (its best one when it stopped early) into FILE: a PyTorch
        state_dict under torchvision's names, as safetensors, bit for bit; of a run with --ema-decay, the average of its weights.
        In Python: model.load_state_dict(safetensors.torch.load_file("FILE")).

          --step N    The checkpoint of this step instead.
          --last      The weights of that step instead of their average.
          --force     Replace FILE if it is there.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        if (parse.GetValue(_run) is not { } run || parse.GetValue(_file) is not { } file)
            throw new UserMistakeException("cluster export needs a run and a file: cluster export runs/NAME model.safetensors ('cluster runs' lists runs)");
        if (!Directory.Exists(run)) throw new UserMistakeException($"there is no run {run}: give the folder of a run, as 'cluster runs' lists them");
        var store = new CheckpointStore(run);
        var checkpoint = RowOptions.TextOf(parse, _step) is { } step ? OfStep(store, run, step)
            : EarlyEnd.Read(run) is { } early ? OfStep(store, run, early.BestStep.ToString(CultureInfo.InvariantCulture))
            : Newest(store, run);
        var isAverage = !parse.GetValue(_last) && StateSource.OrMistake(() => ModelExport.HasAverage(checkpoint.Path));
        var bytes = StateSource.OrMistake(() => ModelExport.Copy(checkpoint.Path, file, parse.GetValue(_force), isAverage));
        Console.Out.WriteLine($"{file}: the {(isAverage ? "average of the weights" : "model")} of {checkpoint.Path}, {bytes:N0} bytes");
        return Task.FromResult(ExitCodes.Done);
    }

    private static CheckpointInfo Newest(CheckpointStore store, string run)
    {
        var search = store.FindNewest(expected: null);
        foreach (var passed in search.PassedOver) Console.Error.WriteLine($"cluster: checkpoint {passed.Path} is passed over: {passed.Reason}");
        return search.Newest ?? throw new UserMistakeException($"{run} holds no whole checkpoint");
    }

    private static CheckpointInfo OfStep(CheckpointStore store, string run, string text)
    {
        if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step)) throw new UserMistakeException($"--step {text}: must be a whole number, at least 0");
        var kept = store.List();
        return kept.FirstOrDefault(checkpoint => checkpoint.Version.Value == step) ?? throw new UserMistakeException(kept.Count == 0
            ? $"{run} holds no whole checkpoint"
            : $"--step {step}: {run} keeps no whole checkpoint of that step, only of {string.Join(", ", kept.Select(checkpoint => checkpoint.Version.Value).Order())}");
    }
}
