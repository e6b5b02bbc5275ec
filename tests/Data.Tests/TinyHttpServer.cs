using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cluster.Data.Tests;

/// <summary>
/// A web server on a loopback port that serves one body and misbehaves to order: each connection is one request, and is
/// answered by the next of the given behaviours (the last one repeats).
/// </summary>
internal sealed class TinyHttpServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<long?, Answer>[] _behaviours;
    private readonly List<long?> _rangeStarts = [];
    private readonly Task _serving;

    public TinyHttpServer(params Func<long?, Answer>[] behaviours)
    {
        _behaviours = behaviours;
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    /// <param name="Status">For example <c>200 OK</c>.</param>
    /// <param name="Announced">Content-Length; more than <paramref name="Body"/> has means that the line breaks.</param>
    /// <param name="ContentRange">Header of a partial answer.</param>
    public sealed record Answer(string Status, byte[] Body, long Announced, string? ContentRange = null);

    public Uri Uri => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/cifar-10-binary.tar.gz");

    /// <summary>First byte that each request asked for; null for a request of everything.</summary>
    public IReadOnlyList<long?> RangeStarts
    {
        get
        {
            lock (_rangeStarts) return [.. _rangeStarts];
        }
    }

    /// <summary>Serves ranges, and breaks off after <paramref name="breakAfter"/> bytes.</summary>
    public static Func<long?, Answer> Ranges(byte[] body, int? breakAfter = null) => start =>
    {
        if (start >= body.Length) return new Answer("416 Range Not Satisfiable", [], 0, $"bytes */{body.Length}");
        var rest = body[(int)(start ?? 0)..];
        var sent = breakAfter is { } limit ? rest[..Math.Min(limit, rest.Length)] : rest;
        return start is null
            ? new Answer("200 OK", sent, rest.Length)
            : new Answer("206 Partial Content", sent, rest.Length, $"bytes {start}-{body.Length - 1}/{body.Length}");
    };

    /// <summary>Knows no ranges: always everything.</summary>
    public static Func<long?, Answer> Whole(byte[] body) => _ => new Answer("200 OK", body, body.Length);

    public static Func<long?, Answer> Status(string status) => _ => new Answer(status, [], 0);

    public void Dispose()
    {
        _listener.Stop();
        _serving.Wait();
    }

    private async Task ServeAsync()
    {
        for (var request = 0; ; request++)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;                                         // stopped
            }
            using (client)
            {
                try
                {
                    await AnswerAsync(client.GetStream(), _behaviours[Math.Min(request, _behaviours.Length - 1)]);
                }
                catch (IOException)
                {
                    // The client has hung up; some tests are about that.
                }
            }
        }
    }

    private async Task AnswerAsync(NetworkStream stream, Func<long?, Answer> behaviour)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        long? start = null;
        while (await reader.ReadLineAsync() is { Length: > 0 } line)
            if (line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase)) start = long.Parse(line[13..^1]);
        lock (_rangeStarts) _rangeStarts.Add(start);
        var answer = behaviour(start);
        var range = answer.ContentRange is null ? "" : $"Content-Range: {answer.ContentRange}\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {answer.Status}\r\nContent-Length: {answer.Announced}\r\n{range}Connection: close\r\n\r\n"));
        await stream.WriteAsync(answer.Body);
    }
}
