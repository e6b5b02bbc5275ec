using System.Runtime.InteropServices;
using Cluster.Contracts;

namespace Cluster.Core.Tests;

/// <summary>Small deterministic inputs for the arithmetic's tests.</summary>
internal static class ArithmeticFixtures
{
    /// <summary>Floats of mixed sign and magnitude, some zeros of either sign among them.</summary>
    public static float[] Floats(int count, ulong seed)
    {
        var stream = new PhiloxStream(seed, RandomPurpose.Fingerprint, (ulong)count);
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = stream.NextInt32(16) switch
            {
                0 => 0f,
                1 => -0f,
                2 => float.Epsilon * stream.NextInt32(1000),
                _ => (float)((stream.NextDouble() - 0.5) * Math.Pow(2, stream.NextInt32(24) - 12)),
            };
        }
        return values;
    }

    public static NativeBuffer Native(ReadOnlySpan<float> values)
    {
        var buffer = NativeBuffer.Allocate(values.Length);
        values.CopyTo(buffer.Span);
        return buffer;
    }

    /// <summary>Equal as bytes: tells −0 from +0.</summary>
    public static void SameBits(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what = "")
    {
        Assert.Equal(expected.Length, actual.Length);
        if (MemoryMarshal.AsBytes(expected).SequenceEqual(MemoryMarshal.AsBytes(actual))) return;
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"{what}: element {i} is {actual[i]:R} ({BitConverter.SingleToInt32Bits(actual[i]):x8}), expected {expected[i]:R} ({BitConverter.SingleToInt32Bits(expected[i]):x8})");
        }
    }

    /// <summary>A model of several chunks: tensors that cross chunk edges, odd lengths, biases, buffers over two chunks, a counter.</summary>
    public static ParameterLayout Layout(bool wholeRows = false) => ParameterLayout.Of(
    [
        ("conv1.weight", [32, 3, 3, 3], StateKind.Parameter, true),
        ("bn1.weight", [33], StateKind.Parameter, false),
        ("bn1.bias", [33], StateKind.Parameter, false),
        ("bn1.running_mean", [33], StateKind.Buffer, false),
        ("bn1.num_batches_tracked", [], StateKind.Counter, false),
        ("layer.weight", [411, 523], StateKind.Parameter, true),
        ("layer.bias", [411], StateKind.Parameter, false),
        ("fc.weight", [301, 101], StateKind.Parameter, true),
        ("fc.bias", [1], StateKind.Parameter, false),
        ("big.running_var", [70_001], StateKind.Buffer, false),
    ], wholeRows);
}
