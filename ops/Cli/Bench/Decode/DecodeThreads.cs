using System.Diagnostics;
using System.Runtime.InteropServices;
using Cluster.Contracts;
using Cluster.Workers.Data;
using Cluster.Workers.Data.Images;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Cli.Bench.Decode;

/// <summary>Threads that make images, as many as they can in a given time.</summary>
/// <param name="images">Encoded; shared.</param>
internal sealed partial class DecodeThreads(IReadOnlyList<byte[]> images, int threads, int side)
{
    private static readonly double[] Mean = [0.485, 0.456, 0.406], Std = [0.229, 0.224, 0.225];

    private readonly ImageRecipe _recipe = new(new AugmentationOptions { Flip = true }, new ImageShape(ImageRecipe.Channels, side, side),
        new DataRequest("", 0) { ImageSize = side }.ShortSide, Mean, Std, seed: 1);

    /// <summary>Images made in a second by all threads together, processor time of each, and managed bytes that were allocated for it.</summary>
    public readonly record struct Rate(double ImagesPerSecond, double CpuMilliseconds, double BytesPerImage);

    /// <summary>Decode, random crop, resize, mirror, normalise.</summary>
    public Rate Training(double seconds) => Measure(seconds, () =>
    {
        var reader = new ImageReader(_recipe);
        var destination = new float[ImageRecipe.Channels * side * side];
        return (turn => reader.ReadTraining(images[turn % images.Count], turn / images.Count, turn % images.Count, destination), reader);
    });

    /// <summary>Decode, resize, centre, normalise.</summary>
    public Rate Evaluation(double seconds) => Measure(seconds, () =>
    {
        var reader = new ImageReader(_recipe);
        var destination = new float[ImageRecipe.Channels * side * side];
        return (turn => reader.ReadEvaluation(images[turn % images.Count], destination), reader);
    });

    /// <summary>The whole image by libjpeg-turbo, sixteen rows at a time, and nothing else.</summary>
    public Rate Bare(double seconds) => Measure(seconds, () =>
    {
        var decoder = new WholeImage();
        return (turn => decoder.Decode(images[turn % images.Count]), decoder);
    });

    private Rate Measure(double seconds, Func<(Action<int> Make, IDisposable Owner)> open)
    {
        var (turn, bytes, made, elapsed, busy) = (-1, 0L, 0L, 0.0, 0.0);
        Exception? failure = null;
        using var ready = new Barrier(threads);
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(Work) { IsBackground = true, Name = "decode" }).ToArray();
        foreach (var worker in workers) worker.Start();
        foreach (var worker in workers) worker.Join();
        if (failure is not null) throw failure as ClusterException ?? new BenchmarkException($"an image could not be made: {failure.Message}", failure);
        return new Rate(made / (elapsed / threads), busy * 1e3 / made, (double)bytes / made);

        void Work()
        {
            try
            {
                var (make, owner) = open();
                using (owner)
                {
                    // Every image once: buffers have then grown to what they need.
                    for (var i = 0; i < images.Count; i++) make(i);
                    ready.SignalAndWait();
                    var before = GC.GetAllocatedBytesForCurrentThread();
                    var (begin, cpu, count) = (Stopwatch.GetTimestamp(), ThreadSeconds(), 0);
                    while (Stopwatch.GetElapsedTime(begin).TotalSeconds < seconds)
                    {
                        make(Interlocked.Increment(ref turn) & int.MaxValue);
                        count++;
                    }
                    var taken = Stopwatch.GetElapsedTime(begin).TotalSeconds;
                    var used = ThreadSeconds() - cpu;
                    var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                    lock (ready) (bytes, made, elapsed, busy) = (bytes + allocated, made + count, elapsed + taken, busy + used);
                }
            }
#pragma warning disable CA1031 // told by the thread that measures
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
                ready.RemoveParticipant();
            }
        }
    }

    /// <summary>Processor time of the calling thread: what others take from a busy machine does not count.</summary>
    private static double ThreadSeconds()
    {
        const int threadTime = 3;   // CLOCK_THREAD_CPUTIME_ID of clock_gettime(3)
        return ClockGetTime(threadTime, out var time) == 0 ? time.Seconds + time.Nanoseconds * 1e-9 : throw new BenchmarkException("a thread's processor time cannot be read");
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out Time time);

    private struct Time
    {
        public long Seconds, Nanoseconds;
    }

    private sealed unsafe class WholeImage : IDisposable
    {
        private const int Strip = 16;
        private readonly ImageDecoder _decoder = new();
        private readonly Scratch _rows = new();

        public void Decode(byte[] encoded)
        {
            fixed (byte* data = encoded)
            {
                var header = _decoder.Open(data, encoded.Length);
                var pitch = _decoder.Start(1, new PixelBox(0, 0, header.Width, header.Height)).Width * 4;
                var rows = _rows.Of((nint)pitch * Strip);
                for (var row = 0; row < header.Height; row += Strip) _decoder.Read(rows, pitch, Math.Min(Strip, header.Height - row));
                _decoder.Finish();
            }
        }

        public void Dispose()
        {
            _decoder.Dispose();
            _rows.Dispose();
        }
    }
}
