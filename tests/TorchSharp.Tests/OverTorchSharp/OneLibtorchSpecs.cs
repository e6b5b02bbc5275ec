using TorchSharp.Interop;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

/// <summary>TorchSharp's native half and our shim in one process: only where TorchSharp's own assembly is the binding.</summary>
public sealed class OneLibtorchSpecs
{
    [Fact]
    public void Both_halves_run_on_one_libtorch()
    {
        using var tensor = ones(3);                                             // TorchSharp's half
        Assert.Equal(3, global::Cluster.Torch.TorchRuntime.Version.Split('.').Length); // the shim
        Assert.Single(NativeLibraryLoader.LibtorchsIn(File.ReadLines("/proc/self/maps")));
    }

    [Fact]
    public void Two_libtorchs_are_told_apart_by_their_paths()
    {
        string[] map =
        [
            "7f0000000000-7f0000001000 r--p 00000000 08:01 11  /usr/lib/libtorch_cpu.so.1.13",
            "7f0000001000-7f0000002000 r-xp 00001000 08:01 11  /usr/lib/libtorch_cpu.so.1.13",
            "7f0000002000-7f0000003000 rw-p 00000000 00:00 0",
            "7f0000003000-7f0000004000 r--p 00000000 08:01 12  /home/a b/app/libtorch_cpu.so",
            "7f0000004000-7f0000005000 r--p 00000000 08:01 13  /usr/lib/libtorch_cpu_extra/libc10.so",
        ];

        Assert.Equal(["/usr/lib/libtorch_cpu.so.1.13", "/home/a b/app/libtorch_cpu.so"], NativeLibraryLoader.LibtorchsIn(map));
    }
}
