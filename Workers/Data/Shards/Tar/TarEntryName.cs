namespace Cluster.Workers.Data.Shards;

/// <summary>Names of archive entries, as WebDataset reads them: what comes before the first dot of the file's name is the sample's key.</summary>
/// <param name="Key">Folder included: <c>n01440764/0001</c>.</param>
/// <param name="Extension">Lower case, without the first dot: <c>jpg</c>, <c>seg.png</c>.</param>
internal readonly record struct TarEntryName(string Key, string Extension)
{
    public bool IsImage => Extension is "jpg" or "jpeg" or "png";

    public bool IsLabel => Extension == "cls";

    /// <summary>Null for what is no sample's part: WebDataset's own notes, hidden files, files without an extension.</summary>
    /// <exception cref="TarFormatException">A name that leads out of the archive's folder, or that no archive of samples has.</exception>
    public static TarEntryName? Parse(string name)
    {
        if (Fault(name) is { } fault) throw new TarFormatException($"is named '{Shown(name)}', {fault}: such an archive is not read; pack it again without such names");
        var start = name.LastIndexOf('/') + 1;
        var dot = name.IndexOf('.', start);
        if (dot <= start || name.StartsWith("__", StringComparison.Ordinal)) return null;
        return new TarEntryName(name[(name.StartsWith("./", StringComparison.Ordinal) ? 2 : 0)..dot], name[(dot + 1)..].ToLowerInvariant());
    }

    private static string? Fault(string name)
    {
        if (name.Length == 0) return "which is no name";
        if (name[0] is '/' or '\\' || (name.Length > 1 && name[1] == ':')) return "an absolute path";
        foreach (var part in name.Split('/', '\\'))
            if (part == "..") return "which leads out of its folder";
        return name.Any(char.IsControl) ? "with control characters" : null;
    }

    private static string Shown(string name) => new([.. name.Take(100).Select(static c => char.IsControl(c) ? '?' : c)]);
}
