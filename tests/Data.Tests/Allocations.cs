namespace Cluster.Data.Tests;

/// <summary>What code allocates over and over.</summary>
internal static class Allocations
{
    /// <summary>
    /// Bytes of the managed heap that this thread takes in the quietest of ten rounds: the runtime itself allocates a little,
    /// once, when it compiles a method anew.
    /// </summary>
    public static long Of(Action round) => Enumerable.Range(0, 10).Min(_ =>
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        round();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    });
}
