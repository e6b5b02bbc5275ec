using System.Collections.Immutable;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>
/// One fault: <c>KIND:NODE@STEP[+SECONDS][,SETTING=NUMBER…]</c>. What comes from outside strikes after BeginStep of the step
/// and before its record; what arises inside a node arises when the node computes that step, or the next it takes part in.
/// </summary>
/// <param name="Node"><c>coordinator</c>, <c>ps-0</c>, <c>worker-1</c>.</param>
/// <param name="Duration">Zero for a kind that takes no time.</param>
/// <param name="Settings">Of the kind, all of them.</param>
public sealed record FaultSpec(FaultKind Kind, string Node, StepId Step, TimeSpan Duration, ImmutableSortedDictionary<string, double> Settings)
{
    private const string Form = "write KIND:NODE@STEP[+SECONDS], for example kill:worker-1@10, stop:worker-2@20+5 or slow:worker-0@3+4,factor=10";

    private static readonly string[] Words = [.. FaultKinds.All.Select(static f => f.Word)];

    /// <summary>With the kind's defaults.</summary>
    public FaultSpec(FaultKind kind, string node, StepId step)
        : this(kind, node, step, TimeSpan.FromSeconds(kind.Facts().Seconds ?? 0), Defaults(kind)) { }

    /// <summary>With a duration of its own.</summary>
    public FaultSpec(FaultKind kind, string node, StepId step, TimeSpan duration) : this(kind, node, step, duration, Defaults(kind)) { }

    public FaultKindFacts Facts => Kind.Facts();

    public double this[string setting] => Settings[setting];

    /// <param name="nodes">The processes of the run.</param>
    /// <param name="steps">N of the run.</param>
    /// <exception cref="UserMistakeException">One line: what is wrong in this text, and what to write.</exception>
    public static FaultSpec Parse(string text, IReadOnlyCollection<string> nodes, long steps)
    {
        ArgumentNullException.ThrowIfNull(text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var at = text.LastIndexOf('@');
        if (colon <= 0 || at <= colon + 1) throw Mistake(text, Form);
        var (word, node, rest) = (text[..colon], text[(colon + 1)..at], text[(at + 1)..]);
        var kind = FaultKinds.Of(word) ?? throw Mistake(text, $"unknown kind '{word}'{NearestName.Hint(word, Words)}");
        if (!IsPossible(kind, node, nodes, out var why)) throw Mistake(text, why);

        var parts = rest.Split(',');
        var plus = parts[0].IndexOf('+', StringComparison.Ordinal);
        var stepText = plus < 0 ? parts[0] : parts[0][..plus];
        if (!long.TryParse(stepText, NumberStyles.None, CultureInfo.InvariantCulture, out var step)) throw Mistake(text, $"'{stepText}' is no step; {Form}");
        if (step < 1 || step > steps) throw Mistake(text, $"step {step} is not in this run of {steps} steps; give one from 1 to {steps}");
        var duration = DurationOf(text, kind, plus < 0 ? null : parts[0][(plus + 1)..]);
        var settings = Defaults(kind.Kind);
        foreach (var part in parts.Skip(1)) settings = Set(text, kind, settings, part);
        return new FaultSpec(kind.Kind, node, new StepId(step), duration, settings);
    }

    /// <summary>What reads back to the same fault; settings and duration only where they differ from the kind's own.</summary>
    public override string ToString()
    {
        var more = string.Concat(Facts.Settings.Where(s => Settings[s.Name] != s.Default).Select(s => string.Create(CultureInfo.InvariantCulture, $",{s.Name}={Settings[s.Name]:R}")));
        var seconds = Facts.Seconds is null ? "" : string.Create(CultureInfo.InvariantCulture, $"+{Duration.TotalSeconds:0.###}");
        return $"{Facts.Word}:{Node}@{Step}{seconds}{more}";
    }

    private static bool IsPossible(FaultKindFacts kind, string node, IReadOnlyCollection<string> nodes, out string why)
    {
        var role = node.Split('-')[0];
        var isNew = kind.Kind == FaultKind.Join;
        why = (nodes.Contains(node), isNew) switch
        {
            (false, false) => $"this run has no node '{node}'{NearestName.Hint(node, nodes)}",
            (true, true) => $"{node} is in the run from the start; give a worker that is not",
            (false, true) when !node.StartsWith("worker-", StringComparison.Ordinal) || !int.TryParse(node["worker-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out _) => $"'{node}' is no worker; give worker-N",
            _ => "",
        };
        if (why.Length == 0 && !kind.Roles.Contains(role)) why = $"{kind.Word} strikes {string.Join(" and ", kind.Roles)} nodes, {node} is none";
        return why.Length == 0;
    }

    private static TimeSpan DurationOf(string text, FaultKindFacts kind, string? seconds)
    {
        if (kind.Seconds is not { } usual) return seconds is null ? TimeSpan.Zero : throw Mistake(text, $"a {kind.Word} lasts no time; leave +SECONDS out");
        if (seconds is null) return TimeSpan.FromSeconds(usual);
        var isNumber = double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        if (!isNumber || !(value > 0 && value <= Limits.MaxFaultStopSeconds)) throw Mistake(text, $"'{seconds}' is no number of seconds; give more than 0 and at most {Limits.MaxFaultStopSeconds}");
        return TimeSpan.FromSeconds(value);
    }

    private static ImmutableSortedDictionary<string, double> Set(string text, FaultKindFacts kind, ImmutableSortedDictionary<string, double> settings, string part)
    {
        var equals = part.IndexOf('=', StringComparison.Ordinal);
        var name = equals < 0 ? part : part[..equals];
        if (kind.Settings.FirstOrDefault(s => s.Name == name) is not { } setting)
            throw Mistake(text, kind.Settings.Length == 0 ? $"{kind.Word} has no settings" : $"{kind.Word} has no setting '{name}'; known: {string.Join(", ", kind.Settings.Select(static s => s.Name))}");
        var isNumber = double.TryParse(equals < 0 ? "" : part[(equals + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        if (!isNumber || !(value >= setting.Least && value <= setting.Most)) throw Mistake(text, $"{name} is a number from {setting.Least} to {setting.Most} ({setting.Meaning})");
        return settings.SetItem(name, value);
    }

    private static ImmutableSortedDictionary<string, double> Defaults(FaultKind kind) =>
        kind.Facts().Settings.ToImmutableSortedDictionary(static s => s.Name, static s => s.Default, StringComparer.Ordinal);

    private static UserMistakeException Mistake(string text, string what) => new($"--fault {text}: {what}");

    /// <summary>By value, settings included.</summary>
    public bool Equals(FaultSpec? other) =>
        other is not null && (Kind, Node, Step, Duration) == (other.Kind, other.Node, other.Step, other.Duration) && Settings.SequenceEqual(other.Settings);

    public override int GetHashCode() => HashCode.Combine(Kind, Node, Step, Duration);
}
