using System.Globalization;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;
using Xunit.Runner.InProc.SystemConsole;

namespace Cluster.Checkpoints.Tests;

/// <summary>
/// The tests; or, with a first argument of its own, a process that writes checkpoints and may be killed:
/// <c>write RUN STEP [KILL-AT-CALL]</c>, <c>write-on RUN FIRST-STEP</c> (until killed), <c>wait</c>, <c>bench FOLDER MEGABYTES ROUNDS</c>.
/// </summary>
public static class Program
{
    /// <summary>Exit code of a writer whose disk refused.</summary>
    public const int Refused = 3;

    public static async Task<int> Main(string[] args) => args switch
    {
        ["write", var run, var step] => Write(run, Number(step), new FaultyFiles()),
        ["write", var run, var step, var call] => Write(run, Number(step), new FaultyFiles((int)Number(call), Fault.Kill)),
        ["write-on", var run, var step] => WriteOn(run, Number(step)),
        ["wait"] => Wait(),
        ["bench", var folder, var megabytes, var rounds] => WriteBenchmark.Run(folder, (int)Number(megabytes), (int)Number(rounds)),
        _ => await ConsoleRunner.Run(args),
    };

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);

    private static int Write(string run, long step, FaultyFiles files)
    {
        using var state = new TestState(step);
        try
        {
            Console.WriteLine($"whole {CheckpointStore.OpenForWriting(run, files).Write(state.Content())}");
            return 0;
        }
        catch (CheckpointWriteException e)
        {
            Console.WriteLine($"refused {e.Message}");
            return Refused;
        }
    }

    /// <summary>Says that it is there, then waits to be killed (or for the end of its input).</summary>
    private static int Wait()
    {
        Console.WriteLine("here");
        return Console.In.Read();
    }

    private static int WriteOn(string run, long step)
    {
        var store = CheckpointStore.OpenForWriting(run);
        for (; ; step++)
        {
            using var state = new TestState(step);
            store.Write(state.Content());
            store.Retain(2, 0);
            Console.WriteLine(step.ToString(CultureInfo.InvariantCulture));
        }
    }
}
