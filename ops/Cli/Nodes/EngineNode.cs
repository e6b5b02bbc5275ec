using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Contracts;
using Cluster.Coordinator.Actors;
using Cluster.Link;
using Cluster.Membership;
using Cluster.Membership.Kubernetes;

namespace Cluster.Cli.Nodes;

/// <summary>A node whose coordinator is found, or whose turn to coordinate comes, through an engine that gossips.</summary>
internal static class EngineNode
{
    public const string SeatIsTaken = "this process has the coordinator's seat";

    public const string SeatIsLost = "another process has the coordinator's seat now: this one lets the run go";

    private const string DnsPrefix = "dns:";

    /// <summary>How long an orderly farewell to the cluster may take; without it the others wait for silence.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(10);

    /// <returns>Null for the Static engine.</returns>
    public static EngineSettings? Read(EngineTexts texts, List<string> mistakes)
    {
        var (membership, seeds, required, listen, join) = texts;
        if (membership is null or MembershipEngines.Static)
        {
            if ((seeds ?? required ?? listen) is not null) mistakes.Add($"{(seeds is not null ? "--seeds" : required is not null ? "--seeds-required" : "--cluster-listen")} goes with --membership {MembershipEngines.Akka}");
            return null;
        }
        if (membership != MembershipEngines.Akka)
        {
            mistakes.Add($"--membership {membership}: {MembershipEngines.Static} or {MembershipEngines.Akka}");
            return null;
        }
        if (join is not null) mistakes.Add($"--join: with --membership {MembershipEngines.Akka} the cluster tells where the coordinator is; give --seeds");
        var pods = PodsOf(seeds, mistakes);
        var found = seeds is null || NamesPods(seeds) ? [] : Parse("--seeds", seeds.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), mistakes);
        if (pods is null && found.Count == 0 && mistakes.Count == 0) mistakes.Add("--seeds is missing: HOST:PORT of some nodes, the same list on all");
        var least = SeedRules.DefaultRequired;
        if (required is not null && (!int.TryParse(required, NumberStyles.None, CultureInfo.InvariantCulture, out least) || least is < 1 or > Limits.SeedPods))
            mistakes.Add($"--seeds-required {required}: must be a number from 1 to {Limits.SeedPods}");
        if (required is not null && pods is null && mistakes.Count == 0) mistakes.Add($"--seeds-required goes with --seeds {PodSelector.Prefix}…: a list that is written down is whole");
        var own = listen is null ? [] : Parse("--cluster-listen", [listen], mistakes);
        if (own is [{ } at] && NodeAddress.UnreachableAsWritten(at) is { } unreachable) mistakes.Add($"--cluster-listen {listen}: {unreachable}");
        if (listen is null) mistakes.Add("--cluster-listen is missing: HOST:PORT where this node gossips, as the others write it");
        return own.Count == 1 ? new EngineSettings(found, own[0]) { Pods = pods, Required = least } : null;
    }

    /// <summary>A selector has commas of its own, so it is all that is given.</summary>
    private static bool NamesPods(string seeds) => PodSelector.IsOne(seeds) || seeds.Contains("," + PodSelector.Prefix, StringComparison.Ordinal);

    /// <returns>Null: the seeds are addresses, or a mistake.</returns>
    private static PodSelector? PodsOf(string? seeds, List<string> mistakes)
    {
        if (seeds is null || !NamesPods(seeds)) return null;
        try
        {
            return PodSelector.IsOne(seeds) ? PodSelector.Parse(seeds) : throw new UserMistakeException($"{seeds}: {PodSelector.Prefix}SELECTOR:PORT stands alone, since selectors have commas");
        }
        catch (UserMistakeException e)
        {
            mistakes.Add($"--seeds {e.Message}");
            return null;
        }
    }

    /// <summary>A worker or a ps: dials whoever is the coordinator, and joins the cluster again should it be declared dead.</summary>
    public static async Task MemberAsync(EngineSettings? settings, NodeOptions options, Func<NodeOptions, CancellationToken, Task> run, CancellationToken stop)
    {
        if (settings is null)
        {
            await run(options, stop);
            return;
        }
        settings = await settings.FoundAsync(isCoordinator: false, options.Patience, stop);
        using var member = new GossipingMember(settings, options);
        await using var leaving = stop.Register(member.Leave);
        try
        {
            var name = await member.AdmittedAsync(options.Patience, stop);
            await run(options with { Name = name, CoordinatorAt = member.CoordinatorAt }, stop);
        }
        finally
        {
            await member.EndAsync(Farewell);
        }
    }

    /// <summary>A coordinator stands by until the seat is its own, and carries the run while it is.</summary>
    /// <exception cref="ClusterException">The cluster has declared this process dead.</exception>
    /// <exception cref="UserMistakeException">It could not carry the run.</exception>
    public static async Task CoordinatorAsync(EngineSettings? settings, string folder, NodeOptions options, CoordinatorTurn turn, CancellationToken stop)
    {
        if (settings is null)
        {
            await turn.TakeAsync(options, stop);
            return;
        }
        await turn.ReadyAsync(options, stop);
        settings = await settings.FoundAsync(isCoordinator: true, Timeout.InfiniteTimeSpan, stop);
        using var engine = MembershipEngines.JoinAkka(OptionsOf(settings, options, MemberRole.Coordinator, null) with
        {
            OpenRegister = () => new MemberRegistry(
                RunStore.TermOf(folder).Next(), options.Listen!.ToString(), options.Incarnation, [], MembershipPolicy.Default, TimeProvider.System, static (_, _) => { }),
        });
        Console.Error.WriteLine($"gossiping at {engine.Listens}, standing by for the coordinator's seat");
        try
        {
            await Task.WhenAny(engine.Seat, engine.Out).WaitAsync(stop);
            if (!engine.Seat.IsCompletedSuccessfully) throw new ClusterException(await engine.Out);
            Console.Error.WriteLine(SeatIsTaken);
            await turn.TakeAsync(options with { SeatLost = (await engine.Seat).Lost }, stop);
        }
        finally
        {
            // Whatever happened: nothing is done as the coordinator from here on.
            if (engine.Seat.IsCompletedSuccessfully) (await engine.Seat).Release();
            await Task.WhenAny(engine.EndAsync(), Task.Delay(Farewell, CancellationToken.None));
        }
    }

    public static EngineOptions OptionsOf(EngineSettings settings, NodeOptions options, MemberRole role, string? name) =>
        new(role, name, DateTime.UtcNow.Ticks, options.Listen?.ToString() ?? "", settings.Listen, settings.Seeds) { Secret = options.Secret, Tls = options.Tls, Insecure = options.Insecure, Say = Console.Error.WriteLine };

    private static List<LinkAddress> Parse(string option, IEnumerable<string> texts, List<string> mistakes)
    {
        var found = new List<LinkAddress>();
        foreach (var text in texts)
        {
            try
            {
                var isDns = text.StartsWith(DnsPrefix, StringComparison.Ordinal);
                var address = LinkAddress.Parse(isDns ? text[DnsPrefix.Length..] : text);
                if (address.Kind != LinkTransportKind.Tcp) mistakes.Add($"{option} {text}: nodes gossip over TCP: give HOST:PORT");
                else if (address.Name.Contains(':', StringComparison.Ordinal)) mistakes.Add($"{option} {text}: the engine takes host names and IPv4 addresses; give the host's name");
                else if (isDns) found.AddRange(AllOf(address));
                else found.Add(address);
            }
            catch (UserMistakeException e)
            {
                mistakes.Add($"{option} {e.Message}");
            }
        }
        return found;
    }

    /// <summary>All addresses of a name, in one order on all nodes: whoever is the first may begin the cluster.</summary>
    private static IEnumerable<LinkAddress> AllOf(LinkAddress address)
    {
        try
        {
            return [.. Dns.GetHostAddresses(address.Name, AddressFamily.InterNetwork)
                .OrderBy(static ip => BitConverter.ToUInt32([.. ip.GetAddressBytes().Reverse()]))
                .Select(ip => LinkAddress.Parse(string.Create(CultureInfo.InvariantCulture, $"{ip}:{address.Port}")))];
        }
        catch (SocketException e)
        {
            throw new UserMistakeException($"{DnsPrefix}{address}: the name has no addresses ({e.Message})", e);
        }
    }
}
