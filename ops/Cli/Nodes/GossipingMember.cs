using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership;

namespace Cluster.Cli.Nodes;

/// <summary>
/// A worker's or a ps' place in a cluster that gossips. The cluster may declare it dead while it only stood still: what it holds is
/// worth keeping, so it joins again, under its name, instead of ending. Any thread.
/// </summary>
internal sealed class GossipingMember : IDisposable
{
    private readonly EngineSettings _settings;
    private readonly NodeOptions _options;
    private readonly TaskCompletionSource<MemberRefusal> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private IMembershipEngine _engine;
    private bool _ends;

    /// <exception cref="UserMistakeException">This build lacks the engine, or it cannot listen.</exception>
    public GossipingMember(EngineSettings settings, NodeOptions options)
    {
        (_settings, _options) = (settings, options);
        _engine = Join(options.Name.Length > 0 ? options.Name : null);
    }

    /// <summary>Where the coordinator's links are accepted; null while none is known.</summary>
    public LinkAddress? CoordinatorAt()
    {
        lock (_lock) return _engine.View.Coordinator is { } coordinator ? LinkAddress.Parse(coordinator.Address) : null;
    }

    /// <summary>Waits for the first welcome.</summary>
    /// <returns>This node's name.</returns>
    /// <exception cref="UserMistakeException">Refused, or nobody answers in time.</exception>
    public async Task<string> AdmittedAsync(TimeSpan patience, CancellationToken stop)
    {
        var admitted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var subscription = _engine.Subscribe(view =>
        {
            if (view.Coordinator is not null) admitted.TrySetResult();
        });
        try
        {
            await Task.WhenAny(admitted.Task, _refused.Task).WaitAsync(patience, stop);
        }
        catch (TimeoutException e)
        {
            throw new UserMistakeException($"no coordinator of the cluster lets this node in (seeds {string.Join(", ", _settings.Seeds)}): start one first, or check --seeds", e);
        }
        if (!admitted.Task.IsCompleted) throw new UserMistakeException($"the cluster refuses this node: {(await _refused.Task).Sentence}");
        return _engine.Name!;
    }

    public void Leave()
    {
        lock (_lock)
        {
            _ends = true;
            _engine.Leave();
        }
    }

    /// <summary>Leaves in order, for at most so long.</summary>
    public Task EndAsync(TimeSpan patience)
    {
        lock (_lock)
        {
            _ends = true;
            return Task.WhenAny(_engine.EndAsync(), Task.Delay(patience));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _ends = true;
            _engine.Dispose();
        }
    }

    private IMembershipEngine Join(string? name)
    {
        var role = _options.Role == NodeOptions.Worker ? MemberRole.Worker : MemberRole.ParameterServer;
        var engine = MembershipEngines.JoinAkka(EngineNode.OptionsOf(_settings, _options, role, name) with { Refused = Refused });
        _ = engine.Out.ContinueWith(_ => Again(engine), TaskScheduler.Default);
        return engine;
    }

    /// <summary>A place that somebody else has may become free.</summary>
    private void Refused(MemberRefusal refusal)
    {
        if (refusal.TryAgain) return;
        if (!_refused.TrySetResult(refusal)) Console.Error.WriteLine($"the cluster has no place for this node: {refusal.Sentence}");
    }

    private void Again(IMembershipEngine before)
    {
        lock (_lock)
        {
            if (_ends) return;
            Console.Error.WriteLine($"the cluster has declared {before.Name ?? "this node"} dead; it joins again");
            before.Dispose();
            try
            {
                _engine = Join(before.Name);
            }
            catch (UserMistakeException e)
            {
                Console.Error.WriteLine($"it cannot join again: {e.Message}");
            }
        }
    }
}
