using System.Buffers.Binary;
using System.IO.Compression;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Mnist;

/// <summary>
/// Reads an IDX file of bytes (LeCun, Cortes and Burges, "The MNIST database", http://yann.lecun.com/exdb/mnist/): two zero
/// bytes, 8 for unsigned bytes, the number of dimensions, each dimension big-endian, then the values.
/// </summary>
internal static class IdxFile
{
    private const byte UnsignedBytes = 8;

    /// <summary>Of one file: ten times Fashion-MNIST's training images.</summary>
    private const long MostBytes = 512L << 20;

    /// <param name="path">Without <c>.gz</c>; a packed file beside it is taken when there is no plain one.</param>
    /// <param name="set">Name of the data set, for messages.</param>
    /// <param name="dimensions">How many there must be.</param>
    /// <exception cref="UserMistakeException">It is missing, cut short, too long, of another kind, or cannot be read.</exception>
    public static (int[] Sizes, byte[] Values) Read(string path, string set, int dimensions)
    {
        var packed = path + ".gz";
        var file = File.Exists(path) ? path : File.Exists(packed) ? packed : throw new UserMistakeException($"{path} is missing, and so is {Path.GetFileName(packed)}: put {set}'s four files there, or choose another folder with {set}:DIR");
        try
        {
            using Stream raw = File.OpenRead(file);
            using var stream = file == packed ? new GZipStream(raw, CompressionMode.Decompress) : raw;
            return Read(stream, file, dimensions);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new UserMistakeException($"{file} is {(e is EndOfStreamException ? "cut short" : "damaged")}: get it again", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"{file} cannot be read: {Cifar.Fetch.OneLine.Of(e.Message)}", e);
        }
    }

    private static (int[] Sizes, byte[] Values) Read(Stream stream, string file, int dimensions)
    {
        var head = new byte[4 + 4 * dimensions];
        stream.ReadExactly(head.AsSpan(0, 4));
        if (head[0] != 0 || head[1] != 0) throw new UserMistakeException($"{file} does not begin as an IDX file: get it again");
        if (head[2] != UnsignedBytes || head[3] != dimensions)
            throw new UserMistakeException($"{file} holds {head[3]} dimensions of type {head[2]}, expected {dimensions} of type {UnsignedBytes}: it is another file of the set, or of another set");
        stream.ReadExactly(head.AsSpan(4));
        var sizes = new int[dimensions];
        var count = 1L;
        for (var i = 0; i < dimensions; i++)
        {
            sizes[i] = BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4 + 4 * i));
            if (sizes[i] <= 0 || (count *= sizes[i]) > MostBytes) throw new UserMistakeException($"{file} claims {string.Join('x', sizes.Take(i + 1))} values: it is corrupted, get it again");
        }
        var values = ReadAll(stream, (int)count);
        if (stream.ReadByte() >= 0) throw new UserMistakeException($"{file} is longer than the {count:N0} values that it claims: it is corrupted, get it again");
        return (sizes, values);
    }

    /// <summary>Memory grows with what is there, not with what a damaged header claims.</summary>
    private static byte[] ReadAll(Stream stream, int count)
    {
        const int First = 1 << 20;
        var values = new byte[Math.Min(count, First)];
        for (var filled = 0; ; Array.Resize(ref values, (int)Math.Min(count, 2L * values.Length)))
        {
            stream.ReadExactly(values.AsSpan(filled));
            if (values.Length == count) return values;
            filled = values.Length;
        }
    }
}
