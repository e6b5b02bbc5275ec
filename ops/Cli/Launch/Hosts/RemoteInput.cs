using System.Text;
using Cluster.Contracts;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>
/// A process on another host, and what its supervisor tells it over standard input: its environment, one variable a line and an
/// empty line, then one character for each sign and order. When the input ends or falls silent the process is killed: its place
/// may be given to another, and every committed step is in the log.
/// </summary>
internal static class RemoteInput
{
    /// <summary>Value of <see cref="ParentWatch.ParentVariable"/> in such a process.</summary>
    public const string Word = "input";

    /// <summary>The supervisor is there.</summary>
    public const string Sign = ".";

    /// <summary>End in order.</summary>
    public const string Terminate = "T";

    /// <summary>Read the certificates anew.</summary>
    public const string HangUp = "H";

    /// <summary>Longest environment: a secret and a row of faults are some KiB.</summary>
    private const int MaxBytes = 1 << 20;

    /// <summary>Reads the environment, and obeys from then on, on a thread of its own. First thing in <c>main</c>.</summary>
    /// <exception cref="UserMistakeException">What comes is no environment.</exception>
    public static void Begin()
    {
        var input = Console.OpenStandardInput();
        foreach (var (name, value) in Environments(input)) Environment.SetEnvironmentVariable(name, value);
        new Thread(Watch) { IsBackground = true, Name = "supervisor watch" }.Start();
    }

    /// <summary>Reads up to the empty line and no byte further.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string?>> Environments(Stream input)
    {
        var variables = new List<KeyValuePair<string, string?>>();
        var line = new List<byte>();
        for (var count = 0; count < MaxBytes; count++)
        {
            var next = input.ReadByte();
            if (next < 0) throw new UserMistakeException("standard input ended before the environment that a supervisor sends; this process is for 'launch --hostfile' to start");
            if (next != '\n')
            {
                line.Add((byte)next);
                continue;
            }
            if (line.Count == 0) return variables;
            var parts = Encoding.ASCII.GetString([.. line]).Split('=', 2);
            variables.Add(new(parts[0], parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : null));
            line.Clear();
        }
        throw new UserMistakeException($"standard input brought more than {MaxBytes} bytes of environment; this process is for 'launch --hostfile' to start");
    }

    private static void Watch()
    {
        Span<byte> bytes = stackalloc byte[64];
        while (true)
        {
            var count = Signals.ReadInput(bytes, TimeSpan.FromMilliseconds(Limits.RemoteSilenceMilliseconds));
            if (count <= 0) break;
            if (bytes[..count].Contains((byte)Terminate[0])) Signals.Send(Environment.ProcessId, ChildSignal.Terminate);
            if (bytes[..count].Contains((byte)HangUp[0])) Signals.Send(Environment.ProcessId, ChildSignal.HangUp);
        }
        Signals.Send(Environment.ProcessId, ChildSignal.Kill);
    }
}
