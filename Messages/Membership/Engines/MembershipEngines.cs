using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>The engines that this build has.</summary>
public static partial class MembershipEngines
{
    public const string Static = "static", Akka = "akka";

    /// <summary>Joins a cluster of Akka.Cluster: returns at once; joining goes on by itself.</summary>
    /// <exception cref="UserMistakeException">This build lacks the engine, or it cannot listen.</exception>
    public static IMembershipEngine JoinAkka(EngineOptions options)
    {
        IMembershipEngine? engine = null;
        Join(options, ref engine);
        return engine ?? throw NoAkka();
    }

    /// <summary>Whether this build has Akka.Cluster.</summary>
    public static bool HasAkka
    {
        get
        {
            var has = false;
            Find(ref has);
            return has;
        }
    }

    static partial void Find(ref bool hasAkka);

    /// <summary>For whoever has work to do before it joins.</summary>
    /// <exception cref="UserMistakeException">This build lacks the engine.</exception>
    public static void DemandAkka()
    {
        if (!HasAkka) throw NoAkka();
    }

    private static UserMistakeException NoAkka() =>
        new("--membership akka: this build has no Akka.Cluster; start it with './cluster … -p:Feed=full -p:RestoreAdditionalProjectSources=DIR' (ops/decisions/0022 says how to fill DIR), or with --membership static");

    /// <summary>Filled in by the folder Akka, which is compiled where the feed has the packages.</summary>
    static partial void Join(EngineOptions options, ref IMembershipEngine? engine);
}
