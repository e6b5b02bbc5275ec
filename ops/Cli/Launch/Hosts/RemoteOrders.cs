using System.Text;
using Cluster.Contracts;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>
/// The supervisor's end of a remote process' standard input: first its environment, which so stands in no process list; then a sign
/// every second that the supervisor is there, and orders. <see cref="RemoteInput"/> is the other end. Any thread.
/// </summary>
internal sealed class RemoteOrders : IDisposable
{
    private readonly Stream _input;
    private readonly Timer _signs;
    private readonly Lock _lock = new();
    private bool _closed;

    /// <param name="input">Of the remote shell; closing it ends the process there.</param>
    /// <param name="environment">For the process there; null removes a variable.</param>
    public RemoteOrders(Stream input, IEnumerable<KeyValuePair<string, string?>> environment)
    {
        _input = input;
        Write(string.Concat(environment.Select(static e => $"{e.Key}{(e.Value is null ? "" : "=" + Uri.EscapeDataString(e.Value))}\n")) + "\n");
        _signs = new Timer(_ => Write(RemoteInput.Sign), null, Limits.RemoteSignMilliseconds, Limits.RemoteSignMilliseconds);
    }

    /// <summary>Hands a signal on, if it is one that travels.</summary>
    /// <returns>Null: it does not, and the remote shell itself gets it. Else whether it was sent.</returns>
    public bool? Send(ChildSignal signal) => signal switch
    {
        ChildSignal.Terminate => Write(RemoteInput.Terminate),
        ChildSignal.HangUp => Write(RemoteInput.HangUp),
        // Only ever to one that may have been stopped, which none can be from here.
        ChildSignal.Continue => true,
        ChildSignal.Kill => null,
        // The remote shell would die of it, or stop, and not the process behind it.
        _ => false,
    };

    private bool Write(string text)
    {
        lock (_lock)
        {
            if (_closed) return false;
            try
            {
                _input.Write(Encoding.ASCII.GetBytes(text));
                _input.Flush();
                return true;
            }
            catch (IOException)
            {
                // The process is gone, and its end is told elsewhere.
                return false;
            }
        }
    }

    public void Dispose()
    {
        _signs.Dispose();
        lock (_lock) _closed = true;
    }
}
