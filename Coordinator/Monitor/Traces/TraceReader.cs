namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>Reads traces.jsonl of a run, also while it is being written. A line that is damaged, or not whole yet, is passed over and counted.</summary>
public sealed class TraceReader(string folder)
{
    private const int BlockBytes = 1 << 20;

    /// <summary>Whole lines that could not be read.</summary>
    public int Damaged { get; private set; }

    /// <summary>Whether the folder holds traces at all.</summary>
    public bool Exists => Paths().Any();

    private IEnumerable<string> Paths() => new[] { TraceFile.OlderName, TraceFile.Name }.Select(name => Path.Combine(folder, name)).Where(File.Exists);

    /// <param name="lastBytes">So much of the end of each segment, from a whole line on.</param>
    /// <param name="text">Lines without these bytes are passed over unread; empty = none are.</param>
    /// <exception cref="IOException">A segment cannot be read.</exception>
    public IEnumerable<TraceLine> Lines(long lastBytes = long.MaxValue, ReadOnlyMemory<byte> text = default)
    {
        foreach (var path in Paths())
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            var skips = file.Length > lastBytes;
            if (skips) file.Position = file.Length - lastBytes;
            var buffer = new byte[BlockBytes];
            var held = 0;
            while (true)
            {
                if (held == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
                var read = file.Read(buffer, held, buffer.Length - held);
                if (read == 0) break;
                held += read;
                var start = 0;
                for (int length; (length = buffer.AsSpan(start, held - start).IndexOf((byte)'\n')) >= 0; start += length + 1)
                {
                    // The first one after a jump into the middle is a part of a line.
                    if (skips)
                    {
                        skips = false;
                        continue;
                    }
                    if (length == 0 || !text.IsEmpty && buffer.AsSpan(start, length).IndexOf(text.Span) < 0) continue;
                    if (TraceLine.Read(buffer.AsMemory(start, length)) is { } line) yield return line;
                    else Damaged++;
                }
                buffer.AsSpan(start, held - start).CopyTo(buffer);
                held -= start;
            }
        }
    }
}
