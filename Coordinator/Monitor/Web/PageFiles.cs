using Microsoft.AspNetCore.Http;

namespace Cluster.Coordinator.Monitor.Web;

/// <summary>The files of the live page, out of this assembly.</summary>
public static class PageFiles
{
    private static readonly (string Path, string Resource, string Type)[] Files =
    [
        ("/", "index.html", "text/html; charset=utf-8"),
        ("/page.css", "page.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "favicon.svg", "image/svg+xml"),
        .. ((string[])["main", "format", "chart", "curves", "nodes", "feed", "waterfall", "head"]).Select(static name => ($"/{name}.js", $"{name}.js", "text/javascript; charset=utf-8")),
    ];

    public static IEnumerable<MonitorRoute> Routes() => Files.Select(static file =>
    {
        var bytes = Read(file.Resource);
        return new MonitorRoute(file.Path, context =>
        {
            context.Response.ContentType = file.Type;
            context.Response.ContentLength = bytes.Length;
            return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(bytes).AsTask();
        });
    });

    private static byte[] Read(string resource)
    {
        using var stream = typeof(PageFiles).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{resource} is not in the assembly");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
