using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Nodes;

/// <summary>Reads what <c>--tls DIR</c> names.</summary>
internal static class TlsFolder
{
    /// <summary>The certificate and key of a role; the caller disposes them.</summary>
    /// <exception cref="UserMistakeException">One line: a file is missing or not good, or the certificate is another role's.</exception>
    public static LinkTls Load(string folder, string role)
    {
        if (!Directory.Exists(folder)) throw new UserMistakeException($"--tls {folder}: there is no such folder; 'cluster certs {folder}' makes one");
        LinkTls tls;
        try
        {
            tls = LinkTls.Load(TlsFiles.In(folder, role), TimeProvider.System);
        }
        catch (UserMistakeException e)
        {
            throw new UserMistakeException($"--tls {folder}: {e.Message}", e);
        }
        if (tls.Roles.Contains(role)) return tls;
        var roles = string.Join(" and ", tls.Roles);
        tls.Dispose();
        throw new UserMistakeException($"--tls {folder}: the certificate {role}.pem is that of a {roles}, not of a {role}: 'cluster certs' makes one of each role");
    }

    /// <summary>Looks whether the processes of a run will find theirs, before any is started.</summary>
    public static void Check(string folder, IEnumerable<string> roles)
    {
        foreach (var role in roles) Load(folder, role).Dispose();
    }
}
