using System.Buffers.Binary;

namespace Cluster.Remoting;

/// <summary>
/// Fixed part of a bulk frame's header: which stretch of which tensor of which message this is. The first frame of a
/// message carries its head behind it.
/// </summary>
/// <param name="Transfer">Number of the message on its link: frames of several may come in turn.</param>
/// <param name="Target">Index of the shard's slot, where the receiver is one.</param>
/// <param name="Tensor">Index of the tensor in the message.</param>
/// <param name="Tensors">How many the message has.</param>
/// <param name="First">First float of the stretch.</param>
/// <param name="Length">Floats of the whole tensor.</param>
internal readonly record struct BulkHeader(uint Transfer, int Target, byte Tensor, byte Tensors, int First, int Length)
{
    public const int Bytes = 18;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Transfer);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Target);
        to[8] = Tensor;
        to[9] = Tensors;
        BinaryPrimitives.WriteInt32LittleEndian(to[10..], First);
        BinaryPrimitives.WriteInt32LittleEndian(to[14..], Length);
    }

    public static BulkHeader? Read(ReadOnlySpan<byte> from) => from.Length < Bytes
        ? null
        : new BulkHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[4..]), from[8], from[9],
            BinaryPrimitives.ReadInt32LittleEndian(from[10..]), BinaryPrimitives.ReadInt32LittleEndian(from[14..]));
}
