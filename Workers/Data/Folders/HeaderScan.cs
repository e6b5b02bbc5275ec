using System.Collections.Concurrent;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Workers.Data.Folders;

/// <summary>Reads size, time and header of every file of a split, on several threads.</summary>
/// <param name="root">Absolute.</param>
/// <param name="total">Files that will be read, over all splits; for the progress.</param>
internal sealed class HeaderScan(string root, int total, IProgress<DownloadProgress>? progress, CancellationToken stop)
{
    /// <summary>Samples that a thread takes at a time: neighbours lie beside each other in a folder.</summary>
    private const int Block = 512;

    /// <summary>What waits for a disk or a network, not for a core.</summary>
    private static readonly int Threads = Math.Clamp(Environment.ProcessorCount * 2, 4, 32);

    private readonly byte[] _root = Encoding.UTF8.GetBytes(root);
    private int _done;

    /// <summary>Fills the split's facts. A file that cannot be read is noted and ends nothing.</summary>
    public void Read(SplitIndex split)
    {
        if (split.Count == 0) return;
        SeveralThreads.Run(() => Parallel.ForEach(Partitioner.Create(0, split.Count, Block), new ParallelOptions { MaxDegreeOfParallelism = Threads, CancellationToken = stop },
            static () => (Window: new byte[ImageHeader.WindowBytes], Path: new byte[512]),
            (range, _, buffers) =>
            {
                for (var sample = range.Item1; sample < range.Item2; sample++) Note(split, sample, buffers.Window, ref buffers.Path);
                var done = Interlocked.Add(ref _done, range.Item2 - range.Item1);
                progress?.Report(new DownloadProgress("reading headers", done, total) { Unit = "images" });
                return buffers;
            },
            static _ => { }));
    }

    private void Note(SplitIndex split, int sample, byte[] window, ref byte[] path)
    {
        var facts = split.Facts;
        using var file = PosixFile.Open(split.SystemPath(_root, sample, ref path), out var error);
        var header = error == 0
            ? HeaderOf(file, window, out facts.Bytes[sample], out facts.Ticks[sample])
            : new ImageHeader(error switch { PosixFile.Denied => ImageKind.Denied, PosixFile.NotThere or PosixFile.NotAFolder or PosixFile.NameTooLong or PosixFile.TooManyLinks => ImageKind.Gone, _ => ImageKind.ReadFailed }, 0, 0);
        (facts.Kinds[sample], facts.Widths[sample], facts.Heights[sample]) = ((byte)header.Kind, header.Width, header.Height);
    }

    private static ImageHeader HeaderOf(SafeFileHandle file, byte[] window, out uint bytes, out long ticks)
    {
        (bytes, ticks) = (0, 0);
        try
        {
            if (PosixFile.IsFolder(file)) return new(ImageKind.NoFile, 0, 0);
            var length = RandomAccess.GetLength(file);
            bytes = (uint)Math.Min(length, uint.MaxValue);
            ticks = File.GetLastWriteTimeUtc(file).Ticks;
            return ImageHeader.Read(file, length, window);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // A FIFO or a socket has no length to ask for.
            return new(e is NotSupportedException ? ImageKind.NoFile : ImageKind.ReadFailed, 0, 0);
        }
    }
}
