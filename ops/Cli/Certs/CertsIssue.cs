using Cluster.Contracts;

namespace Cluster.Cli.Certs;

/// <summary>Carries a plan out, and says what was made and what to do with it.</summary>
internal static class CertsIssue
{
    /// <param name="folder">Of the authority.</param>
    /// <param name="into">Where the nodes' files go; may be the same.</param>
    /// <returns>Lines for a person.</returns>
    /// <exception cref="UserMistakeException">The folder has half an authority, one that is over, or cannot be written.</exception>
    public static IReadOnlyList<string> Run(string folder, string into, CertsPlan plan, string machine, DateTimeOffset now)
    {
        var home = new CertificateFolder(folder);
        var nodes = new CertificateFolder(into);
        var isApart = Path.GetFullPath(folder) != Path.GetFullPath(into);
        var (authority, isNew) = home.OpenOrCreate(now);
        using var _ = authority;
        var lines = new List<string>
        {
            isNew
                ? $"made a CA in {folder}, valid to {Day(authority.NotAfter)}: {home.PathOf("ca.key")} stays here and secret, whoever has it can make nodes of every role"
                : $"the CA in {folder} is kept, valid to {Day(authority.NotAfter)}",
        };
        if (isApart) nodes.PutAuthority(authority.CertificatePem);
        foreach (var role in plan.Roles)
        {
            var renews = nodes.Has(role);
            var hosts = CertsPlan.AllHosts(plan.Hosts ?? nodes.HostsOf(role) ?? [], machine);
            var issued = authority.Issue(role, hosts, TimeSpan.FromDays(plan.Days), now);
            nodes.Put(role, issued);
            lines.Add($"{(renews ? "renewed" : "issued")} {nodes.PathOf(role + ".pem")} and .key, valid to {Day(issued.NotAfter)}, for {string.Join(", ", hosts)}");
        }
        var roles = string.Join(" or ", plan.Roles);
        if (isApart) lines.Add($"copy {into} to the host and start there: cluster node --role {plan.Roles[0]} … --tls FOLDER");
        else
        {
            lines.Add($"on this machine: cluster launch … --tls {folder}");
            lines.Add($"on another host: copy ca.pem and the .pem and .key of its role ({roles}) into a folder, never ca.key; then cluster node … --tls FOLDER there");
        }
        lines.Add("to renew: the same command again, copy as before, then SIGHUP to each process (kill -HUP), or start it again");
        return lines;
    }

    private static string Day(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
