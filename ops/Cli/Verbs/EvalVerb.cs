using System.CommandLine;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster eval</c>: weights against the test split, over all workers.</summary>
internal sealed class EvalVerb : IVerb
{
    private static readonly string[] Keys =
        ["model", "stem", "data", "seed", "channels-last", "loss.logit-scale", "augmentation.mean", "augmentation.std", "workers", "devices-per-worker", "ps", "device", "threads"];

    private readonly Option<string> _weights = new("--weights") { Description = "A run's folder, or a safetensors file." };
    private readonly Option<bool> _last = new("--last") { Description = "The weights themselves where the run kept their average." };
    private readonly Option<bool> _json = new("--json") { Description = "Print one JSON object and nothing else." };
    private readonly RowOptions _rows;

    public EvalVerb()
    {
        Command = new Command("eval", "Evaluate weights on the test split.") { _weights, _last, _json };
        _rows = new RowOptions(Command, Keys.Select(key => OptionTable.ByKey(key)!));
    }

    public Command Command { get; }

    public string HelpText =>
        """
        cluster eval --weights RUN [--data NAME[:DIR]] [options]
        cluster eval --weights FILE --model NAME --data NAME[:DIR] [options]

        Evaluates weights on the test split, over all workers: accuracy, top-5, loss, accuracy per class, confusion matrix. The
        numbers are the same for any number of workers. Of a run, the newest whole checkpoint is taken (its best one when it
        stopped early), and what is not given comes from its config.yaml; of a run with --ema-decay, the average of its weights.
        A file is a PyTorch state_dict written as safetensors.

          --last                Of a run with --ema-decay, the weights of the last step instead of their average.
          --model NAME          Architecture; a run knows its own.
          --stem cifar|imagenet First layers of a ResNet; unset: images of at most 64 pixels get the CIFAR stem.
          --data NAME[:DIR]     As in train: cifar10 (downloaded when missing), imagefolder:DIR, …; 'cluster help train' lists all.
          --mean X,X,X          Mean per channel of pixels in 0 to 1; unset: the run's, else the data set's own.
          --std X,X,X           Standard deviation per channel, likewise.
          --logit-scale X       Factor on the logits in the loss; unset: the run's, else 1.
          --seed N              Of the synthetic samples; unset: the run's, else 1.
          --workers N           Workers that share the test split; --ps P, --device D, --threads N and --channels-last as in train.
          --json                Print one object (accuracy and top5 from 0 to 1, loss in nats, samples, per_class, confusion by label
                                and then by prediction, model, weights, average) and nothing else.
        """;

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var (options, weights) = Resolve(RowOptions.TextOf(parse, _weights), _rows.Given(parse), mistakes);
        var asJson = parse.GetValue(_json);
        // A progress bar has no place beside one object.
        if (asJson) await Datasets.PrepareAsync(options.Data, cancellation: stop);
        else await DataVerb.EnsureAsync(options, stop);
        var report = await LocalEvaluation.RunAsync(options, weights, parse.GetValue(_last), sentence => Console.Error.WriteLine($"cluster: {sentence}"), stop);
        Console.Out.Write(asJson ? EvaluationJson.Write(report) : EvaluationText.Write(report));
        return ExitCodes.Done;
    }

    /// <exception cref="UserMistakeException">One line per mistake.</exception>
    private static (RunOptions Options, string Weights) Resolve(string? weights, List<Setting> given, IReadOnlyList<string> earlierMistakes)
    {
        var mistakes = new List<string>(earlierMistakes);
        var isRun = weights is not null && Directory.Exists(weights);
        // A run may have evaluated a part of the set to save time; who asks for an evaluation wants the whole.
        var stored = isRun ? ConfigReader.Read(weights!).Options with { EvalSamples = 0 } : new RunOptions();
        var broken = new HashSet<string>(StringComparer.Ordinal);
        var options = RowOptions.Apply(stored, given, broken, mistakes);
        if (isRun)
        {
            if (options.Model != stored.Model) mistakes.Add($"--model {options.Model}: the run in {weights} trained {stored.Model}; leave --model away");
        }
        else if (weights is null)
        {
            if (earlierMistakes.Count == 0) mistakes.Add("which weights? --weights RUN names the folder of a run ('cluster runs' lists them), --weights FILE a safetensors file");
        }
        else if (!File.Exists(weights))
        {
            mistakes.Add($"--weights {weights}: there is no such file, and no such run");
        }
        else
        {
            foreach (var (key, example) in new[] { ("model", "small-cnn"), ("data", "cifar10") })
            {
                if (given.All(setting => setting.Row.Key != key)) mistakes.Add($"--{key} is needed, since a file does not say it: for example --{key} {example}");
            }
        }
        options = RunValidator.Check(options, SettingsInForce.Unknown, broken, new ResolveEnvironment(), mistakes);
        HelpVerb.Refuse(mistakes);
        return (options, weights!);
    }
}
