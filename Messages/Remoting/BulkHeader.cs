using System.Buffers.Binary;

namespace Cluster.Remoting;

/// <summary>
/// Fixed part of a bulk frame's header: which stretch of which tensor of which message this is. Behind it lies the next
/// piece of the message's head: all of it in the first frame, as a rule; a long one is spread over frames of its own.
/// </summary>
/// <param name="Transfer">Number of the message on its link: frames of several may come in turn.</param>
/// <param name="Target">Index of the shard's slot, where the receiver is one.</param>
/// <param name="HeadBytes">Of the whole head.</param>
/// <param name="Tensor">Index of the tensor in the message.</param>
/// <param name="Tensors">How many the message has.</param>
/// <param name="First">First float of the stretch: stretches come in order and without a gap.</param>
/// <param name="Length">Floats of the whole tensor.</param>
internal readonly record struct BulkHeader(uint Transfer, int Target, int HeadBytes, byte Tensor, byte Tensors, int First, int Length)
{
    public const int Bytes = 22;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Transfer);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], Target);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], HeadBytes);
        to[12] = Tensor;
        to[13] = Tensors;
        BinaryPrimitives.WriteInt32LittleEndian(to[14..], First);
        BinaryPrimitives.WriteInt32LittleEndian(to[18..], Length);
    }

    public static BulkHeader? Read(ReadOnlySpan<byte> from) => from.Length < Bytes
        ? null
        : new BulkHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(from), BinaryPrimitives.ReadInt32LittleEndian(from[4..]), BinaryPrimitives.ReadInt32LittleEndian(from[8..]),
            from[12], from[13], BinaryPrimitives.ReadInt32LittleEndian(from[14..]), BinaryPrimitives.ReadInt32LittleEndian(from[18..]));
}
