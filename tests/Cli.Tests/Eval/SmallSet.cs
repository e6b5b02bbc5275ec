using System.Buffers.Binary;

namespace Cluster.Cli.Tests.Eval;

/// <summary>A set in MNIST's format (http://yann.lecun.com/exdb/mnist/) of as many images as are asked for: ten classes of stripes with noise.</summary>
internal static class SmallSet
{
    private const int Side = 28, Classes = 10;

    public static void Write(string folder, int train, int test)
    {
        Directory.CreateDirectory(folder);
        WriteSplit(folder, "train", train, new Random(1));
        WriteSplit(folder, "t10k", test, new Random(2));
    }

    private static void WriteSplit(string folder, string split, int count, Random random)
    {
        var (labels, pixels) = (new byte[count], new byte[count * Side * Side]);
        random.NextBytes(pixels);
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)(i % Classes);
            for (var at = 0; at < Side * Side; at++)
                pixels[(i * Side * Side) + at] = (byte)((pixels[(i * Side * Side) + at] / 4) + (at / Side * (labels[i] + 1) % 7 * 25));
        }
        Write($"{folder}/{split}-images-idx3-ubyte", [count, Side, Side], pixels);
        Write($"{folder}/{split}-labels-idx1-ubyte", [count], labels);
    }

    private static void Write(string path, int[] sizes, byte[] values)
    {
        using var file = File.Create(path);
        var number = new byte[4];
        foreach (var value in (int[])[0x0800 + sizes.Length, .. sizes])
        {
            BinaryPrimitives.WriteInt32BigEndian(number, value);
            file.Write(number);
        }
        file.Write(values);
    }
}
