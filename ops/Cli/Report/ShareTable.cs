namespace Cluster.Cli.Report;

/// <summary>
/// Samples by worker over a run of unknown length: at most <see cref="MostRows"/> rows of equally many steps each; when they
/// are full, two and two become one.
/// </summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class ShareTable
{
    public const int MostRows = 256;

    private readonly List<Dictionary<int, long>> _rows = [];
    private int _inLast;

    /// <summary>Steps of each row but the last, which may have fewer.</summary>
    public int StepsPerRow { get; private set; } = 1;

    /// <summary>Samples by worker, row by row.</summary>
    public IReadOnlyList<IReadOnlyDictionary<int, long>> Rows => _rows;

    /// <summary>The next step begins.</summary>
    public void Begin()
    {
        if (_rows.Count > 0 && _inLast < StepsPerRow)
        {
            _inLast++;
            return;
        }
        if (_rows.Count == MostRows) Halve();
        if (_rows.Count > 0 && _inLast < StepsPerRow)
        {
            _inLast++;
            return;
        }
        _rows.Add([]);
        _inLast = 1;
    }

    public void Add(int worker, long samples) => _rows[^1][worker] = _rows[^1].GetValueOrDefault(worker) + samples;

    private void Halve()
    {
        for (var i = 0; i < MostRows / 2; i++)
        {
            var (into, from) = (_rows[2 * i], _rows[2 * i + 1]);
            foreach (var (worker, samples) in from) into[worker] = into.GetValueOrDefault(worker) + samples;
            _rows[i] = into;
        }
        _rows.RemoveRange(MostRows / 2, MostRows / 2);
        StepsPerRow *= 2;
        _inLast = StepsPerRow;
    }
}
