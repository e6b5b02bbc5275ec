using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Cluster.Data.Tests.Images;

/// <summary>Pillow and torchvision, in a process of their own.</summary>
internal static class Oracle
{
    private const string Python = "/usr/bin/python3", Needs = "needs /usr/bin/python3 with torchvision and Pillow (Debian: python3-torchvision)";

    /// <summary>The pixels that they make of each job; skips the spec where they are missing.</summary>
    public static byte[] Ask(IEnumerable<string> jobs)
    {
        Assert.SkipUnless(File.Exists(Python), Needs);
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo(Python, [Script(), folder.File("answers")]) { RedirectStandardInput = true, RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            foreach (var job in jobs) process.StandardInput.WriteLine(job);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended already; its exit code says why.
        }
        process.WaitForExit();
        Assert.SkipWhen(process.ExitCode == 77, $"{Needs}: {output.Result.Trim()}");
        Assert.True(process.ExitCode == 0, error.Result);
        return File.ReadAllBytes(folder.File("answers"));
    }

    private static string Script([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "oracle.py");
}
