using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>Messages to many browsers: each is made once, and whoever does not read them is cut off. Any thread.</summary>
public sealed class LiveStream : IDisposable
{
    /// <summary>Pages that look on at once.</summary>
    public const int MaxListeners = 32;

    /// <summary>Messages that wait for one page: four seconds of a run.</summary>
    private const int MaxWaiting = 8;

    /// <summary>One page that looks on.</summary>
    public sealed class Listener : IDisposable
    {
        private readonly LiveStream _stream;
        private readonly Channel<ReadOnlyMemory<byte>> _messages = Channel.CreateBounded<ReadOnlyMemory<byte>>(
            new BoundedChannelOptions(MaxWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

        internal Listener(LiveStream stream) => _stream = stream;

        /// <summary>Completed when there is nothing more to come, or when this page fell behind and must begin anew.</summary>
        public ChannelReader<ReadOnlyMemory<byte>> Messages => _messages.Reader;

        internal bool Offer(ReadOnlyMemory<byte> message) => _messages.Writer.TryWrite(message);

        internal void Complete() => _messages.Writer.TryComplete();

        public void Dispose() => _stream.Remove(this);
    }

    private readonly ConcurrentDictionary<Listener, byte> _listeners = new();
    private readonly Lock _lock = new();
    private int _count;
    private bool _isOver;

    public int Count => Volatile.Read(ref _count);

    public bool IsFull => Count >= MaxListeners;

    /// <param name="first">Its first message.</param>
    /// <returns>Null when too many look on already.</returns>
    internal Listener? Add(ReadOnlyMemory<byte> first)
    {
        lock (_lock)
        {
            if (_count >= MaxListeners) return null;
            var listener = new Listener(this);
            listener.Offer(first);
            // After the end there is one message, the last one.
            if (_isOver) listener.Complete();
            _listeners[listener] = 0;
            _count++;
            return listener;
        }
    }

    internal void Send(ReadOnlyMemory<byte> message)
    {
        foreach (var (listener, _) in _listeners)
            if (!listener.Offer(message)) listener.Complete();
    }

    private void Remove(Listener listener)
    {
        if (!_listeners.TryRemove(listener, out _)) return;
        lock (_lock) _count--;
        listener.Complete();
    }

    /// <summary>One message of the event stream (WHATWG HTML, 9.2).</summary>
    internal static byte[] Framed(string name, ReadOnlySpan<byte> json)
    {
        var head = Encoding.ASCII.GetBytes($"event: {name}\ndata: ");
        return [.. head, .. json, .. "\n\n"u8];
    }

    public void Dispose()
    {
        lock (_lock) _isOver = true;
        foreach (var (listener, _) in _listeners) listener.Complete();
    }
}
