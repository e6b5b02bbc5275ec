using System.Globalization;
using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Hosting;

/// <summary>
/// metrics.csv: one row per committed step, for plots. Derived from the commit log, so nothing depends on it: rows that a
/// killed process had not written are made up for from the log, and a disk that refuses is told once and otherwise ignored.
/// </summary>
/// <remarks>Calls come one at a time. Rows are written every few seconds; Dispose writes the rest.</remarks>
public sealed class MetricsCsv : IDisposable
{
    public const string Name = "metrics.csv";
    public const string Header = "step,epoch,loss,accuracy,lr,grad_norm,scale,clipped_share,images_per_second,elapsed_seconds,test_loss,test_accuracy";

    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(2);
    private const int ElapsedColumn = 9, TestColumn = 10;

    /// <summary>Bytes that wait for a full disk, some ten thousand rows; beyond that the file is given up.</summary>
    private const int MaxWaiting = 1 << 20;

    private readonly string _path;
    private readonly Action<string> _said;
    private readonly Func<string, Stream> _open;
    private readonly List<byte> _waiting = [];
    private Stream? _file;
    private (long Step, long Epoch, string Figures)? _pending;
    private long _length, _lastStep, _lastEvaluated;
    private TimeSpan _earlier, _flushed;
    private bool _told, _givenUp;

    private MetricsCsv(string path, Action<string> said, Func<string, Stream> open)
    {
        _path = path;
        _said = said;
        _open = open;
    }

    /// <summary>Steps of the whole log, those before a resume too.</summary>
    public long Steps { get; private set; }

    /// <summary>Of them, those whose gradient was clipped.</summary>
    public long ClippedSteps { get; private set; }

    /// <summary>Opens a new file, or goes on with one: a torn last row and rows that the log does not know are cut.</summary>
    /// <param name="path">Of metrics.csv.</param>
    /// <param name="log">The run's commit log as far as it goes; empty for a new run. Rows of it that the file lacks are added.</param>
    /// <param name="said">Gets a sentence when the disk refuses, once.</param>
    /// <param name="open">Opens the file for writing, unbuffered; null = on disk.</param>
    public static MetricsCsv Open(string path, IReadOnlyList<CommitLine> log, Action<string> said, Func<string, Stream>? open = null)
    {
        ArgumentNullException.ThrowIfNull(log);
        var metrics = new MetricsCsv(path, said, open ?? (static file => new FileStream(file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0)));
        try
        {
            metrics.Continue(log);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            metrics.Refused(e);
        }
        return metrics;
    }

    /// <summary>The evaluations that the file holds, in its order; the file does not say of how many samples, nor top-5.</summary>
    public static IEnumerable<EvaluationResult> EvaluationsIn(string path)
    {
        if (!File.Exists(path)) yield break;
        foreach (var row in File.ReadLines(path).Skip(1))
        {
            var cells = row.Split(',');
            if (cells.Length == TestColumn + 2 && long.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out var step)
                && double.TryParse(cells[TestColumn], NumberStyles.Float, CultureInfo.InvariantCulture, out var loss)
                && double.TryParse(cells[TestColumn + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out var accuracy))
            {
                yield return new EvaluationResult(step, loss, accuracy, double.NaN, Samples: 0);
            }
        }
    }

    /// <summary>A step was committed. A step that has its row already (a replayed one) is left alone.</summary>
    /// <param name="imagesPerSecond">Over the recent steps.</param>
    /// <param name="elapsed">Since this process began; what an earlier process took is added.</param>
    public void Committed(CommitRecord record, double imagesPerSecond, TimeSpan elapsed)
    {
        ArgumentNullException.ThrowIfNull(record);
        if (record.Step.Value <= _lastStep) return;
        Settle(null);
        Count(record);
        _lastStep = record.Step.Value;
        _pending = (record.Step.Value, record.Epoch, Figures(record, imagesPerSecond, _earlier + elapsed));
        if (elapsed - _flushed < FlushEvery) return;
        _flushed = elapsed;
        Flush();
    }

    /// <summary>The test set was evaluated: its figures go into the row of that step.</summary>
    public void Evaluated(EvaluationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        if (result.Step <= _lastEvaluated) return;
        _lastEvaluated = result.Step;
        if (_pending is { } pending && pending.Step == result.Step) Settle(result);
        else Append($"{result.Step},,,,,,,,,,{Text(result.Loss)},{Text(result.Accuracy)}\n");
    }

