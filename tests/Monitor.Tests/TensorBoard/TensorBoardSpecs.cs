using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.TensorBoard;

namespace Cluster.Coordinator.Monitor.Tests;

/// <summary>Event files say what the run did, once, whatever happened to it; and a disk that refuses costs the run nothing.</summary>
public sealed class TensorBoardSpecs : IDisposable
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly ParameterLayout Layout = ParameterLayout.Of([("conv.weight", [5000], StateKind.Parameter, true), ("fc.bias", [3], StateKind.Parameter, false), ("running_mean", [7], StateKind.Buffer, false)]);

    private readonly string _folder = Directory.CreateTempSubdirectory("tensorboard-specs-").FullName;
    private readonly List<string> _said = [];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = Noon;

        public override DateTimeOffset GetUtcNow() => Now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.UtcTicks;
    }

    private readonly Clock _clock = new();

    private TensorBoardWatcher Open(IReadOnlyList<CommitLine>? logged = null, long histogramEvery = 0, Func<string, Stream>? open = null) =>
        new(new EventFile(_folder, "host", _clock, _said.Add, open), EventFileScan.OfFolder(_folder), logged ?? [], Layout, histogramEvery, _clock, _said.Add);

    private static CommitRecord Record(long step) =>
        new(new Term(1), new StepId(step), 1, 0, 64, 2.5 / step, 0.5, 1.25, step % 2 == 0 ? 0.5 : 1, 0.1, true, [new LeafRecord(new WorkerId(0), 64, 1)]);

    private static CommittedStep Step(long step, bool isReplayed = false) => new(Record(step), TimeSpan.FromMilliseconds(20), isReplayed, 3200, Noon.AddSeconds(step));

    [Fact]
    public void Every_figure_of_a_step_is_read_back_with_its_step_and_time()
    {
        using (var watcher = Open())
        {
            for (var i = 1; i <= 3; i++) watcher.Committed(Step(i));
            watcher.Evaluated(new EvaluationTotals(new WeightsVersion(3), 100, 1.5, 0.25, 0.75), []);
        }
        Assert.Equal("events.out.tfevents.1795348800.host", Path.GetFileName(Assert.Single(Directory.GetFiles(_folder))));
        var read = EventFileReader.OfFolder(_folder);
        Assert.Equal("brain.Event:2", Assert.Single(read.Versions));
        Assert.Equal(0, read.Rest);
        Assert.Equal(["train/loss", "train/accuracy", "train/learning_rate", "train/grad_norm", "train/clip_scale", "train/images_per_second", "train/step_seconds"],
            read.Values.Where(static v => v.Step == 2).Select(static v => v.Tag));
        Assert.Equal([1.25f, 0.5f, 0.1f, 1.25f, 0.5f, 3200f, 0.02f], read.Values.Where(static v => v.Step == 2).Select(static v => (float)v.Scalar));
        Assert.All(read.Values.Where(static v => v.Tag == "train/loss"), static v => Assert.Equal(Noon.AddSeconds(v.Step).ToUnixTimeSeconds(), v.WallTime));
        Assert.Equal([("test/loss", 1.5), ("test/accuracy", 0.25), ("test/top5", 0.75)], read.Values.Where(static v => v.Tag.StartsWith("test", StringComparison.Ordinal)).Select(static v => (v.Tag, v.Scalar)));
    }

    [Fact]
    public void A_run_that_goes_on_writes_a_new_file_behind_the_last_without_a_step_twice()
    {
        using (var first = Open())
            for (var i = 1; i <= 5; i++) first.Committed(Step(i));
        // The first process was killed in the middle of a record; its log has two steps more.
        var torn = Directory.GetFiles(_folder)[0];
        File.AppendAllBytes(torn, File.ReadAllBytes(torn)[..20]);
        using (var second = Open([.. Enumerable.Range(1, 7).Select(static i => new CommitLine(Record(i), 500))]))
        {
            for (var i = 4; i <= 7; i++) second.Committed(Step(i, isReplayed: true));
            for (var i = 8; i <= 9; i++) second.Committed(Step(i));
        }
        var files = Directory.GetFiles(_folder).Order(StringComparer.Ordinal).ToArray();
        Assert.Equal(["events.out.tfevents.1795348800.host", "events.out.tfevents.1795348800.host.1"], files.Select(Path.GetFileName));
        Assert.Equal(20, EventFileReader.Of(File.ReadAllBytes(files[0])).Rest);
        Assert.Equal([6, 7, 8, 9], EventFileReader.Of(File.ReadAllBytes(files[1])).StepsOf("train/loss"));
        var made = EventFileReader.OfFolder(_folder);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], made.StepsOf("train/loss"));
        Assert.Equal(Noon.ToUnixTimeSeconds() + 5.5, made.Values.Single(static v => v is { Tag: "train/loss", Step: 6 }).WallTime, 3);
    }

    [Fact]
    public void What_was_damaged_ends_the_reading_of_a_file_and_nothing_else()
    {
        using (var watcher = Open())
            for (var i = 1; i <= 5; i++) watcher.Committed(Step(i));
        var path = Directory.GetFiles(_folder)[0];
        var bytes = File.ReadAllBytes(path);
        for (var at = 0; at < bytes.Length; at++)
        {
            var damaged = (byte[])bytes.Clone();
            damaged[at] ^= 0x41;
            var marks = EventFileScan.Of(new MemoryStream(damaged));
            Assert.InRange(marks.Train, 0, 4);
            Assert.Equal(marks.Train, EventFileScan.Of(new MemoryStream(bytes[..at])).Train);
        }
        Assert.Equal(5, EventFileScan.Of(new MemoryStream(bytes)).Train);
    }

    [Fact]
    public void Histograms_hold_every_weight_once_in_buckets_that_enclose_it()
    {
        var random = new Random(7);
        var state = new float[Layout.StateFloats];
        for (var i = 0; i < 5000; i++) state[i] = (float)(random.NextDouble() - 0.5) * MathF.Pow(10, random.Next(-14, 6));
        (state[0], state[1], state[2], state[3]) = (0, -0f, float.NaN, float.PositiveInfinity);
        (state[5000], state[5001], state[5002]) = (1, -2, 1e30f);
        using (var watcher = Open(histogramEvery: 10))
        {
            foreach (var version in (long[])[5, 10, 10, 20]) Look(watcher, version, state);
        }
        var read = EventFileReader.OfFolder(_folder).Values.Where(static v => v.Histogram is not null).ToArray();
        Assert.Equal([("weights/conv.weight", 10L), ("weights/fc.bias", 10L), ("weights/conv.weight", 20L), ("weights/fc.bias", 20L)], read.Select(static v => (v.Tag, v.Step)));
        var finite = state[..5000].Where(float.IsFinite).ToArray();
        var histogram = read[0].Histogram!;
        Assert.Equal((4998d, 4998d), (histogram.Count, histogram.Counts.Sum()));
        Assert.Equal(((double)finite.Min(), (double)finite.Max()), (histogram.Least, histogram.Most));
        Assert.Equal(finite.Sum(static v => (double)v), histogram.Sum, 1e-6 * histogram.SumOfSquares);
        // As a reader counts: how many lie below each limit.
        var below = 0d;
        foreach (var (limit, count) in histogram.Limits.Zip(histogram.Counts))
        {
            below += count;
            Assert.Equal(finite.Count(v => v < limit), below);
        }
        Assert.Equal(histogram.Limits.Order(), histogram.Limits);
        Assert.Equal(3, read[1].Histogram!.Count);
    }

    [Fact]
    public void Buckets_are_those_of_TensorFlow()
    {
        // histogram.cc: 1e-12 times 1.1 until 1e20, mirrored, zero between, the largest double at the end.
        Assert.Equal((1551, 0d), (HistogramCounts.Limits.Count, HistogramCounts.Limits[775]));
        Assert.Equal((1e-12, 1e-12 * 1.1, double.MaxValue), (HistogramCounts.Limits[776], HistogramCounts.Limits[777], HistogramCounts.Limits[^1]));
        var random = new Random(3);
        for (var i = 0; i < 100_000; i++)
        {
            var value = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue));
            if (!float.IsFinite(value)) continue;
            var bucket = HistogramCounts.BucketOf(value);
            Assert.True(value < HistogramCounts.Limits[bucket] && (bucket == 0 || value >= HistogramCounts.Limits[bucket - 1]), $"{value} in bucket {bucket}");
        }
    }

    [Fact]
    public void A_full_disk_is_told_once_and_what_waited_is_written_when_there_is_room()
    {
        var disk = new Disk(_folder) { Room = 300 };
        using (var watcher = Open(open: disk.Open))
        {
            for (var i = 1; i <= 8; i++)
            {
                watcher.Committed(Step(i));
                _clock.Now = _clock.Now.AddSeconds(2);
                watcher.Rested();
                if (i == 6) disk.Room = long.MaxValue;
            }
        }
        Assert.Contains("No space left", Assert.Single(_said));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], EventFileReader.OfFolder(_folder).StepsOf("train/loss"));
    }

    [Fact]
    public void A_disk_that_stays_full_costs_a_bounded_amount_of_memory()
    {
        var file = new EventFile(_folder, "host", _clock, _said.Add, static _ => throw new IOException("No space left"));
        using (var watcher = new TensorBoardWatcher(file, EventFileMarks.None, [], Layout, 0, _clock, _said.Add))
        {
            for (var i = 1; i <= 40_000; i++) watcher.Committed(Step(i));
            watcher.Rested();
            Assert.InRange(file.Waiting, 1 << 20, 5 << 20);
            Assert.True(file.Dropped > 1000);
        }
        Assert.Empty(Directory.GetFiles(_folder));
        Assert.Equal(2, _said.Count);
        Assert.Equal($"{file.Dropped} records of the TensorBoard files were dropped for want of room.", _said[1]);
    }

    private static void Look(TensorBoardWatcher watcher, long version, float[] state)
    {
        // Two shards whose border lies within a tensor.
        var parts = new List<ShardSnapshot>();
        foreach (var (from, to) in ((int, int)[])[(0, 1234), (1234, state.Length)])
        {
            var buffer = NativeBuffer.Allocate(to - from);
            state.AsSpan(from..to).CopyTo(buffer.Span);
            parts.Add(new ShardSnapshot(new Term(1), new WeightsVersion(version), new ShardId(parts.Count), from, version, buffer, new Dictionary<string, NativeBuffer>()));
        }
        // As the thread of a snapshot, which ends with it.
        var thread = new Thread(() => watcher.Look(new WeightsVersion(version), parts));
        thread.Start();
        thread.Join();
        foreach (var part in parts) part.Weights.Dispose();
    }

    /// <summary>A disk with so much room; a write that does not fit is written in part.</summary>
    private sealed class Disk(string folder)
    {
        public long Room { get; set; }

        public Stream Open(string path) => new Limited(new FileStream(Path.Combine(folder, path), FileMode.CreateNew), this);

        private sealed class Limited(FileStream inner, Disk disk) : Stream
        {
            public override bool CanRead => false;
            public override bool CanSeek => true;
            public override bool CanWrite => true;
            public override long Length => inner.Length;
            public override long Position { get => inner.Position; set => inner.Position = value; }

            public override void Write(byte[] buffer, int offset, int count)
            {
                var fits = (int)Math.Min(count, Math.Max(0, disk.Room - inner.Position));
                inner.Write(buffer, offset, fits);
                if (fits < count) throw new IOException("No space left on device");
            }

            public override void Flush() => inner.Flush();
            public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
            public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);
            public override void SetLength(long value) => inner.SetLength(value);

            protected override void Dispose(bool disposing)
            {
                inner.Dispose();
                base.Dispose(disposing);
            }
        }
    }
}
