using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

/// <summary>
/// One reference to a libtorch tensor. A SafeHandle, so that a tensor which is disposed (or finalized) on one thread
/// while another is inside a native call with it is freed after that call, not under it. Over TorchSharp's own tensors
/// that holds for finalizers alone: what is borrowed of them owns nothing and counts no reference, so whoever disposes
/// such a tensor on one thread frees it under a call on another.
/// </summary>
internal sealed partial class TensorHandle : SafeHandle
{
    private static long s_live;
    private bool _counted;

    /// <summary>An absent optional tensor: never freed, never closed.</summary>
    public static readonly TensorHandle None = new();

    /// <summary>What an object whose reference was taken over holds.</summary>
    public static readonly TensorHandle Closed = MakeClosed();

    public TensorHandle() : base(0, ownsHandle: true) { }

    /// <summary>Takes over a handle that native code wrote into an out parameter.</summary>
    public TensorHandle(nint handle) : base(0, ownsHandle: true) => SetHandle(handle);

    /// <summary>Handles that managed code holds now.</summary>
    public static long Live => Interlocked.Read(ref s_live);

    public override bool IsInvalid => handle == 0;

    /// <summary>Counts the handle as live. Called once, by whoever wraps it.</summary>
    public void Count()
    {
        _counted = true;
        Interlocked.Increment(ref s_live);
    }

    private static TensorHandle MakeClosed()
    {
        var handle = new TensorHandle();
        handle.Dispose();
        return handle;
    }

    protected override bool ReleaseHandle()
    {
        NativeMethods.ct_tensor_free(handle);
        if (_counted) Interlocked.Decrement(ref s_live);
        return true;
    }
}

/// <summary>One reference to a libtorch random number generator.</summary>
internal sealed class GeneratorHandle() : SafeHandle(0, ownsHandle: true)
{
    /// <summary>Stands for the default generator of the device.</summary>
    public static readonly GeneratorHandle None = new();

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        NativeMethods.ct_generator_free(handle);
        return true;
    }
}