    public void Dispose()
    {
        Settle(null);
        Flush();
        _file?.Dispose();
        _file = null;
    }

    private void Continue(IReadOnlyList<CommitLine> log)
    {
        var text = File.Exists(_path) ? File.ReadAllText(_path) : "";
        if (text.Length > 0 && !text.StartsWith(Header + "\n", StringComparison.Ordinal))
        {
            File.Move(_path, _path + ".old", overwrite: true);
            text = "";
        }
        _length = KeepRows(text, lastLogged: log.Count == 0 ? 0 : log[^1].Record.Step.Value);
        _file = _open(_path);
        _file.SetLength(_length);
        _file.Position = _length;
        if (_length == 0) Append(Header + "\n");
        foreach (var (record, milliseconds) in log)
        {
            Count(record);
            if (record.Step.Value <= _lastStep) continue;
            _lastStep = record.Step.Value;
            _earlier += TimeSpan.FromMilliseconds(double.IsFinite(milliseconds) ? Math.Clamp(milliseconds, 0, 1e12) : 0);
            Append($"{record.Step},{record.Epoch},{Figures(record, milliseconds > 0 ? record.Samples / milliseconds * 1000 : 0, _earlier)},,\n");
        }
        Flush();
    }

    /// <summary>Goes over the rows that the file has; returns the length up to the last one that is whole and in the log.</summary>
    private long KeepRows(string text, long lastLogged)
    {
        var kept = 0;
        while (text.IndexOf('\n', kept) is var end and >= 0)
        {
            var row = text[kept..end];
            if (kept > 0)
            {
                var cells = row.Split(',');
                if (cells.Length != TestColumn + 2 || !long.TryParse(cells[0], NumberStyles.None, CultureInfo.InvariantCulture, out var step) || step > lastLogged) break;
                _lastStep = Math.Max(_lastStep, cells[1].Length > 0 ? step : 0);
                if (cells[TestColumn].Length > 0) _lastEvaluated = Math.Max(_lastEvaluated, step);
                if (double.TryParse(cells[ElapsedColumn], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and < 1e9) _earlier = TimeSpan.FromSeconds(seconds);
            }
            kept = end + 1;
        }
        return kept;     // every character that is kept is one byte
    }

    /// <summary>Ends the row of the last step, which waited for an evaluation that belongs to it.</summary>
    private void Settle(EvaluationResult? result)
    {
        if (_pending is not { } row) return;
        _pending = null;
        Append($"{row.Step},{row.Epoch},{row.Figures},{(result is null ? "," : $"{Text(result.Loss)},{Text(result.Accuracy)}")}\n");
    }

    private void Append(string row)
    {
        if (_givenUp) return;
        _waiting.AddRange(Encoding.ASCII.GetBytes(row));
        if (_waiting.Count > MaxWaiting)
        {
            Flush();
            if (_waiting.Count > MaxWaiting) GiveUp();
        }
    }

    private void Flush()
    {
        if (_givenUp || _file is null || _waiting.Count == 0) return;
        try
        {
            _file.Write(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_waiting));
            _length += _waiting.Count;
            _waiting.Clear();
        }
        catch (IOException e)
        {
            Refused(e);
            Rewind();
        }
    }

    /// <summary>Takes half-written rows back; they are written whole when there is room again.</summary>
    private void Rewind()
    {
        try
        {
            _file!.SetLength(_length);
            _file.Position = _length;
        }
        catch (IOException)
        {
            GiveUp();
        }
    }

    private void Refused(Exception reason)
    {
        if (_file is null) GiveUp();
        if (_told) return;
        _told = true;
        _said($"{Name} cannot be written: {reason.Message.ReplaceLineEndings(" ")} The run goes on; {Configuration.RunFolder.CommitsName} holds the same figures.");
    }

    private void GiveUp()
    {
        _givenUp = true;
        _waiting.Clear();
    }

    private void Count(CommitRecord record)
    {
        Steps++;
        if (record.Scale < 1) ClippedSteps++;
    }

    private string Figures(CommitRecord record, double imagesPerSecond, TimeSpan elapsed) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{Text(record.Loss)},{Text(record.Accuracy)},{Text(record.LearningRate)},{Text(record.GradNorm)},{Text(record.Scale)},{(double)ClippedSteps / Steps:0.####},{imagesPerSecond:0.0},{elapsed.TotalSeconds:0.000}");

    /// <summary>Shortest text that reads back to the same bits; NaN and Infinity as spreadsheets and pandas read them.</summary>
    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
