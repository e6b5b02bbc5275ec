using System.Net;
using Cluster.Chaos.Proxy;
using Cluster.Link;

namespace Cluster.Membership.Tests;

/// <summary>Every pair of processes talks through a proxy of its own, so that one process can be cut off from all others, both ways.</summary>
internal sealed class HeldNetwork : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(object From, LinkAddress To), FaultProxy> _proxies = [];
    private readonly Dictionary<LinkAddress, object> _owners = [];
    private readonly HashSet<object> _held = [];

    /// <summary>Who listens at an address.</summary>
    public void Names(LinkAddress address, object owner)
    {
        lock (_lock) _owners[address] = owner;
    }

    /// <summary>Where <paramref name="from"/> dials to reach <paramref name="target"/>.</summary>
    public LinkAddress Way(object from, LinkAddress target)
    {
        lock (_lock)
        {
            if (!_proxies.TryGetValue((from, target), out var proxy))
            {
                _proxies[(from, target)] = proxy = FaultProxy.Start([new ProxyRoute(target.ToString(), new IPEndPoint(IPAddress.Loopback, 0), target.Resolve())], seed: 1);
                if (IsHeld(from, target)) _ = SetAsync(proxy, isHeld: true);
            }
            return LinkAddress.Parse(proxy.Routes[0].Listen.ToString()!);
        }
    }

    public Task HoldAsync(object who, bool isHeld)
    {
        lock (_lock)
        {
            if (isHeld) _held.Add(who);
            else _held.Remove(who);
            return Task.WhenAll(_proxies.Where(pair => pair.Key.From == who || _owners.GetValueOrDefault(pair.Key.To) == who).Select(pair => SetAsync(pair.Value, IsHeld(pair.Key.From, pair.Key.To))));
        }
    }

    public Task ReleaseAsync()
    {
        lock (_lock)
        {
            _held.Clear();
            return Task.WhenAll(_proxies.Values.Select(static proxy => SetAsync(proxy, isHeld: false)));
        }
    }

    public void Dispose()
    {
        foreach (var proxy in _proxies.Values) proxy.Dispose();
    }

    private bool IsHeld(object from, LinkAddress to) => _held.Contains(from) || (_owners.GetValueOrDefault(to) is { } owner && _held.Contains(owner));

    private static async Task SetAsync(FaultProxy proxy, bool isHeld)
    {
        var faults = new FlowFaults { IsBlackHole = isHeld };
        await proxy.SetAsync(Flow.Out, faults);
        await proxy.SetAsync(Flow.In, faults);
    }
}
