namespace Cluster.Cli.Hosting;

/// <summary>
/// On the way to a collector: counts what did not arrive and says so once. Throws on what it gets: the exporter has its own way with failures.
/// </summary>
internal sealed class CollectorWatch(Action<string>? say) : DelegatingHandler(new SocketsHttpHandler())
{
    private static int _said;
    private static long _failures;

    /// <summary>Requests of this process, spans or metrics, that no collector took.</summary>
    public static long Failures => Interlocked.Read(ref _failures);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = base.Send(request, cancellationToken);
            if (!response.IsSuccessStatusCode) Failed($"it answers {(int)response.StatusCode}", request);
            return response;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            Failed(e is OperationCanceledException ? "it does not answer in time" : e.Message.ReplaceLineEndings(" "), request);
            throw;
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (!response.IsSuccessStatusCode) Failed($"it answers {(int)response.StatusCode}", request);
            return response;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException)
        {
            Failed(e is OperationCanceledException ? "it does not answer in time" : e.Message.ReplaceLineEndings(" "), request);
            throw;
        }
    }

    private void Failed(string why, HttpRequestMessage request)
    {
        Interlocked.Increment(ref _failures);
        if (say is null || Interlocked.Exchange(ref _said, 1) != 0) return;
        say($"The telemetry collector at {request.RequestUri?.GetLeftPart(UriPartial.Authority)} takes nothing ({why}); what it misses is lost, training goes on. This is said once.");
    }
}
