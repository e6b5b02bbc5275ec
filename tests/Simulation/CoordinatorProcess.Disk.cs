using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

// The run's folder: the term file, the commit log, checkpoints.
internal sealed partial class CoordinatorProcess
{
    private LogFile? _log;
    private (LogFile File, CommitRecord Record, byte[] Line)? _append;
    private Collecting? _collecting;

    /// <summary>The parts of a version that are on their way to a checkpoint.</summary>
    private sealed record Collecting(Term Term, WeightsVersion Version)
    {
        public SortedDictionary<ShardId, (ShardTensors Tensors, long Applied)> Parts { get; } = [];
    }

    private void WriteTerm(StepEffect.WriteTerm write) => After(World.Random.Between(0.2, 3), () =>
    {
        if (State.Term != write.Term) return;
        if (World.Now < World.Disk.FullUntil)
        {
            WriteTerm(write);
            return;
        }
        if (World.Disk.Term > write.Known)
        {
            Feed(new TermTaken(World.Disk.Term));
            return;
        }
        World.Disk.Term = write.Term;
        World.Faults.Passes(FaultPoint.TermWritten, this);
        Feed(new TermWritten(write.Term));
    });

    /// <summary>
    /// Writes the line, and only then looks whether the log at the path is still this file. Another coordinator moves the
    /// log away before it reads it, so it has read every line that passes this test.
    /// </summary>
    private void Append(CommitRecord record)
    {
        if (World.Now < World.Disk.FullUntil)
        {
            // The step waits until there is room.
            After(SimulationLimits.DiskRetryMilliseconds, () =>
            {
                if (State.Step.Phase == StepPhase.Committing && ReferenceEquals(State.Step.Record, record)) Append(record);
            });
            return;
        }
        var (file, term) = (_log!, State.Term);
        var line = CommitLog.Write(record, milliseconds: 1);
        _append = (file, record, line);
        World.After(World.Random.Between(0.05, 2), () =>
        {
            // It died in the meantime: what is in the file has been decided then.
            if (_append is not { } append || append.File != file || append.Record != record) return;
            _append = null;
            Write(file, record, line);
            World.Faults.Passes(FaultPoint.Appended, this);
            Do(() =>
            {
                if (State.Term != term) return;
                if (World.Disk.Log == file || World.Plant.IgnoresMovedLog) Feed(new CommitWritten(record.Step));
                else Feed(new TermTaken(World.Disk.Term));
            });
        });
    }

    private void Write(LogFile file, CommitRecord record, byte[] line)
    {
        file.Append(record, line);
        World.Invariants.AfterEvent();
        if (World.IsTracing) World.Say("disk", $"file {file.Number}{(file == World.Disk.Authority ? "" : ", no longer the log")}: record of step {record.Step}, attempt {record.Attempt}, term {record.Term}");
    }

    /// <summary>It dies with a line on its way: all of it, some of it or none of it is in the file.</summary>
    private void TearAppend()
    {
        if (_append is not { } append) return;
        _append = null;
        var bytes = World.Random.Below(append.Line.Length + 1);
        if (World.Random.Chance(0.3)) bytes = append.Line.Length;
        if (bytes == append.Line.Length) Write(append.File, append.Record, append.Line);
        else append.File.AppendTorn(append.Line.AsSpan(0, bytes));
        World.Count("appends torn");
    }

    /// <summary>Moves the log away, reads it, and gives its name to a copy with what the promises add.</summary>
    private void Adopt(IReadOnlyList<CommitRecord> promised)
    {
        var term = State.Term;
        World.Disk.MoveLogAway();
        World.Faults.Passes(FaultPoint.LogMovedAway, this);
        After(World.Random.Between(0.1, 4), () => Adopt(term, promised));
    }

    private void Adopt(Term term, IReadOnlyList<CommitRecord> promised)
    {
        if (State.Term != term || State.Phase != TermPhase.AdoptingLog) return;
        if (World.Disk.Term > term)
        {
            Feed(new TermTaken(World.Disk.Term));
            return;
        }
        var records = World.Disk.MovedAway is { } old ? CommitLog.Read(old.Bytes).Lines.Select(static l => l.Record).ToList() : [];
        records.AddRange(promised.Where(r => r.Step.Value > records.Count).OrderBy(static r => r.Step));
        var copy = World.Disk.NewFile();
        foreach (var record in records) copy.Append(record, CommitLog.Write(record, milliseconds: 1));
        if (!World.Disk.TryName(copy))
        {
            Adopt(promised);
            return;
        }
        _log = copy;
        if (World.IsTracing) World.Say(this, $"file {copy.Number} is the log now, with {records.Count} records");
        World.Faults.Passes(FaultPoint.LogAdopted, this);
        var checkpoint = World.Disk.Checkpoints.Keys.Where(v => v.Value <= records.Count).DefaultIfEmpty(WeightsVersion.Initial).Max();
        Feed(new LogAdopted(new StepId(records.Count), checkpoint, [.. records.Where(r => r.Step.Produces > checkpoint)]) { Quarantined = CommitLog.QuarantinedIn(records) });
    }

    private void Keep(WeightsVersion version)
    {
        _collecting = new Collecting(State.Term, version);
        AskForSnapshots();
    }

    private void AskForSnapshots()
    {
        if (_collecting is not { } collecting) return;
        if (collecting.Term != State.Term || State.Phase != TermPhase.Running)
        {
            _collecting = null;
            return;
        }
        foreach (var place in State.Places.Where(p => !collecting.Parts.ContainsKey(p.Shard))) Send(place.PrimaryReplica, new SnapshotShard(State.Term, collecting.Version));
    }

    private void Take(SlotSnapshot snapshot, ShardTensors tensors)
    {
        if (_collecting is not { } collecting || collecting.Term != State.Term || snapshot.Term != collecting.Term || snapshot.Version != collecting.Version) return;
        collecting.Parts[snapshot.Shard] = (tensors, snapshot.AppliedSteps);
        if (collecting.Parts.Count < State.Shards) return;
        _collecting = null;
        var isLast = collecting.Version.Value == World.Scenario.Steps;
        // Written while training goes on.
        After(World.Random.Between(1, 60), () =>
        {
            World.Disk.Checkpoints[collecting.Version] =
                ([.. collecting.Parts.Values.SelectMany(static p => p.Tensors.Weights)], [.. collecting.Parts.Values.SelectMany(static p => p.Tensors.Momentum)], collecting.Parts.Values.First().Applied);
            World.Count("checkpoints");
            if (World.IsTracing) World.Say("disk", $"checkpoint of version {collecting.Version}");
            World.Faults.Passes(FaultPoint.CheckpointWritten, this);
            if (!IsAlive) return;
            if (isLast)
            {
                Finish();
                return;
            }
            foreach (var place in State.Places)
            {
                Send(place.PrimaryReplica, new ForgetRecords(State.Term, collecting.Version, place.Shard));
                if (place.StandbyReplica is { } standby) Send(standby, new ForgetRecords(State.Term, collecting.Version, place.Shard));
            }
        });
        if (!isLast) Feed(new GoOn());
    }
}
