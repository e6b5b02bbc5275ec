using System.Globalization;
using System.Net;
using System.Reflection;

namespace Cluster.Chaos;

/// <summary>Texts and numbers as HTML.</summary>
public static class Html
{
    /// <summary>Longest sentence that is shown; report.json has it whole.</summary>
    private const int MaxSentence = 400;

    /// <summary>Safe in text and in quoted attributes.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text.Length <= MaxSentence ? text : text[..MaxSentence] + "…");

    public static string Whole(string text) => WebUtility.HtmlEncode(text);

    /// <summary>For <c>left:</c> and the like.</summary>
    public static string Percent(double share) => (Math.Clamp(share, 0, 1) * 100).ToString("0.###", CultureInfo.InvariantCulture) + "%";

    /// <summary>Milliseconds for people: <c>340 ms</c>, <c>2.41 s</c>, <c>3 min 5 s</c>.</summary>
    public static string Duration(double milliseconds) => Math.Abs(milliseconds) switch
    {
        < 1_000 => milliseconds.ToString("0", CultureInfo.InvariantCulture) + " ms",
        < 60_000 => (milliseconds / 1000).ToString("0.##", CultureInfo.InvariantCulture) + " s",
        _ => $"{(int)(milliseconds / 60_000)} min {(milliseconds / 1000 % 60).ToString("0", CultureInfo.InvariantCulture)} s",
    };

    public static string Number(double value, string format = "0.####")
    {
        var text = value.ToString(format, CultureInfo.InvariantCulture);
        // What rounds to zero from below keeps its sign in .NET; a person reads -0 as a mistake.
        return text.Trim('-', '0', '.').Length == 0 ? text.TrimStart('-') : text;
    }

    /// <summary>A file that is built into this assembly.</summary>
    public static string Resource(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not built in");
        return new StreamReader(stream).ReadToEnd();
    }
}
