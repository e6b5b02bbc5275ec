using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Nodes;

/// <summary>
/// Detours of this process: addresses that it dials elsewhere than they say, because a fault proxy stands in between. The one
/// place where an address is rewritten; the names by which nodes know each other stay.
/// </summary>
internal static class Detours
{
    /// <summary>In a node's environment: <c>FROM=TO;FROM=TO</c>, addresses as <c>--join</c> takes them.</summary>
    public const string Variable = "CLUSTER_ROUTES";

    private static readonly Lazy<Dictionary<LinkAddress, LinkAddress>> OfThisProcess = new(() => Parse(Environment.GetEnvironmentVariable(Variable)));

    /// <summary>What to dial for an address, and how.</summary>
    /// <exception cref="UserMistakeException"><see cref="Variable"/> cannot be read.</exception>
    public static (LinkAddress Address, LinkDiallerOptions Options) Of(LinkAddress address, LinkDiallerOptions options) =>
        OfThisProcess.Value.TryGetValue(address, out var detour)
            // What is handed over in shared memory would pass by the proxy and its faults.
            ? (detour, options with { Options = options.Options with { AllowSharedMemory = false } })
            : (address, options);

    /// <exception cref="UserMistakeException">One line: what is wrong.</exception>
    public static Dictionary<LinkAddress, LinkAddress> Parse(string? text)
    {
        var routes = new Dictionary<LinkAddress, LinkAddress>();
        foreach (var part in (text ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (part.Split('=') is not [var from, var to]) throw new UserMistakeException($"{Variable}: '{part}' is no route; write FROM=TO;FROM=TO with addresses as --join takes them");
            try
            {
                if (!routes.TryAdd(LinkAddress.Parse(from), LinkAddress.Parse(to))) throw new UserMistakeException($"{from} has two routes");
            }
            catch (UserMistakeException e)
            {
                throw new UserMistakeException($"{Variable}: {e.Message}", e);
            }
        }
        return routes;
    }

    public static string Format(IEnumerable<(LinkAddress From, LinkAddress To)> routes) => string.Join(';', routes.Select(static r => $"{r.From}={r.To}"));
}
