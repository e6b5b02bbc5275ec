using Cluster.Cli.Hosting;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Hosting;

public class DataBoundWatchSpecs
{
    private static DataBoundWatch Watch(string data = "imagefolder:/images", int workers = 2, long? threads = null, int cores = 8) =>
        new(new RunOptions { Data = data, Workers = workers, DecodeThreads = threads }, cores);

    private static List<string> After(DataBoundWatch watch, int steps, double waited, double computed) =>
        [.. Enumerable.Range(0, steps).Select(_ => watch.Committed(waited, computed)).OfType<string>()];

    [Fact]
    public void A_run_whose_devices_wait_is_told_once_and_what_to_do()
    {
        var watch = Watch(threads: 1);
        var said = After(watch, 100, 30, 70);
        Assert.Equal(["The workers wait 30% of their time for images: pack them once with 'cluster data pack imagefolder:/images DIR --resize 256' and train with --data shards:DIR, or give --decode-threads more than 1."], said);
        Assert.Equal(0.3, watch.Share, 12);
    }

    [Fact]
    public void A_run_that_waits_little_is_told_nothing()
    {
        var watch = Watch();
        Assert.Empty(After(watch, 100, 9, 91));
        Assert.Equal(0.09, watch.Share, 12);
    }

    [Fact]
    public void The_first_step_waits_for_the_first_images_and_does_not_count()
    {
        var watch = Watch();
        Assert.Null(watch.Committed(5000, 10));
        Assert.True(double.IsNaN(watch.Share));
        Assert.Empty(After(watch, 50, 0, 10));
        Assert.Equal(0, watch.Share);
    }

    [Fact]
    public void What_was_long_ago_does_not_count()
    {
        var watch = Watch();
        Assert.Empty(After(watch, 10, 9, 91));
        Assert.Empty(After(watch, 10, 50, 950));
        Assert.Empty(After(watch, 1000, 0, 100));
        Assert.Single(After(watch, 30, 50, 50));
    }

    [Fact]
    public void Packed_images_are_not_to_be_packed_and_cores_that_are_all_in_use_are_said_to_be()
    {
        Assert.Equal(["The workers wait 50% of their time for images: 2 threads decode for each of 2 workers on 4 cores, so more cores would help, or fewer workers."], After(Watch("shards:/s", threads: 2, cores: 4), 30, 1, 1));
        Assert.Equal(["The workers wait 50% of their time for images: 1 thread decodes for each of 1 worker on 1 core, so more cores would help, or fewer workers."], After(Watch("cifar10", workers: 1, threads: 1, cores: 1), 30, 1, 1));
    }

    [Theory]
    [InlineData(double.NaN, 1)]
    [InlineData(0, 0)]
    [InlineData(1, double.PositiveInfinity)]
    public void Steps_without_figures_are_passed_over(double waited, double computed)
    {
        var watch = Watch();
        Assert.Empty(After(watch, 50, waited, computed));
        Assert.True(double.IsNaN(watch.Share));
    }
}
