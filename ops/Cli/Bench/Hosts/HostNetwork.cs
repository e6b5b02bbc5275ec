using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Bench.Hosts;

/// <summary>
/// Hosts with addresses of their own on this machine: one network namespace each, joined by a bridge in another one, so that
/// nothing is left in the machine's own network and deleting the namespaces deletes everything. Needs Linux, root and iproute2.
/// Hosts count from 0. One caller at a time.
/// </summary>
/// <remarks>
/// A way from one host to another is lost by giving the sender a wrong hardware address for the receiver: the frames go out and
/// nobody takes them, silently and in this direction alone, as on a broken switch. No firewall is needed, and no packet answers.
/// </remarks>
internal sealed class HostNetwork : IDisposable
{
    private const string Card = "eth0", Bridge = "br0", Net = "10.77.0.";

    /// <summary>Nobody's hardware address.</summary>
    private const string Nobody = "02:77:00:00:ff:ff";

    private readonly string _prefix;
    private readonly HashSet<(int From, int To)> _lost = [];

    private HostNetwork(string prefix, int count) => (_prefix, Count) = (prefix, count);

    public int Count { get; }

    /// <summary>Why there can be no such hosts here; null when they can be made.</summary>
    public static string? Missing()
    {
        if (!OperatingSystem.IsLinux()) return "network namespaces exist on Linux alone";
        if (!Environment.IsPrivilegedProcess) return "making network namespaces needs root";
        try
        {
            using var probe = Create(1);
            probe.Narrow(0, megabits: 10);
            return null;
        }
        catch (BenchmarkException e)
        {
            return e.Message;
        }
    }

    /// <summary>Makes the hosts and joins them.</summary>
    /// <exception cref="BenchmarkException">The system refuses, or iproute2 is missing.</exception>
    public static HostNetwork Create(int count)
    {
        // Two in one process, one after the other, must not meet.
        var network = new HostNetwork(string.Create(CultureInfo.InvariantCulture, $"cluster-{Environment.ProcessId}-{Environment.TickCount64 % 100_000}-"), count);
        try
        {
            network.Build();
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Where a host is reached: an IPv4 address.</summary>
    public string AddressOf(int host) => Net + (host + 1).ToString(CultureInfo.InvariantCulture);

    /// <summary>The namespace's name, for <c>ip netns exec</c>.</summary>
    public string NamespaceOf(int host) => $"{_prefix}h{host}";

    /// <summary>A command line that runs a program on a host; it becomes the program, by exec.</summary>
    public (string Program, string[] Arguments) On(int host, string program, IEnumerable<string> arguments) => ("ip", ["netns", "exec", NamespaceOf(host), program, .. arguments]);

    /// <summary>From now on nothing passes these ways, in this direction.</summary>
    public void Lose(IEnumerable<(int From, int To)> ways)
    {
        foreach (var way in ways)
        {
            if (way.From != way.To && _lost.Add(way)) Neighbour(way.From, way.To, Nobody);
        }
    }

    /// <summary>Cuts all ways between two sides.</summary>
    public void Split(IReadOnlyCollection<int> side)
    {
        var others = Enumerable.Range(0, Count).Except(side).ToArray();
        Lose(side.SelectMany(a => others.SelectMany(b => new[] { (a, b), (b, a) })));
    }

    /// <summary>All ways pass again, and no link is narrow.</summary>
    public void Heal()
    {
        foreach (var (from, to) in _lost) Neighbour(from, to, HardwareOf(to));
        _lost.Clear();
    }

    /// <summary>What a host sends passes at so many megabits per second.</summary>
    public void Narrow(int host, double megabits) => Run("tc", "-n", NamespaceOf(host), "qdisc", "replace", "dev", Card, "root", "tbf",
        "rate", string.Create(CultureInfo.InvariantCulture, $"{megabits}mbit"), "burst", "128kb", "latency", "200ms");

    public void Widen(int host) => Run("tc", "-n", NamespaceOf(host), "qdisc", "del", "dev", Card, "root");

    private static string HardwareOf(int host) => string.Create(CultureInfo.InvariantCulture, $"02:77:00:00:00:{host + 1:x2}");

    private void Neighbour(int from, int to, string hardware) =>
        Run("ip", "-n", NamespaceOf(from), "neigh", "replace", AddressOf(to), "lladdr", hardware, "nud", "permanent", "dev", Card);

    private void Build()
    {
        var net = _prefix + "net";
        Run("ip", "netns", "add", net);
        Run("ip", "-n", net, "link", "add", Bridge, "type", "bridge");
        Run("ip", "-n", net, "link", "set", Bridge, "up");
        for (var host = 0; host < Count; host++)
        {
            var (name, port) = (NamespaceOf(host), $"v{host}");
            Run("ip", "netns", "add", name);
            Run("ip", "-n", net, "link", "add", port, "type", "veth", "peer", "name", Card, "netns", name);
            Run("ip", "-n", net, "link", "set", port, "master", Bridge, "up");
            Run("ip", "-n", name, "link", "set", "lo", "up");
            Run("ip", "-n", name, "link", "set", Card, "address", HardwareOf(host));
            Run("ip", "-n", name, "addr", "add", AddressOf(host) + "/24", "dev", Card);
            Run("ip", "-n", name, "link", "set", Card, "up");
        }
        // Known for good: no question who has which address can be lost, or answered in the middle of a split.
        for (var from = 0; from < Count; from++)
        {
            for (var to = 0; to < Count; to++)
                if (from != to) Neighbour(from, to, HardwareOf(to));
        }
    }

    public void Dispose()
    {
        foreach (var name in Enumerable.Range(0, Count).Select(NamespaceOf).Append(_prefix + "net"))
        {
            try
            {
                Run("ip", "netns", "del", name);
            }
            catch (BenchmarkException)
            {
                // It was not made.
            }
        }
    }

    private static void Run(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true, RedirectStandardOutput = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            _ = output.Result;
            if (process.ExitCode != 0) throw new BenchmarkException($"{program} {string.Join(' ', arguments)}: {error.Trim().ReplaceLineEndings(" ")}");
        }
        catch (Win32Exception e)
        {
            throw new BenchmarkException($"{program} is needed to make hosts ({e.Message}): install iproute2", e);
        }
    }
}
