using System.ComponentModel;
using System.Diagnostics;
using Cluster.Cli.Configuration;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>
/// The way to processes on other hosts: <c>COMMAND HOST 'words for a shell there'</c>, as ssh and rsh take them. What is secret
/// does not go this way but over standard input, see <see cref="RemoteOrders"/>.
/// </summary>
/// <param name="Command">The command and its own options.</param>
/// <param name="Program">Path of this program on the hosts.</param>
internal sealed record RemoteShell(IReadOnlyList<string> Command, string Program)
{
    /// <summary>No questions to a person; a connection on which nothing is heard for 10 s ends.</summary>
    private static readonly string[] Ssh = ["-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2"];

    /// <param name="command">As a person wrote it, words separated by spaces; null = ssh.</param>
    /// <param name="program">On the hosts; null = where it is here.</param>
    /// <exception cref="UserMistakeException">The command is empty.</exception>
    public static RemoteShell Of(string? command, string? program)
    {
        var here = Environment.ProcessPath ?? throw new ClusterException("this process does not know its own program");
        var words = (command ?? "ssh").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0) throw new UserMistakeException("--ssh is empty: name a command that is called with a host and a command line for it");
        return new RemoteShell(words is ["ssh"] ? ["ssh", .. Ssh] : words, program ?? here);
    }

    /// <summary>The name of the command, for messages.</summary>
    public string Name => Path.GetFileName(Command[0]);

    /// <summary>The command line that runs the program on a host, in the same folder as here if it is there too. The program takes its environment, and orders, from standard input.</summary>
    public (string FileName, string[] Arguments) Line(string host, IEnumerable<string> arguments)
    {
        var words = string.Join(' ', arguments.Prepend(Program).Select(Quoted));
        string[] line = [.. Command, host, $"cd {Quoted(Environment.CurrentDirectory)} 2>/dev/null; exec env {ParentWatch.ParentVariable}={RemoteInput.Word} {words}"];
        // In a session of its own: Ctrl-C is for the supervisor, which ends the processes in order.
        return OperatingSystem.IsLinux() ? ("setsid", line) : (line[0], line[1..]);
    }

    /// <summary>Asks every host for its version, all at once.</summary>
    /// <exception cref="UserMistakeException">A host cannot be reached, or has not this program: one line for each.</exception>
    public async Task ProbeAsync(IEnumerable<string> hosts, CancellationToken stop)
    {
        var mistakes = (await Task.WhenAll(hosts.Distinct(StringComparer.Ordinal).Select(host => ProbeAsync(host, stop)))).OfType<string>().ToArray();
        if (mistakes.Length > 0) throw new UserMistakeException(string.Join('\n', mistakes));
    }

    private async Task<string?> ProbeAsync(string host, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(Limits.RemoteProbeMilliseconds);
        var start = new ProcessStartInfo(Command[0], [.. Command.Skip(1), host, $"exec {Quoted(Program)} version"])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            try
            {
                await process.WaitForExitAsync(limit.Token);
                return Verdict(host, process.ExitCode, LastLine(await output), LastLine(await error));
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                stop.ThrowIfCancellationRequested();
                return $"host {host} does not answer within {Limits.RemoteProbeMilliseconds / 1000} s over {Name}: check its name, and that '{Name} {host} true' works without a question";
            }
        }
        catch (Win32Exception e)
        {
            return $"--ssh {Command[0]}: {e.Message}";
        }
    }

    /// <returns>A line, or null if all is well.</returns>
    private string? Verdict(string host, int code, string output, string error) => code switch
    {
        0 when output == VersionVerb.Line => null,
        0 => $"host {host} has '{output}' at {Program}, and this is '{VersionVerb.Line}': install the same version on both",
        126 or 127 => $"host {host} has no program at {Program} ({error}): install it there, or say where it is with --remote-program PATH",
        _ => $"host {host} cannot be reached over {Name} ({(error.Length > 0 ? error : $"exit code {code}")}): check its name, and that '{Name} {host} true' works without a question",
    };

    private static string LastLine(string text) => text.Split('\n').Select(static line => line.Trim()).LastOrDefault(static line => line.Length > 0) ?? "";

    /// <summary>One word for a POSIX shell.</summary>
    internal static string Quoted(string word) =>
        word.Length > 0 && word.All(static c => char.IsAsciiLetterOrDigit(c) || "_-./:=@%+,".Contains(c, StringComparison.Ordinal)) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
