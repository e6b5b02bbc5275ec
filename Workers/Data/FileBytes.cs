using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>Whole files of a data set, with errors for people.</summary>
internal static class FileBytes
{
    /// <param name="set">Name of the data set, for the message.</param>
    /// <param name="bytes">The size that the file must have.</param>
    /// <exception cref="UserMistakeException">It is missing, has another size, or cannot be read.</exception>
    public static byte[] Read(string path, string set, long bytes)
    {
        try
        {
            var file = new FileInfo(path);
            if (!file.Exists) throw new UserMistakeException($"{path} is missing: unpack {set} there, or choose another folder with {set}:DIR");
            if (file.Length != bytes) throw new UserMistakeException($"{path} has {file.Length:N0} bytes, expected {bytes:N0}: it is {(file.Length < bytes ? "cut short" : "too long")}, unpack the archive again");
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"{path} cannot be read: {Cifar.Fetch.OneLine.Of(e.Message)}", e);
        }
    }
}
