using Cluster.Chaos;
using Cluster.Chaos.Proxy;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership;

namespace Cluster.Cli.Launch;

/// <summary>
/// Faults of the network between the nodes of a launched run. All connections of a node that such a fault names run through a
/// proxy in this process: those that it dials, and those that others dial to it. Other nodes keep their direct ones. Any thread.
/// </summary>
internal sealed class NetworkFaults : IFaultActuator, IDisposable
{
    /// <summary>Damage strikes the next large segment: a step's tensors may have passed already, so the record does not wait for it longer than this.</summary>
    private static readonly TimeSpan DamagePatience = TimeSpan.FromMilliseconds(500);

    private readonly Dictionary<string, Victim> _victims = new(StringComparer.Ordinal);
    private readonly LaunchAddresses _addresses;
    private readonly int _shards;

    private NetworkFaults(LaunchAddresses addresses, int shards) => (_addresses, _shards) = (addresses, shards);

    /// <summary>The kinds that this does.</summary>
    public static IReadOnlyList<FaultKind> All { get; } = [.. FaultKinds.All.Where(static f => f.IsNetwork).Select(static f => f.Kind)];

    public IEnumerable<KeyValuePair<FaultKind, IFaultActuator>> Kinds => All.Select(kind => KeyValuePair.Create<FaultKind, IFaultActuator>(kind, this));

    /// <summary>Hears a sentence about a node when a stream of its is damaged: node, sentence. On a proxy's thread; must not wait.</summary>
    public Action<string, string> Said { get; set; } = static (_, _) => { };

    /// <summary>Starts a proxy for each node that a network fault names.</summary>
    /// <param name="addresses">Where the nodes listen, and the proxies.</param>
    /// <param name="seed">Jitter and the places of damage follow from it, per node.</param>
    public static NetworkFaults Open(IEnumerable<FaultSpec> faults, LaunchAddresses addresses, int shards, ulong seed)
    {
        var network = new NetworkFaults(addresses, shards);
        try
        {
            var names = faults.Where(static f => f.Facts.IsNetwork).Select(static f => f.Node).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToArray();
            // A node's way to a disturbed ps leads through that one's proxy as well.
            foreach (var name in names) network._victims[name] = new Victim();
            for (var i = 0; i < names.Length; i++) network.Start(names[i], seed + (ulong)i);
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The node's <see cref="Detours.Variable"/>; null if it dials everybody directly.</summary>
    public string? RoutesOf(string node)
    {
        var routes = new List<(LinkAddress From, LinkAddress To)>();
        if (_victims.ContainsKey(node)) routes.AddRange(Dialled(node).Select(to => (to.Address, OutOf(node, to.Name))));
        else routes.AddRange(Dialled(node).Where(to => _victims.ContainsKey(to.Name)).Select(to => (to.Address, Into(to.Name))));
        return routes.Count == 0 ? null : Detours.Format(routes);
    }

    private void Start(string node, ulong seed)
    {
        var routes = Dialled(node).Select(to => new ProxyRoute(to.Name, OutOf(node, to.Name).Resolve(), (_victims.ContainsKey(to.Name) ? Into(to.Name) : to.Address).Resolve())).ToList();
        if (ShardOf(node) is { } shard) routes.Add(new ProxyRoute(node, Into(node).Resolve(), _addresses.Shard(shard).Resolve(), IsIncoming: true));
        foreach (var name in Dialled(node).Select(to => NameOut(node, to.Name)).Append(NameInto(node))) _addresses.LetGo(name);
        _victims[node].Proxy = FaultProxy.Start(routes, seed, note =>
        {
            if (note.Damage is { } damage) Said(node, $"The network of {node} {damage} {(note.Route.IsIncoming ? $"on a connection to {node}" : $"on its connection to {note.Route.Name}")}.");
        });
    }

    /// <summary>Whom a node dials: the coordinator, and the nodes with shards.</summary>
    private IEnumerable<(string Name, LinkAddress Address)> Dialled(string node) =>
        [(NodeOptions.Coordinator, _addresses.Coordinator), .. Enumerable.Range(0, _shards).Where(i => i != ShardOf(node)).Select(i => ($"{NodeOptions.Shards}-{i}", _addresses.Shard(i)))];

    private static int? ShardOf(string node) => MemberNames.IndexIn(node, MemberRole.ParameterServer);

    private LinkAddress OutOf(string node, string to) => _addresses.Proxy(NameOut(node, to));

    private LinkAddress Into(string node) => _addresses.Proxy(NameInto(node));

    private static string NameOut(string node, string to) => $"{node}.{to}";

    private static string NameInto(string node) => $"{node}.in";

    public async Task<object?> StrikeAsync(FaultSpec fault)
    {
        var victim = _victims[fault.Node];
        switch (fault.Kind)
        {
            case FaultKind.Cut:
                return await victim.Proxy!.CutAsync() > 0 ? fault : null;
            case FaultKind.Corrupt or FaultKind.Duplicate or FaultKind.Reorder:
                var damage = await victim.Proxy!.DamageAsync(DamageOf(fault.Kind), Limits.ProxyLargeSegmentBytes);
                await Task.WhenAny(damage, Task.Delay(DamagePatience));
                return fault;
            default:
                await victim.ChangeAsync(active => active.Add(fault));
                return fault;
        }
    }

    public string? End(FaultSpec fault, object struck)
    {
        _ = _victims[fault.Node].ChangeAsync(active => active.Remove(fault));
        return $"{fault.Node} has its network again";
    }

    private static DamageKind DamageOf(FaultKind kind) => kind switch
    {
        FaultKind.Corrupt => DamageKind.Corrupt,
        FaultKind.Duplicate => DamageKind.Duplicate,
        _ => DamageKind.Reorder,
    };

    public void Dispose()
    {
        foreach (var victim in _victims.Values) victim.Proxy?.Dispose();
    }

    /// <summary>A node with the lasting faults that its network has now.</summary>
    private sealed class Victim
    {
        private readonly List<FaultSpec> _active = [];

        public FaultProxy? Proxy { get; set; }

        public Task ChangeAsync(Action<List<FaultSpec>> change)
        {
            // Under the lock the orders reach the proxy in the order of the changes; waiting for them is outside.
            lock (_active)
            {
                change(_active);
                return Task.WhenAll(Proxy!.SetAsync(Flow.Out, Together(Flow.Out)), Proxy.SetAsync(Flow.In, Together(Flow.In)));
            }
        }

        private FlowFaults Together(Flow flow) => _active.Aggregate(FlowFaults.None, (faults, fault) => faults.And(On(fault, flow)));

        private static FlowFaults On(FaultSpec fault, Flow flow) => fault.Kind switch
        {
            FaultKind.BlackHole => new FlowFaults { IsBlackHole = true },
            FaultKind.BlackHoleIn => new FlowFaults { IsBlackHole = flow == Flow.In },
            FaultKind.BlackHoleOut => new FlowFaults { IsBlackHole = flow == Flow.Out },
            FaultKind.Delay => new FlowFaults { Delay = TimeSpan.FromMilliseconds(fault["ms"]), Jitter = TimeSpan.FromMilliseconds(fault["jitter"]) },
            FaultKind.Throttle => new FlowFaults { BytesPerSecond = fault["mbs"] * 1e6 },
            _ => throw new ArgumentException($"{fault.Kind} does not last", nameof(fault)),
        };
    }
}
