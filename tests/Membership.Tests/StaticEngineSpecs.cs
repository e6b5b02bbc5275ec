using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>What is the Static engine's own: connections that come and go, and views that come late.</summary>
[Trait("Clock", "wall")]
public sealed class StaticEngineSpecs : IDisposable
{
    private readonly ConcurrentQueue<string> _said = new();
    private readonly MemberRegistry _registry;

    public StaticEngineSpecs() =>
        _registry = new MemberRegistry(new Term(3), "host:1", 1, [], MembershipPolicy.Default, new ManualTime(), (node, sentence) => _said.Enqueue($"{node}: {sentence}"));

    [Fact]
    public async Task Process_that_came_back_over_a_new_connection_survives_the_end_of_the_old_one()
    {
        var (first, second) = (new Peer(), new Peer());
        _registry.Hello(first, new MemberHello("worker-0", MemberRole.Worker, 5, "a:1"));
        _registry.Hello(second, new MemberHello("worker-0", MemberRole.Worker, 5, "a:1"));
        _registry.Disconnected(first, "connection reset");
        _registry.Silent(first, TimeSpan.FromSeconds(1));
        await SettledAsync();
        Assert.Equal("worker-0", Assert.Single(_registry.View.Members).Name);
        _registry.Disconnected(second, "connection reset");
        await SettledAsync();
        Assert.Empty(_registry.View.Members);
        Assert.Equal(["worker-0: worker-0 joins", "worker-0: worker-0 is lost (connection reset): its leaves go to others"], _said);
    }

    [Fact]
    public async Task Connection_that_speaks_for_one_process_cannot_speak_for_another()
    {
        var peer = new Peer();
        _registry.Hello(peer, new MemberHello(null, MemberRole.Worker, 5, "a:1"));
        _registry.Hello(peer, new MemberHello(null, MemberRole.Worker, 6, "a:1"));
        await SettledAsync();
        Assert.Equal(["welcome worker-0", "view worker-0", "refused: this connection speaks for worker-0 (incarnation 5) already; open another one"], peer.Heard);
        _registry.Disconnected(peer, "connection reset");
        await SettledAsync();
        Assert.Empty(_registry.View.Members);
    }

    [Fact]
    public async Task Refused_connection_has_no_say_in_the_name_that_it_asked_for()
    {
        var (first, second) = (new Peer(), new Peer());
        _registry.Hello(first, new MemberHello("worker-0", MemberRole.Worker, 5, "a:1"));
        _registry.Hello(second, new MemberHello("worker-0", MemberRole.Worker, 6, "b:1"));
        _registry.Leaving(second);
        _registry.Silent(second, TimeSpan.FromSeconds(1));
        _registry.Disconnected(second, "connection reset");
        await SettledAsync();
        Assert.Equal(MemberState.Up, Assert.Single(_registry.View.Members).State);
        Assert.StartsWith("refused: worker-0 is taken", Assert.Single(second.Heard), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Subscription_that_has_ended_hears_no_more()
    {
        var heard = 0;
        _registry.Subscribe(_ => Interlocked.Increment(ref heard)).Dispose();
        await SettledAsync();
        _registry.Hello(new Peer(), new MemberHello(null, MemberRole.Worker, 5, "a:1"));
        await SettledAsync();
        Assert.Equal(1, heard);
        Assert.Equal(2, _registry.View.Number);
    }

    [Fact]
    public async Task Older_view_is_void_whether_by_number_or_by_term()
    {
        using var member = new StaticMember(null, MemberRole.Worker, 5, "a:1", _ => { });
        using var views = new ViewRecorder(member);
        member.Welcomed(new MemberWelcome("worker-0", View(term: 3, number: 4)));
        member.Told(View(term: 3, number: 3));
        member.Told(View(term: 2, number: 9));
        member.Told(View(term: 3, number: 4));
        member.Told(View(term: 4, number: 1));
        await views.AwaitAsync(view => view.TermCandidate == new Term(4));
        Assert.Equal([(0, 0), (3, 4), (4, 1)], views.Views.Select(view => (view.TermCandidate.Value, view.Number)));
        Assert.Equal("worker-0", member.Hello.Name);
    }

    [Fact]
    public async Task Coordinator_that_was_only_silent_is_back_with_the_same_view()
    {
        using var member = new StaticMember("worker-0", MemberRole.Worker, 5, "a:1", _ => { });
        using var views = new ViewRecorder(member);
        member.Welcomed(new MemberWelcome("worker-0", View(term: 3, number: 4)));
        member.CoordinatorLost("silent for 500 ms");
        var alone = await views.AwaitAsync(view => view.Number == 4 && view.Coordinator is null);
        Assert.Equal("coordinator is lost (silent for 500 ms)", alone.Reason);
        member.CoordinatorLost("connection reset");
        member.CoordinatorHeardAgain();
        await views.AwaitAsync(view => view.Number == 4 && view.Coordinator is not null && view.Reason == "coordinator is heard again");
        member.CoordinatorHeardAgain();
        member.CoordinatorLost("connection reset");
        await views.AwaitAsync(view => view.Coordinator is null && view.Reason == "coordinator is lost (connection reset)");
        Assert.Equal(5, views.Views.Count);
    }

    public void Dispose() => _registry.Dispose();

    private static MembershipView View(long term, long number) =>
        new(number, new Term(term), new Member("coordinator", MemberRole.Coordinator, 0, 1, "host:1", MemberState.Up), [], "as told");

    /// <summary>All that was reported before is taken up: the registry's thread does one thing after the other.</summary>
    private async Task SettledAsync()
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_registry.Subscribe(_ => settled.TrySetResult())) await settled.Task.WaitAsync(TimeSpan.FromSeconds(30));
    }

    private sealed class Peer : IMemberPeer
    {
        public ConcurrentQueue<string> Heard { get; } = new();

        public void Welcome(MemberWelcome welcome) => Heard.Enqueue($"welcome {welcome.Name}");

        public void Refuse(MemberRefusal refusal) => Heard.Enqueue($"refused: {refusal.Sentence}");

        public void Show(MembershipView view) => Heard.Enqueue($"view {ViewRecorder.Short(view)}");
    }
}
