using System.Runtime.InteropServices;

namespace Cluster.Torch;

/// <summary>
/// libtorch refused a call. The first line of <see cref="Exception.Message"/> is libtorch's own. An
/// <see cref="ExternalException"/>, as TorchSharp throws, so that code which catches that works with both.
/// </summary>
public sealed class TorchException : ExternalException
{
    public TorchException() { }
    public TorchException(string message) : base(message) { }
    public TorchException(string message, Exception inner) : base(message, inner) { }
}

/// <summary>The native half, or libtorch behind it, cannot be loaded. The message says what to install.</summary>
public sealed class LibtorchNotFoundException : DllNotFoundException
{
    /// <summary>What a person does about it.</summary>
    public const string Advice = "libtorch was not found: apt-get install libtorch-dev libopenblas0-openmp (as root), or set Torch_DIR";

    public LibtorchNotFoundException() : base(Advice) { }
    public LibtorchNotFoundException(string message) : base(message) { }
    public LibtorchNotFoundException(string message, Exception inner) : base(message, inner) { }
}
