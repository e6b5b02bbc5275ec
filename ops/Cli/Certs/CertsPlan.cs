using System.Globalization;
using System.Net;
using Cluster.Remoting;

namespace Cluster.Cli.Certs;

/// <summary>Which certificates are asked for. Pure.</summary>
/// <param name="Roles">One certificate each.</param>
/// <param name="Hosts">Names and addresses under which the nodes are dialled, beside those of every machine; null = none were given.</param>
/// <param name="Days">How long the certificates hold.</param>
internal sealed record CertsPlan(IReadOnlyList<string> Roles, IReadOnlyList<string>? Hosts, int Days)
{
    public const int DefaultDays = 90, MostDays = 825;

    /// <summary>Names of a machine for itself.</summary>
    private static readonly string[] Own = ["localhost", "127.0.0.1", "::1"];

    /// <summary>Names in one certificate: a page of text.</summary>
    private const int MostHosts = 256;

    /// <param name="mistakes">Gets one line for each.</param>
    /// <param name="roles">Separated by commas; null = all.</param>
    public static CertsPlan Parse(string? roles, string? hosts, string? days, ICollection<string> mistakes)
    {
        var number = DefaultDays;
        if (days is not null && (!int.TryParse(days, NumberStyles.None, CultureInfo.InvariantCulture, out number) || number is < 1 or > MostDays))
            mistakes.Add($"--days {days}: must be a whole number of days from 1 to {MostDays}");
        var chosen = roles is null ? NodeRoleNames.All : Parts(roles);
        if (chosen.Count == 0 || chosen.FirstOrDefault(static role => !NodeRoleNames.All.Contains(role)) is not null)
            mistakes.Add($"--role {roles}: a role is one of {string.Join(", ", NodeRoleNames.All)}; several are separated by commas");
        IReadOnlyList<string>? names = hosts is null ? null : Parts(hosts);
        if (names is { Count: 0 }) mistakes.Add("--hosts is empty: give names or addresses, separated by commas");
        if (names is { Count: > MostHosts }) mistakes.Add($"--hosts: {names.Count} names are more than one certificate takes ({MostHosts}); make several with --into");
        foreach (var bad in (names ?? []).Where(static name => !IsHost(name)))
            mistakes.Add($"--hosts: '{bad}' is no name of a host and no address; give names as nodes dial them, without ports, separated by commas");
        return new CertsPlan(chosen, names, number);
    }

    /// <summary>What stands in a certificate: the machine's own names first, each once.</summary>
    /// <param name="machine">This machine's name.</param>
    public static IReadOnlyList<string> AllHosts(IEnumerable<string> hosts, string machine) =>
        [.. Own.Concat(IsHost(machine) ? [machine] : []).Concat(hosts).Distinct(StringComparer.OrdinalIgnoreCase)];

    private static bool IsHost(string name) =>
        IPAddress.TryParse(name, out var address) ? address.ToString().Equals(name, StringComparison.OrdinalIgnoreCase)
        : name.Length <= 253 && Uri.CheckHostName(name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name) == UriHostNameType.Dns && name.All(char.IsAscii);

    private static string[] Parts(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct(StringComparer.Ordinal)];
}
