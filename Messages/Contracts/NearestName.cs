namespace Cluster.Contracts;

/// <summary>Finds the name that somebody probably meant.</summary>
public static class NearestName
{
    /// <summary>The candidate with the smallest edit distance, or null when none is near: more than a third of the letters, at least two, would change.</summary>
    public static string? Of(string text, IEnumerable<string> candidates)
    {
        var given = Canonical(text);
        var best = candidates
            .Select(candidate => (Name: candidate, Distance: Distance(given, Canonical(candidate))))
            .OrderBy(pair => pair.Distance)
            .ThenBy(pair => pair.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.Name is not null && best.Distance <= Math.Max(2, given.Length / 3) && best.Distance < given.Length ? best.Name : null;
    }

    /// <summary><c> (did you mean X?)</c>, or a list of all names when none is near and there are few.</summary>
    public static string Hint(string text, IReadOnlyCollection<string> candidates) => Of(text, candidates) switch
    {
        { } nearest => $"; did you mean {nearest}?",
        null when candidates.Count <= 12 => $"; known: {string.Join(", ", candidates)}",
        null => "",
    };

    private static string Canonical(string text) => text.Trim().TrimStart('-').Replace('_', '-').ToLowerInvariant();

    /// <summary>Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours (Damerau, 1964).</summary>
    private static int Distance(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) table[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) table[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = a[i - 1] == b[j - 1] ? 0 : 1;
                table[i, j] = Math.Min(Math.Min(table[i - 1, j] + 1, table[i, j - 1] + 1), table[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
            }
        }
        return table[a.Length, b.Length];
    }
}
