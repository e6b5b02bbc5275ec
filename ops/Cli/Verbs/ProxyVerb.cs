using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Chaos.Proxy;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster proxy</c>: a network with faults between two addresses, for any program.</summary>
internal sealed class ProxyVerb : IVerb
{
    /// <summary>Options that are orders: <c>--delay 50</c> is the order <c>delay 50</c>.</summary>
    private static readonly string[] Orders = ["delay", "jitter", "rate", "corrupt-every", "duplicate-every", "reorder-every"];

    private readonly Option<string> _listen = new("--listen");
    private readonly Option<string> _to = new("--to");
    private readonly Option<string> _seed = new("--seed");
    private readonly ImmutableArray<Option<string>> _orders = [.. Orders.Select(static word => new Option<string>("--" + word))];

    public ProxyVerb()
    {
        Command = new Command("proxy", "Stand between two addresses and disturb what passes.") { _listen, _to, _seed };
        foreach (var option in _orders) Command.Options.Add(option);
    }

    public Command Command { get; }

    public string HelpText => $"""
        cluster proxy --listen ADDRESS --to ADDRESS [--seed N] [--ORDER NUMBER …]

        Listens at one address and passes each connection on to another, with the faults of a network. An ADDRESS is
        HOST:PORT or unix:/PATH. 'Out' is from the side that dials, 'in' is back to it. Orders are lines on standard input:

        {string.Join('\n', ProxySettings.Orders.Select(static o => $"  {$"{o.Word} {o.Numbers}",-23}{o.Meaning}"))}

        These may also be given as options, to begin with: --{string.Join(", --", Orders)}.
        Places of damage and jitter follow from --seed (1): the same bytes over the same connections get the same damage.
        One line is printed for each connection, each change and each damage. Ends when standard input ends, or at SIGINT.
        To lead a node of a run through it: CLUSTER_ROUTES='FROM=TO;…' in the node's environment, where FROM is an address
        that the node dials ('--join', or where a ps listens) and TO is this proxy's.

        Exit codes: 0 standard input ended, 2 bad arguments, 130 interrupted.
        """;

    public async Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        var found = mistakes.ToList();
        var listen = Address(parse, _listen, found);
        var to = Address(parse, _to, found);
        if (to is { Kind: LinkTransportKind.Tcp, Port: 0 }) found.Add($"--to {to}: nobody listens at port 0; give the port");
        ulong seed = 1;
        if (RowOptions.TextOf(parse, _seed) is { } text && !ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seed)) found.Add($"--seed {text}: must be a whole number from 0 on");
        var settings = ProxySettings.None;
        foreach (var option in _orders)
        {
            if (RowOptions.TextOf(parse, option) is not { } number) continue;
            try
            {
                (settings, _) = settings.Obey($"{option.Name[2..]} {number}");
            }
            catch (UserMistakeException e)
            {
                found.Add("--" + e.Message);
            }
        }
        HelpVerb.Refuse(found);
        var console = new Lock();
        void Say(string line)
        {
            lock (console) Console.Out.WriteLine(line);
        }
        using var proxy = FaultProxy.Start([new ProxyRoute(to!.ToString(), listen!.Resolve(), to.Resolve())], seed, note => Say($"connection {note.Connection}: {note.Sentence}"));
        await ApplyAsync(proxy, settings);
        Say($"listening at {Text(proxy.Routes[0].Listen)}, to {to}; {settings}");
        return await ServeAsync(proxy, settings, Say, stop);
    }

    private static async Task<int> ServeAsync(FaultProxy proxy, ProxySettings settings, Action<string> say, CancellationToken stop)
    {
        while (true)
        {
            string? line;
            try
            {
                // Standard input cannot be cancelled; its reader ends with the process.
                line = await Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return ExitCodes.Interrupted;
            }
            if (line is null) return ExitCodes.Done;
            try
            {
                var (next, act) = settings.Obey(line);
                if (next != settings)
                {
                    settings = next;
                    await ApplyAsync(proxy, settings);
                    say($"now {settings}");
                }
                if (act is not null) say(await ActAsync(proxy, act));
            }
            catch (UserMistakeException e)
            {
                await Console.Error.WriteLineAsync($"cluster: {e.Message}");
            }
        }
    }

    private static Task ApplyAsync(FaultProxy proxy, ProxySettings settings) =>
        Task.WhenAll(proxy.SetAsync(Flow.Out, settings.Out), proxy.SetAsync(Flow.In, settings.In));

    private static async Task<string> ActAsync(FaultProxy proxy, ProxyAct act)
    {
        switch (act)
        {
            case ProxyAct.Cut:
                return $"cut {await proxy.CutAsync()} connections";
            case ProxyAct.Damage damage:
                await proxy.DamageAsync(damage.Kind, damage.LeastBytes);
                return $"{damage.Kind.ToString().ToLowerInvariant()}: waits for a read of {damage.LeastBytes} bytes";
            default:
                var lines = (await proxy.ConnectionsAsync()).Select(static c => $"connection {c.Number}: {c.Out} bytes out, {c.In} bytes in").ToList();
                return lines.Count == 0 ? "no connections" : string.Join('\n', lines);
        }
    }

    private static string Text(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint ? "unix:" + endPoint : endPoint.ToString()!;

    private static LinkAddress? Address(ParseResult parse, Option<string> option, List<string> mistakes)
    {
        if (RowOptions.TextOf(parse, option) is not { } text)
        {
            mistakes.Add($"{option.Name} is missing: HOST:PORT or unix:/PATH");
            return null;
        }
        try
        {
            var address = LinkAddress.Parse(text);
            if (address.Kind != LinkTransportKind.InProcess) return address;
            mistakes.Add($"{option.Name} {text}: an address inside a process leads nowhere; give HOST:PORT or unix:/PATH");
        }
        catch (UserMistakeException e)
        {
            mistakes.Add($"{option.Name} {e.Message}");
        }
        return null;
    }
}
