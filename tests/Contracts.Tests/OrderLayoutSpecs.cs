using Cluster.Contracts;

namespace Cluster.Contracts.Tests;

public sealed class OrderLayoutSpecs
{
    private static int[] All(SampleOrder order) => [.. Enumerable.Range(0, order.Count).Select(order.SampleAt)];

    [Fact]
    public void Every_layout_gives_every_sample_once_and_keeps_a_window_in_its_blocks()
    {
        foreach (var count in new[] { 1, 2, 7, 16, 63, 64, 65, 1000, 1023 })
            foreach (var block in new[] { 1, 2, 3, 8, 64, 5000 })
                foreach (var window in new[] { 1, 2, 5, 16, 400 })
                    for (var epoch = 0; epoch < 3; epoch++) CheckOne(new SampleOrder(11, epoch, count, new OrderLayout(block, window)));
    }

    private static void CheckOne(SampleOrder order)
    {
        var layout = order.Layout;
        var all = All(order);
        Assert.Equal(Enumerable.Range(0, order.Count), all.Order());
        var blocks = new int[layout.WindowBlocks];
        var seen = new HashSet<int>();
        for (var window = 0; window < order.Windows; window++)
        {
            var (first, end) = (order.WindowStart(window), order.WindowStart(window + 1));
            var expected = blocks.Take(order.BlocksOf(window, blocks)).ToHashSet();
            Assert.Equal(expected, [.. all[first..end].Select(sample => sample / layout.BlockSamples)]);
            foreach (var block in expected) Assert.True(seen.Add(block), "a block lies in one window alone");
            for (var position = first; position < end; position++) Assert.Equal(window, order.WindowOf(position));
        }
        Assert.Equal(order.Count, order.WindowStart(order.Windows));
    }

    [Fact]
    public void A_run_of_positions_touches_few_blocks_where_a_uniform_order_touches_almost_as_many_as_it_has_samples()
    {
        const int count = 100_003, run = 256;
        static int Touched(OrderLayout layout)
        {
            var order = new SampleOrder(5, 1, count, layout);
            return Enumerable.Range(0, count - run).Where(static first => first % 997 == 0)
                .Max(first => Enumerable.Range(first, run).Select(position => order.SampleAt(position) / 32).Distinct().Count());
        }
        // A run shorter than a window lies in at most two.
        Assert.InRange(Touched(new OrderLayout(32, 16)), 16, 32);
        Assert.True(Touched(OrderLayout.Uniform) > 200);
    }

    [Fact]
    public void Epochs_seeds_and_layouts_differ_and_windows_are_mixed()
    {
        var layout = new OrderLayout(16, 4);
        var first = All(new SampleOrder(1, 0, 1000, layout));
        Assert.Equal(first, All(new SampleOrder(1, 0, 1000, layout)));
        Assert.NotEqual(first, All(new SampleOrder(1, 1, 1000, layout)));
        Assert.Equal(All(new SampleOrder(1, 1, 1000, layout)), All(new SampleOrder(1, 0, 1000, layout).Next()));
        Assert.NotEqual(first, All(new SampleOrder(2, 0, 1000, layout)));
        Assert.NotEqual(first, All(new SampleOrder(1, 0, 1000, new OrderLayout(16, 5))));
        Assert.NotEqual(first, All(new SampleOrder(1, 0, 1000)));
        // Neighbours in the order are seldom neighbours on the disk: of a mixed window of 64, one pair in 64 is.
        Assert.InRange(first.Zip(first.Skip(1)).Count(static pair => pair.Second == pair.First + 1), 0, 60);
        // The short block (992 to 999) does not always come at the same place.
        Assert.True(Enumerable.Range(0, 8).Select(epoch => Array.IndexOf(All(new SampleOrder(1, epoch, 1000, layout)), 999) / 64).Distinct().Count() > 3);
    }

    [Fact]
    public void The_order_of_a_layout_never_changes_between_releases() =>
        Assert.Equal([21499, 28592, 4241, 27481, 28866, 43184, 28591, 19004], Enumerable.Range(0, 8).Select(new SampleOrder(1, 0, 50_000, new OrderLayout(64, 16)).SampleAt).ToArray());

    [Fact]
    public void A_window_of_all_blocks_mixes_the_whole_set()
    {
        var order = All(new SampleOrder(3, 0, 5000, new OrderLayout(64, 100)));
        Assert.InRange(order.Where((sample, position) => Math.Abs(sample - position) < 50).Count() / 5000.0, 0.01, 0.03);
    }

    [Fact]
    public void A_permutation_finds_the_place_of_each_of_its_values()
    {
        foreach (var count in new[] { 1, 2, 3, 4, 5, 16, 17, 100, 257 })
        {
            var permutation = new KeyedPermutation(new PhiloxStream(7, RandomPurpose.BlockPermutation, 3), count);
            for (var place = 0; place < count; place++) Assert.Equal(place, permutation.PlaceOf(permutation.At(place)));
        }
    }

    [Fact]
    public void A_layout_reads_back_from_its_text_and_nothing_else_does()
    {
        foreach (var layout in new[] { OrderLayout.Uniform, new OrderLayout(1, 1), new OrderLayout(1024, 16) })
        {
            Assert.True(OrderLayout.TryParse(layout.ToString(), out var read));
            Assert.Equal(layout, read);
        }
        foreach (var text in new[] { null, "", "blocks", "blocks-", "blocks-4", "blocks-4-window-", "blocks--window-4", "blocks-0-window-4", "blocks-4-window-0", "blocks-4-window-4 ", "blocks--4-window-4", "blocks-99999999999-window-4" })
            Assert.False(OrderLayout.TryParse(text, out _), text);
    }

    [Fact]
    public void Layouts_and_windows_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleOrder(1, 0, 10, new OrderLayout(4, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleOrder(1, 0, 10, new OrderLayout(0, 4)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SampleOrder(1, 0, 10, new OrderLayout(-1, -1)));
        var order = new SampleOrder(1, 0, 10, new OrderLayout(4, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => order.SampleAt(10));
        Assert.Throws<ArgumentOutOfRangeException>(() => order.SampleAt(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => order.BlocksOf(2, new int[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => order.WindowStart(3));
    }
}
