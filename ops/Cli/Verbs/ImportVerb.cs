using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Configuration;
using Cluster.Cli.Hosting;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;
using Cluster.Engine;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster import FILE</c>: a PyTorch state_dict becomes the first weights of a run.</summary>
internal sealed class ImportVerb : IVerb
{
    private static readonly Dictionary<string, StatePieces> NoSlots = [];

    private readonly Argument<string?> _file = new("file") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<string> _recipe = new("--recipe");
    private readonly Option<string> _classes = new("--classes");
    private readonly Option<string> _imageSize = new("--image-size");
    private readonly RowOptions _rows;

    public ImportVerb()
    {
        Command = new Command("import", "Make a run out of a PyTorch state_dict.") { _file, _recipe, _classes, _imageSize };
        _rows = new RowOptions(Command, OptionTable.Rows);
    }

    public Command Command { get; }

    public string HelpText =>
        """
        cluster import FILE --model NAME [--out DIR] [options]

        Reads a PyTorch state_dict written as safetensors and makes a run's folder of it: config.yaml, and the weights as the
        checkpoint of step 0. 'cluster eval --weights DIR', 'cluster export DIR FILE' and 'cluster train --resume --out DIR' (which
        trains on from these weights) take it from there. Names that are missing, unexpected or mis-shaped are all told; counters
        such as num_batches_tracked may be missing and then are 0.

          --model NAME          Architecture.
          --stem cifar|imagenet First layers of a ResNet; unset: images of at most 64 pixels get the CIFAR stem.
          --data NAME[:DIR]     The data set that it is for; nothing is downloaded. Unset: the recipe's.
          --classes N           Width of the logits; unset: the data set's.
          --image-size HxW      Pixels; unset: the data set's.
          --out DIR             The run's folder; unset: a new one under runs/.
          --recipe NAME|FILE    How 'train --resume' would train on; unset: a recipe of the same model. Every option of train is
                                taken too ('cluster help train').
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var found = new List<string>(mistakes);
        var given = _rows.Given(parse);
        var file = parse.GetValue(_file);
        var model = given.FirstOrDefault(setting => setting.Row.Key == "model")?.Text;
        if (file is null) found.Add("cluster import needs a file: cluster import model.safetensors --model NAME");
        else if (!File.Exists(file)) found.Add($"there is no file {file}: give a PyTorch state_dict written as safetensors");
        if (model is null && mistakes.Count == 0) found.Add($"--model is needed, since a file does not say it: one of {string.Join(", ", KnownNames.Models.Select(known => known.Name))}");
        var classes = Positive(RowOptions.TextOf(parse, _classes), "--classes", found);
        var size = Size(RowOptions.TextOf(parse, _imageSize), found);
        var recipe = RowOptions.TextOf(parse, _recipe) ?? RecipeFor(model);
        var run = RunResolver.Resolve(recipe, given, found, new ResolveEnvironment());

        var (shape, classCount) = Datasets.Describe(DataRequest.Of(run.Options));
        if (size is { } pixels) shape = shape with { Height = pixels.Height, Width = pixels.Width };
        using var engine = new GradientEngine(GradientEngineOptions.For(run.Options, shape, classes ?? classCount, "cpu"));
        using var weights = StateSource.ReadFile(file!, engine.Layout);
        var checkpoint = Keep(run, file!, weights, engine.Layout, shape, classes ?? classCount);
        if (weights.Widened.Count > 0) Console.Out.WriteLine(StateSource.WidenedSentence(file!, weights.Widened));
        Console.Out.WriteLine($"{file}: {run.Options.Model}, {engine.Layout.ParameterFloats:N0} parameters, is now {checkpoint}");
        return Task.FromResult(ExitCodes.Done);
    }

    /// <returns>Path of the checkpoint.</returns>
    private static string Keep(ResolvedRun run, string file, StateDict weights, ParameterLayout layout, ImageShape shape, int classes)
    {
        using var folder = RunFolder.Create(run);
        try
        {
            folder.WriteConfig(new Dictionary<string, string>
            {
                ["run-id"] = run.RunId,
                ["imported-from"] = Path.GetFullPath(file),
                ["image-shape"] = shape.ToString(),
                ["classes"] = classes.ToString(CultureInfo.InvariantCulture),
                ["parameters"] = layout.ParameterFloats.ToString(CultureInfo.InvariantCulture),
                ["layout-hash"] = layout.Hash,
            });
            var facts = new JsonObject { ["run_id"] = run.RunId, ["imported_from"] = Path.GetFullPath(file) };
            var content = new CheckpointContent(layout, WeightsVersion.Initial, AppliedSteps: 0, StatePieces.Whole(weights.State), NoSlots, facts) { Counters = weights.Counters };
            var path = StateSource.OrMistake(() => CheckpointStore.OpenForWriting(folder.Location).Write(content));
            folder.Events.Append("imported", $"The weights of {file} are the checkpoint of step 0.", "coordinator");
            return path;
        }
        catch (ClusterException)
        {
            folder.DiscardIfNothingCommitted();
            throw;
        }
    }

    /// <summary>The first recipe that trains this model; null without one.</summary>
    private static string? RecipeFor(string? model) => RecipeFolder.Names.FirstOrDefault(name =>
        RecipeFolder.Read(name, Environment.CurrentDirectory).Settings.Any(setting => setting.Row.Key == "model" && setting.Text == model));

    private static int? Positive(string? text, string flag, List<string> mistakes)
    {
        if (text is null) return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= 1_000_000) return number;
        mistakes.Add($"{flag} {text}: must be a whole number, at least 1 and at most 1000000");
        return null;
    }

    private static (int Height, int Width)? Size(string? text, List<string> mistakes)
    {
        if (text is null) return null;
        var sides = text.Split('x').Select(static side => int.TryParse(side, NumberStyles.None, CultureInfo.InvariantCulture, out var pixels) ? pixels : 0).ToArray();
        if (sides is [>= 1 and <= 65_536, >= 1 and <= 65_536]) return (sides[0], sides[1]);
        mistakes.Add($"--image-size {text}: must be height and width in pixels, such as 32x32");
        return null;
    }
}
