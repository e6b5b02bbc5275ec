using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cluster.Cli.Report;

/// <summary>Files that are there whole, or as they were.</summary>
internal static class WholeFile
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one JSON object and a newline.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Write(string path, Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        Write(path, buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    /// <exception cref="IOException">The disk refused.</exception>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    private static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        // Two processes that write at once have a name each; the later one wins.
        var temporary = $"{path}.{Environment.ProcessId}.new";
        try
        {
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw;
        }
    }
}
