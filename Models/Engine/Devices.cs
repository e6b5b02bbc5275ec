using Cluster.Contracts;
using static TorchSharp.torch;

namespace Cluster.Engine;

/// <summary>Names of devices, as a user writes them.</summary>
public static class Devices
{
    /// <summary><c>cpu</c>, <c>cuda</c> (the first GPU) or <c>cuda:N</c>.</summary>
    /// <exception cref="UserMistakeException">Another word, or a GPU that is not there.</exception>
    public static Device Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name == "cpu") return device("cpu");
        var index = 0;
        if (name != "cuda" && !(name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), out index) && index >= 0))
            throw new UserMistakeException($"unknown device '{name}': write cpu, or cuda:N for the GPU with number N");
        if (!cuda.is_available())
            throw new UserMistakeException($"device '{name}' is not there: libtorch sees no CUDA GPU; use --device cpu, or install a CUDA build of libtorch and the driver");
        var count = cuda.device_count();
        if (index >= count) throw new UserMistakeException($"device '{name}' is not there: this machine has {count} GPU(s), cuda:0 to cuda:{count - 1}");
        return device($"cuda:{index}");
    }
}
