using System.Text;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>Text from files that nobody vouches for, made fit for an error message: one line, no control characters, short.</summary>
internal static class Printable
{
    private const int Longest = 120;

    public static string Quoted(string text) => "'" + OneLine(text) + "'";

    public static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, Longest) + 4);
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, Longest)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c)) line.Append($"\\u{(int)c:x4}");
            else line.Append(c);
        }
        if (text.Length > Longest) line.Append("...");
        return line.ToString();
    }

    /// <summary>The message of a file-system error; paths in it may be long, so it is not cut.</summary>
    public static string Cause(Exception e) => e.Message.ReplaceLineEndings(" ");
}
