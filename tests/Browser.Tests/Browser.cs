using System.Diagnostics;
using System.Globalization;

namespace Cluster.Browser.Tests;

/// <summary>One headless Chromium for all specs, driven over the Chrome DevTools Protocol. Needs Debian's <c>chromium</c>; without it the specs are skipped.</summary>
public sealed class Browser : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _profile = Directory.CreateTempSubdirectory("cluster-browser-").FullName;
    private readonly SemaphoreSlim _starting = new(1, 1);
    private Process? _process;
    private DevTools? _devTools;

    private static string? Program =>
        ((string?[])[Environment.GetEnvironmentVariable("CLUSTER_CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]).FirstOrDefault(static p => File.Exists(p));

    /// <summary>A new tab with a profile of its own: no cookie of another spec.</summary>
    public async Task<BrowserPage> OpenAsync(string url, int width = 1440, int height = 900, bool isDark = false)
    {
        var devTools = await StartedAsync();
        var context = (await devTools.CallAsync("Target.createBrowserContext", new { disposeOnDetach = false })).GetProperty("browserContextId").GetString()!;
        var target = (await devTools.CallAsync("Target.createTarget", new { url = "about:blank", browserContextId = context })).GetProperty("targetId").GetString()!;
        var session = (await devTools.CallAsync("Target.attachToTarget", new { targetId = target, flatten = true })).GetProperty("sessionId").GetString()!;
        var page = new BrowserPage(devTools, session, context);
        await page.ShowAsync(width, height, isDark);
        await page.GoAsync(url);
        return page;
    }

    private async Task<DevTools> StartedAsync()
    {
        Assert.SkipWhen(Program is null, "there is no Chromium: apt-get install chromium, or set CLUSTER_CHROMIUM to its path");
        await _starting.WaitAsync();
        try
        {
            return _devTools ??= await StartAsync();
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task<DevTools> StartAsync()
    {
        var start = new ProcessStartInfo(Program!) { RedirectStandardError = true, RedirectStandardOutput = true, UseShellExecute = false };
        string[] arguments =
        [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-sync",
            "--disable-component-update", "--hide-scrollbars", "--mute-audio", "--remote-debugging-port=0", $"--user-data-dir={_profile}", "about:blank",
        ];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += static (_, _) => { };
        _process.OutputDataReceived += static (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        // Chromium writes the port and the path of its endpoint there once it listens.
        var file = Path.Combine(_profile, "DevToolsActivePort");
        var lines = await Eventually.GetAsync(
            () => Task.FromResult(File.Exists(file) && File.ReadAllLines(file) is { Length: >= 2 } both ? both : null), Patience, "Chromium's DevToolsActivePort");
        return await DevTools.ConnectAsync(new Uri($"ws://127.0.0.1:{int.Parse(lines[0], CultureInfo.InvariantCulture)}{lines[1]}"));
    }

    public async ValueTask DisposeAsync()
    {
        if (_devTools is not null) await _devTools.DisposeAsync();
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _starting.Dispose();
        try
        {
            Directory.Delete(_profile, recursive: true);
        }
        catch (IOException)
        {
            // A child of Chromium that is still on its way out holds a file of it.
        }
    }
}

/// <summary>Asks again and again, with a deadline that a busy machine keeps.</summary>
internal static class Eventually
{
    public static async Task<T> GetAsync<T>(Func<Task<T?>> ask, TimeSpan patience, string what) where T : class
    {
        var started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < patience)
        {
            if (await ask() is { } answer) return answer;
            await Task.Delay(20);
        }
        throw new TimeoutException($"{what}: not within {patience.TotalSeconds} s");
    }
}
