using System.Runtime.InteropServices;
using Cluster.Link;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>A connection whose peer has sent all of it already: handed out in pieces of changing size, as a network does.</summary>
internal sealed unsafe class MemoryChannel(byte[] bytes) : IChannel
{
    private static readonly int[] Pieces = [1, 7, 20, 64, 1500, 65_536];

    private int _at, _turn;

    public bool HasUnsent => false;

    public nint Receive(ReadOnlySpan<Segment> segments)
    {
        var left = Math.Min(bytes.Length - _at, Pieces[_turn++ % Pieces.Length]);
        nint got = 0;
        foreach (var segment in segments)
        {
            var count = (int)Math.Min((nuint)(left - got), segment.Length);
            bytes.AsSpan(_at, count).CopyTo(new Span<byte>(segment.Start, count));
            _at += count;
            got += count;
        }
        return got;
    }

    public nint TryReceive(Span<byte> to)
    {
        if (_at == bytes.Length) return -1;
        var count = Math.Min(to.Length, Math.Min(bytes.Length - _at, Pieces[_turn++ % Pieces.Length]));
        bytes.AsSpan(_at, count).CopyTo(to);
        _at += count;
        return count;
    }

    /// <summary>Nobody reads it.</summary>
    public nint TrySend(ReadOnlySpan<Segment> segments)
    {
        nint sent = 0;
        foreach (var segment in segments) sent += (nint)segment.Length;
        return sent;
    }

    public bool SendAll(Span<Segment> segments) => throw new NotSupportedException();
    public bool SendAll(Span<Segment> segments, SafeHandle descriptor) => throw new NotSupportedException();
    public bool CarriesDescriptors => false;
    public SafeFileHandle? TakeDescriptor() => null;
    public bool WaitReadable(TimeSpan limit) => true;
    public void FinishSending() { }
    public void Abort() { }
    public int Descriptor => -1;
    public void Dispose() { }
}
