using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Membership.Kubernetes;

/// <summary>Says which pods there are.</summary>
public interface IPodLister
{
    /// <exception cref="PodsUnknownException">It cannot say.</exception>
    Task<IReadOnlyList<SeedPod>> ListAsync(PodSelector selector, CancellationToken stop);
}

/// <summary>
/// Asks the API server, and it alone: TLS with the service account's authority, no proxy, no redirection, one connection for each
/// request, since token and authority may be others by then. The answer is bounded in size and time.
/// </summary>
public sealed class KubernetesApi(ServiceAccount account, TimeSpan limit) : IPodLister
{
    public async Task<IReadOnlyList<SeedPod>> ListAsync(PodSelector selector, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(selector);
        var (token, space) = (account.ReadToken(), selector.Namespace ?? account.ReadNamespace());
        // Without a resourceVersion: the newest list, not one that some cache still has.
        var url = new Uri(account.Api, $"/api/v1/namespaces/{space}/pods?labelSelector={Uri.EscapeDataString(selector.Selector)}&limit={Limits.SeedPods}");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(limit);
        using var authorities = new Authorities(account.ReadAuthorities());
        try
        {
            using var handler = Handler(authorities);
            using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await BodyAsync(response, patience.Token);
            return response.StatusCode == HttpStatusCode.OK ? PodList.Read(body) : throw Refused(response.StatusCode, space, selector, Reason(body, token));
        }
        catch (OperationCanceledException e) when (!stop.IsCancellationRequested)
        {
            throw new PodsUnknownException($"the API server at {Server} did not answer within {limit.TotalSeconds} s", e);
        }
        catch (Exception e) when (SpeaksNoHttp(e))
        {
            throw Unknown($"what listens at {Server} does not speak HTTP", e, token);
        }
        catch (HttpRequestException e)
        {
            throw Unknown(e.HttpRequestError == HttpRequestError.SecureConnectionError
                ? $"what listens at {Server} has no certificate of the authority in {account.Folder}/ca.crt for this address: {Line(authorities.Refusal ?? e.InnerException?.Message ?? e.Message, token)}"
                : $"the API server at {Server} cannot be asked: {Line(e.Message, token)}", e, token);
        }
        catch (IOException e)
        {
            throw Unknown($"the API server's answer was cut off: {Line(e.Message, token)}", e, token);
        }
    }

    private static bool SpeaksNoHttp(Exception e) =>
        e is HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } or HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse };

    /// <summary>Without a cause that may hold the token: .NET quotes what it does not understand, as text or byte by byte.</summary>
    private static PodsUnknownException Unknown(string message, Exception cause, string token) =>
        SpeaksNoHttp(cause) || cause.ToString().Contains(token, StringComparison.Ordinal) ? new PodsUnknownException(message) : new PodsUnknownException(message, cause);

    private string Server => account.Api.Authority;

    private static SocketsHttpHandler Handler(Authorities authorities) => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        SslOptions = authorities.Options(),
    };

    private static async Task<byte[]> BodyAsync(HttpResponseMessage response, CancellationToken stop)
    {
        // A list stays too long; what came in its place may not come again.
        var tooLong = new PodsUnknownException($"the API server's answer has more than {Limits.PodListBytes} bytes: write a selector that names the coordinators alone") { IsFinal = response.StatusCode == HttpStatusCode.OK };
        if (response.Content.Headers.ContentLength > Limits.PodListBytes) throw tooLong;
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        using var body = new MemoryStream();
        var piece = new byte[64 * 1024];
        while (await stream.ReadAsync(piece, stop) is var count and > 0)
        {
            if (body.Length + count > Limits.PodListBytes) throw tooLong;
            body.Write(piece, 0, count);
        }
        return body.ToArray();
    }

    private PodsUnknownException Refused(HttpStatusCode status, string space, PodSelector selector, string reason) => status switch
    {
        HttpStatusCode.BadRequest => new($"the API server does not take the selector '{selector.Selector}' (400){reason}") { IsFinal = true },
        HttpStatusCode.Unauthorized => new($"the API server at {Server} does not accept the token in {account.Folder} (401){reason}"),
        HttpStatusCode.Forbidden => new($"this pod's service account may not list pods in namespace {space} (403): it needs a Role with the verb 'list' on 'pods' there, and a RoleBinding, as ops/kubernetes/overlays/akka has them"),
        HttpStatusCode.NotFound => new($"what listens at {Server} knows no pods of namespace {space} (404){reason}: check the namespace and KUBERNETES_SERVICE_HOST") { IsFinal = true },
        _ => new($"the API server at {Server} answers {(int)status}{reason}"),
    };

    /// <summary>What the API server says itself, as a sentence's end; empty when it says nothing that can be read.</summary>
    private static string Reason(byte[] body, string token)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String
                ? ": " + Line(message.GetString()!, token)
                : "";
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return "";
        }
    }

    /// <summary>For a terminal: one line, not too long, without the token. That goes before the text is cut: of a token in halves the first would stay.</summary>
    private static string Line(string text, string token) => new([.. text.Replace(token, "…", StringComparison.Ordinal).Take(300).Select(static c => char.IsControl(c) ? ' ' : c)]);
}
