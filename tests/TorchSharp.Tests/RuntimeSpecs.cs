using Cluster.Torch;
using TorchSharp;
using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

/// <summary>Threads, versions, loading of the native half.</summary>
public sealed class RuntimeSpecs
{
    private static T OnFreshThread<T>(Func<T> work) => OnFreshThreads(work)[0];

    private static T[] OnFreshThreads<T>(params Func<T>[] works)
    {
        var results = new T[works.Length];
        var failures = new Exception?[works.Length];
        var threads = works.Select((work, i) => new Thread(() =>
        {
            try { results[i] = work(); }
            catch (Exception e) { failures[i] = e; }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return Array.Find(failures, failure => failure is not null) is { } first ? throw new InvalidOperationException("a thread failed", first) : results;
    }

    private static float[] Compute(int seed)
    {
        TorchRuntime.SetThreads(1);
        using var net = SmallNet.Seeded(3);
        using var flat = new FlatCopy([.. net.parameters()]);
        for (var step = 0; step < 5; step++) net.Step(seed + step, samples: 8);
        var gradient = new float[flat.Length];
        flat.CopyGradientsTo(gradient);
        return gradient;
    }

    [Fact]
    public void Thread_counts_hold_on_the_thread_that_sets_them()
    {
        Assert.Equal(1, OnFreshThread(() =>
        {
            TorchRuntime.SetThreads(1);
            return get_num_threads();
        }));
        Assert.Equal(2, OnFreshThread(() =>
        {
            TorchRuntime.SetThreads(2);
            return get_num_threads();
        }));
        Assert.Throws<ArgumentOutOfRangeException>(() => TorchRuntime.SetThreads(0));
    }

    [Fact]
    public void Two_threads_may_have_different_counts_at_the_same_time()
    {
        using var barrier = new Barrier(2);
        int CountWhileTheOtherHasAnother(int count)
        {
            TorchRuntime.SetThreads(count);
            barrier.SignalAndWait();
            var seen = get_num_threads();
            barrier.SignalAndWait();
            return seen;
        }
        Assert.Equal([1, 2], OnFreshThreads(() => CountWhileTheOtherHasAnother(1), () => CountWhileTheOtherHasAnother(2)));
        TorchRuntime.SetThreads(1);
    }

    [Fact]
    public void The_BLAS_follows_where_it_says_its_count()
    {
        var blas = OnFreshThread(() =>
        {
            TorchRuntime.SetThreads(1);
            return TorchRuntime.BlasThreads;
        });
        Assert.SkipWhen(blas == -1, $"this BLAS ({TorchRuntime.Blas}) does not say how many threads it uses");
        Assert.Equal(1, blas);
    }

    [Fact]
    public void One_thread_gives_the_same_bits_on_every_thread_at_the_same_time()
    {
        var alone = OnFreshThread(() => Compute(11));
        Assert.Contains(alone, value => value != 0);
        using var barrier = new Barrier(3);
        float[] WithOthers()
        {
            barrier.SignalAndWait();
            return Compute(11);
        }
        foreach (var gradient in OnFreshThreads(WithOthers, WithOthers, WithOthers))
            Assert.Equal(alone.Select(BitConverter.SingleToInt32Bits), gradient.Select(BitConverter.SingleToInt32Bits));
        Assert.NotEqual(alone, OnFreshThread(() => Compute(12)));
    }

    [Fact]
    public void The_runtime_names_what_decides_its_bits()
    {
        Assert.Matches(@"^\d+\.\d+\.\d+", TorchRuntime.Version);
        // TorchSharp's own says which libtorch it was written for.
        if (!Binding.IsTorchSharps) Assert.Equal(TorchRuntime.Version, __version__);
        Assert.Contains("PyTorch built with", TorchRuntime.BuildConfiguration, StringComparison.Ordinal);
        Assert.NotEqual("unknown", TorchRuntime.CpuCapability);
        Assert.NotEmpty(TorchRuntime.Blas);
    }

    [Fact]
    public void Deterministic_mode_holds()
    {
        TorchRuntime.Deterministic();
        Assert.False(backends.cuda.matmul.allow_tf32);
        Assert.False(backends.cudnn.allow_tf32);
        using var net = SmallNet.Seeded(1);
        Assert.True(float.IsFinite(net.Step(1)));
    }

    [Fact]
    public void Keeping_freed_memory_changes_no_bit()
    {
        var before = OnFreshThread(() => Compute(21));
        Assert.SkipUnless(TorchRuntime.KeepFreedMemory(), "the C library is not glibc");
        Assert.Equal(before, OnFreshThread(() => Compute(21)));
    }

    [Fact]
    public void A_missing_native_library_says_what_to_install()
    {
        var empty = Directory.CreateTempSubdirectory("cluster-binding-");
        try
        {
            var missing = Assert.Throws<LibtorchNotFoundException>(() => global::TorchSharp.Interop.NativeLibraryLoader.Load(empty.FullName));
            Assert.Contains("apt-get install libtorch-dev libopenblas0-openmp", missing.Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(empty.FullName, "libcluster_torch.so"), "not a library");
            var broken = Assert.Throws<LibtorchNotFoundException>(() => global::TorchSharp.Interop.NativeLibraryLoader.Load(empty.FullName));
            Assert.Contains("could not be loaded", broken.Message, StringComparison.Ordinal);
            Assert.Contains("libcluster_torch.so: ", broken.Message, StringComparison.Ordinal); // the loader's own reason
            Assert.DoesNotContain('\n', broken.Message);
        }
        finally
        {
            empty.Delete(recursive: true);
        }
    }
}
