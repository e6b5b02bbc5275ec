using Cluster.Contracts;

namespace Cluster.Workers.Data.Cifar;

/// <summary>Is a batch file the one that it should be? Size at every call, MD5 once per (path, size, modification time).</summary>
internal static class Cifar10Check
{
    private const string Remedy = "'./cluster data get cifar10' fetches a good copy into the cache folder";

    /// <summary>Null when sound, else one line: file, what was found, what was expected, what to do.</summary>
    /// <param name="verified">Null = read the file again whatever is remembered.</param>
    public static string? Fault(string directory, BatchFile file, VerifiedFiles? verified)
    {
        var info = new FileInfo(Path.Combine(directory, file.Name));
        if (!info.Exists) return $"{info.FullName} is missing; {Remedy}";
        if (info.Length != file.Bytes)
            return $"{info.FullName} has {info.Length:N0} bytes, expected {file.Bytes:N0}: it is {(info.Length < file.Bytes ? "cut short" : "too long")}; {Remedy}";
        if (verified?.Remembers(info, file.Md5) == true) return null;
        var found = VerifiedFiles.Md5Of(info.FullName);
        if (found != file.Md5) return $"{info.FullName} has MD5 {found}, expected {file.Md5}: it is corrupted; {Remedy}";
        verified?.Remember(info, file.Md5);
        return null;
    }

    public static void ThrowUnlessSound(string directory, BatchFile file, VerifiedFiles verified)
    {
        if (Fault(directory, file, verified) is { } fault) throw new UserMistakeException(fault);
    }
}
