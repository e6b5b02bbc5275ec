namespace Cluster.Contracts;

// Seeds from the Kubernetes API.
public static partial class Limits
{
    /// <summary>Most pods that a selector of seeds may find. Seeds are the coordinators, a handful; who asks for all pods of a run has written the wrong selector.</summary>
    public const int SeedPods = 128;

    /// <summary>Largest list of pods: 64 KiB for each of <see cref="SeedPods"/>, several times what a pod with its managed fields has.</summary>
    public const int PodListBytes = SeedPods * 64 * 1024;

    /// <summary>Longest label selector: eight labels at their longest name and value (63 + 63) and their prefixes.</summary>
    public const int PodSelectorChars = 2_048;

    /// <summary>Largest file of a service account: a token has 1 to 2 KB, an authority's certificate as much, and a bundle a few of them.</summary>
    public const int ServiceAccountFileBytes = 256 * 1024;
}
