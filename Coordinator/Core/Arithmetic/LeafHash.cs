using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Cluster.Coordinator.Core;

/// <summary>SHA-256 of what a worker made of one leaf: equal on every healthy device of one numeric fingerprint.</summary>
public static class LeafHash
{
    /// <param name="values">[StateFloats]: the gradient's sum and the updated buffers, as they are pushed.</param>
    /// <param name="lossSum">In nats.</param>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    public static string Of(ReadOnlySpan<float> values, double lossSum, int correctCount)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(MemoryMarshal.AsBytes(values));
        Span<byte> numbers = stackalloc byte[sizeof(double) + sizeof(int)];
        BinaryPrimitives.WriteDoubleLittleEndian(numbers, lossSum);
        BinaryPrimitives.WriteInt32LittleEndian(numbers[sizeof(double)..], correctCount);
        sha.AppendData(numbers);
        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
