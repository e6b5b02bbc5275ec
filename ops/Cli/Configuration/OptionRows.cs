using System.Globalization;
using System.Numerics;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>Makes rows of the usual types; each turns text into a value with a message that completes "must be …".</summary>
internal static class OptionRows
{
    public static OptionRow Integer<T>(string group, string key, string flag, string description, NumberRange range,
        Func<RunOptions, T> read, Func<RunOptions, T, RunOptions> write, string unit = "")
        where T : struct, IBinaryInteger<T> =>
        Row(group, key, flag, description, "N",
            options => read(options).ToString(null, CultureInfo.InvariantCulture),
            (options, text) => write(options, ParseInteger<T>(text, range))) with
        { Range = range, Unit = unit };

    public static OptionRow OptionalInteger(string group, string key, string flag, string description, NumberRange range,
        Func<RunOptions, long?> read, Func<RunOptions, long?, RunOptions> write, string unit = "") =>
        Row(group, key, flag, description, "N",
            options => read(options)?.ToString(CultureInfo.InvariantCulture),
            (options, text) => write(options, text is null ? null : ParseInteger<long>(text, range))) with
        { Range = range, Unit = unit, MayBeNull = true };

    public static OptionRow Real(string group, string key, string flag, string description, NumberRange range,
        Func<RunOptions, double> read, Func<RunOptions, double, RunOptions> write, string unit = "") =>
        Row(group, key, flag, description, "X",
            options => OptionRow.Number(read(options)),
            (options, text) => write(options, ParseReal(text, range))) with
        { Range = range, Unit = unit };

    public static OptionRow OptionalReal(string group, string key, string flag, string description, NumberRange range,
        Func<RunOptions, double?> read, Func<RunOptions, double?, RunOptions> write, string unit = "") =>
        Row(group, key, flag, description, "X",
            options => read(options) is { } value ? OptionRow.Number(value) : null,
            (options, text) => write(options, text is null ? null : ParseReal(text, range))) with
        { Range = range, Unit = unit, MayBeNull = true };

    public static OptionRow Switch(string group, string key, string flag, string description,
        Func<RunOptions, bool> read, Func<RunOptions, bool, RunOptions> write) =>
        Row(group, key, flag, description, "true|false",
            options => read(options) ? "true" : "false",
            (options, text) => write(options, ParseSwitch(text))) with
        { IsSwitch = true };

    public static OptionRow Choice(string group, string key, string flag, string description, IReadOnlyList<string> choices, bool mayBeNull,
        Func<RunOptions, string?> read, Func<RunOptions, string?, RunOptions> write) =>
        Row(group, key, flag, description, choices.Count <= 4 ? string.Join('|', choices) : "NAME",
            read,
            (options, text) => (text is null && mayBeNull) || (text is not null && choices.Contains(text))
                ? write(options, text)
                : throw new FormatException($"one of {string.Join(", ", choices)}{Meant(text, choices)}")) with
        { Choices = choices, MayBeNull = mayBeNull };

    public static OptionRow Text(string group, string key, string flag, string description, string valueName, bool mayBeNull,
        Func<RunOptions, string?> read, Func<RunOptions, string?, RunOptions> write) =>
        Row(group, key, flag, description, valueName,
            read,
            (options, text) => (text is null && !mayBeNull) || (text is { } some && some.Trim().Length == 0)
                ? throw new FormatException("a text that is not empty")
                : write(options, text)) with
        { MayBeNull = mayBeNull };

    /// <summary>Numbers separated by commas.</summary>
    public static OptionRow Numbers(string group, string key, string flag, string description, NumberRange range,
        Func<RunOptions, IReadOnlyList<double>?> read, Func<RunOptions, IReadOnlyList<double>?, RunOptions> write) =>
        Row(group, key, flag, description, "X,X,X",
            options => read(options) is { } values ? string.Join(", ", values.Select(OptionRow.Number)) : null,
            (options, text) => write(options, text?.Split(',').Select(part => ParseReal(part, range)).ToArray())) with
        { Range = range, MayBeNull = true };

    private static OptionRow Row(string group, string key, string flag, string description, string valueName,
        Func<RunOptions, string?> read, Func<RunOptions, string?, RunOptions> write) => new()
        {
            Group = group,
            Key = key,
            Flag = flag,
            Description = description,
            ValueName = valueName,
            Read = read,
            Write = write,
        };

    private static bool ParseSwitch(string? text) => text switch
    {
        "true" or "True" or "yes" or "on" => true,
        "false" or "False" or "no" or "off" => false,
        _ => throw new FormatException("true or false"),
    };

    private static T ParseInteger<T>(string? text, NumberRange range) where T : struct, IBinaryInteger<T>
    {
        if (T.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var value)
            && range.Contains(double.CreateChecked(value)))
            return value;
        // A whole number that is too large for its type gets the range; anything else is not a whole number at all.
        throw new FormatException(BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            ? range.ToString()
            : $"a whole number, {range}");
    }

    private static double ParseReal(string? text, NumberRange range)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) throw new FormatException($"a number, {range}");
        return range.Contains(value) ? value : throw new FormatException(range.ToString());
    }

    private static string Meant(string? text, IReadOnlyList<string> choices) =>
        text is not null && NearestName.Of(text, choices) is { } nearest ? $"; did you mean {nearest}?" : "";
}
