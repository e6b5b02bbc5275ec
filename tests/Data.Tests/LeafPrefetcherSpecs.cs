using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests;

public class LeafPrefetcherSpecs
{
    private static readonly ImageShape Small = new(3, 8, 8);
    private static readonly AugmentationOptions Augmented = new() { PadCrop = 2, Flip = true, Cutout = 3 };
    private const ulong Seed = 11;

    private static LeafPrefetcher Prefetcher(IDataset dataset, int leafSamples = 16, int slots = Limits.PrefetchedLeaves, int threads = 1) =>
        new(dataset.With(Augmented, Seed), Seed, leafSamples, "test", slots, threads);

    private static StepPlan Plan(long step, int samples = 1000, int batch = 64, int leaves = 4) => StepPlan.For(new StepId(step), samples, batch, leaves);

    [Fact]
    public void A_leaf_holds_the_samples_of_its_place_in_the_epochs_order()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset);
        var pipeline = new AugmentationPipeline(Augmented, dataset, Seed);
        var plan = Plan(18);                                            // second epoch: 16 steps an epoch
        Assert.Equal(1, plan.Epoch);
        var order = new SampleOrder(Seed, plan.Epoch, 1000);
        var (pixels, expected) = (new byte[Small.Floats], new float[Small.Floats]);
        prefetcher.Request(plan, 2);
        using var leaf = prefetcher.Take(plan, 2);
        var (first, count) = plan.Leaf(2);
        Assert.Equal(count, leaf.SampleCount);
        Assert.Equal(plan.DigestOf(2, order), leaf.SampleDigest);
        for (var i = 0; i < count; i++)
        {
            var sample = order.SampleAt(first + i);
            Assert.Equal(dataset.Read(sample, pixels), leaf.Batch.Labels[i]);
            pipeline.Apply(plan.Epoch, sample, pixels, expected);
            Assert.Equal(expected, leaf.Batch.Images.Slice(i * Small.Floats, Small.Floats).ToArray());
        }
    }

    [Fact]
    public void The_leaves_of_an_epoch_hold_every_sample_once_whoever_prepares_them()
    {
        using var dataset = new FakeDataset(1003, Small) { Records = true };
        using var even = Prefetcher(dataset);
        using var odd = Prefetcher(dataset);
        var steps = StepPlan.StepsPerEpoch(1003, 64);
        for (var step = 1; step <= steps; step++)
        {
            var plan = Plan(step, samples: 1003);
            for (var leaf = 0; leaf < plan.LeafCount; leaf++)
                using ((leaf % 2 == 0 ? even : odd).Take(plan, leaf)) { }
        }
        Assert.Equal(Enumerable.Range(0, 1003), dataset.ReadSamples.Order());
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    public void However_many_threads_share_a_leaf_it_holds_the_same(int threads)
    {
        using var dataset = new FakeDataset(1003, Small) { Records = true };
        using var alone = new FakeDataset(1003, Small);
        using var shared = Prefetcher(dataset, threads: threads);
        using var single = Prefetcher(alone);
        for (var step = 1; step <= 16; step++)
        {
            var plan = Plan(step, samples: 1003);
            for (var leaf = 0; leaf < plan.LeafCount; leaf++) shared.Request(plan, leaf);
            for (var leaf = 0; leaf < plan.LeafCount; leaf++)
            {
                using var mine = shared.Take(plan, leaf);
                using var other = single.Take(plan, leaf);
                Assert.Equal(other.SampleDigest, mine.SampleDigest);
                Assert.Equal(other.Batch.Labels.ToArray(), mine.Batch.Labels.ToArray());
                Assert.True(other.Batch.Images.SequenceEqual(mine.Batch.Images));
            }
        }
        Assert.Equal(Enumerable.Range(0, 1003), dataset.ReadSamples.Order());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Samples_that_cannot_be_decoded_are_named_and_without_them_the_leaf_is_whole(int threads)
    {
        using var dataset = new FakeDataset(1000, Small);
        var plan = Plan(3);
        var samples = SamplesOf(plan, 1);
        int[] bad = [samples[0], samples[7]];
        dataset.OnRead = sample =>
        {
            if (bad.Contains(sample)) throw new UnreadableSampleException(sample, $"image {sample} is cut");
        };
        using var prefetcher = Prefetcher(dataset, threads: threads);
        prefetcher.Request(plan, 1);
        using (var leaf = prefetcher.Take(plan, 1))
        {
            Assert.Equal(bad.Order(), leaf.Unreadable.Select(static u => u.Sample).Order());
            Assert.Contains(leaf.Unreadable, u => u.Reason == $"image {bad[0]} is cut");
            Assert.Throws<InvalidOperationException>(() => leaf.Batch.Count);
        }
        using var whole = prefetcher.Take(plan, 1, [.. bad.Order()]);
        Assert.Empty(whole.Unreadable);
        Assert.Equal(samples.Except(bad).Select(static s => (long)(s % 10)), whole.Batch.Labels.ToArray());
        var digest = new SampleDigest();
        foreach (var sample in samples.Except(bad)) digest.Add(sample);
        Assert.Equal(digest.Value, whole.SampleDigest);
    }

    [Fact]
    public void What_was_prepared_for_an_attempt_that_is_over_is_not_prepared_again_and_the_next_step_stays()
    {
        using var dataset = new FakeDataset(1000, Small);
        var (plan, next) = (Plan(3), Plan(4));
        var reads = new System.Collections.Concurrent.ConcurrentDictionary<int, int>();
        dataset.OnRead = sample => reads.AddOrUpdate(sample, 1, static (_, n) => n + 1);
        using var prefetcher = Prefetcher(dataset);
        prefetcher.Request(next, 0);
        for (var leaf = 0; leaf < 2; leaf++) prefetcher.Request(plan, leaf);
        prefetcher.Take(plan, 0).Dispose();
        int[] leftOut = [SamplesOf(plan, 0)[0]];
        for (var leaf = 0; leaf < 2; leaf++) prefetcher.Request(plan, leaf, leftOut);
        for (var leaf = 0; leaf < 2; leaf++) prefetcher.Take(plan, leaf, leftOut).Dispose();
        using (prefetcher.Take(next, 0)) { }
        // Read for the first attempt and for the second, never for the first again; of the next step once.
        Assert.All(SamplesOf(plan, 0).Skip(1), s => Assert.Equal(2, reads[s]));
        Assert.All(SamplesOf(plan, 1), s => Assert.InRange(reads[s], 1, 2));
        Assert.All(SamplesOf(next, 0), s => Assert.Equal(1, reads[s]));
    }

    [Fact]
    public void A_leaf_of_which_every_sample_is_left_out_is_empty()
    {
        using var dataset = new FakeDataset(1000, Small) { OnRead = static sample => throw new UnreadableSampleException(sample, "gone") };
        using var prefetcher = Prefetcher(dataset, threads: 2);
        using var leaf = prefetcher.Take(Plan(3), 1, [.. SamplesOf(Plan(3), 1).Order()]);
        Assert.Equal((0, 0), (leaf.SampleCount, leaf.Batch.Count));
    }

    [Fact]
    public void A_short_last_step_gives_short_leaves()
    {
        using var dataset = new FakeDataset(1003, Small);
        using var prefetcher = Prefetcher(dataset);
        var plan = Plan(16, samples: 1003);                             // 43 samples left, three leaves
        Assert.Equal((43, 3), (plan.SampleCount, plan.LeafCount));
        using var leaf = prefetcher.Take(plan, 2);
        Assert.Equal(15, leaf.SampleCount);
        Assert.Equal(15 * Small.Floats, leaf.Batch.Images.Length);
    }

    [Fact]
    public void A_leaf_larger_than_the_slots_is_refused()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset, leafSamples: 15);
        Assert.Contains("15", Assert.Throws<ArgumentException>(() => prefetcher.Request(Plan(1), 0)).Message);
    }

    [Fact]
    public void Leaves_are_prepared_in_the_order_of_their_requests()
    {
        using var dataset = new FakeDataset(1000, Small) { Records = true };
        using var prefetcher = Prefetcher(dataset);
        var plan = Plan(1);
        int[] wanted = [2, 0, 3, 1];
        foreach (var leaf in wanted) prefetcher.Request(plan, leaf);
        foreach (var leaf in wanted)
            using (prefetcher.Take(plan, leaf)) { }
        Assert.Equal(wanted.SelectMany(leaf => SamplesOf(plan, leaf)), dataset.ReadSamples);
    }

    [Fact]
    public void A_leaf_that_was_requested_early_enough_is_not_waited_for()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var secondBegun = new ManualResetEventSlim();
        var plan = Plan(1);
        var firstOfSecond = SamplesOf(plan, 1)[0];
        dataset.OnRead = sample => { if (sample == firstOfSecond) secondBegun.Set(); };
        using var prefetcher = Prefetcher(dataset);
        prefetcher.Request(plan, 0);
        prefetcher.Request(plan, 1);
        Assert.True(secondBegun.Wait(TimeSpan.FromSeconds(30)));                // so the first is done, and nobody asked for it yet
        using var leaf = prefetcher.Take(plan, 0);
        Assert.Equal(TimeSpan.Zero, leaf.Waited);
    }

    [Fact]
    public void A_leaf_that_is_not_ready_reports_how_long_it_was_waited_for()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset);
        using var leaf = prefetcher.Take(Plan(1), 0);                           // never requested
        Assert.True(leaf.Waited > TimeSpan.Zero);
    }

    [Fact]
    public void No_more_leaves_are_prepared_than_there_are_slots()
    {
        using var dataset = new FakeDataset(1000, Small) { Records = true };
        using var thirdBegun = new ManualResetEventSlim();
        var plan = Plan(1, batch: 128, leaves: 8);
        var firstOfThird = SamplesOf(plan, 2)[0];
        dataset.OnRead = sample => { if (sample == firstOfThird) thirdBegun.Set(); };
        using var prefetcher = Prefetcher(dataset);
        for (var leaf = 0; leaf < 8; leaf++) prefetcher.Request(plan, leaf);
        Assert.True(thirdBegun.Wait(TimeSpan.FromSeconds(30)));
        var held = prefetcher.Take(plan, 2);                                    // all slots are full now
        Assert.Equal(3 * 16, dataset.ReadSamples.Count);
        held.Dispose();
        using (prefetcher.Take(plan, 3)) Assert.Equal(4 * 16, dataset.ReadSamples.Count);
    }

    [Fact]
    public void A_leaf_that_is_wanted_at_once_goes_before_the_others_and_nothing_is_lost()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset, slots: 2);
        var plan = Plan(1, batch: 128, leaves: 8);
        var order = new SampleOrder(Seed, 0, 1000);
        for (var leaf = 0; leaf < 8; leaf++) prefetcher.Request(plan, leaf);
        foreach (var leaf in (int[])[7, 0, 5, 1, 6, 4, 3, 2])
        {
            using var taken = prefetcher.Take(plan, leaf);
            Assert.Equal((leaf, plan.DigestOf(leaf, order)), (taken.Leaf, taken.SampleDigest));
        }
    }

    [Fact]
    public void The_same_leaf_can_be_taken_again()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset);
        var plan = Plan(1);
        using var first = prefetcher.Take(plan, 1);
        using var second = prefetcher.Take(plan, 1);                            // the next attempt, while the first is still held
        Assert.Equal(first.SampleDigest, second.SampleDigest);
        Assert.Equal(first.Batch.Images.ToArray(), second.Batch.Images.ToArray());
    }

    [Fact]
    public void Forgotten_leaves_are_not_prepared_any_more()
    {
        using var dataset = new FakeDataset(1000, Small) { Records = true };
        using var begun = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        dataset.OnRead = _ => { begun.Set(); go.Wait(TimeSpan.FromSeconds(30)); };
        using var prefetcher = Prefetcher(dataset);
        var (old, current) = (Plan(1), Plan(2));
        for (var leaf = 0; leaf < 4; leaf++) prefetcher.Request(old, leaf);
        prefetcher.Request(current, 3);
        Assert.True(begun.Wait(TimeSpan.FromSeconds(30)));                      // leaf 0 of step 1 is in work
        prefetcher.Forget(before: new StepId(2));
        go.Set();
        using (prefetcher.Take(current, 3)) { }
        Assert.Equal([.. SamplesOf(old, 0), .. SamplesOf(current, 3)], dataset.ReadSamples);
        using var late = prefetcher.Take(old, 0);                               // forgotten is not forbidden
        Assert.Equal(old.DigestOf(0, new SampleOrder(Seed, 0, 1000)), late.SampleDigest);
    }

    [Fact]
    public void A_sample_that_cannot_be_read_fails_the_leaf_that_needs_it_and_no_other()
    {
        using var dataset = new FakeDataset(1000, Small);
        var plan = Plan(1);
        var bad = SamplesOf(plan, 1)[3];
        dataset.OnRead = sample => { if (sample == bad) throw new IOException("the disk is on fire"); };
        using var prefetcher = Prefetcher(dataset);
        for (var leaf = 0; leaf < 3; leaf++) prefetcher.Request(plan, leaf);
        using (prefetcher.Take(plan, 0)) { }
        var failure = Assert.Throws<ClusterException>(() => prefetcher.Take(plan, 1));
        Assert.Equal($"sample {bad} of fake (train) could not be prepared for leaf 1 of step 1: the disk is on fire", failure.Message);
        Assert.IsType<IOException>(failure.InnerException);
        using (prefetcher.Take(plan, 2)) { }
        dataset.OnRead = null;
        using var again = prefetcher.Take(plan, 1);
        Assert.Equal(16, again.SampleCount);
    }

    [Fact]
    public void In_steady_state_neither_thread_allocates()
    {
        using var dataset = new FakeDataset(1_000_000, Small);
        var onPrefetchThread = 0L;
        dataset.OnRead = _ => Volatile.Write(ref onPrefetchThread, GC.GetAllocatedBytesForCurrentThread());
        using var prefetcher = Prefetcher(dataset);

        var samples = 0;
        void Run(int from, int to)              // no assertions in here: they allocate
        {
            for (var step = from; step < to; step++)
            {
                for (var leaf = 0; leaf < 4; leaf++) prefetcher.Request(Plan(step + 1, 1_000_000), leaf);
                for (var leaf = 0; leaf < 4; leaf++)
                    using (var taken = prefetcher.Take(Plan(step, 1_000_000), leaf)) samples += taken.SampleCount;
                prefetcher.Forget(new StepId(step + 1));
            }
        }

        Run(1, 60);
        var (here, there) = (GC.GetAllocatedBytesForCurrentThread(), Volatile.Read(ref onPrefetchThread));
        Run(60, 260);
        var (hereAfter, thereAfter) = (GC.GetAllocatedBytesForCurrentThread(), Volatile.Read(ref onPrefetchThread));
        Assert.Equal(259 * 64, samples);
        Assert.Equal((here, there), (hereAfter, thereAfter));
    }

    [Fact]
    public void Two_prefetchers_share_a_data_set_without_disturbing_each_other()
    {
        using var dataset = Datasets.Open("synthetic", Seed).Train;
        var pipeline = new AugmentationPipeline(new AugmentationOptions { PadCrop = 4, Flip = true }, dataset, Seed);
        var sums = new double[2][];
        var threads = Enumerable.Range(0, 2).Select(w => new Thread(() =>
        {
            using var prefetcher = new LeafPrefetcher(new PixelSource(dataset, pipeline), Seed, maxLeafSamples: 16, $"worker-{w}");
            var mine = new List<double>();
            for (var step = 1; step <= 20; step++)
            {
                var plan = StepPlan.For(new StepId(step), dataset.Count, 64, 4);
                for (var leaf = 0; leaf < 4; leaf++) prefetcher.Request(plan, leaf);
                for (var leaf = 0; leaf < 4; leaf++)
                {
                    using var taken = prefetcher.Take(plan, leaf);
                    double sum = taken.SampleDigest % 1024;
                    foreach (var value in taken.Batch.Images) sum += value;
                    mine.Add(sum);
                }
            }
            sums[w] = [.. mine];
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Assert.Equal(80, sums[0].Length);
        Assert.Equal(sums[0], sums[1]);
    }

    [Fact]
    public void Samples_are_read_on_a_named_thread_of_the_prefetchers_own()
    {
        using var dataset = new FakeDataset(1000, Small);
        Thread? reader = null;
        dataset.OnRead = _ => reader = Thread.CurrentThread;
        using var prefetcher = Prefetcher(dataset);
        using (prefetcher.Take(Plan(1), 0)) { }
        Assert.NotSame(Thread.CurrentThread, reader);
        Assert.False(reader!.IsThreadPoolThread);
        Assert.True(reader.IsBackground);
        Assert.Equal("prefetch test", reader.Name);
    }

    [Fact]
    public void Taking_more_leaves_than_there_are_slots_is_an_error_and_not_a_deadlock()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset, slots: 2);
        var plan = Plan(1);
        using (prefetcher.Take(plan, 0))
        using (prefetcher.Take(plan, 1))
            Assert.Contains("all 2 slots", Assert.Throws<InvalidOperationException>(() => prefetcher.Take(plan, 2)).Message);
        using (prefetcher.Take(plan, 2)) { }
    }

    [Fact]
    public void A_returned_leaf_can_no_longer_be_read_and_returning_it_twice_harms_nobody()
    {
        using var dataset = new FakeDataset(1000, Small);
        using var prefetcher = Prefetcher(dataset, slots: 2);
        var plan = Plan(1);
        var old = prefetcher.Take(plan, 0);
        old.Dispose();
        Assert.Throws<ObjectDisposedException>(() => old.Batch.Count);
        using var other = prefetcher.Take(plan, 1);
        using var third = prefetcher.Take(plan, 2);
        old.Dispose();
        Assert.Equal(16, other.Batch.Count);
        Assert.Equal(16, third.Batch.Count);
    }

    [Fact]
    public void A_leaf_outlives_the_prefetcher_that_prepared_it()
    {
        using var dataset = new FakeDataset(1000, Small);
        var prefetcher = Prefetcher(dataset);
        var leaf = prefetcher.Take(Plan(1), 0);
        prefetcher.Request(Plan(1), 1);
        prefetcher.Dispose();
        prefetcher.Dispose();
        Assert.Equal(16 * Small.Floats, leaf.Batch.Images.Length);
        leaf.Dispose();
        Assert.Throws<ObjectDisposedException>(() => prefetcher.Take(Plan(1), 0));
        Assert.Throws<ObjectDisposedException>(() => prefetcher.Request(Plan(1), 0));
    }

    private static int[] SamplesOf(StepPlan plan, int leaf)
    {
        var order = new SampleOrder(Seed, plan.Epoch, 1000);
        var (first, count) = plan.Leaf(leaf);
        return [.. Enumerable.Range(first, count).Select(order.SampleAt)];
    }
}
