using System.Runtime.InteropServices;
using Cluster.Link;

namespace Cluster.Cli.Nodes;

/// <summary>SIGHUP makes a process with TLS read its certificates anew, and says in one line how that went. Without TLS the signal keeps its usual meaning.</summary>
internal static class CertificateReload
{
    /// <param name="tls">Null = there is nothing to reload.</param>
    /// <param name="name">Of this process, for the line.</param>
    /// <param name="then">Called after it.</param>
    /// <returns>Ends it.</returns>
    public static IDisposable? OnHangUp(LinkTls? tls, string name, Action? then = null) => tls is null
        ? null
        : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            Reload(tls, name);
            then?.Invoke();
        });

    private static void Reload(LinkTls tls, string name)
    {
        if (tls.Reload() is { } mistake) Console.Error.WriteLine($"{name} could not load its certificates anew: {mistake}");
        else Console.Out.WriteLine($"{name} has loaded its certificates anew: new connections use them, open ones stay");
    }
}
