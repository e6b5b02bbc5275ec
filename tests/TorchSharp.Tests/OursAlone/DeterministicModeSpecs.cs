using static TorchSharp.torch;

namespace Cluster.Binding.Tests;

/// <summary>torch.use_deterministic_algorithms: in TorchSharp 0.107 a name that is not implemented.</summary>
public sealed class DeterministicModeSpecs
{
    [Fact]
    public void A_scoped_mode_ends_with_its_scope()
    {
        var before = IsDeterministic();
        using (use_deterministic_algorithms())
        {
            Assert.True(IsDeterministic());
            using (use_deterministic_algorithms(mode: false)) Assert.False(IsDeterministic());
            Assert.True(IsDeterministic());
        }
        Assert.Equal(before, IsDeterministic());

        static bool IsDeterministic() => global::TorchSharp.Interop.NativeMethods.ct_is_deterministic() != 0;
    }
}
