using System.Runtime.InteropServices;
using Cluster.Torch;
using TorchSharp;

namespace Cluster.Binding.Tests;

/// <summary>Whose TorchSharp the suite runs over: our binding, or TorchSharp's own assembly (TorchSharpFeed=full).</summary>
internal static class Binding
{
    /// <summary>Our binding holds Cluster.Torch too; over TorchSharp's assembly that is one beside it.</summary>
    public static bool IsTorchSharps { get; } = typeof(torch).Assembly != typeof(FlatCopy).Assembly;

    /// <summary>libtorch's refusal of a call of TorchSharp's API: an exception of our own, or TorchSharp's.</summary>
    public static ExternalException Refusal(Action call) => IsTorchSharps ? Assert.Throws<ExternalException>(call) : Assert.Throws<TorchException>(call);

    /// <summary>The use of a tensor that was disposed.</summary>
    public static InvalidOperationException Disposed(Func<object?> use) =>
        IsTorchSharps ? Assert.Throws<InvalidOperationException>(use) : Assert.Throws<ObjectDisposedException>(use);

    /// <summary>For what our binding does otherwise on purpose, or TorchSharp cannot do.</summary>
    public static void NeedsOurs(string reason) => Assert.SkipWhen(IsTorchSharps, $"over TorchSharp's own assembly: {reason}");
}
