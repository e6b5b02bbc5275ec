using System.CommandLine;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster recipes</c>: the named runs, one line each; with a name, that recipe's resolved configuration.</summary>
internal sealed class RecipesVerb : IVerb
{
    private readonly Argument<string?> _name = new("name") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<bool> _names = new("--names");

    public RecipesVerb() => Command = new Command("recipes", "List the recipes, or show one.") { _name, _names };

    public Command Command { get; }

    public string HelpText => """
        cluster recipes [NAME] [--names]

        Lists the recipes, one line each; --names prints their names alone, for scripts. With a name, prints that recipe
        with every option filled in. docs/recipes.md says why each value is what it is, and what a run of it reached.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var all = mistakes.ToList();
        if (parse.GetValue(_name) is { } shown && parse.GetValue(_names)) all.Add($"--names lists all recipes, and {shown} is one: leave either away");
        HelpVerb.Refuse(all);
        if (parse.GetValue(_name) is { } name) Show(name);
        else if (parse.GetValue(_names)) Console.Out.WriteLine(string.Join('\n', RecipeFolder.Names));
        else List();
        return Task.FromResult(ExitCodes.Done);
    }

    private static void Show(string name)
    {
        var recipe = RecipeFolder.Read(name, Environment.CurrentDirectory);
        var environment = new ResolveEnvironment { IsForShow = true, DeviceMistake = _ => null, FreeBytes = _ => null };
        Console.Out.Write(ConfigWriter.Write(RunResolver.Resolve(name, [], [], environment) with { RecipeDescription = recipe.Description }, new Dictionary<string, string>()));
    }

    private static void List()
    {
        var recipes = RecipeFolder.Names.Select(known => RecipeFolder.Read(known, Environment.CurrentDirectory)).ToList();
        var width = recipes.Max(recipe => recipe.Name.Length) + 2;
        foreach (var recipe in recipes) Console.Out.WriteLine(recipe.Name.PadRight(width) + recipe.Description);
    }
}
