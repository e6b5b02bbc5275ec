using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>A record of commits.jsonl when it appeared.</summary>
internal sealed record SeenCommit(long Step, DateTimeOffset Time);

/// <summary>
/// Watches commits.jsonl grow: when each record appeared, by this machine's clock, and whether the log ever took one back.
/// A takeover puts a copy in its place, which changes nothing here: the bytes up to the last whole line must stay.
/// </summary>
internal sealed class CommitTail : IDisposable
{
    private readonly string _path;
    private readonly Lock _lock = new();
    private readonly List<SeenCommit> _seen = [];
    private readonly MemoryStream _bytes = new();
    private readonly List<(long Step, TaskCompletionSource Reached)> _waiting = [];
    private readonly Thread _thread;
    private volatile bool _stop;
    private string? _wentBack;
    private DateTimeOffset _last = DateTimeOffset.UtcNow;

    /// <param name="path">Of commits.jsonl, which need not be there yet.</param>
    public CommitTail(string path)
    {
        _path = path;
        _thread = new Thread(Watch) { IsBackground = true, Name = "commit tail" };
        _thread.Start();
    }

    /// <summary>Records so far, in the order of the log.</summary>
    public IReadOnlyList<SeenCommit> Seen
    {
        get { lock (_lock) return [.. _seen]; }
    }

    /// <summary>When the last record came, or the watch or <see cref="Excuse"/> began.</summary>
    public DateTimeOffset Last
    {
        get { lock (_lock) return _last; }
    }

    /// <summary>A sentence if a record that was there had changed or gone later; null if none ever did.</summary>
    public string? WentBack
    {
        get { lock (_lock) return _wentBack; }
    }

    /// <summary>Completes when this step is in the log.</summary>
    public Task Reaches(StepId step)
    {
        lock (_lock)
        {
            if (_seen.Any(s => s.Step >= step.Value)) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((step.Value, reached));
            return reached.Task;
        }
    }

    /// <summary>The run was started anew: the time without a record counts from now.</summary>
    public void Excuse()
    {
        lock (_lock) _last = DateTimeOffset.UtcNow;
    }

    /// <summary>Ends the watch after a last look, and holds all that was seen against the file.</summary>
    public void Dispose()
    {
        if (_stop) return;
        _stop = true;
        _thread.Join();
        Look();
        lock (_lock)
        {
            if (_bytes.Length == 0 || _wentBack is not null) return;
            var now = File.Exists(_path) ? File.ReadAllBytes(_path) : [];
            var seen = _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length);
            var same = now.AsSpan().CommonPrefixLength(seen);
            if (same < seen.Length) _wentBack = $"the record of step {_seen[Math.Min(seen[..same].Count((byte)'\n'), _seen.Count - 1)].Step} is not what it was when it was written";
        }
    }

    private void Watch()
    {
        while (!_stop)
        {
            Look();
            Thread.Sleep(Limits.CommitTailMilliseconds);
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            var file = new FileInfo(_path);
            if (!file.Exists || file.Length == _bytes.Length) return;
            if (file.Length < _bytes.Length)
            {
                _wentBack ??= $"the log became shorter: it held {_seen.Count} records before";
                return;
            }
            byte[] news;
            try
            {
                using var stream = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
                stream.Position = _bytes.Length;
                news = new byte[Math.Max(0, stream.Length - _bytes.Length)];
                news = news[..stream.ReadAtLeast(news, news.Length, throwOnEndOfStream: false)];
            }
            catch (IOException)
            {
                // A takeover is putting its copy there: the next look sees it.
                return;
            }
            var now = DateTimeOffset.UtcNow;
            var whole = news.AsSpan(0, news.AsSpan().LastIndexOf((byte)'\n') + 1);
            _bytes.Write(whole);
            foreach (var line in whole.ToArray().AsSpan().Split((byte)'\n'))
            {
                if (CommitRow.Parse(whole[line]) is { } row) _seen.Add(new SeenCommit(row.Step, now));
            }
            if (_seen.Count == 0) return;
            _last = now;
            foreach (var (_, reached) in _waiting.Where(w => _seen[^1].Step >= w.Step)) reached.TrySetResult();
            _waiting.RemoveAll(w => _seen[^1].Step >= w.Step);
        }
    }
}
