using System.Runtime.InteropServices;

namespace Cluster.Workers.Data.Images;

/// <summary>Memory of a reader's own that stays where it is, grows when an image needs more, and is used again for the next. One thread.</summary>
internal sealed unsafe class Scratch : IDisposable
{
    /// <summary>Bytes behind the end that may be read, never written: vectors reach over the last pixel.</summary>
    public const int Slack = 64;

    private const int Alignment = 64;
    private byte* _memory;
    private nuint _length;

    ~Scratch() => Free();

    /// <summary>At least so many bytes; what they held before is lost when they had to grow.</summary>
    public byte* Of(nint length)
    {
        if ((nuint)length > _length)
        {
            Free();
            // A quarter more: sizes of photographs differ a little each time.
            _length = (nuint)length + (nuint)length / 4;
            _memory = (byte*)NativeMemory.AlignedAlloc(_length + Slack, Alignment);
            new Span<byte>(_memory + _length, Slack).Clear();
        }
        return _memory;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_memory);
        _memory = null;
        _length = 0;
    }
}
