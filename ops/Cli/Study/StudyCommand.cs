using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>What a person asked a study for.</summary>
/// <param name="Minutes">Null = not given.</param>
/// <param name="Models">Names; null = not given.</param>
/// <param name="Variants">Names; null = not given.</param>
/// <param name="Given">Rows of the option table.</param>
internal sealed record StudyCommand(StudyDefinition Study, double? Minutes, IReadOnlyList<string>? Models, IReadOnlyList<string>? Variants, IReadOnlyList<Setting> Given)
{
    private const double DefaultMinutes = 60;

    /// <summary>A week.</summary>
    private const double MostMinutes = 7 * 24 * 60;

    /// <summary>Rows that no study leaves to the command line, with what to do instead.</summary>
    private static readonly Dictionary<string, string> Foreign = new(StringComparer.Ordinal)
    {
        ["model"] = "a study compares several: --models NAME,…",
        ["evaluate"] = "a study evaluates every cell",
        ["schedule.total-steps"] = "the schedule spans the steps of a cell",
        ["early-stopping.patience"] = "every cell trains the same number of steps",
    };

    /// <summary>Rows that say how and where cells are carried out, and change no bit.</summary>
    private static readonly HashSet<string> Placing = ["workers", "devices-per-worker", "ps", "replicas", "audit-every", "device", "checkpoint-every", "checkpoint-keep"];

    private IEnumerable<Setting> Shared => Given.Where(static s => s.Row.Key is not ("out" or "steps" or "epochs"));

    /// <summary>What was given, for messages about contradictions.</summary>
    private SettingsInForce InForce
    {
        get
        {
            var settings = new SettingsInForce();
            foreach (var setting in Given) settings.Take(setting);
            return settings;
        }
    }

    private string? TextOf(string key) => Given.LastOrDefault(s => s.Row.Key == key)?.Text;

    /// <summary>Checks everything that can be checked without the data.</summary>
    /// <param name="earlier">What is already wrong with the command line.</param>
    /// <returns>What is wrong, one line each.</returns>
    public List<string> Mistakes(IReadOnlyList<string> earlier)
    {
        var mistakes = new List<string>(earlier);
        if (Minutes is { } minutes && !(minutes > 0 && minutes <= MostMinutes)) mistakes.Add($"--minutes {OptionRow.Number(minutes)}: give more than 0, at most {MostMinutes} (a week)");
        string[] lengths = [.. Given.Where(static s => s.Row.Key is "steps" or "epochs").Select(static s => s.Row.Flag)];
        if (Minutes is not null && lengths.Length > 0) mistakes.Add($"--minutes and {lengths[0]} exclude each other: the length of a cell follows from the time, or is given");
        if (lengths.Length > 1) mistakes.Add("--steps and --epochs exclude each other: give the length of a cell once");
        foreach (var setting in Given)
        {
            if (Foreign.TryGetValue(setting.Row.Key, out var instead)) mistakes.Add($"{setting.Row.Flag}: {instead}");
            else if (Study.Reserved.Contains(setting.Row.Key)) mistakes.Add($"{setting.Row.Flag}: a study of {Study.Name} sets it in every cell; --variants chooses among {string.Join(", ", Study.Variants.Select(static v => v.Name))}");
        }
        NameMistakes("--models", "model", Models, [.. KnownNames.Models.Select(static model => model.Name)], mistakes);
        NameMistakes("--variants", Study.Axis, Variants, [.. Study.Variants.Select(static variant => variant.Name)], mistakes);
        return mistakes;
    }

    private static void NameMistakes(string flag, string what, IReadOnlyList<string>? names, IReadOnlyList<string> known, List<string> mistakes)
    {
        if (names is null) return;
        if (names.Count == 0) mistakes.Add($"{flag}: name at least one {what}");
        foreach (var name in names.Where(name => !known.Contains(name))) mistakes.Add($"{flag} {name}: unknown {what}{NearestName.Hint(name, known)}");
        foreach (var twice in names.GroupBy(static name => name).Where(static group => group.Count() > 1)) mistakes.Add($"{flag}: {twice.Key} is named twice");
    }

    /// <summary>What all cells of a new study share.</summary>
    /// <exception cref="UserMistakeException">Options that cannot work, one line each.</exception>
    public RunOptions SharedOptions(ResolveEnvironment environment, List<string> mistakes)
    {
        var broken = new HashSet<string>(StringComparer.Ordinal);
        var options = Verbs.RowOptions.Apply(Study.Base, Given, broken, mistakes);
        options = options with { Data = Checked(options, broken, environment, mistakes).Data, Out = null, Steps = null };
        return mistakes.Count == 0 ? options : throw new UserMistakeException(string.Join('\n', mistakes));
    }

