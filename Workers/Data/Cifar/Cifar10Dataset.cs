using System.Security.Cryptography;
using System.Text;
using Cluster.Contracts;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Cifar;

/// <summary>
/// One split of CIFAR-10 in its binary format, read record by record with pread(2) out of the page cache, which all
/// processes of a host share. Not memory-mapped on purpose: a file that shrinks or a disk that fails under a mapping
/// kills the process with SIGBUS, here it is an exception of one leaf; the extra system call costs about 1 µs.
/// </summary>
internal sealed class Cifar10Dataset : IDataset
{
    private readonly SafeFileHandle[] _handles;
    private readonly string[] _paths;
    private readonly int[] _firstSamples;

    private Cifar10Dataset(string directory, string split, IReadOnlyList<BatchFile> files)
    {
        Split = split;
        _paths = [.. files.Select(f => Path.Combine(directory, f.Name))];
        _firstSamples = new int[files.Count];
        for (var i = 0; i < files.Count; i++)
        {
            _firstSamples[i] = Count;
            Count += files[i].Records;
        }
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(
            Encoding.UTF8.GetBytes($"{Name}/{split}\n" + string.Join('\n', files.Select(f => $"{f.Name} {f.Bytes} {f.Md5}")))));
        _handles = new SafeFileHandle[files.Count];
        try
        {
            for (var i = 0; i < files.Count; i++) _handles[i] = File.OpenHandle(_paths[i], FileMode.Open, FileAccess.Read, FileShare.Read);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Name => Cifar10Format.SetName;
    public string Split { get; }
    public int Count { get; }
    public ImageShape Shape => Cifar10Format.Shape;
    public int ClassCount => Cifar10Format.ClassCount;
    public IReadOnlyList<string> ClassNames => Cifar10Format.ClassNames;
    public IReadOnlyList<double> Mean => Cifar10Format.Mean;
    public IReadOnlyList<double> Std => Cifar10Format.Std;
    public string Fingerprint { get; }

    /// <summary>Opens both splits after checking every file's size, and its MD5 unless <paramref name="cacheRoot"/> remembers it.</summary>
    /// <exception cref="UserMistakeException">A file is missing, has the wrong size or the wrong content, or cannot be read.</exception>
    public static (IDataset Train, IDataset Test) Open(string directory, string cacheRoot) =>
        Open(directory, cacheRoot, Cifar10Format.TrainFiles, Cifar10Format.TestFiles);

    internal static (IDataset Train, IDataset Test) Open(
        string directory, string cacheRoot, IReadOnlyList<BatchFile> trainFiles, IReadOnlyList<BatchFile> testFiles)
    {
        directory = FolderOf(Path.GetFullPath(directory), trainFiles[0]);
        try
        {
            foreach (var file in trainFiles.Concat(testFiles)) Cifar10Check.ThrowUnlessSound(directory, file, new VerifiedFiles(cacheRoot));
            var train = new Cifar10Dataset(directory, "train", trainFiles);
            try
            {
                return (train, new Cifar10Dataset(directory, "test", testFiles));
            }
            catch
            {
                train.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cifar10 cannot be read in {directory}: {e.Message} Make the files readable or choose another folder with cifar10:DIR", e);
        }
    }

    public int LabelOf(int sample)
    {
        Span<byte> pixels = stackalloc byte[Cifar10Format.PixelBytes];
        return Read(sample, pixels);
    }

    public ISampleSource With(AugmentationOptions augmentation, ulong seed) => new PixelSource(this, new AugmentationPipeline(augmentation, this, seed));

    public int Read(int sample, Span<byte> pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sample);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sample, Count);
        if (pixels.Length < Cifar10Format.PixelBytes) throw new ArgumentException($"{pixels.Length} bytes cannot hold an image of {Cifar10Format.PixelBytes}", nameof(pixels));
        var file = _firstSamples.Length - 1;
        while (_firstSamples[file] > sample) file--;
        var record = sample - _firstSamples[file];

        Span<byte> bytes = stackalloc byte[Cifar10Format.RecordBytes];
        var offset = (long)record * Cifar10Format.RecordBytes;
        for (var filled = 0; filled < bytes.Length;)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_handles[file], bytes[filled..], offset + filled);
            }
            catch (IOException e)
            {
                throw new ClusterException($"{_paths[file]} cannot be read at byte {offset + filled}: {e.Message}", e);
            }
            if (read == 0) throw new ClusterException($"{_paths[file]} ends at byte {offset + filled} inside record {record}: the file was cut after it was opened");
            filled += read;
        }
        int label = bytes[0];
        if (label >= ClassCount) throw new ClusterException($"{_paths[file]} record {record} has label {label} of {ClassCount} classes: the file was changed after it was opened");
        bytes[1..].CopyTo(pixels);
        return label;
    }

    public void Dispose()
    {
        foreach (var handle in _handles) handle?.Dispose();
    }

    /// <summary>People point at the folder itself or at the one they unpacked the archive in; both are meant.</summary>
    private static string FolderOf(string directory, BatchFile first)
    {
        var inner = Path.Combine(directory, Cifar10Format.FolderName);
        return !File.Exists(Path.Combine(directory, first.Name)) && File.Exists(Path.Combine(inner, first.Name)) ? inner : directory;
    }
}
