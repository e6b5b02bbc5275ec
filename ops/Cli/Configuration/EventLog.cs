using System.Globalization;
using System.Text.Json;
using Cluster.Coordinator.Monitor;

namespace Cluster.Cli.Configuration;

/// <summary>
/// events.jsonl: one line for everything unusual, with a sentence. Each line is one write(2) with O_APPEND, so a killed
/// process loses none, and a coordinator that takes over while its predecessor still writes overwrites none. The file is
/// made with its first line. Any thread.
/// </summary>
public sealed class EventLog(string path) : IDisposable
{
    /// <summary>Quotes and plus signs stay readable; the file is not part of a web page.</summary>
    private static readonly JsonWriterOptions ForPeople = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Lock _lock = new();
    private AppendingFile? _file;
    private bool _isTorn;
    private bool _closed;

    /// <summary>Told of every line, written or not; from the thread that appends. Returns at once.</summary>
    public Action<RunEvent>? Appended { get; set; }

    /// <param name="kind">A word of <see cref="EventKinds"/>.</param>
    /// <param name="node"><c>coordinator</c>, <c>worker-1</c>, <c>ps-0</c>; null when no single one is meant.</param>
    /// <param name="phase">What the event belongs to; null = the phase of its kind.</param>
    /// <param name="time">When it happened; null = now.</param>
    /// <remarks>Never throws for the disk's sake: a full disk must not stop the training that the log describes.</remarks>
    public void Append(string kind, string sentence, string? node = null, string? phase = null, DateTimeOffset? time = null)
    {
        var at = time ?? DateTimeOffset.UtcNow;
        phase ??= EventKinds.PhaseOf(kind);
        Appended?.Invoke(new RunEvent(at, kind, node, phase, sentence));
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, ForPeople))
        {
            json.WriteStartObject();
            json.WriteString("time", at.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
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
                _file ??= AppendingFile.Open(path);
                // After a line that the disk took only a part of, the next one begins on a line of its own.
                if (_isTorn && _file.Write("\n"u8)) _isTorn = false;
                if (_file.Write(buffer.GetBuffer().AsSpan(0, (int)buffer.Length))) return;
                _isTorn = true;
                Lost++;
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
            _file?.Dispose();
        }
    }
}
