using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>The recipes that came with the program: one YAML file each, in <c>recipes/</c> beside the executable.</summary>
public static class RecipeFolder
{
    public const string DefaultRecipe = "small-cnn";

    public static string Location { get; } = Path.Combine(AppContext.BaseDirectory, "recipes");

    /// <summary>Names in alphabetical order.</summary>
    public static IReadOnlyList<string> Names =>
        Directory.Exists(Location)
            ? [.. Directory.EnumerateFiles(Location, "*.yaml").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal)]
            : [];

    /// <summary>Reads a recipe by name, or by path when the text has a folder or ends in <c>.yaml</c> or <c>.yml</c>.</summary>
    /// <param name="workingDirectory">What a relative path is relative to.</param>
    /// <exception cref="UserMistakeException">No such recipe, or not readable.</exception>
    public static Recipe Read(string nameOrPath, string workingDirectory)
    {
        var isPath = nameOrPath.Contains('/') || nameOrPath.EndsWith(".yaml", StringComparison.Ordinal) || nameOrPath.EndsWith(".yml", StringComparison.Ordinal);
        if (isPath)
        {
            var path = Path.GetFullPath(nameOrPath, workingDirectory);
            return File.Exists(path) ? RecipeReader.ReadFile(path, nameOrPath) : throw new UserMistakeException($"there is no recipe file {nameOrPath}.");
        }

        var known = Names;
        return known.Contains(nameOrPath)
            ? RecipeReader.ReadFile(Path.Combine(Location, nameOrPath + ".yaml"), $"recipe {nameOrPath}")
            : throw new UserMistakeException($"unknown recipe {nameOrPath}{NearestName.Hint(nameOrPath, known)}");
    }
}
