using System.Buffers.Binary;
using System.Text;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

/// <summary>Files of the format, byte by byte.</summary>
internal static class SafeTensorsFiles
{
    public static byte[] Of(string header, int dataBytes, ulong? claimedLength = null)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(file, claimedLength ?? (ulong)json.Length);
        json.CopyTo(file, 8);
        for (var i = 0; i < dataBytes; i++) file[8 + json.Length + i] = (byte)(i * 31);
        return file;
    }

    /// <summary>What our writer makes of a few tensors.</summary>
    public static byte[] Written(params ReadOnlySpan<(string Name, float[] Values)> tensors)
    {
        using var stream = new MemoryStream();
        var specs = new List<TensorSpec>();
        foreach (var (name, values) in tensors) specs.Add(new TensorSpec(name, TensorType.F32, [values.Length]));
        var writer = new SafeTensorsWriter(stream.Write, specs, new Dictionary<string, string> { ["format"] = "pt" });
        foreach (var (name, values) in tensors) writer.Append(name, values);
        writer.Complete();
        return stream.ToArray();
    }

    /// <summary>Opens the bytes and reads every tensor to the end.</summary>
    public static int ReadAll(string path, byte[] bytes)
    {
        File.WriteAllBytes(path, bytes);
        using var file = SafeTensorsReader.Open(path);
        Span<byte> block = stackalloc byte[512];
        foreach (var tensor in file.Tensors)
        {
            for (long at = 0; at < tensor.End - tensor.Begin; at += block.Length)
                file.ReadBytes(tensor, at, block[..(int)Math.Min(block.Length, tensor.End - tensor.Begin - at)]);
        }
        return file.Tensors.Count;
    }
}
