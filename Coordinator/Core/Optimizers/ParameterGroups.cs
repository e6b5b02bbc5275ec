using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Coordinator.Core;

/// <summary>A group of parameters that are treated apart, as torch.optim's param_groups.</summary>
/// <param name="Pattern">Matches whole names; <c>*</c> stands for any text, dots included.</param>
/// <param name="Rate">Factor on the learning rate.</param>
/// <param name="Decay">Factor on the penalty.</param>
public sealed record ParameterGroup(string Pattern, double Rate, double Decay)
{
    public bool Matches(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var parts = Pattern.Split('*');
        if (parts.Length == 1) return name == Pattern;
        if (!name.StartsWith(parts[0], StringComparison.Ordinal)) return false;
        // The earliest place for each part in the middle leaves most room for the rest.
        var at = parts[0].Length;
        foreach (var part in parts.AsSpan(1, parts.Length - 2))
        {
            var found = name.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0) return false;
            at = found + part.Length;
        }
        return name.Length - at >= parts[^1].Length && name.EndsWith(parts[^1], StringComparison.Ordinal);
    }
}

/// <summary>The groups of <see cref="OptimizerOptions.Groups"/>: <c>PATTERN:lr=X,decay=X; …</c>, factors that are 1 unless given; the first match counts.</summary>
public sealed class ParameterGroups
{
    private static readonly ParameterGroup Rest = new("*", 1, 1);

    private ParameterGroups(IReadOnlyList<ParameterGroup> list) => List = list;

    /// <summary>In the order given.</summary>
    public IReadOnlyList<ParameterGroup> List { get; }

    /// <summary>The factors of the parameter called <paramref name="name"/>; 1 and 1 when no pattern matches.</summary>
    public ParameterGroup Of(string name) => List.FirstOrDefault(g => g.Matches(name)) ?? Rest;

    /// <exception cref="UserMistakeException">Not of the grammar; the message quotes the group at fault.</exception>
    public static ParameterGroups Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text)) return new ParameterGroups([]);
        var groups = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(ParseGroup).ToList();
        if (groups.Count > Limits.MaxParameterGroups) throw new UserMistakeException($"{groups.Count} parameter groups are more than the {Limits.MaxParameterGroups} that a run can have: let patterns with * name several parameters");
        var twice = groups.GroupBy(static g => g.Pattern, StringComparer.Ordinal).FirstOrDefault(static g => g.Count() > 1);
        if (twice is not null) throw new UserMistakeException($"the parameter group '{twice.Key}' is given twice, and only the first could count: join them");
        return new ParameterGroups(groups);
    }

    /// <summary>What is wrong with the grammar, as a sentence; null when nothing is.</summary>
    public static string? MistakeIn(string? text)
    {
        try
        {
            Parse(text);
            return null;
        }
        catch (UserMistakeException e)
        {
            return e.Message;
        }
    }

    /// <summary>Refuses a group that no parameter of the model falls into: a misspelt pattern.</summary>
    /// <exception cref="UserMistakeException">A pattern matches nothing, or only what earlier ones match.</exception>
    public void RefuseUnmatched(ParameterLayout layout)
    {
        ArgumentNullException.ThrowIfNull(layout);
        foreach (var group in List)
        {
            var matched = layout.Parameters.Where(p => group.Matches(p.Name)).ToList();
            if (matched.Count == 0)
            {
                throw new UserMistakeException($"--groups: '{group.Pattern}' matches no parameter of the model, such as '{layout.Parameters.First().Name}'{NearestName.Hint(group.Pattern, [.. layout.Parameters.Select(static p => p.Name)])}");
            }
            if (matched.All(p => Of(p.Name) != group))
                throw new UserMistakeException($"--groups: '{group.Pattern}' is never used: groups before it match all of its parameters, and the first match counts; move it forward");
        }
    }

    private static ParameterGroup ParseGroup(string text)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0) throw Mistake(text, "it needs a pattern, a colon and factors");
        double? rate = null, decay = null;
        foreach (var factor in text[(colon + 1)..].Split(',', StringSplitOptions.TrimEntries))
        {
            var (name, value) = factor.Split('=', StringSplitOptions.TrimEntries) is [var key, var number] ? (key, number) : throw Mistake(text, $"'{factor}' is not of the form lr=X or decay=X");
            if (!double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed) || !double.IsFinite(parsed) || parsed < 0)
                throw Mistake(text, $"'{value}' is not a factor of at least 0");
            switch (name)
            {
                case "lr" when rate is null: rate = parsed; break;
                case "decay" when decay is null: decay = parsed; break;
                case "lr" or "decay": throw Mistake(text, $"{name} is given twice");
                default: throw Mistake(text, $"a group has no '{name}', only lr and decay");
            }
        }
        return new ParameterGroup(text[..colon].TrimEnd(), rate ?? 1, decay ?? 1);
    }

    private static UserMistakeException Mistake(string group, string what) =>
        new($"parameter group '{group}': {what}; write for example fc.*:lr=0.1,decay=0");
}
