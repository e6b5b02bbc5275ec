using System.Collections.Concurrent;
using Cluster.Chaos;
using Cluster.Cli.Launch;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Launch;

/// <summary>Faults on real processes.</summary>
public sealed class FaultInjectorSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RecordingObserver _observer = new();
    private readonly ConcurrentQueue<string> _said = new();

    [Fact]
    public async Task Kill_is_done_when_the_process_is_dead_and_a_new_one_comes()
    {
        var supervisor = await RunningAsync("serve");
        using var injector = Injector(supervisor, "kill:worker-0@3");
        Assert.False(injector.IsDue(new StepId(2)));
        await injector.StrikeAsync(new StepId(2)).WaitAsync(Patience);
        Assert.True(injector.IsDue(new StepId(3)));
        var process = Assert.NotNull(supervisor.ProcessOf("worker-0"));
        await Task.WhenAll(injector.StrikeAsync(new StepId(3)), injector.StrikeAsync(new StepId(3))).WaitAsync(Patience);
        Assert.False(Signals.Exists(process));
        Assert.False(injector.IsDue(new StepId(3)));
        await _observer.NextAsync("started worker-0");
        await injector.StrikeAsync(new StepId(3)).WaitAsync(Patience);
        Assert.Equal(["worker-0: fault kill:worker-0@3: worker-0 was killed in step 3"], _said);
        supervisor.RequestStop();
    }

    [Fact]
    public async Task Stop_is_done_when_the_process_stands_still_and_it_goes_on_by_itself()
    {
        var supervisor = await RunningAsync("serve");
        using var injector = Injector(supervisor, "stop:worker-0@3+0.2");
        var process = Assert.NotNull(supervisor.ProcessOf("worker-0"));
        await injector.StrikeAsync(new StepId(3)).WaitAsync(Patience);
        Assert.False(injector.IsDue(new StepId(3)));
        await _observer.NextAsync("said fault stop:worker-0@3+0.2: worker-0 goes on");
        Assert.NotEqual('T', OtherProcess.StateOf(process));
        Assert.Equal(process, supervisor.ProcessOf("worker-0"));
        supervisor.RequestStop();
    }

    private FaultInjector Injector(Supervisor supervisor, string fault) =>
        new([FaultSpec.Parse(fault, ["worker-0"], 10)], new ProcessFaults(supervisor).Kinds, TimeProvider.System, (node, sentence) =>
        {
            _said.Enqueue($"{node}: {sentence}");
            _observer.Said(null, sentence);
        });

    private async Task<Supervisor> RunningAsync(string part)
    {
        var supervisor = new Supervisor([LaunchChild.Spec("worker-0", part)], new RestartPolicy(), _observer);
        _ = supervisor.RunAsync();
        await _observer.NextAsync("worker-0: ready");
        return supervisor;
    }
}
