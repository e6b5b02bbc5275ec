namespace Cluster.Workers.Data;

/// <summary>Where downloaded data sets are kept.</summary>
public static class CacheFolder
{
    /// <summary><c>$CLUSTER_CACHE</c>, else <c>$XDG_CACHE_HOME/cluster</c>, else <c>~/.cache/cluster</c>. Need not exist yet.</summary>
    public static string Default() => Resolve(Environment.GetEnvironmentVariable,
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify));

    internal static string Resolve(Func<string, string?> variable, string home)
    {
        if (variable("CLUSTER_CACHE") is { Length: > 0 } own) return Path.GetFullPath(own);
        // The XDG base directory specification says that a relative path is to be ignored.
        if (variable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg)) return Path.Combine(xdg, "cluster");
        return Path.Combine(home.Length > 0 ? home : Path.GetTempPath(), ".cache", "cluster");
    }
}
