using System.Globalization;
using System.Text.Json;

namespace Cluster.Cli.Configuration;

/// <summary>
/// events.jsonl: one line for everything unusual, with a sentence. Written through to the operating system line by line,
/// so a killed process loses none. The file is made with its first line. Any thread.
/// </summary>
public sealed class EventLog(string path) : IDisposable
{
    private readonly Lock _lock = new();
    private FileStream? _stream;
    private bool _closed;

    /// <param name="kind">Closed set of words: <c>started</c>, <c>said</c>, <c>evaluated</c>, <c>finished</c>, <c>failed</c>, …</param>
    /// <param name="node"><c>coordinator</c>, <c>worker-1</c>, <c>ps-0</c>; null when no single one is meant.</param>
    /// <param name="phase">A span name of <see cref="Contracts.ClusterTelemetry.Spans"/>, or null.</param>
    /// <remarks>Never throws for the disk's sake: a full disk must not stop the training that the log describes.</remarks>
    public void Append(string kind, string sentence, string? node = null, string? phase = null)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteString("kind", kind);
            json.WriteString("node", node);
            json.WriteString("phase", phase);
            json.WriteString("sentence", sentence);
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        lock (_lock)
        {
            if (_closed) return;
            try
            {
                _stream ??= new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
                _stream.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
            }
            catch (IOException)
            {
                Lost++;
            }
        }
    }

    /// <summary>Lines that the disk refused.</summary>
    public long Lost { get; private set; }

    public void Dispose()
    {
        lock (_lock)
        {
            _closed = true;
            _stream?.Dispose();
        }
    }
}
