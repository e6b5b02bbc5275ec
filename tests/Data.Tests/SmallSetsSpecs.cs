using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Cifar;

namespace Cluster.Data.Tests;

/// <summary>CIFAR-100, MNIST and Fashion-MNIST from the files that people bring.</summary>
public sealed class SmallSetsSpecs : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("mnist", "", false, '-')]
    [InlineData("mnist", "MNIST/raw", true, '-')]
    [InlineData("fashion-mnist", "FashionMNIST/raw", false, '-')]
    [InlineData("fashion-mnist", "", true, '.')]
    public void Idx_files_are_read_plain_or_packed_wherever_torchvision_puts_them(string name, string inner, bool packed, char dot)
    {
        WriteSet(inner, packed, dot);
        var (train, test) = Datasets.Open($"{name}:{_folder.Path}", 1);
        Assert.Equal((name, 6, 3, 10, new ImageShape(1, 28, 28)), (train.Name, train.Count, test.Count, train.ClassCount, train.Shape));
        Assert.Equal([0, 1, 2, 3, 4, 5], Enumerable.Range(0, 6).Select(train.LabelOf));
        var pixels = new byte[784];
        Assert.Equal(2, test.Read(2, pixels));
        Assert.Equal(Enumerable.Range(0, 784).Select(static i => Pixel(2, i)), pixels);
        Assert.Equal(name == "mnist" ? "3" : "Dress", train.ClassNames[3]);
        using var reader = train.With(new AugmentationOptions(), 1).Open();
        var floats = new float[784];
        reader.ReadEvaluation(1, floats);
        Assert.Equal((Pixel(1, 5) / 255.0 - train.Mean[0]) / train.Std[0], floats[5], 1e-5);
    }

    [Fact]
    public void Mean_and_deviation_are_those_of_the_training_images()
    {
        WriteSet("", packed: false);
        var (train, test) = Datasets.Open($"mnist:{_folder.Path}", 1);
        var values = Enumerable.Range(0, 6).SelectMany(static sample => Enumerable.Range(0, 784).Select(i => Pixel(sample, i) / 255.0)).ToList();
        var mean = values.Average();
        Assert.Equal(mean, Assert.Single(train.Mean), 1e-12);
        Assert.Equal(Math.Sqrt(values.Average(value => (value - mean) * (value - mean))), Assert.Single(train.Std), 1e-12);
        Assert.Equal(train.Mean, test.Mean);
    }

    [Fact]
    public void The_fingerprint_is_over_every_byte()
    {
        WriteSet("", packed: false);
        var before = Datasets.Open($"mnist:{_folder.Path}", 1);
        WriteSet("", packed: true);
        foreach (var file in Directory.EnumerateFiles(_folder.Path, "*ubyte")) File.Delete(file);
        var packed = Datasets.Open($"mnist:{_folder.Path}", 1);
        Assert.Equal(before.Train.Fingerprint, packed.Train.Fingerprint);
        Write("", "train-labels-idx1-ubyte", packed: false, Idx([0, 1, 2, 3, 5, 4], 6));
        var changed = Datasets.Open($"mnist:{_folder.Path}", 1);
        Assert.NotEqual(before.Train.Fingerprint, changed.Train.Fingerprint);
        Assert.Equal(before.Test.Fingerprint, changed.Test.Fingerprint);
    }

    [Theory]
    [InlineData("train-images-idx3-ubyte", "missing", "is missing, and so is train-images-idx3-ubyte.gz")]
    [InlineData("t10k-labels-idx1-ubyte", "missing", "is missing")]
    [InlineData("train-images-idx3-ubyte", "cut", "is cut short: get it again")]
    [InlineData("train-images-idx3-ubyte", "long", "is longer than the 4,704 values")]
    [InlineData("train-images-idx3-ubyte", "text", "does not begin as an IDX file")]
    [InlineData("train-images-idx3-ubyte", "empty", "is cut short")]
    [InlineData("train-images-idx3-ubyte", "labels", "holds 1 dimensions of type 8, expected 3")]
    [InlineData("train-images-idx3-ubyte", "huge", "it is corrupted")]
    [InlineData("train-images-idx3-ubyte", "small", "holds images of 14x56, expected 28x28")]
    [InlineData("train-labels-idx1-ubyte", "other", "holds 6 images and")]
    [InlineData("train-labels-idx1-ubyte", "label", "label 5 is 10, of 10 classes")]
    public void A_bad_idx_file_is_one_line(string file, string damage, string expected)
    {
        WriteSet("", packed: false);
        var path = _folder.File(file);
        var good = File.ReadAllBytes(path);
        File.Delete(path);
        byte[]? bad = damage switch
        {
            "cut" => good[..^1],
            "long" => [.. good, 0],
            "text" => [.. "<html>not found</html>"u8],
            "empty" => [],
            "labels" => Idx([1, 2], 2),
            "huge" => Idx([], int.MaxValue, 28, 28),
            "small" => Idx(new byte[6 * 784], 6, 14, 56),
            "other" => Idx([1, 2], 2),
            "label" => Idx([0, 1, 2, 3, 4, 10], 6),
            _ => null,
        };
        if (bad is not null) File.WriteAllBytes(path, bad);
        var mistake = Assert.Throws<UserMistakeException>(() => Datasets.Open($"mnist:{_folder.Path}", 1)).Message;
        Assert.Contains(expected, mistake);
        Assert.Contains(path, mistake);
        Assert.DoesNotMatch(new Regex("\n"), mistake);
    }

    [Fact]
    public void A_packed_file_that_is_damaged_or_cut_is_a_mistake()
    {
        WriteSet("", packed: true);
        var path = _folder.File("train-images-idx3-ubyte.gz");
        var good = File.ReadAllBytes(path);
        File.WriteAllBytes(path, good[..(good.Length / 2)]);
        Assert.Contains($"{path} is cut short", Assert.Throws<UserMistakeException>(() => Datasets.Open($"mnist:{_folder.Path}", 1)).Message);
        File.WriteAllText(path, "no gzip at all");
        Assert.Contains($"{path} is damaged", Assert.Throws<UserMistakeException>(() => Datasets.Open($"mnist:{_folder.Path}", 1)).Message);
    }

    [Fact]
    public void Cifar100_takes_the_fine_labels_as_classes()
    {
        var set = WriteCifar100();
        var (train, test) = Datasets.Open($"cifar100:{_folder.Path}", 1);
        Assert.Equal(("cifar100", 50_000, 10_000, 100, new ImageShape(3, 32, 32)), (train.Name, train.Count, test.Count, train.ClassCount, train.Shape));
        var pixels = new byte[3072];
        foreach (var sample in (int[])[0, 1, 777, 9_999])
        {
            Assert.Equal(sample % 100, test.Read(sample, pixels));
            Assert.All(pixels, pixel => Assert.Equal((byte)sample, pixel));
        }
        Assert.Equal("class 7", train.ClassNames[7]);
        File.WriteAllLines(Path.Combine(set, "fine_label_names.txt"), Enumerable.Range(0, 100).Select(static label => $"name{label}").Append(""));
        Assert.Equal("name7", Datasets.Open($"cifar100:{set}", 1).Train.ClassNames[7]);
    }

    [Fact]
    public void A_bad_cifar100_file_is_one_line()
    {
        var set = WriteCifar100();
        var path = Path.Combine(set, "test.bin");
        using (var file = File.OpenWrite(path))
        {
            file.Position = 5 * 3074L + 1;
            file.WriteByte(100);
        }
        Assert.StartsWith($"{path} record 5 has labels 5 and 100, of 20 and 100", Assert.Throws<UserMistakeException>(() => Cifar100Files.Open(set)).Message);
        using (var file = File.OpenWrite(path)) file.SetLength(1_000);
        Assert.StartsWith($"{path} has 1,000 bytes, expected 30,740,000: it is cut short", Assert.Throws<UserMistakeException>(() => Cifar100Files.Open(set)).Message);
        File.Delete(path);
        Assert.StartsWith($"{path} is missing", Assert.Throws<UserMistakeException>(() => Cifar100Files.Open(set)).Message);
    }

    private string WriteCifar100()
    {
        var set = Directory.CreateDirectory(_folder.File("cifar-100-binary")).FullName;
        foreach (var (name, records) in new[] { ("train.bin", 50_000), ("test.bin", 10_000) })
        {
            var bytes = new byte[records * 3074];
            for (var record = 0; record < records; record++)
            {
                var one = bytes.AsSpan(record * 3074, 3074);
                one.Fill((byte)record);
                (one[0], one[1]) = ((byte)(record % 20), (byte)(record % 100));
            }
            File.WriteAllBytes(Path.Combine(set, name), bytes);
        }
        return set;
    }

    private static byte Pixel(int sample, int index) => (byte)(sample * 31 + index * 7);

    private void WriteSet(string inner, bool packed, char dot = '-')
    {
        foreach (var (split, count) in new[] { ("train", 6), ("t10k", 3) })
        {
            Write(inner, $"{split}-images{dot}idx3-ubyte", packed, Idx([.. Enumerable.Range(0, count).SelectMany(static sample => Enumerable.Range(0, 784).Select(i => Pixel(sample, i)))], count, 28, 28));
            Write(inner, $"{split}-labels{dot}idx1-ubyte", packed, Idx([.. Enumerable.Range(0, count).Select(static sample => (byte)sample)], count));
        }
    }

    private void Write(string inner, string name, bool packed, byte[] bytes)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, inner)).FullName;
        if (!packed)
        {
            File.WriteAllBytes(Path.Combine(folder, name), bytes);
            return;
        }
        using var gzip = new GZipStream(File.Create(Path.Combine(folder, name + ".gz")), CompressionLevel.Fastest);
        gzip.Write(bytes);
    }

    private static byte[] Idx(byte[] values, params int[] sizes)
    {
        var head = new byte[4 + 4 * sizes.Length];
        (head[2], head[3]) = (8, (byte)sizes.Length);
        for (var i = 0; i < sizes.Length; i++) BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(4 + 4 * i), sizes[i]);
        return [.. head, .. values];
    }
}
