using System.Buffers;
using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Membership.Kubernetes;

/// <summary>
/// Which pods are the seeds, as <c>--seeds</c> has it: <c>k8s:SELECTOR[@NAMESPACE]:PORT</c>. The selector is Kubernetes' own, its
/// commas included; neither <c>@</c> nor <c>:</c> may stand in one.
/// </summary>
/// <param name="Selector">Of labels: <c>app.kubernetes.io/name=cluster,app.kubernetes.io/component=coordinator</c>.</param>
/// <param name="Namespace">Null = that of this pod.</param>
/// <param name="Port">Where those pods gossip.</param>
public sealed record PodSelector(string Selector, string? Namespace, int Port)
{
    public const string Prefix = "k8s:";

    private const string Form = "write k8s:LABEL=VALUE,LABEL=VALUE:PORT, or k8s:LABEL=VALUE@NAMESPACE:PORT";

    private static readonly SearchValues<char> Allowed = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=!,() ");

    public static bool IsOne(string text) => text.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Says of a selector only what would be asked in a wrong way; whether it makes sense the API server says.</summary>
    /// <exception cref="UserMistakeException">One line that says what is wrong.</exception>
    public static PodSelector Parse(string text)
    {
        if (text.Any(char.IsControl)) throw new UserMistakeException($"a selector of pods holds a character that cannot be shown: {Form}");
        var rest = text[Prefix.Length..];
        var colon = rest.LastIndexOf(':');
        if (colon < 0) throw new UserMistakeException($"'{text}' has no port: {Form}");
        if (!int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is 0 or > ushort.MaxValue)
            throw new UserMistakeException($"'{rest[(colon + 1)..]}' in '{text}' is no port: give a number from 1 to 65535");
        var at = rest.IndexOf('@', StringComparison.Ordinal);
        var selector = (at < 0 ? rest[..colon] : rest[..Math.Min(at, colon)]).Trim();
        var space = at < 0 || at > colon ? null : rest[(at + 1)..colon];
        if (selector.Length == 0) throw new UserMistakeException($"'{text}' has no selector, and that would be every pod there is: {Form}");
        if (selector.Length > Limits.PodSelectorChars) throw new UserMistakeException($"the selector of '{text[..40]}…' has {selector.Length} characters, at most {Limits.PodSelectorChars} are taken");
        if (selector.AsSpan().IndexOfAnyExcept(Allowed) is var wrong and >= 0) throw new UserMistakeException($"'{selector[wrong]}' stands in no label: {Form}, and nothing else among the seeds");
        if (space is not null && !PodNames.IsLabel(space)) throw new UserMistakeException($"'{space}' in '{text}' is no namespace: {Form}");
        return new PodSelector(selector, space, port);
    }

    public override string ToString() => $"{Prefix}{Selector}{(Namespace is null ? "" : "@" + Namespace)}:{Port}";
}

/// <summary>Names as Kubernetes allows them (RFC 1123).</summary>
internal static class PodNames
{
    private const int MostNameChars = 253, MostLabelChars = 63;

    public static bool IsName(string? name) => name is { Length: > 0 and <= MostNameChars } && name.Split('.').All(IsLabel);

    public static bool IsLabel(string? label) =>
        label is { Length: > 0 and <= MostLabelChars } && label[0] != '-' && label[^1] != '-' && label.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');
}
