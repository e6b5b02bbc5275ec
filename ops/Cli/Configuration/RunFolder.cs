using System.Globalization;
using System.Text.Json;
using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>
/// A run's folder: config.yaml, events.jsonl and summary.json are written here; commits.jsonl belongs to the commit log.
/// Methods may be called from any thread. Dispose closes events.jsonl.
/// </summary>
public sealed class RunFolder : IDisposable
{
    public const string ConfigName = "config.yaml";
    public const string CommitsName = "commits.jsonl";
    public const string TermName = "term";
    public const string EventsName = "events.jsonl";
    public const string SummaryName = "summary.json";
    public const string FailureName = "failure.txt";

    private static readonly JsonWriterOptions Indented = new() { Indented = true };

    private readonly ResolvedRun _run;
    private readonly bool _isNew;
    private readonly Dictionary<string, string> _facts = [];
    private readonly Lock _lock = new();
    private readonly RunLock? _claim;

    private RunFolder(ResolvedRun run, bool isNew, RunLock? claim)
    {
        _run = run;
        _claim = claim;
        _isNew = isNew;
        Events = new EventLog(Path.Combine(run.OutDirectory, EventsName));
    }

    public string Location => _run.OutDirectory;

    public EventLog Events { get; }

    /// <summary>Makes the folder and claims it by writing config.yaml; of two runs that start into one folder, one fails.</summary>
    /// <exception cref="UserMistakeException">The folder cannot be made or written, or another run took it meanwhile.</exception>
    public static RunFolder Create(ResolvedRun run)
    {
        try
        {
            var isNew = !Directory.Exists(run.OutDirectory);
            Directory.CreateDirectory(run.OutDirectory);
            using (new FileStream(Path.Combine(run.OutDirectory, ConfigName), FileMode.CreateNew, FileAccess.Write, FileShare.None)) { }
            var folder = new RunFolder(run, isNew, RunLock.Take(run.OutDirectory));
            folder.WriteConfig(new Dictionary<string, string>
            {
                ["started"] = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture),
                ["cluster-version"] = ProgramVersion.Text,
                ["folder"] = run.OutDirectory,
            });
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot start a run in {run.OutDirectory}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>Claims the folder of the run that goes on. Its facts stay.</summary>
    /// <exception cref="UserMistakeException">Another process works in it, or it cannot be written.</exception>
    public static RunFolder Resume(ResolvedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var folder = new RunFolder(run, isNew: false, RunLock.Take(run.OutDirectory));
        foreach (var (key, value) in run.Resumes!.Facts) folder._facts[key] = value;
        return folder;
    }

    /// <summary>Opens the folder of a run that this process serves; whoever started it holds the claim, and terms keep two coordinators apart.</summary>
    public static RunFolder Attach(ResolvedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        var folder = new RunFolder(run, isNew: false, claim: null);
        foreach (var (key, value) in run.Resumes!.Facts) folder._facts[key] = value;
        return folder;
    }

    /// <summary>Writes config.yaml again with more facts about the run (training samples, layout hash); atomic, earlier facts stay.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void WriteConfig(IReadOnlyDictionary<string, string> extras)
    {
        lock (_lock)
        {
            foreach (var (key, value) in extras) _facts[key] = value;
            Replace(ConfigName, stream =>
            {
                using var writer = new StreamWriter(stream, leaveOpen: true);
                writer.Write(ConfigWriter.Write(_run, _facts));
            });
        }
    }

    /// <summary>Writes summary.json; atomic.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void WriteSummary(TrainingSummary summary) => Replace(SummaryName, stream =>
    {
        using var json = new Utf8JsonWriter(stream, Indented);
        json.WriteStartObject();
        json.WriteString("state_sha256", summary.StateSha256);
        json.WriteNumber("steps", summary.Steps);
        json.WriteNumber("epochs", summary.Epochs);
        Number(json, "images_per_second", summary.ImagesPerSecond);
        Number(json, "train_loss", summary.TrainLoss);
        Number(json, "test_accuracy", summary.Test?.Accuracy);
        Number(json, "test_top5", summary.Test?.Top5);
        Number(json, "test_loss", summary.Test?.Loss);
        if (summary.Test is { } test) json.WriteNumber("test_samples", test.Samples);
        if (summary.Clipping is { } clipping) Number(json, "clipped_share", clipping.Share);
        if (summary.DataWait is { } wait) Number(json, "data_wait", Math.Round(wait, 6));
        Number(json, "seconds", Math.Round(summary.Elapsed.TotalSeconds, 3));
        if (summary.Early is { } early)
        {
            json.WriteNumber("best_step", early.BestStep);
            json.WriteNumber("stopped_at", early.StoppedAt);
            json.WriteString("stop_reason", early.Reason);
        }
        json.WriteString("recipe", _run.Options.Recipe);
        json.WriteString("model", _run.Options.Model);
        json.WriteNumber("workers", _run.Options.Workers);
        json.WriteNumber("ps", _run.Options.Ps);
        json.WriteNumber("seed", _run.Options.Seed);
        json.WriteEndObject();
    });

    /// <summary>
    /// Takes back what <see cref="Create"/> wrote when nothing was committed, so that the same command can be given again.
    /// Files that were there before stay.
    /// </summary>
    public void DiscardIfNothingCommitted()
    {
        if (new FileInfo(Path.Combine(Location, CommitsName)) is { Exists: true, Length: > 0 }) return;
        Events.Dispose();
        _claim?.Dispose();
        foreach (var name in (string[])[ConfigName, EventsName, CommitsName, TermName, Hosting.MetricsCsv.Name, Hosting.Monitoring.PageServing.FileName, RunLock.Name]) File.Delete(Path.Combine(Location, name));
        if (_isNew && !Directory.EnumerateFileSystemEntries(Location).Any()) Directory.Delete(Location);
    }

    public void Dispose()
    {
        Events.Dispose();
        _claim?.Dispose();
    }

    /// <summary>A number that JSON can hold; NaN and infinities become null.</summary>
    private static void Number(Utf8JsonWriter json, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }

    private void Replace(string name, Action<Stream> write)
    {
        var path = Path.Combine(Location, name);
        var temporary = path + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            write(stream);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
