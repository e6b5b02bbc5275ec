using System.Collections.Concurrent;
using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>The Static engine without a transport: connections are method calls, silence is reported as a failure detector would, time is virtual.</summary>
internal sealed class StaticWorld : IMembershipWorld
{
    private readonly ManualTime _time = new();
    private readonly ConcurrentQueue<string> _said = new();
    private readonly List<Node> _nodes = [];
    private MemberRegistry? _registry;
    private ViewRecorder? _coordinator;
    private long _incarnations;
    private long _term;

    public ViewRecorder Coordinator => _coordinator ?? throw new InvalidOperationException("no coordinator yet");

    public IReadOnlyCollection<string> Said => _said;

    public MembershipPolicy Policy => MembershipPolicy.Default;

    public Task StartCoordinatorAsync()
    {
        var known = _nodes.Select(node => node.Name).OfType<string>().ToList();
        _registry = new MemberRegistry(new Term(++_term), "host:1", ++_incarnations, known, Policy, _time, (_, sentence) => _said.Enqueue(sentence));
        _coordinator = new ViewRecorder(_registry);
        foreach (var node in _nodes.Where(node => node.Lives)) node.Connect(_registry);
        return Task.CompletedTask;
    }

    public Task CrashCoordinatorAsync()
    {
        _registry!.Dispose();
        _registry = null;
        foreach (var node in _nodes.Where(node => node.Lives)) node.Member.CoordinatorLost("connection reset");
        return Task.CompletedTask;
    }

    public Task<IMembershipNode> StartAsync(MemberRole role, string? name = null)
    {
        var node = new Node(name, role, ++_incarnations);
        _nodes.Add(node);
        if (_registry is not null) node.Connect(_registry);
        return Task.FromResult<IMembershipNode>(node);
    }

    public Task CrashAsync(IMembershipNode node) => End((Node)node, "connection reset");

    public Task EndAsync(IMembershipNode node) => End((Node)node, "it closed the connection");

    public Task PauseAsync(IMembershipNode node)
    {
        ((Node)node).Pause();
        _registry!.Silent(((Node)node).Peer!, TimeSpan.FromMilliseconds(500));
        return Task.CompletedTask;
    }

    public Task ResumeAsync(IMembershipNode node)
    {
        _registry!.HeardAgain(((Node)node).Peer!);
        ((Node)node).Resume();
        return Task.CompletedTask;
    }

    public Task LeaveAsync(IMembershipNode node)
    {
        _registry!.Leaving(((Node)node).Peer!);
        return Task.CompletedTask;
    }

    public async Task PassAsync(TimeSpan time)
    {
        // What was reported before counts from now: the registry must have taken it up.
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using (_registry!.Subscribe(_ => settled.TrySetResult())) await settled.Task;
        _time.Advance(time);
    }

    public ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) node.Member.Dispose();
        _registry?.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task End(Node node, string cause)
    {
        node.Lives = false;
        if (node.Peer is { } peer) _registry?.Disconnected(peer, cause);
        return Task.CompletedTask;
    }

    private sealed class Node : IMembershipNode
    {
        private readonly TaskCompletionSource<MemberRefusal> _refused = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock _lock = new();

        /// <summary>What waits for a stopped process in its sockets; null while it runs.</summary>
        private Queue<Action>? _unread;

        public Node(string? name, MemberRole role, long incarnation)
        {
            Incarnation = incarnation;
            Member = new StaticMember(name, role, incarnation, $"node:{incarnation}", refusal => _refused.TrySetResult(refusal));
            Views = new ViewRecorder(Member);
        }

        public StaticMember Member { get; }

        public Connection? Peer { get; private set; }

        public bool Lives { get; set; } = true;

        public string? Name => Member.Name;

        public long Incarnation { get; }

        public ViewRecorder Views { get; }

        public Task<MemberRefusal> Refused => _refused.Task;

        public void Connect(MemberRegistry registry)
        {
            Peer = new Connection(this);
            registry.Hello(Peer, Member.Hello);
        }

        public void Pause()
        {
            lock (_lock) _unread = new Queue<Action>();
        }

        public void Resume()
        {
            lock (_lock)
            {
                while (_unread!.TryDequeue(out var action)) action();
                _unread = null;
            }
        }

        public void Receive(Action action)
        {
            lock (_lock)
            {
                if (_unread is not null) _unread.Enqueue(action);
                else if (Lives) action();
            }
        }
    }

    /// <summary>One connection of a node; a new one for every coordinator.</summary>
    private sealed class Connection(Node node) : IMemberPeer
    {
        public void Welcome(MemberWelcome welcome) => node.Receive(() => node.Member.Welcomed(welcome));

        public void Refuse(MemberRefusal refusal) => node.Receive(() => node.Member.Refused(refusal));

        public void Show(MembershipView view) => node.Receive(() => node.Member.Told(view));
    }
}

/// <summary>The contract over the Static engine.</summary>
[Trait("Clock", "wall")]
public sealed class StaticMembershipSpecs : MembershipContract
{
    protected override IMembershipWorld CreateWorld() => new StaticWorld();
}