    /// <summary>What is to be planned, once the data are known.</summary>
    public StudyRequest Request(RunOptions shared, int stepsPerEpoch, int testSamples)
    {
        var models = Models?.Select(StudyModels.Of).ToList() ?? StudyModels.Default;
        var variants = Variants is null ? Study.Variants : [.. Variants.Select(name => Study.Variant(name)!)];
        return new StudyRequest(Study, models, variants, Variants is not null, shared, TextOf("schedule.lr") is not null, stepsPerEpoch, testSamples)
        {
            EvalSamples = TextOf("eval-samples") is null ? null : shared.EvalSamples,
            EvalEvery = TextOf("eval-every") is null ? null : shared.EvalEvery,
        };
    }

    /// <summary>The time for a new study, or the steps of a cell when those were given.</summary>
    public (double? Minutes, long? Steps) Length(RunOptions shared, int stepsPerEpoch) =>
        TextOf("steps") is { } steps ? (null, long.Parse(steps, System.Globalization.CultureInfo.InvariantCulture))
        : TextOf("epochs") is not null ? (null, Math.Max(1, (long)Math.Round(shared.Epochs * stepsPerEpoch)))
        : (Minutes ?? DefaultMinutes, null);

    /// <summary>Holds the command against the plan that goes on.</summary>
    /// <param name="folder">For messages.</param>
    /// <returns>What the cells share, with today's workers, shards and devices.</returns>
    /// <exception cref="UserMistakeException">Something differs that decides the result; one line each.</exception>
    public RunOptions Placed(StudyPlan plan, string folder, ResolveEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var mistakes = new List<string>();
        void Hold(string given, string planned, bool isEqual)
        {
            if (!isEqual) mistakes.Add($"{given}: the study in {folder} was planned with {planned}; go on without it, or choose another folder");
        }
        if (Minutes is { } minutes) Hold($"--minutes {OptionRow.Number(minutes)}", plan.Minutes is { } was ? OptionRow.Number(was) : $"--steps {plan.Steps}", plan.Minutes == minutes);
        if (Models is not null) Hold($"--models {string.Join(',', Models)}", string.Join(',', plan.Models), Models.SequenceEqual(plan.Models));
        if (Variants is not null) Hold($"--variants {string.Join(',', Variants)}", string.Join(',', plan.Variants), Variants.SequenceEqual(plan.Variants));

        var broken = new HashSet<string>(StringComparer.Ordinal);
        var asked = Verbs.RowOptions.Apply(plan.Base, Given, broken, mistakes);
        asked = asked with { Data = Checked(asked, broken, environment, mistakes).Data };
        foreach (var setting in Shared.Where(s => !broken.Contains(s.Row.Key) && !Placing.Contains(s.Row.Key)))
        {
            var (now, planned) = (setting.Row.Read(asked), setting.Row.Read(plan.Base));
            if (setting.Row.Key == "schedule.lr") Hold(setting.Place, plan.Rate is { } rate ? OptionRow.Number(rate) : "a rate for each model", plan.Rate == asked.Schedule.LearningRate);
            else if (setting.Row.Key == "data") Hold(setting.Place, plan.Base.Data, NameOf(asked.Data) == NameOf(plan.Base.Data));
            else Hold(setting.Place, planned ?? "unset", now == planned);
        }
        if (asked.Steps is { } steps) Hold($"--steps {steps}", $"{plan.Steps} steps", plan.Minutes is null && steps == plan.Steps);
        if (TextOf("epochs") is { } epochs) Hold($"--epochs {epochs}", $"{plan.Steps} steps", plan.Minutes is null && Math.Max(1, (long)Math.Round(asked.Epochs * plan.StepsPerEpoch)) == plan.Steps);
        return mistakes.Count == 0 ? asked with { Steps = null, Epochs = plan.Base.Epochs, Out = null } : throw new UserMistakeException(string.Join('\n', mistakes));
    }

    /// <summary>As the plain case has it: strengths of several variants may stand side by side in what cells share.</summary>
    private RunOptions Checked(RunOptions shared, HashSet<string> broken, ResolveEnvironment environment, List<string> mistakes) =>
        RunValidator.Check(StudyPlan.Applied(new StudyCell(Study.Name, shared.Model, Study.Variants[0].Name, [.. Study.Variants[0].Settings(shared)]), shared), InForce, broken, environment, mistakes);

    private static string NameOf(string data) => data.Split(':')[0];
}
