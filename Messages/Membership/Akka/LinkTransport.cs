using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote.Transport;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Membership.Gossip;

/// <summary>What the transport needs and no configuration file should hold: the options, and the address, which is taken before the system starts.</summary>
internal sealed class LinkTransportSetup : Setup
{
    /// <summary>Stands in every link's hello: a node of the run that dials here by mistake is told so.</summary>
    private const string RunId = "membership";

    private readonly Lock _lock = new();
    private readonly long _origin = Stopwatch.GetTimestamp();
    private RefusalTally _said = RefusalTally.Empty;

    /// <exception cref="UserMistakeException">The address is taken, not ours, or needs <see cref="EngineOptions.Insecure"/>.</exception>
    public LinkTransportSetup(EngineOptions options)
    {
        Options = options;
        // Who is silent is the failure detectors' to say; the link only lets go of what is long dead.
        Timing = LinkOptions.Default with { HeartbeatEvery = options.Times.Heartbeat, Silence = 4 * (options.Times.Pause + options.Times.Stable) };
        Listener = Links.Listen(options.Listen, new LinkListenerOptions
        {
            Self = Self(options.Listen.ToString()),
            Secret = options.Secret,
            Admit = hello => Transport is { } transport ? transport.Admit(hello) : LinkVerdict.Refuse("the membership has not started yet"),
            Refused = refusal =>
            {
                // Who comes in the first moment comes again; who hangs up without a word is a probe that asks whether the port is open.
                if (Transport is not null && refusal.Reason != LinkRefusalReason.Abandoned) Say($"somebody was turned away at the membership's address: {refusal.Sentence}");
            },
            Tls = options.Tls,
            Insecure = options.Insecure,
            Options = Timing,
        });
        Listens = LinkAddress.Parse(options.Listen.Port == 0 ? Listener.Address.ToString() : options.Listen.ToString());
    }

    public EngineOptions Options { get; }

    public LinkOptions Timing { get; }

    public ILinkListener Listener { get; }

    public LinkAddress Listens { get; }

    /// <summary>Takes the links that come; null before Akka has made it.</summary>
    public LinkTransport? Transport { get; set; }

    public LinkHello Self(string listens) => new(RunId, EngineConfiguration.RoleOf(Options.Role), listens, Options.Incarnation);

    /// <summary>Akka tries again and again: a window's sentences are said once each, and not too many of them.</summary>
    public void Say(string sentence)
    {
        bool isTold;
        long before;
        lock (_lock) (_said, isTold, before) = _said.Add(sentence, Stopwatch.GetElapsedTime(_origin));
        if (before > 0) Options.Say($"{before} more were turned away, or turned this process away, in the {Limits.RefusalWindowSeconds} seconds before");
        if (isTold) Options.Say(sentence);
    }
}

/// <summary>
/// Akka.Remote over links: the join secret is proven, frames are bounded and have checksums before Akka reads a byte, TLS is the
/// links', and all of it runs on threads of its own instead of the thread pool.
/// </summary>
public sealed class LinkTransport : Transport
{
    private const string Leaves = "the process leaves the membership";

    private readonly LinkTransportSetup _setup;
    private readonly EngineOptions _options;
    private readonly ConcurrentDictionary<LinkAssociation, byte> _open = [];
    private readonly TaskCompletionSource<IAssociationEventListener> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Address? _self;
    private volatile bool _isDown;

    /// <summary>Akka makes it, by the name in the configuration.</summary>
    public LinkTransport(ActorSystem system, Config config)
    {
        (System, Config) = (system, config);
        _setup = system.Settings.Setup.Get<LinkTransportSetup>().GetOrElse(null!) ?? throw new InvalidOperationException("this transport is for the membership engine");
        _options = _setup.Options;
        MaximumPayloadBytes = Limits.LinkControlBytes;
        SchemeIdentifier = "link";
    }

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        _self = new Address(SchemeIdentifier, System.Name, _setup.Listens.Name, _setup.Listens.Port);
        _setup.Transport = this;
        return Task.FromResult((_self, _listening));
    }

    public override bool IsResponsibleFor(Address remote) => true;

    /// <summary>A dial takes up to the limit of a handshake: on a thread of its own.</summary>
    public override Task<AssociationHandle> Associate(Address remoteAddress) => Task.Factory.StartNew(() => Dial(remoteAddress), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public override Task<bool> Shutdown()
    {
        _isDown = true;
        _setup.Listener.Dispose();
        foreach (var association in _open.Keys) association.Close(Leaves);
        return Task.FromResult(true);
    }

    private AssociationHandle Dial(Address remote)
    {
        var association = new LinkAssociation(_self!, remote, Ended);
        _open[association] = 0;
        try
        {
            var target = LinkAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"{remote.Host}:{remote.Port}"));
            // Akka writes as soon as it has the association; the link's own word that it is open may come later.
            association.Opened(Links.Connect(_options.Way(target), new LinkDiallerOptions { Self = _setup.Self(_setup.Listens.ToString()), Secret = _options.Secret, Tls = _options.Tls, Options = _setup.Timing }, association));
            // A dial that was under way then has not been seen by the shutdown.
            if (_isDown) association.Close(Leaves);
            return association;
        }
        catch (ClusterException e)
        {
            _open.TryRemove(association, out _);
            if (e is not LinkUnreachableException) _setup.Say($"the membership's door at {remote.Host}:{remote.Port} does not open: {e.Message}");
            throw new InvalidAssociationException(e.Message, e);
        }
    }

    /// <summary>The listener's callback. The dialler's name is where it listens itself; who it is, Akka's handshake tells.</summary>
    internal LinkVerdict Admit(LinkHello hello)
    {
        LinkAddress from;
        try
        {
            from = LinkAddress.Parse(hello.Name);
        }
        catch (UserMistakeException)
        {
            return LinkVerdict.Refuse("this is the membership's address, where nodes that gossip talk to each other; nodes of the run dial the coordinator's");
        }
        var association = new LinkAssociation(_self!, new Address(SchemeIdentifier, System.Name, from.Name, from.Port), Ended)
        {
            // Nobody reads it before the owner has taken it, so nothing is lost until then.
            OnOpened = opened => _ = _listening.Task.ContinueWith(t => t.Result.Notify(new InboundAssociation(opened)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default),
        };
        _open[association] = 0;
        return LinkVerdict.Accept(association);
    }

    private void Ended(LinkAssociation association) => _open.TryRemove(association, out _);
}
