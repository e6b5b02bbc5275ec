using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;

namespace Cluster.Browser.Tests;

/// <summary>One tab. Keeps what the page complained of: errors of scripts, and of what it may not load.</summary>
public sealed class BrowserPage : IAsyncDisposable
{
    /// <summary>For what must come at all; how long it took is measured, not bounded by this.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly DevTools _devTools;
    private readonly string _session;
    private readonly string _context;
    private readonly ConcurrentQueue<string> _complaints = new();

    internal BrowserPage(DevTools devTools, string session, string context)
    {
        (_devTools, _session, _context) = (devTools, session, context);
        devTools.Happened += Heard;
    }

    public IReadOnlyCollection<string> Complaints => _complaints;

    private void Heard(string? session, string method, JsonElement parameters)
    {
        if (session != _session) return;
        if (method == "Runtime.exceptionThrown") _complaints.Enqueue(parameters.GetProperty("exceptionDetails").ToString());
        // A server that is away is what some specs are about.
        if (method == "Log.entryAdded" && parameters.GetProperty("entry") is var entry && entry.GetProperty("level").GetString() == "error" && entry.GetProperty("source").GetString() != "network")
            _complaints.Enqueue(entry.ToString());
    }

    public async Task ShowAsync(int width, int height, bool isDark)
    {
        await CallAsync("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = 1, mobile = width < 600 });
        await CallAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = isDark ? "dark" : "light" } } });
    }

    public async Task GoAsync(string url)
    {
        await CallAsync("Runtime.enable");
        await CallAsync("Log.enable");
        await CallAsync("Page.enable");
        await CallAsync("Page.navigate", new { url });
    }

    /// <summary>The value of an expression.</summary>
    public async Task<JsonElement> GetAsync(string expression)
    {
        var answer = await CallAsync("Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
        if (answer.TryGetProperty("exceptionDetails", out var details)) throw new InvalidOperationException($"{expression}: {details}");
        var result = answer.GetProperty("result");
        return result.TryGetProperty("value", out var value) ? value : default;
    }

    public async Task<string> TextAsync(string selector) =>
        (await GetAsync($"document.querySelector({JsonSerializer.Serialize(selector)})?.textContent ?? ''")).GetString()!;

    /// <summary>Waits until an expression is true, and tells how long that took.</summary>
    public async Task<TimeSpan> UntilAsync(string expression)
    {
        var started = Stopwatch.GetTimestamp();
        await Eventually.GetAsync(async () => (await HoldsAsync(expression)) ? expression : null, Patience, expression);
        return Stopwatch.GetElapsedTime(started);
    }

    private async Task<bool> HoldsAsync(string expression)
    {
        try
        {
            return (await GetAsync($"!!({expression})")).ValueKind == JsonValueKind.True;
        }
        catch (InvalidOperationException)
        {
            // The page is being loaded.
            return false;
        }
    }

    /// <summary>Writes the whole page as a picture into artifacts/screenshots.</summary>
    public async Task ScreenshotAsync(string name)
    {
        var folder = Path.Combine(Repository.Root, "artifacts", "screenshots");
        Directory.CreateDirectory(folder);
        var picture = await CallAsync("Page.captureScreenshot", new { format = "png", captureBeyondViewport = true });
        await File.WriteAllBytesAsync(Path.Combine(folder, name + ".png"), picture.GetProperty("data").GetBytesFromBase64());
    }

    /// <summary>A key or a click, in the middle of an element.</summary>
    public Task ClickAsync(string selector) => GetAsync($"document.querySelector({JsonSerializer.Serialize(selector)}).click()");

    public Task<JsonElement> MoveAsync(double x, double y) => CallAsync("Input.dispatchMouseEvent", new { type = "mouseMoved", x, y });

    private Task<JsonElement> CallAsync(string method, object? parameters = null) => _devTools.CallAsync(method, parameters, _session);

    public async ValueTask DisposeAsync()
    {
        _devTools.Happened -= Heard;
        await _devTools.CallAsync("Target.disposeBrowserContext", new { browserContextId = _context });
    }
}

internal static class Repository
{
    /// <summary>The folder of Cluster.sln.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln"))) return folder.FullName;
        throw new DirectoryNotFoundException("no folder above the tests holds Cluster.sln");
    }
}
