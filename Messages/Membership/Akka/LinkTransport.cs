using System.Collections.Concurrent;
using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Remote.Transport;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Membership.Gossip;

/// <summary>What the transport needs and no configuration file should hold.</summary>
internal sealed class LinkTransportSetup(EngineOptions options) : Setup
{
    public EngineOptions Options { get; } = options;

    /// <summary>Set by the transport once it listens.</summary>
    public LinkAddress? Listens { get; set; }
}

/// <summary>
/// Akka.Remote over links: the join secret is proven, frames are bounded and have checksums before Akka reads a byte, TLS is the
/// links', and all of it runs on threads of its own instead of the thread pool.
/// </summary>
public sealed class LinkTransport : Transport
{
    /// <summary>Stands in every link's hello: a node of the run that dials here by mistake is told so.</summary>
    private const string RunId = "membership";

    private readonly LinkTransportSetup _setup;
    private readonly EngineOptions _options;
    private readonly LinkOptions _timing;
    private readonly ConcurrentDictionary<LinkAssociation, byte> _open = [];
    private readonly TaskCompletionSource<IAssociationEventListener> _listening = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ILinkListener? _listener;
    private Address? _self;
    private string _lastSaid = "";

    /// <summary>Akka makes it, by the name in the configuration.</summary>
    public LinkTransport(ActorSystem system, Config config)
    {
        (System, Config) = (system, config);
        _setup = system.Settings.Setup.Get<LinkTransportSetup>().GetOrElse(null!) ?? throw new InvalidOperationException("this transport is for the membership engine");
        _options = _setup.Options;
        MaximumPayloadBytes = Limits.LinkControlBytes;
        SchemeIdentifier = "link";
        // Who is silent is the failure detectors' to say; the link only lets go of what is long dead.
        _timing = LinkOptions.Default with { HeartbeatEvery = _options.Times.Heartbeat, Silence = 4 * (_options.Times.Pause + _options.Times.Stable) };
    }

    public override Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        _listener = Links.Listen(_options.Listen, new LinkListenerOptions
        {
            Self = Self(_options.Listen.ToString()),
            Secret = _options.Secret,
            Admit = Admit,
            Refused = refusal => Say($"somebody was turned away at the membership's address: {refusal.Sentence}"),
            Insecure = _options.Insecure,
            Options = _timing,
        });
        var bound = _setup.Listens = LinkAddress.Parse(_options.Listen.Port == 0 ? _listener.Address.ToString() : _options.Listen.ToString());
        _self = new Address(SchemeIdentifier, System.Name, bound.Name, bound.Port);
        return Task.FromResult((_self, _listening));
    }

    public override bool IsResponsibleFor(Address remote) => true;

    /// <summary>A dial takes up to the limit of a handshake: on a thread of its own.</summary>
    public override Task<AssociationHandle> Associate(Address remoteAddress) => Task.Factory.StartNew(() => Dial(remoteAddress), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public override Task<bool> Shutdown()
    {
        _listener?.Dispose();
        foreach (var association in _open.Keys) association.Close("the process leaves the membership");
        return Task.FromResult(true);
    }

    private AssociationHandle Dial(Address remote)
    {
        var association = new LinkAssociation(_self!, remote, Ended);
        _open[association] = 0;
        try
        {
            var target = LinkAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"{remote.Host}:{remote.Port}"));
            Links.Connect(_options.Way(target), new LinkDiallerOptions { Self = Self(string.Create(CultureInfo.InvariantCulture, $"{_self!.Host}:{_self.Port}")), Secret = _options.Secret, Options = _timing }, association);
            return association;
        }
        catch (ClusterException e)
        {
            _open.TryRemove(association, out _);
            if (e is not LinkUnreachableException) Say($"the membership's door at {remote.Host}:{remote.Port} does not open: {e.Message}");
            throw new InvalidAssociationException(e.Message, e);
        }
    }

    /// <summary>The listener's callback. The dialler's name is where it listens itself; who it is, Akka's handshake tells.</summary>
    private LinkVerdict Admit(LinkHello hello)
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
            OnOpened = opened => _listening.Task.ContinueWith(t => t.Result.Notify(new InboundAssociation(opened)), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default),
        };
        _open[association] = 0;
        return LinkVerdict.Accept(association);
    }

    private LinkHello Self(string listens) => new(RunId, EngineConfiguration.RoleOf(_options.Role), listens, _options.Incarnation);

    private void Ended(LinkAssociation association) => _open.TryRemove(association, out _);

    /// <summary>Akka tries again and again: the same sentence is said once.</summary>
    private void Say(string sentence)
    {
        if (Interlocked.Exchange(ref _lastSaid, sentence) != sentence) _options.Say(sentence);
    }
}
