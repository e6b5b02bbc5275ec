using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Tests;

/// <summary>Watchers hear everything in order, and a bad one costs nobody else anything.</summary>
public sealed class WatchThreadSpecs
{
    private sealed class Recorder : IRunWatcher
    {
        public List<string> Heard { get; } = [];
        public void Begun(StepId step, DateTimeOffset at) => Heard.Add($"begun {step}");
        public void Happened(RunEvent happened) => Heard.Add(happened.Kind);
        public void Dispose() => Heard.Add("end");
    }

    private sealed class Thrower : IRunWatcher
    {
        public int Calls { get; private set; }

        public void Begun(StepId step, DateTimeOffset at)
        {
            Calls++;
            throw new InvalidOperationException("no room\nleft");
        }

        public void Dispose() { }
    }

    [Fact]
    public void Everything_is_told_in_order_and_all_of_it_before_the_end()
    {
        var recorder = new Recorder();
        using (var thread = new WatchThread([recorder], _ => { }))
        {
            for (var i = 1; i <= 1000; i++)
            {
                var step = new StepId(i);
                thread.Post(w => w.Begun(step, DateTimeOffset.UnixEpoch), mayBeDropped: i % 2 == 0);
            }
            thread.Post(static w => w.Happened(new RunEvent(DateTimeOffset.UnixEpoch, "finished", null, null, "")));
        }
        Assert.Equal([.. Enumerable.Range(1, 1000).Select(static i => $"begun {i}"), "finished", "end"], recorder.Heard);
    }

    [Fact]
    public void A_watcher_that_throws_is_taken_out_and_named_once()
    {
        var recorder = new Recorder();
        var thrower = new Thrower();
        var said = new List<string>();
        using (var thread = new WatchThread([thrower, recorder], said.Add))
            for (var i = 1; i <= 3; i++) thread.Post(static w => w.Begun(new StepId(1), DateTimeOffset.UnixEpoch));
        Assert.Equal(1, thrower.Calls);
        Assert.Equal("Thrower gave up watching the run: no room left", Assert.Single(said));
        Assert.Equal(4, recorder.Heard.Count);
    }

    [Fact]
    public void After_the_end_nothing_is_taken()
    {
        var recorder = new Recorder();
        var thread = new WatchThread([recorder], _ => { });
        thread.Dispose();
        thread.Post(static w => w.Begun(new StepId(1), DateTimeOffset.UnixEpoch));
        Assert.Equal(["end"], recorder.Heard);
    }
}
