using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Turns a recipe and a command line into one checked run: defaults, then the recipe, then the command line.</summary>
public static class RunResolver
{
    public const string FromDefault = "default";
    public const string FromCommandLine = "command line";

    /// <param name="recipe">Name or path; null = the default recipe.</param>
    /// <param name="given">Settings of the command line, in any order.</param>
    /// <param name="earlierMistakes">What was already wrong with the command line, one line each; reported together with the rest.</param>
    /// <exception cref="UserMistakeException">Anything is wrong; the message has one line per mistake.</exception>
    public static ResolvedRun Resolve(string? recipe, IReadOnlyList<Setting> given, IReadOnlyList<string> earlierMistakes, ResolveEnvironment environment)
    {
        var mistakes = new List<string>(earlierMistakes);
        var source = ReadRecipe(recipe ?? RecipeFolder.DefaultRecipe, environment, mistakes);

        var options = new RunOptions();
        var origins = OptionTable.Rows.ToDictionary(row => row.Key, _ => FromDefault);
        var broken = new HashSet<string>(StringComparer.Ordinal);
        var inForce = new SettingsInForce();
        foreach (var setting in LengthRules([.. source.Settings], given))
        {
            try
            {
                options = setting.Row.Write(options, setting.Text);
                origins[setting.Row.Key] = setting.Origin;
                broken.Remove(setting.Row.Key);
                inForce.Take(setting);
            }
            catch (FormatException e)
            {
                mistakes.Add($"{setting.Place}: must be {e.Message}");
                broken.Add(setting.Row.Key);
            }
        }

        options = Leftovers.Drop(options, inForce) with { Recipe = source.Name };
        options = RunValidator.Check(options, inForce, broken, environment, mistakes);
        var outDirectory = broken.Contains("out") ? "" : OutFolder.Choose(options, environment, mistakes);
        if (mistakes.Count > 0) throw new UserMistakeException(string.Join('\n', mistakes));
        return new ResolvedRun(options, origins, outDirectory, source.Description);
    }

    private static Recipe ReadRecipe(string name, ResolveEnvironment environment, List<string> mistakes)
    {
        try
        {
            var recipe = RecipeFolder.Read(name, environment.WorkingDirectory);
            mistakes.AddRange(recipe.Mistakes);
            return recipe;
        }
        catch (UserMistakeException e)
        {
            mistakes.Add(e.Message);
            return new Recipe(name, "", [], []);
        }
    }

    /// <summary>
    /// Epochs give the schedule its length and steps only stop a run, with two exceptions: a recipe that counts in steps
    /// alone has a schedule of that many, and epochs on the command line replace the recipe's steps.
    /// </summary>
    private static IEnumerable<Setting> LengthRules(List<Setting> recipe, IReadOnlyList<Setting> given)
    {
        Setting? In(IEnumerable<Setting> settings, string key) => settings.LastOrDefault(setting => setting.Row.Key == key && setting.Text is not null);

        if (In(given, "epochs") is not null)
        {
            recipe.RemoveAll(setting => setting.Row.Key is "steps" or "schedule.total-steps");
        }
        else if (In(recipe, "steps") is { } steps && In(recipe, "epochs") is null && In(recipe, "schedule.total-steps") is null)
        {
            recipe.Add(steps with { Row = OptionTable.ByKey("schedule.total-steps")! });
        }
        return recipe.Concat(given);
    }
}
