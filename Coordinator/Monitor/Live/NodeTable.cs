using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>A row per worker and shard, from what is committed, said and reported. Not for several threads.</summary>
public sealed class NodeTable
{
    /// <summary>Workers and shards that a run can have are fewer; a row more than that is a stranger's.</summary>
    private const int MaxRows = 2048;

    /// <summary>Weight of the newest step in the means: they look back on about ten steps.</summary>
    private const double Newest = 0.1;

    /// <summary>The gauge of a process's memory, and the kind of it that is shown.</summary>
    private const string MemoryName = "train.memory.usage", MemoryKind = "resident";

    private readonly SortedDictionary<string, NodeRow> _rows = new(NodeOrder.Instance);
    private readonly Dictionary<int, (int Leaves, int Samples)> _counts = [];
    private readonly Dictionary<int, NodeRow> _workers = [];

    public IReadOnlyCollection<NodeRow> Rows => _rows.Values;

    /// <summary>Those that the run was started with; nobody is here yet.</summary>
    public void Expect(int workers, int shards)
    {
        for (var i = 0; i < workers; i++) Row(new WorkerId(i).ToString());
        for (var i = 0; i < shards; i++) Row(new ShardId(i).ToString());
    }

    /// <param name="took">From commit to commit; zero or less when it is no measure.</param>
    public void Committed(CommitRecord record, TimeSpan took)
    {
        ArgumentNullException.ThrowIfNull(record);
        _counts.Clear();
        foreach (var leaf in record.Leaves)
        {
            ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(_counts, leaf.Worker.Index, out _);
            count = (count.Leaves + 1, count.Samples + leaf.Samples);
        }
        foreach (var (index, (leaves, samples)) in _counts)
        {
            if (WorkerRow(index) is not { } row) continue;
            row.LastStep = record.Step.Value;
            // A worker that is lost may still have leaves in the step that was open.
            if (row.State is NodeState.Waiting or NodeState.Late or NodeState.Stuck) row.State = NodeState.Working;
            row.Share = Blend(row.Share, (double)leaves / record.Leaves.Count);
            if (took > TimeSpan.Zero) row.Speed = Blend(row.Speed, samples / took.TotalSeconds);
        }
        foreach (var row in _rows.Values)
        {
            if (!row.IsWorker) row.State = row.State == NodeState.Waiting && row.Name.StartsWith("ps-", StringComparison.Ordinal) ? NodeState.Working : row.State;
            else if (row.LastStep != record.Step.Value && row.Share is not null) Fade(row);
        }
        foreach (var worker in record.Quarantined ?? [])
            if (WorkerRow(worker.Index) is { } row) Leave(row, NodeState.Quarantined);
    }

    /// <summary>Reads the kinds of events.jsonl that tell where a node is.</summary>
    public void Happened(RunEvent happened)
    {
        ArgumentNullException.ThrowIfNull(happened);
        if (happened.Node is not { } node || !IsNode(node) || Row(node) is not { } row) return;
        switch (happened.Kind)
        {
            case "worker-joined":
                if (row.State is not NodeState.Quarantined and not NodeState.Working) row.State = NodeState.Waiting;
                break;
            // A process that was only started again has yet to find its way back.
            case "membership" when row.State is NodeState.Lost or NodeState.Left && IsArrival(happened.Sentence):
                row.State = NodeState.Waiting;
                break;
            case "worker-lost" or "shard-lost" or "process-ended" when row.State != NodeState.Quarantined && row.State != NodeState.Left:
                Leave(row, NodeState.Lost);
                break;
            case "worker-left":
                Leave(row, NodeState.Left);
                break;
            case "worker-hung" when !row.IsOut:
                row.State = NodeState.Stuck;
                break;
            case "worker-late" or "shard-late" when !row.IsOut:
                row.State = NodeState.Late;
                break;
            case "worker-quarantined":
                Leave(row, NodeState.Quarantined);
                break;
        }
    }

    public void Reported(string node, NodeReport report, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (Row(node) is not { } row) return;
        row.HeardAt = at;
        foreach (var figure in report.Figures)
            if (figure is { Name: MemoryName, Tag: MemoryKind } && double.IsFinite(figure.Value)) row.Memory = figure.Value;
        // Neither shards nor the coordinator have leaves: that they speak tells that they work.
        if (!row.IsWorker && row.State == NodeState.Waiting) row.State = NodeState.Working;
    }

    private static bool IsArrival(string sentence) => sentence.Contains(" joins", StringComparison.Ordinal) || sentence.Contains(" comes back", StringComparison.Ordinal);

    private static bool IsNode(string name) => name.StartsWith("worker-", StringComparison.Ordinal) || name.StartsWith("ps-", StringComparison.Ordinal);

    private static void Leave(NodeRow row, NodeState state)
    {
        row.State = state;
        row.Share = row.IsWorker ? 0 : null;
        row.Speed = row.IsWorker ? 0 : null;
    }

    private static void Fade(NodeRow row)
    {
        row.Share = Blend(row.Share, 0);
        row.Speed = Blend(row.Speed, 0);
    }

    private static double Blend(double? before, double now) => before is { } mean ? mean + Newest * (now - mean) : now;

    private NodeRow? WorkerRow(int index)
    {
        if (_workers.TryGetValue(index, out var known)) return known;
        var row = Row(new WorkerId(index).ToString());
        if (row is not null) _workers[index] = row;
        return row;
    }

    private NodeRow? Row(string name)
    {
        if (_rows.TryGetValue(name, out var row)) return row;
        if (_rows.Count >= MaxRows) return null;
        return _rows[name] = new NodeRow(name);
    }

    /// <summary>Workers first, each kind by number.</summary>
    private sealed class NodeOrder : IComparer<string>
    {
        public static readonly NodeOrder Instance = new();

        public int Compare(string? x, string? y)
        {
            var (left, right) = (KeyOf(x!), KeyOf(y!));
            return left.Kind != right.Kind ? left.Kind.CompareTo(right.Kind) : left.Number != right.Number ? left.Number.CompareTo(right.Number) : string.CompareOrdinal(x, y);
        }

        private static (int Kind, int Number) KeyOf(string name)
        {
            var kind = name.StartsWith("worker-", StringComparison.Ordinal) ? 0 : name.StartsWith("ps-", StringComparison.Ordinal) ? 1 : 2;
            return (kind, int.TryParse(name.AsSpan(name.LastIndexOf('-') + 1), out var number) ? number : -1);
        }
    }
}
