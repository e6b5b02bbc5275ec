using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs.Data;

/// <summary>The data set that an argument of <c>cluster data</c> names.</summary>
/// <param name="Folder">Absolute; null where none is named.</param>
internal sealed record DataSpec(string Name, string? Folder)
{
    public override string ToString() => Folder is null ? Name : $"{Name}:{Folder}";

    /// <param name="verb">The sub-verb: <c>get</c>, <c>check</c> or <c>pack</c>.</param>
    /// <param name="known">The names that it takes.</param>
    /// <exception cref="UserMistakeException">There is none, or another one.</exception>
    public static DataSpec Parse(string? text, string verb, IReadOnlyList<string> known)
    {
        var usage = string.Join(" or ", known.Select(static name => KnownNames.Data.Any(data => data.Name == name && data.NeedsFolder) ? $"{name}:DIR" : $"{name}, {name}:DIR"));
        if (text is null) throw new UserMistakeException($"which data set? write {usage}");
        var colon = text.IndexOf(':');
        var name = colon < 0 ? text : text[..colon];
        if (name == "synthetic") throw new UserMistakeException("synthetic is computed from the seed: there is nothing to download or to check");
        if (!known.Contains(name))
        {
            throw new UserMistakeException(KnownNames.Data.Any(data => data.Name == name)
                ? $"data {verb} takes {usage}; {name} {WhyNot(name, verb)}"
                : $"unknown data set {name}{NearestName.Hint(name, [.. known])}");
        }
        var needsFolder = KnownNames.Data.Any(data => data.Name == name && data.NeedsFolder);
        if (colon < 0) return needsFolder ? throw new UserMistakeException($"{text} names no folder: write {name}:DIR") : new DataSpec(name, null);
        return colon + 1 < text.Length
            ? new DataSpec(name, Path.GetFullPath(text[(colon + 1)..]))
            : throw new UserMistakeException($"{text} names no folder after the colon; write {(needsFolder ? "" : $"{name} or ")}{name}:DIR");
    }

    private static string WhyNot(string name, string verb) => verb switch
    {
        "get" => $"is brought by yourself: train with --data {name}:DIR",
        "pack" => $"lies in a few large files already: train with --data {name}",
        _ => "is no set of files that could be looked at",
    };
}
