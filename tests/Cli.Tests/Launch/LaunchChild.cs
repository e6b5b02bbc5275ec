using System.Runtime.InteropServices;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

/// <summary>
/// The program that supervised processes of these specs run: this very test program, which becomes one when the
/// environment says so. Every one is watched as a node process is.
/// </summary>
internal static partial class LaunchChild
{
    private const string Variable = "CLUSTER_TEST_CHILD";

    /// <summary>A child that plays this part.</summary>
    /// <param name="part">See <see cref="Play"/>.</param>
    public static ChildSpec Spec(string name, string part) =>
        new(name, Environment.ProcessPath!, [name], new Dictionary<string, string?> { [Variable] = part, ["DOTNET_TieredPGO"] = "0" });

    /// <summary>Called first thing in main.</summary>
    /// <returns>Whether this process was a child, and has ended as one.</returns>
    public static bool PlayedPart(out int exitCode)
    {
        exitCode = 0;
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } part) return false;
        Environment.SetEnvironmentVariable(Variable, null);
        exitCode = Play(part.Split(' ', 2));
        return true;
    }

    private static int Play(string[] part)
    {
        if (part[0] != "supervise") ParentWatch.Begin();
        switch (part[0])
        {
            case "say":
                Console.WriteLine(part[1]);
                return 0;
            case "exit":
                Console.Error.WriteLine($"cluster: ending with {part[1]}");
                return int.Parse(part[1]);

            // Ends with 0 at SIGTERM.
            case "serve":
                return Serve(0);

            // Ends as an interrupted run does.
            case "coordinate":
                return Serve(130);

            // Takes no SIGTERM, while its main thread computes and others force collections: only SIGKILL ends it.
            case "compute":
                using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, static context => context.Cancel = true))
                {
                    new Thread(static () => { while (true) GC.Collect(0); }) { IsBackground = true }.Start();
                    Console.WriteLine("ready");
                    var sum = 0.0;
                    for (var i = 1L; ; i++) sum = Math.Sqrt(sum + i);
                }

            // Takes no SIGTERM, while its main thread is blocked in the kernel.
            case "block":
                using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, static context => context.Cancel = true))
                {
                    Console.WriteLine("ready");
                    while (true) _ = Pause();
                }
            case "flood":
                for (var i = 0; i < int.Parse(part[1]); i++)
                {
                    Console.Out.Write($"o{i:000000}\n");
                    Console.Error.Write($"e{i:000000}\n");
                }
                return 0;
            case "supervise":
                return Supervise(part[1].Split(','));
            default:
                return 99;
        }
    }

    private static int Serve(int code)
    {
        using var end = new ManualResetEventSlim();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            end.Set();
        });
        Console.WriteLine("ready");
        end.Wait();
        return code;
    }

    /// <summary>A whole supervisor process over children of these parts; prints <c>child PID</c> for each that is ready.</summary>
    private static int Supervise(string[] parts)
    {
        var children = parts.Select((part, index) => Spec($"child-{index}", part)).ToList();
        var teller = new PidTeller();
        var supervisor = new Supervisor(children, new RestartPolicy(), teller);
        teller.Supervisor = supervisor;
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            supervisor.RequestStop();
        });
        return supervisor.RunAsync().Result.ExitCode;
    }

    private sealed class PidTeller : ISupervisorObserver
    {
        public Supervisor? Supervisor { get; set; }

        public void Line(string child, bool isError, string text) => Console.WriteLine($"{child} {Supervisor!.ProcessOf(child)} {text}");

        public void Said(string? child, string sentence) => Console.WriteLine($"said {sentence}");

        public void Started(string child, int process) { }

        public void Exited(string child, int process, ChildEnd end) { }
    }

    [LibraryImport("libc", EntryPoint = "pause")]
    private static partial int Pause();
}
