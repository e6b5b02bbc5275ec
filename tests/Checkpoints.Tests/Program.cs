using Xunit.Runner.InProc.SystemConsole;

namespace Cluster.Checkpoints.Tests;

/// <summary>The tests; or, with a first argument of its own, a process that writes checkpoints and may be killed.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args) => await ConsoleRunner.Run(args);
}
