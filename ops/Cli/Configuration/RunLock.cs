using System.Globalization;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>
/// Says that a process works in a run's folder: an advisory lock (flock) on run.lock, which the operating system releases
/// when the process ends, however it ends. The file stays: removing a lock file while others may open it lets two in.
/// </summary>
public sealed class RunLock : IDisposable
{
    public const string Name = "run.lock";

    /// <summary>A look at the lock holds it for microseconds; a start that meets one tries again so often.</summary>
    private const int Tries = 20;

    private readonly FileStream _file;

    private RunLock(FileStream file) => _file = file;

    /// <summary>Takes the folder for this process until it is disposed.</summary>
    /// <param name="folder">Exists.</param>
    /// <exception cref="UserMistakeException">Another process has it, or the folder cannot be written.</exception>
    public static RunLock Take(string folder)
    {
        var path = Path.Combine(folder, Name);
        for (var left = Tries; ; left--)
        {
            try
            {
                var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
                file.SetLength(0);
                file.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId} {Environment.MachineName}\n")));
                return new RunLock(file);
            }
            catch (IOException e) when (IsHeldElsewhere(e))
            {
                if (left > 0)
                {
                    Thread.Sleep(5);
                    continue;
                }
                throw new UserMistakeException($"{folder} is in use by another process; wait until that run has ended, or stop it", e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UserMistakeException($"cannot use {folder}: {e.Message.ReplaceLineEndings(" ")}", e);
            }
        }
    }

    /// <summary>Whether a process works in the folder.</summary>
    public static bool IsHeld(string folder)
    {
        // Without run.lock the commit log tells as much: whoever writes it holds a shared lock on it.
        var path = new[] { Name, RunFolder.CommitsName }.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (path is null) return false;
        try
        {
            using (new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.None, bufferSize: 0)) { }
            return false;
        }
        catch (IOException e) when (IsHeldElsewhere(e))
        {
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    public void Dispose() => _file.Dispose();

    /// <summary>EWOULDBLOCK of flock(2) on Linux and macOS, ERROR_SHARING_VIOLATION on Windows.</summary>
    private static bool IsHeldElsewhere(IOException e) => e.HResult is 11 or 35 or unchecked((int)0x80070020);
}
