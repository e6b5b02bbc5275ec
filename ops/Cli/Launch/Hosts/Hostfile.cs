using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>A host of a hostfile.</summary>
/// <param name="Name">As the remote shell takes it: a name or an address, with <c>USER@</c> in front if it was written so.</param>
/// <param name="Slots">Workers that it takes.</param>
internal sealed record HostLine(string Name, int Slots)
{
    /// <summary>What other hosts dial: without the user.</summary>
    public string Address => Name[(Name.IndexOf('@', StringComparison.Ordinal) + 1)..];
}

/// <summary>
/// Reads hostfiles: <c>HOST [slots=N] [# comment]</c> as mpirun and DeepSpeed write them, or <c>HOST:N</c> as horovodrun's list
/// does. Pure.
/// </summary>
internal static class Hostfile
{
    /// <exception cref="UserMistakeException">The file cannot be read, or lines are wrong: one line of the message for each.</exception>
    public static IReadOnlyList<HostLine> Read(string path)
    {
        try
        {
            var file = new FileInfo(path);
            if (file.Exists && file.Length > Limits.MaxHostfileBytes) throw new UserMistakeException($"--hostfile {path}: {file.Length} bytes, which is no hostfile: at most {Limits.MaxHostfileBytes}");
            return Parse(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"--hostfile {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <param name="name">Of the file, for messages.</param>
    /// <exception cref="UserMistakeException">As <see cref="Read"/>.</exception>
    public static IReadOnlyList<HostLine> Parse(string text, string name)
    {
        var hosts = new List<HostLine>();
        var places = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        var mistakes = new List<string>();
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Split('#')[0].Trim();
            if (line.Length == 0) continue;
            var (host, mistake) = LineOf(line);
            if (host is null) mistakes.Add($"{name}, line {number}: {mistake}");
            else if (!places.TryAdd(host.Name, number)) mistakes.Add($"{name}, line {number}: {host.Name} stands in line {places[host.Name]} already; write all its slots in one line");
            else hosts.Add(host);
        }
        if (mistakes.Count == 0 && hosts.Count == 0) mistakes.Add($"{name}: there is no host in it; write one a line: HOST slots=N");
        if (hosts.Count > Limits.MaxHosts) mistakes.Add($"{name}: {hosts.Count} hosts; at most {Limits.MaxHosts}");
        return mistakes.Count == 0 ? hosts : throw new UserMistakeException(string.Join('\n', mistakes));
    }

    private static (HostLine? Host, string Mistake) LineOf(string line)
    {
        var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        var (host, slots) = (words[0], (string?)null);
        var colon = host.LastIndexOf(':');
        // An IPv6 address has several colons; one alone is horovodrun's.
        if (colon > 0 && host.IndexOf(':', StringComparison.Ordinal) == colon) (host, slots) = (host[..colon], host[(colon + 1)..]);
        foreach (var word in words.Skip(1))
        {
            if (word.Split('=') is not [var key, var value]) return (null, $"'{word}' is not expected behind a host: write HOST slots=N, and comments behind #");
            switch (key)
            {
                case "slots" when slots is null:
                    slots = value;
                    break;
                case "slots":
                    return (null, $"{host} has its slots twice");
                // mpirun's upper bound: we never start more than slots.
                case "max_slots" or "max-slots":
                    break;
                default:
                    return (null, $"'{key}' is not known: write HOST slots=N");
            }
        }
        var count = 1;
        if (slots is not null && (!int.TryParse(slots, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count is < 1 or > Limits.MaxWorkers))
            return (null, $"slots of {host} must be a whole number from 1 to {Limits.MaxWorkers}, not '{slots}'");
        var known = new HostLine(host, count);
        // A word that begins with a dash would be an option of the remote shell.
        if (host.StartsWith('-') || known.Address.StartsWith('-') || host.Count(static c => c == '@') > 1 || Uri.CheckHostName(known.Address) == UriHostNameType.Unknown)
            return (null, $"'{host}' is no host name and no IP address");
        return (known, "");
    }
}
