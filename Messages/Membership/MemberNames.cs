using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>The names of processes: <c>coordinator</c>, <c>ps-0</c>, <c>worker-0</c>, …</summary>
public static class MemberNames
{
    public const string Coordinator = "coordinator";

    /// <param name="index">Ignored for the coordinator.</param>
    public static string Of(MemberRole role, int index) => role == MemberRole.Coordinator
        ? Coordinator
        : string.Create(CultureInfo.InvariantCulture, $"{Prefix(role)}{index}");

    /// <summary>Most processes of a role.</summary>
    public static int Most(MemberRole role) => role switch
    {
        MemberRole.Worker => Limits.MaxWorkers,
        MemberRole.ParameterServer => Limits.MaxShards,
        _ => 1,
    };

    /// <summary>The number in a name of this role, or null: another role's name, or none at all. One way of writing each: no leading zeros.</summary>
    public static int? IndexIn(string name, MemberRole role)
    {
        if (role == MemberRole.Coordinator) return name == Coordinator ? 0 : null;
        var prefix = Prefix(role);
        if (!name.StartsWith(prefix, StringComparison.Ordinal)) return null;
        var digits = name.AsSpan(prefix.Length);
        return int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < Most(role) && (digits.Length == 1 || digits[0] != '0') ? index : null;
    }

    private static string Prefix(MemberRole role) => role == MemberRole.Worker ? "worker-" : "ps-";
}
