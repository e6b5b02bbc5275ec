using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Membership.Kubernetes;

/// <summary>What the seeds need to know of a pod.</summary>
/// <param name="Hostname">With <paramref name="Subdomain"/> a name that the cluster's DNS knows; a StatefulSet gives both. Null = none, or none that Kubernetes allows.</param>
/// <param name="Address">Its first IPv4 address; null = none yet, or <see cref="HasOnlyIPv6"/>.</param>
/// <param name="Phase"><c>Pending</c>, <c>Running</c>, <c>Succeeded</c>, <c>Failed</c>, <c>Unknown</c>; null = not said.</param>
/// <param name="Ends">It has been told to end.</param>
public sealed record SeedPod(string Name, string Namespace, string? Hostname, string? Subdomain, string? Address, string? Phase, bool Ends)
{
    /// <summary>It has addresses, and none of them is IPv4.</summary>
    public bool HasOnlyIPv6 { get; init; }
}

/// <summary>
/// Reads the API server's answer, a v1 PodList. What Go leaves out or writes as null (an empty list, a status not yet there) is
/// absent; a field of another kind than it must be refuses the whole answer: half a list would make half a cluster. So does a pod
/// without a name. What only says how a pod is reached does not: an address that is none is passed over, and a pod whose hostname
/// or subdomain is no name is reached by its address.
/// </summary>
public static class PodList
{
    /// <exception cref="PodsUnknownException">These bytes are no list of pods, or not all of it.</exception>
    public static IReadOnlyList<SeedPod> Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || Text(root, "kind") != "PodList") throw Wrong("it is no PodList");
            var items = Inner(root, "items", JsonValueKind.Array);
            if (Text(Inner(root, "metadata"), "continue") is { Length: > 0 } || items?.GetArrayLength() > Limits.SeedPods)
                throw new PodsUnknownException($"the selector finds more than {Limits.SeedPods} pods: write one that names the coordinators alone") { IsFinal = true };
            var pods = new List<SeedPod>();
            if (items is { } found)
            {
                foreach (var item in found.EnumerateArray()) pods.Add(Pod(item));
            }
            if (pods.DistinctBy(static pod => (pod.Namespace, pod.Name)).Count() != pods.Count) throw Wrong("two pods have one name");
            return pods;
        }
        // Text that is no Unicode comes as the last one.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new PodsUnknownException("the API server's answer is no list of pods: it is cut off, or not JSON", e);
        }
    }

    private static PodsUnknownException Wrong(string what) => new($"the API server's answer is no list of pods: {what}");

    private static SeedPod Pod(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object) throw Wrong("one of its pods is none");
        var (metadata, spec, status) = (Inner(item, "metadata"), Inner(item, "spec"), Inner(item, "status"));
        var (name, space) = (Text(metadata, "name"), Text(metadata, "namespace"));
        if (!PodNames.IsName(name) || !PodNames.IsLabel(space)) throw Wrong("a pod has no name or no namespace, or such as Kubernetes does not allow");
        var (hostname, subdomain) = (Text(spec, "hostname"), Text(spec, "subdomain"));
        var hasName = PodNames.IsLabel(hostname) && PodNames.IsLabel(subdomain);
        var addresses = Addresses(status);
        var address = addresses.Find(IsIPv4);
        return new SeedPod(name!, space!, hasName ? hostname : null, hasName ? subdomain : null, address, Text(status, "phase"), Text(metadata, "deletionTimestamp") is not null)
        {
            HasOnlyIPv6 = address is null && addresses.Exists(IsIPv6),
        };
    }

    private static List<string> Addresses(JsonElement? status)
    {
        List<string?> found = [Text(status, "podIP")];
        if (Inner(status, "podIPs", JsonValueKind.Array) is { } all)
        {
            foreach (var one in all.EnumerateArray()) found.Add(one.ValueKind == JsonValueKind.Object ? Text(one, "ip") : null);
        }
        return [.. found.OfType<string>()];
    }

    /// <summary>Written as the others write it, or the engine takes it for somebody else.</summary>
    private static bool IsIPv4(string text) => IPAddress.TryParse(text, out var ip) && ip.AddressFamily == AddressFamily.InterNetwork && ip.ToString() == text;

    private static bool IsIPv6(string text) => IPAddress.TryParse(text, out var ip) && ip.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Null when it is absent or null.</summary>
    private static JsonElement? Inner(JsonElement? of, string name, JsonValueKind kind = JsonValueKind.Object)
    {
        if (of is not { } element || !element.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        return value.ValueKind == kind ? value : throw Wrong($"'{name}' is of the wrong kind");
    }

    private static string? Text(JsonElement? of, string name) => Inner(of, name, JsonValueKind.String)?.GetString();
}

/// <summary>The API server did not say which pods there are. The message is one line for people; the token is never in it.</summary>
public sealed class PodsUnknownException : ClusterException
{
    public PodsUnknownException(string message) : base(message) { }

    public PodsUnknownException(string message, Exception inner) : base(message, inner) { }

    public PodsUnknownException() { }

    /// <summary>Asking again brings nothing else.</summary>
    public bool IsFinal { get; init; }
}
