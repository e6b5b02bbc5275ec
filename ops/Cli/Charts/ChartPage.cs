using System.Reflection;
using System.Text;
using Cluster.Chaos;

namespace Cluster.Cli.Charts;

/// <summary>A page that asks for nothing else: style within, no script, light or dark as the reader's system is, on a phone or on paper.</summary>
internal static class ChartPage
{
    /// <summary>Colours of the palette: <c>c0</c> to <c>c7</c>, told apart with any colour vision (after Okabe and Ito, 2008).</summary>
    public const int Colours = 8;

    /// <param name="title">Not escaped.</param>
    /// <param name="body">HTML.</param>
    /// <param name="more">A style sheet that is built in, behind the common one; null = none.</param>
    public static string Write(string title, string body, string? more = null) =>
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Html.Text(title)}</title>
        <style>
        {Style("charts.css")}{(more is null ? "" : Style(more))}</style>
        </head>
        <body>
        <main>
        {body}</main>
        </body>
        </html>

        """;

    /// <summary>Names and colours, above the charts that share them.</summary>
    public static string Legend(IEnumerable<ChartSeries> series)
    {
        var text = new StringBuilder("<div class=\"legend\">");
        foreach (var one in series) text.Append($"<span><i class=\"{one.Style}\"></i>{Html.Text(one.Name)}</span>");
        return text.Append("</div>\n").ToString();
    }

    private static string Style(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"{name} is not built in");
        return new StreamReader(stream).ReadToEnd();
    }
}
