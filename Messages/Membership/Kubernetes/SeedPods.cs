using System.Globalization;
using Cluster.Link;

namespace Cluster.Membership.Kubernetes;

/// <summary>Pods as seeds.</summary>
/// <param name="Seeds">In an order on which all nodes agree.</param>
/// <param name="LeftOut">A phrase for each pod that is none, in the same order: which, and why.</param>
public sealed record SeedPods(IReadOnlyList<LinkAddress> Seeds, IReadOnlyList<string> LeftOut)
{
    /// <summary>
    /// Ordered by name, ordinals as numbers: pod 0 of a StatefulSet is the first, pod 2 comes before pod 10. A pod of a StatefulSet is
    /// named as its service names it, which outlives the pod and is what its certificate says; any other pod by its IPv4 address.
    /// </summary>
    public static SeedPods Of(IEnumerable<SeedPod> pods, int port)
    {
        var seeds = new List<LinkAddress>();
        var leftOut = new List<string>();
        foreach (var pod in pods.Order(ByName.Instance))
        {
            if (WhyNot(pod) is { } reason) leftOut.Add($"{pod.Name} {reason}");
            else seeds.Add(new LinkAddress(LinkTransportKind.Tcp, StableName(pod) ?? pod.Address!, port));
        }
        return new SeedPods(seeds, leftOut);
    }

    private static string? StableName(SeedPod pod) => pod is { Hostname: { } host, Subdomain: { } subdomain } ? $"{host}.{subdomain}.{pod.Namespace}.svc" : null;

    private static string? WhyNot(SeedPod pod) => pod switch
    {
        { Ends: true } => "is ending",
        { Phase: "Failed" } => "has failed",
        { Phase: "Succeeded" } => "is done",
        { Address: not null } => null,
        { HasOnlyIPv6: false } => "has no address yet",
        // By its name it is reached whatever its address is.
        _ => StableName(pod) is null ? "has only IPv6 addresses, which the engine does not take" : null,
    };

    /// <summary>Same seeds, same order.</summary>
    public bool SameSeeds(SeedPods? other) => other is not null && Seeds.SequenceEqual(other.Seeds);

    private sealed class ByName : IComparer<SeedPod>
    {
        public static readonly ByName Instance = new();

        public int Compare(SeedPod? x, SeedPod? y)
        {
            var (left, right) = (Split(x!.Name), Split(y!.Name));
            // Numbers of any length: without leading zeros the longer one is the larger one.
            int[] orders =
            [
                string.CompareOrdinal(left.Base, right.Base), left.Ordinal.Length.CompareTo(right.Ordinal.Length), string.CompareOrdinal(left.Ordinal, right.Ordinal),
                string.CompareOrdinal(x.Name, y.Name), string.CompareOrdinal(x.Namespace, y.Namespace),
            ];
            return Array.Find(orders, static order => order != 0);
        }

        private static (string Base, string Ordinal) Split(string name)
        {
            var dash = name.LastIndexOf('-');
            var ordinal = name[(dash + 1)..];
            return dash > 0 && ordinal.All(char.IsAsciiDigit) ? (name[..dash], ordinal.TrimStart('0') is { Length: > 0 } digits ? digits : "0") : (name, "");
        }
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{(Seeds.Count == 0 ? "no pod" : string.Join(", ", Seeds))}{(LeftOut.Count == 0 ? "" : $" ({string.Join(", ", LeftOut)})")}");
}
