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

    private CommitLogFile? _log;

    private string CommitsPath => Path.Combine(folder, CommitsName);
    private string TermPath => Path.Combine(folder, TermName);

    /// <summary>What the term file of a run's folder says; 0 = there is none.</summary>
    /// <exception cref="ClusterException">It does not hold a number.</exception>
    public static Term TermOf(string folder)
    {
        var path = Path.Combine(folder, TermName);
        if (!File.Exists(path)) return new Term(0);
        var text = File.ReadAllText(path).TrimEnd('\n');
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var term)
            ? new Term(term)
            : throw new ClusterException($"{path} holds '{text}' instead of a term; delete it only when no coordinator of this run is alive");
    }

    public Term ReadTerm()
    {
        var written = TermOf(folder);
        // Folders from before there was a term file, or whose power failed before it was flushed.
        var logged = File.Exists(CommitsPath) ? Read().Lines.Select(static l => l.Record.Term).DefaultIfEmpty(new Term(0)).Max() : new Term(0);
        return written > logged ? written : logged;
    }

    public void WriteTerm(Term term) => Replace(TermPath, Encoding.ASCII.GetBytes(term.ToString() + "\n"));

    public LogAdopted AdoptLog(IReadOnlyList<CommitRecord> promised)
    {
        ArgumentNullException.ThrowIfNull(promised);
        var content = File.Exists(CommitsPath) ? Read() : new CommitLogContent([], 0, 0);
        var lines = content.Lines.ToList();
        foreach (var record in promised.OrderBy(static r => r.Step))
        {
            if (record.Step.Value <= lines.Count) Agree(lines[(int)record.Step.Value - 1].Record, record);
            else if (record.Step.Value == lines.Count + 1) lines.Add(new CommitLine(record, 0));
            else throw new ClusterException($"{CommitsPath} ends at step {lines.Count} and the shards remember steps from {record.Step}: lines are missing; the log was cut by hand or lost");
        }
        var bytes = new MemoryStream();
        foreach (var line in lines) bytes.Write(CommitLog.Write(line.Record, line.Milliseconds));
        _log?.Dispose();
        _log = null;
        Replace(CommitsPath, bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
        _log = CommitLogFile.Continue(CommitsPath, bytes.Length);
        var last = new StepId(lines.Count);
        var version = checkpoints.Newest(last) ?? WeightsVersion.Initial;
        return new LogAdopted(last, version, [.. lines.Skip((int)version.Value).Select(static l => l.Record)]);
    }

    public void Append(ReadOnlySpan<byte> line) => (_log ?? throw new ClusterException("a record came before the log was adopted")).Append(line);

    /// <summary>Makes everything appended so far survive a power loss.</summary>
    public void Flush() => _log?.Flush();

    public LoadShard? Load(WeightsVersion version) => checkpoints.Newest(new StepId(version.Value)) == version ? checkpoints.Load(version) : null;

    private CommitLogContent Read()
    {
        try
        {
            return CommitLog.Read(File.ReadAllBytes(CommitsPath));
        }
        catch (CommitLogException e)
        {
            throw new ClusterException($"{CommitsPath}, line {e.Line}: {e.Reason}", e);
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
        using (var file = File.OpenHandle(next, FileMode.Create, FileAccess.Write, FileShare.Read))
        {
            RandomAccess.Write(file, content, 0);
            RandomAccess.FlushToDisk(file);
        }
        File.Move(next, path, overwrite: true);
        Folders.Flush(Path.GetDirectoryName(path)!);
    }

    public void Dispose() => _log?.Dispose();
}
