namespace Cluster.Coordinator.Core.Audit;

/// <summary>Findings up to a bound; the rest is counted, so that a log that is wrong throughout costs no memory.</summary>
internal sealed class FindingList(int capacity)
{
    private readonly List<AuditFinding> _listed = [];

    public IReadOnlyList<AuditFinding> Listed => _listed;

    public long Count { get; private set; }

    public void Add(AuditFault fault, int line, long? step, int? leaf, string sentence)
    {
        Count++;
        if (_listed.Count < capacity) _listed.Add(new AuditFinding(fault, line, step, leaf, sentence));
    }

    public void Add(FindingList others)
    {
        Count += others.Count;
        _listed.AddRange(others.Listed.Take(capacity - _listed.Count));
    }
}
