using System.Text;
using Cluster.Membership.Kubernetes;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>Lists of pods as an API server writes them.</summary>
internal static class PodJson
{
    public static string List(params string[] items) => $$"""{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"812"},"items":[{{string.Join(',', items)}}]}""";

    /// <summary>A pod of a StatefulSet, in the shape that kubectl shows.</summary>
    public static string OfSet(string set, int ordinal, string ip, string? deletion = null, string phase = "Running") => $$$"""
        {"metadata":{"name":"{{{set}}}-{{{ordinal}}}","namespace":"cluster","uid":"6c0f","creationTimestamp":"2026-11-22T10:00:00Z",{{{(deletion is null ? "" : $"\"deletionTimestamp\":\"{deletion}\",")}}}
        "labels":{"app.kubernetes.io/name":"cluster"},"managedFields":[{"manager":"kube-controller-manager","fieldsV1":{"f:metadata":{} } }]},
        "spec":{"hostname":"{{{set}}}-{{{ordinal}}}","subdomain":"{{{set}}}","containers":[{"name":"c","image":"cluster:0.1.0"}]},
        "status":{"phase":"{{{phase}}}","podIP":"{{{ip}}}","podIPs":[{"ip":"{{{ip}}}"}],"conditions":[{"type":"Ready","status":"False"}]} }
        """;

    /// <summary>A pod of no set.</summary>
    public static string Plain(string name, string? ip, string phase = "Running") =>
        $$$"""{"metadata":{"name":"{{{name}}}","namespace":"cluster"},"spec":{"containers":[]},"status":{"phase":"{{{phase}}}"{{{(ip is null ? "" : $",\"podIP\":\"{ip}\"")}}} } }""";

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    public static SeedPods Seeds(string json, int port = 7100) => SeedPods.Of(PodList.Read(Bytes(json)), port);
}
