using System.CommandLine;
using Cluster.Cli.Study;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster study</c>: experiments made of several runs, one subcommand each.</summary>
internal sealed class StudyVerb : IVerb
{
    private readonly IReadOnlyList<IVerb> _studies;

    /// <param name="job">What trains a cell.</param>
    public StudyVerb(TrainingJob job)
    {
        _studies = [.. Studies.All.Select(IVerb (study) => new GridVerb(study, job)), new LearningRateFinderVerb(job)];
        Command = new Command("study", "Compare penalties, momentum or clipping over architectures; find a learning rate.");
        foreach (var study in _studies) Command.Subcommands.Add(study.Command);
    }

    public Command Command { get; }

    public string HelpText =>
        $"""
        cluster study weight-decay|momentum|clipping [--minutes M | --steps N | --epochs N] [--data NAME[:DIR]] [--out DIR] [options]

        Trains architectures times variants, one run per cell, and compares them: study.csv, study.json and study.html in DIR.
        Given again with the same --out, a study goes on where it was interrupted, to the same result. docs/study.md tells more.

          weight-decay        {Line(Studies.WeightDecay)}
          momentum            {Line(Studies.Momentum)}
          clipping            {Line(Studies.Clipping)}

          --minutes M         Time for everything (60). Turned once into a number of steps, the same for every cell, and stored: the
                              first two variants of every model always run, with at least one step; more as the time allows.
          --steps N           Steps of a cell, or --epochs N: then every variant runs, whatever the time.
          --models NAME,…     {string.Join(',', StudyModels.Default.Select(static model => model.Name))}
          --variants NAME,…   All of the list above, in this order; those named here run, however short the time.
          --data NAME[:DIR]   As in train: cifar10 (downloaded when missing), imagefolder:DIR, …; 'cluster help train' lists all.
          --lr X              Highest rate, for every model; unset: each has its own.
          --weight-decay X    Strength that the variants start from (5e-4); likewise --l1, --max-norm, --momentum and the --clip- options.
          --eval-samples N    Test images to compare on; unset: as many as the time allows.
          --out DIR           The study's folder; unset: a new one under runs/.

        cluster study lr-find [--recipe NAME] [--min-lr X] [--max-lr X] [--steps N] [--out DIR] [options]

        Trains with a rate that rises from step to step until the loss is 4 times its lowest, and suggests a rate to begin with:
        lr-find.csv, lr-find.json and lr-find.html in DIR, the suggestion on the last line. docs/study.md tells more.

          --min-lr X          Rate of the first step (1e-5).
          --max-lr X          Rate of the last step (10).
          --steps N           Steps between them (100).

        Every other option of 'cluster train' holds for all cells. Exit codes: 0 done, 1 a cell failed, 2 bad arguments or data,
        130 interrupted.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        if (_studies.FirstOrDefault(study => study.Command == parse.CommandResult.Command) is { } chosen) return chosen.RunAsync(parse, mistakes, stop);
        var names = _studies.Select(static study => study.Command.Name).ToList();
        var word = parse.UnmatchedTokens is [var first, ..] ? first : null;
        throw new UserMistakeException(word is null || word.StartsWith('-')
            ? $"study needs to know of what: cluster study {string.Join(" | ", names)}"
            : $"unknown study {word}{NearestName.Hint(word, names)}");
    }

    private static string Line(StudyDefinition study) => string.Join(", ", study.Variants.Select(static variant => variant.Name));
}
