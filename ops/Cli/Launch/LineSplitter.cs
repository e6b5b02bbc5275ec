using System.Text;

namespace Cluster.Cli.Launch;

/// <summary>
/// Cuts a stream of bytes into lines of text, each given out once. A line longer than the bound is given out, cut and marked,
/// as soon as the bound is reached, and its rest is dropped: memory stays bounded. One thread.
/// </summary>
/// <param name="maxBytes">Of one line, without its end.</param>
public sealed class LineSplitter(int maxBytes, Action<string> line)
{
    public const string CutNote = " … (rest of the line cut)";

    private readonly byte[] _held = new byte[maxBytes];
    private int _count;
    private bool _dropping;

    public void Add(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var end = bytes.IndexOf((byte)'\n');
            var piece = end < 0 ? bytes : bytes[..end];
            if (!_dropping) Hold(piece);
            if (end < 0) return;
            if (!_dropping) Give("");
            _dropping = false;
            bytes = bytes[(end + 1)..];
        }
    }

    /// <summary>The stream is over: a last line without its end is a line too.</summary>
    public void End()
    {
        if (_count > 0) Give("");
    }

    private void Hold(ReadOnlySpan<byte> piece)
    {
        var fits = Math.Min(piece.Length, maxBytes - _count);
        piece[..fits].CopyTo(_held.AsSpan(_count));
        _count += fits;
        if (fits == piece.Length) return;

        // Not in the middle of a UTF-8 character: back to before its first byte.
        var cut = _count;
        while (cut > 0 && (piece[fits] & 0xC0) == 0x80 && (_held[cut - 1] & 0xC0) == 0x80) cut--;
        if (cut > 0 && (piece[fits] & 0xC0) == 0x80 && _held[cut - 1] >= 0xC0) cut--;
        _count = cut;
        Give(CutNote);
        _dropping = true;
    }

    private void Give(string note)
    {
        var text = _held.AsSpan(0, _count);
        if (text.EndsWith("\r"u8)) text = text[..^1];
        _count = 0;
        line(Printable(Encoding.UTF8.GetString(text)) + note);
    }

    /// <summary>A child's bytes must not move the cursor, clear the screen or set the title of a person's terminal.</summary>
    private static string Printable(string text) =>
        text.Any(IsControl) ? string.Create(text.Length, text, static (span, from) =>
        {
            for (var i = 0; i < span.Length; i++) span[i] = IsControl(from[i]) ? '\uFFFD' : from[i];
        }) : text;

    private static bool IsControl(char letter) => char.IsControl(letter) && letter != '\t';
}
