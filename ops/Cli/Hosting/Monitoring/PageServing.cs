using System.Globalization;
using System.Net;
using Cluster.Coordinator.Monitor.Web;

namespace Cluster.Cli.Hosting.Monitoring;

/// <summary>
/// Starts a run's server and says where it is. A run that is carried on by another process is shown where it was before,
/// if the port is still free: pages that are open find it again.
/// </summary>
internal static class PageServing
{
    /// <summary>In the run's folder: the port, and on a second line the token where the server made one. Readable by its owner alone.</summary>
    public const string FileName = "monitor";

    /// <returns>Null when the run is not shown; why is said.</returns>
    public static async Task<MonitorServer?> StartAsync(MonitoringContext context)
    {
        var asked = context.Options.Monitor;
        if (asked == "none" || context.Routes.Count == 0) return null;
        if (!MonitorAddress.TryParse(asked, out var endPoint))
        {
            context.Say($"The run is not shown: --monitor {asked} is no address. Training goes on.");
            return null;
        }
        var path = Path.Combine(context.Folder.Location, FileName);
        var (port, token) = Before(path);
        if (endPoint.Port == 0 && port != 0 && await TryAsync(new IPEndPoint(endPoint.Address, port), context, token) is { } again) return Shown(again, context, path);
        try
        {
            return Shown(await MonitorServer.StartAsync(endPoint, context.Routes, token), context, path);
        }
        catch (IOException e)
        {
            context.Say($"The run is not shown, {asked} cannot be had ({e.Message.ReplaceLineEndings(" ").TrimEnd('.')}): --monitor {AnyPort(endPoint)} takes any free port. Training goes on.");
            return null;
        }
    }

    private static string AnyPort(IPEndPoint endPoint) => new IPEndPoint(endPoint.Address, 0).ToString();

    private static async Task<MonitorServer?> TryAsync(IPEndPoint endPoint, MonitoringContext context, string? token)
    {
        try
        {
            return await MonitorServer.StartAsync(endPoint, context.Routes, token);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static MonitorServer Shown(MonitorServer server, MonitoringContext context, string path)
    {
        // What is printed ends up in logs, which more people read than may look on.
        var chosen = !string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(MonitorAccess.TokenVariable));
        context.Say(server.Token is null ? $"watch it at {server.Address}"
            : $"watch it at {server.Address}/?token=TOKEN, with the token {(chosen ? $"of {MonitorAccess.TokenVariable}" : $"that is the second line of {path}")}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var writer = new StreamWriter(path, options);
            writer.WriteLine(server.EndPoint.Port.ToString(CultureInfo.InvariantCulture));
            if (server.Token is { } token && !chosen) writer.WriteLine(token);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only the next process of this run would have read it.
        }
        return server;
    }

    /// <summary>Port 0: not known.</summary>
    private static (int Port, string? Token) Before(string path)
    {
        try
        {
            var lines = File.ReadAllLines(path);
            return lines.Length > 0 && ushort.TryParse(lines[0], CultureInfo.InvariantCulture, out var port) ? (port, lines.ElementAtOrDefault(1)) : (0, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (0, null);
        }
    }
}
