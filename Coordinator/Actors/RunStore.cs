using System.Globalization;
using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Actors;

/// <summary>Where whole checkpoints are; the host brings it.</summary>
public interface ICheckpointSource
{
    /// <summary>The newest whole one up to this step; null = none.</summary>
    WeightsVersion? Newest(StepId logged);

    /// <summary>The version that was found last; the caller releases it.</summary>
    LoadShard Load(WeightsVersion version);
}

/// <summary>A run's folder: <c>commits.jsonl</c> and <c>term</c>. See <see cref="IRunStore"/>.</summary>
public sealed class RunStore(string folder, ICheckpointSource checkpoints) : IRunStore
{
    public const string CommitsName = "commits.jsonl";
    public const string TermName = "term";

    /// <summary>Of the log that a coordinator has moved away; it is the log while there is no other.</summary>
    public const string AwaySuffix = ".old";

    private const string ClaimInfix = ".claim-";

    private CommitLogFile? _log;
    private Term? _claimed;

    private string CommitsPath => Path.Combine(folder, CommitsName);
    private string AwayPath => CommitsPath + AwaySuffix;
    private string TermPath => Path.Combine(folder, TermName);

    /// <summary>What the term file of a run's folder says; 0 = there is none.</summary>
    /// <exception cref="ClusterException">It does not hold a number.</exception>
    public static Term TermOf(string folder)
    {
        var path = Path.Combine(folder, TermName);
        // A claim counts from the moment it exists, though its coordinator may have died before it wrote the term.
        var highest = Directory.EnumerateFiles(folder, TermName + ClaimInfix + "*").Select(static claim => Number(claim[(claim.LastIndexOf('-') + 1)..], claim)).DefaultIfEmpty(0).Max();
        if (File.Exists(path)) highest = Math.Max(highest, Number(File.ReadAllText(path).TrimEnd('\n'), path));
        return new Term(highest);

        static long Number(string text, string where) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var term)
            ? term
            : throw new ClusterException($"{where} holds '{text}' instead of a term; delete it only when no coordinator of this run is alive");
    }

    public Term ReadTerm()
    {
        var written = TermOf(folder);
        // Folders from before there was a term file, or whose power failed before it was flushed.
        var log = LogOf(folder);
        var logged = File.Exists(log) ? Read(log, CommitsPath).Lines.Select(static l => l.Record.Term).DefaultIfEmpty(new Term(0)).Max() : new Term(0);
        return written > logged ? written : logged;
    }

    public Term? WriteTerm(Term term, Term known)
    {
        // A question; whoever acts has claimed, and the log need not be read for it.
        if (term == known) return TermOf(folder) is var highest && highest > known ? highest : null;
        var disk = ReadTerm();
        var isMine = _claimed == term;      // tried before, and the disk was full in between
        if (disk > known && !(isMine && disk == term)) return disk;
        try
        {
            // Made anew or not at all: of two that claim one number, one gets it.
            if (!isMine)
                using (File.OpenHandle(ClaimOf(term), FileMode.CreateNew, FileAccess.Write, FileShare.Read)) { }
            _claimed = term;
        }
        catch (IOException) when (File.Exists(ClaimOf(term)))
        {
            return term;
        }
        Replace(TermPath, Encoding.ASCII.GetBytes(term.ToString() + "\n"));
        // From here on the term file says it all.
        foreach (var claim in Directory.EnumerateFiles(folder, TermName + ClaimInfix + "*")) File.Delete(claim);
        return null;
    }

    private string ClaimOf(Term term) => TermPath + ClaimInfix + term;

    public LogAdopted? AdoptLog(Term term, IReadOnlyList<CommitRecord> promised)
    {
        ArgumentNullException.ThrowIfNull(promised);
        while (TermOf(folder) <= term)
        {
            if (File.Exists(CommitsPath)) File.Move(CommitsPath, AwayPath, overwrite: true);
            if (Longest(promised) is not { } lines) continue;
            var bytes = new MemoryStream();
            foreach (var line in lines) bytes.Write(CommitLog.Write(line.Record, line.Milliseconds));
            if (!TryName(bytes.GetBuffer().AsSpan(0, (int)bytes.Length))) continue;     // another coordinator was faster: its log is moved away in turn
            File.Delete(AwayPath);
            _log?.Dispose();
            _log = null;
            _log = CommitLogFile.Continue(CommitsPath, bytes.Length);
            var last = new StepId(lines.Count);
            var version = checkpoints.Newest(last) ?? WeightsVersion.Initial;
            return new LogAdopted(last, version, [.. lines.Skip((int)version.Value).Select(static l => l.Record)])
            {
                Evaluations = [.. lines.Select(static l => l.Record.Evaluation).OfType<EvaluationNote>()],
                Quarantined = CommitLog.QuarantinedIn(lines.Select(static l => l.Record)),
            };
        }
        return null;
    }

    /// <summary>The log that was moved away, with what the shards remember beyond it. Null when another coordinator has just let go of it: its own log is there then.</summary>
    private List<CommitLine>? Longest(IReadOnlyList<CommitRecord> promised)
    {
        try
        {
            var lines = Read(AwayPath, CommitsPath).Lines.ToList();
            foreach (var record in promised.OrderBy(static r => r.Step)) Take(lines, record);
            return lines;
        }
        catch (FileNotFoundException) when (File.Exists(CommitsPath))
        {
            return null;
        }
        catch (FileNotFoundException)
        {
            var lines = new List<CommitLine>();
            foreach (var record in promised.OrderBy(static r => r.Step)) Take(lines, record);
            return lines;
        }
        catch (ClusterException)
        {
            // For a person to look at, under its own name.
            if (!File.Exists(CommitsPath)) File.Move(AwayPath, CommitsPath, overwrite: false);
            throw;
        }
    }

    private void Take(List<CommitLine> lines, CommitRecord record)
    {
        if (record.Step.Value <= lines.Count) Agree(lines[(int)record.Step.Value - 1].Record, record);
        else if (record.Step.Value == lines.Count + 1) lines.Add(new CommitLine(record, 0));
        else throw new ClusterException($"{CommitsPath} ends at step {lines.Count} and the shards remember steps from {record.Step}: lines are missing; the log was cut by hand or lost");
    }

    /// <summary>Gives the log's name to a flushed copy, unless somebody has it.</summary>
    private bool TryName(ReadOnlySpan<byte> content)
    {
        var next = CommitsPath + ".next";
        Write(next, content);
        try
        {
            File.Move(next, CommitsPath, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(CommitsPath))
        {
            return false;
        }
    }

    public bool Append(ReadOnlySpan<byte> line)
    {
        var log = _log ?? throw new ClusterException("a record came before the log was adopted");
        log.Append(line);
        // Looked at after the write: whoever moves the log away reads it afterwards, and finds every line that passed here.
        return log.IsAt(CommitsPath);
    }

    public void Flush() => _log?.Flush();

    public LoadShard? Load(WeightsVersion version) => checkpoints.Newest(new StepId(version.Value)) == version ? checkpoints.Load(version) : null;

    /// <summary>Where a run's log is: under its name, or moved away by a coordinator that died before it had named its copy.</summary>
    public static string LogOf(string folder)
    {
        var path = Path.Combine(folder, CommitsName);
        return !File.Exists(path) && File.Exists(path + AwaySuffix) ? path + AwaySuffix : path;
    }

    /// <param name="name">For messages.</param>
    private static CommitLogContent Read(string path, string name)
    {
        try
        {
            return CommitLog.Read(File.ReadAllBytes(path));
        }
        catch (CommitLogException e)
        {
            throw new ClusterException($"{name}, line {e.Line}: {e.Reason}", e);
        }
    }

    private static void Agree(CommitRecord written, CommitRecord promised)
    {
        if (!CommitLog.Write(written, 0).AsSpan().SequenceEqual(CommitLog.Write(promised, 0)))
            throw new ClusterException($"the log and a shard's memory of step {written.Step} differ (terms {written.Term} and {promised.Term}): one of them is of another run");
    }

    /// <summary>A new file under the old name: whole or not at all, and flushed, the name included.</summary>
    private static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var next = path + ".next";
        Write(next, content);
        File.Move(next, path, overwrite: true);
        Folders.Flush(Path.GetDirectoryName(path)!);
    }

    private static void Write(string path, ReadOnlySpan<byte> content)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.Read);
        RandomAccess.Write(file, content, 0);
        RandomAccess.FlushToDisk(file);
    }

    public void Dispose() => _log?.Dispose();
}
