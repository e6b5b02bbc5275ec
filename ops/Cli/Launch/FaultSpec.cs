using System.Globalization;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Launch;

public enum FaultKind
{
    /// <summary>SIGKILL; the supervisor starts the node again.</summary>
    Kill,

    /// <summary>SIGSTOP, and SIGCONT later: a node that is alive and does nothing.</summary>
    Stop,
}

/// <summary>One <c>--fault KIND:NODE@STEP[+SECONDS]</c>: struck after BeginStep of the step and before its record.</summary>
/// <param name="Duration">Of a stop; zero for a kill.</param>
public sealed record FaultSpec(FaultKind Kind, string Node, StepId Step, TimeSpan Duration)
{
    private const string Form = "write KIND:NODE@STEP[+SECONDS], for example kill:worker-1@10 or stop:worker-2@20+5";

    private static readonly string[] Kinds = ["kill", "stop"];

    /// <param name="nodes">The processes of the run.</param>
    /// <param name="steps">N of the run.</param>
    /// <exception cref="UserMistakeException">One line: what is wrong in this text, and what to write.</exception>
    public static FaultSpec Parse(string text, IReadOnlyCollection<string> nodes, long steps)
    {
        var colon = text.IndexOf(':');
        var at = text.LastIndexOf('@');
        if (colon <= 0 || at <= colon + 1) throw Mistake(text, Form);
        var (kindName, node, rest) = (text[..colon], text[(colon + 1)..at], text[(at + 1)..]);
        var kind = kindName switch
        {
            "kill" => FaultKind.Kill,
            "stop" => FaultKind.Stop,
            _ => throw Mistake(text, $"unknown kind '{kindName}'{NearestName.Hint(kindName, Kinds)}"),
        };
        if (!nodes.Contains(node)) throw Mistake(text, $"this run has no node '{node}'{NearestName.Hint(node, nodes)}");

        var plus = rest.IndexOf('+');
        var stepText = plus < 0 ? rest : rest[..plus];
        if (!long.TryParse(stepText, NumberStyles.None, CultureInfo.InvariantCulture, out var step)) throw Mistake(text, $"'{stepText}' is no step; {Form}");
        if (step < 1 || step > steps) throw Mistake(text, $"step {step} is not in this run of {steps} steps; give one from 1 to {steps}");
        return new FaultSpec(kind, node, new StepId(step), DurationOf(text, kind, plus < 0 ? null : rest[(plus + 1)..]));
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{(Kind == FaultKind.Kill ? "kill" : "stop")}:{Node}@{Step}{(Kind == FaultKind.Stop ? $"+{Duration.TotalSeconds:0.###}" : "")}");

    private static TimeSpan DurationOf(string text, FaultKind kind, string? seconds)
    {
        if (kind == FaultKind.Kill) return seconds is null ? TimeSpan.Zero : throw Mistake(text, "a kill lasts no time; leave +SECONDS out");
        if (seconds is null) return TimeSpan.FromSeconds(Limits.FaultStopSeconds);
        var isNumber = double.TryParse(seconds, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value);
        if (!isNumber || !(value > 0 && value <= Limits.MaxFaultStopSeconds)) throw Mistake(text, $"'{seconds}' is no number of seconds; give more than 0 and at most {Limits.MaxFaultStopSeconds}");
        return TimeSpan.FromSeconds(value);
    }

    private static UserMistakeException Mistake(string text, string what) => new($"--fault {text}: {what}");
}
