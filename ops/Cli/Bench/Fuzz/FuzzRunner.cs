using System.Diagnostics;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>What many cases of one decoder came to.</summary>
/// <param name="Taken">Cases that were taken as valid; the others were refused.</param>
/// <param name="Slowest">The longest time of one case, and which.</param>
/// <param name="MostAllocated">Managed bytes of the hungriest case.</param>
/// <param name="Failure">Null, or a sentence that says which case did what, and how to see it again.</param>
internal sealed record FuzzOutcome(string Target, long Cases, long Taken, TimeSpan Took, (TimeSpan Time, long Case) Slowest, long MostAllocated, string? Failure);

/// <summary>
/// Runs cases on a thread of their own: one that hangs is named, not waited for. A case that takes the whole process with it
/// leaves its number in a file of the temporary folder.
/// </summary>
internal sealed class FuzzRunner(FuzzTarget target, ulong seed)
{
    /// <summary>A busy machine may hold a thread up for seconds; a decoder needs microseconds.</summary>
    private static readonly TimeSpan CaseLimit = TimeSpan.FromSeconds(20), Look = TimeSpan.FromMilliseconds(200);

    private readonly IReadOnlyList<byte[]> _samples = target.Samples();
    private long _running = -1, _since;
    private FuzzOutcome? _outcome;

    /// <summary>The bytes of a case: for a person who wants to see them.</summary>
    public byte[] BytesOf(long index) => target.Case(_samples, seed, index);

    /// <param name="first">Number of the first case; 0 = the samples.</param>
    public FuzzOutcome Run(long first, long count, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-fuzz-").FullName;
        // The stack of a worker's thread: what recurses too deep here would do so there.
        var thread = new Thread(() => _outcome = RunCases(folder, first, count, stop), 1 << 20) { IsBackground = true, Name = "fuzz " + target.Name };
        thread.Start();
        while (!thread.Join(Look))
        {
            var (running, since) = (Volatile.Read(ref _running), Volatile.Read(ref _since));
            if (running >= 0 && Stopwatch.GetElapsedTime(since) > CaseLimit)
                return new FuzzOutcome(target.Name, running - first, 0, TimeSpan.Zero, (CaseLimit, running), 0, Told(running, BytesOf(running), $"is still decoded after {CaseLimit.TotalSeconds:0} s"));
        }
        Directory.Delete(folder, recursive: true);
        return _outcome!;
    }

    private FuzzOutcome RunCases(string folder, long first, long count, CancellationToken stop)
    {
        using var decoder = target.Open(folder);
        using var mark = File.OpenHandle(Path.Combine(folder, "case"), FileMode.Create, FileAccess.Write);
        var started = Stopwatch.GetTimestamp();
        var (taken, slowest, hungriest, index) = (0L, (Time: TimeSpan.Zero, Case: first), 0L, first);
        string? failure = null;
        for (; index < first + count && failure is null && !stop.IsCancellationRequested; index++)
        {
            var bytes = BytesOf(index);
            RandomAccess.Write(mark, BitConverter.GetBytes(index), 0);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Volatile.Write(ref _since, Stopwatch.GetTimestamp());
            Volatile.Write(ref _running, index);
            try
            {
                if (decoder.Decode(bytes)) taken++;
                else if (index < _samples.Count) failure = Told(index, bytes, "is a sample, and was refused");
            }
            catch (Exception e) when (target.IsTyped(e))
            {
                if (index < _samples.Count) failure = Told(index, bytes, $"is a sample, and was refused: {e.Message.ReplaceLineEndings(" ")}");
            }
            catch (Exception e)
            {
                failure = Told(index, bytes, $"came out as {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")} {Where(e)}");
            }
            var took = Stopwatch.GetElapsedTime(Volatile.Read(ref _since));
            Volatile.Write(ref _running, -1);
            // The first case pays for what is compiled at the first call.
            if (took > slowest.Time && index > first) slowest = (took, index);
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > hungriest) hungriest = allocated;
            if (allocated > target.Allowance + FuzzTarget.AllowancePerByte * bytes.Length && index > first)
                failure ??= Told(index, bytes, $"allocated {allocated:N0} bytes");
        }
        return new FuzzOutcome(target.Name, index - first, taken, Stopwatch.GetElapsedTime(started), slowest, hungriest, failure);
    }

    /// <summary>The innermost place of ours.</summary>
    private static string Where(Exception e) =>
        e.StackTrace?.Split('\n').FirstOrDefault(static line => line.Contains("Cluster.", StringComparison.Ordinal))?.Trim() ?? "";

    private string Told(long index, byte[] bytes, string what) =>
        $"{target.Name}: case {index} of seed {seed} ({bytes.Length} bytes, {Convert.ToHexStringLower(bytes.AsSpan(0, Math.Min(bytes.Length, 64)))}{(bytes.Length > 64 ? "…" : "")}) {what}; again: cluster bench fuzz --sides {target.Name} --seed {seed} --first {index} --cases 1";
}
