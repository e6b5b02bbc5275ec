using System.Globalization;
using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>torchrun's options as they were written; null = not given. What is not an option may stand in the environment.</summary>
internal sealed record TorchrunWords
{
    public string? Nodes { get; init; }
    public string? PerNode { get; init; }
    public string? NodeRank { get; init; }
    public string? Endpoint { get; init; }
    public string? Id { get; init; }
    public string? Backend { get; init; }
    public string? MasterAddress { get; init; }
    public string? MasterPort { get; init; }
    public string? MaxRestarts { get; init; }
    public bool Standalone { get; init; }

    /// <summary>Whether any was given on the command line.</summary>
    public bool Any => this != new TorchrunWords();
}

/// <summary>What torchrun's words come to on this machine.</summary>
/// <param name="NodeRank">Of this machine; null where nothing tells it, which is good for all but the first.</param>
/// <param name="IsFirst">Whether the coordinator and the shards are started here.</param>
/// <param name="LeastNodes">Machines that the run waits for.</param>
/// <param name="PerNode">Workers of each machine.</param>
/// <param name="Endpoint">Where the coordinator listens; null on one machine.</param>
/// <param name="Notes">What was understood in another way than torchrun does it: a sentence each.</param>
internal sealed record TorchrunPlan(int? NodeRank, bool IsFirst, int LeastNodes, int PerNode, LinkAddress? Endpoint, IReadOnlyList<string> Notes)
{
    /// <summary>Workers that the first step waits for.</summary>
    public int Workers => LeastNodes * PerNode;

    public bool IsOneMachine => Endpoint is null;
}

/// <summary>
/// Understands torchrun's words: options first, then <c>PET_…</c> as torchrun reads its own options from the environment, then the
/// variables that Kubernetes' PyTorchJob and <c>torch.distributed</c> use. Pure: words and environment in, plan or mistakes out.
/// </summary>
internal static class TorchrunPlanner
{
    /// <summary>torchrun's own: of a rendezvous, and of MASTER_PORT.</summary>
    public const int RendezvousPort = 29400, MasterPort = 29500;

    /// <summary>Whether the environment alone asks for a run over several machines.</summary>
    public static bool IsAsked(Func<string, string?> environment) =>
        environment("PET_NNODES") is { Length: > 0 } || environment("MASTER_ADDR") is { Length: > 0 } && environment("WORLD_SIZE") is { Length: > 0 } && environment("RANK") is { Length: > 0 };

    /// <param name="environment">A variable's value, or null.</param>
    /// <param name="isHere">Whether a host's name or address is this machine's.</param>
    /// <param name="processors">Of this machine, for <c>--nproc-per-node cpu</c> and <c>auto</c>.</param>
    /// <param name="mistakes">Gets a line for each mistake.</param>
    /// <returns>Null if there were any.</returns>
    public static TorchrunPlan? Plan(TorchrunWords words, Func<string, string?> environment, Func<string, bool> isHere, int processors, ICollection<string> mistakes)
    {
        var before = mistakes.Count;
        var notes = new List<string>();
        var perNodeText = words.PerNode ?? Set(environment, "PET_NPROC_PER_NODE");
        var perNode = PerNode(perNodeText, processors, mistakes);
        var (least, most) = words.Standalone ? (1, 1) : Nodes(words.Nodes ?? Set(environment, "PET_NNODES"), environment, perNodeText is null ? 1 : perNode, mistakes);
        var rank = Rank(words, environment, most, perNodeText is null, mistakes);
        if (most > least) notes.Add($"the first step waits for {least} of the {least} to {most} nodes; others may join at any time");
        Note(words.Backend ?? Set(environment, "PET_RDZV_BACKEND"), words.MaxRestarts ?? Set(environment, "PET_MAX_RESTARTS"), words.Id ?? Set(environment, "PET_RDZV_ID"), notes, mistakes);
        if (most == 1) return mistakes.Count > before ? null : new TorchrunPlan(0, true, 1, perNode, null, notes);
        var endpoint = EndpointOf(words, environment, mistakes);
        if (mistakes.Count > before) return null;
        var isFirst = rank is { } known ? known == 0 : isHere(endpoint!.Name);
        return new TorchrunPlan(rank ?? (isFirst ? 0 : null), isFirst, least, perNode, endpoint, notes);
    }

    private static string? Set(Func<string, string?> environment, string name) => environment(name) is { Length: > 0 } text ? text : null;

    private static int PerNode(string? text, int processors, ICollection<string> mistakes)
    {
        if (text is null) return 1;
        if (text is "auto" or "cpu") return processors;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count is >= 1 and <= Limits.MaxWorkers) return count;
        mistakes.Add($"--nproc-per-node {text}: must be a number of workers from 1 to {Limits.MaxWorkers}, cpu or auto (one per processor); devices are given with --device");
        return 1;
    }

    private static (int Least, int Most) Nodes(string? text, Func<string, string?> environment, int perNode, ICollection<string> mistakes)
    {
        if (text is null)
        {
            if (Set(environment, "WORLD_SIZE") is not { } world) return (1, 1);
            if (int.TryParse(world, NumberStyles.None, CultureInfo.InvariantCulture, out var size) && size is >= 1 and <= Limits.MaxWorkers && size % perNode == 0) return (size / perNode, size / perNode);
            mistakes.Add($"WORLD_SIZE={world}: must be a number of workers from 1 to {Limits.MaxWorkers}{(perNode > 1 ? $" that {perNode} per node divide" : "")}; or give --nnodes");
            return (1, 1);
        }
        var ends = text.Split(':');
        if (ends.Length is 1 or 2 && int.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out var least) && int.TryParse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var most)
            && least >= 1 && least <= most && most <= Limits.MaxHosts) return (least, most);
        mistakes.Add($"--nnodes {text}: must be a number of machines from 1 to {Limits.MaxHosts}, or LEAST:MOST");
        return (1, 1);
    }

    /// <summary>RANK counts processes, of which there is one per node where nobody says how many.</summary>
    private static int? Rank(TorchrunWords words, Func<string, string?> environment, int most, bool isRankOfNode, ICollection<string> mistakes)
    {
        var (name, text) = words.NodeRank is { } given ? ("--node-rank ", given)
            : Set(environment, "PET_NODE_RANK") is { } pet ? ("PET_NODE_RANK=", pet)
            : Set(environment, "NODE_RANK") is { } node ? ("NODE_RANK=", node)
            : Set(environment, "RANK") is { } rank && (isRankOfNode || Set(environment, "LOCAL_RANK") is null) ? ("RANK=", rank)
            : ("", "");
        if (text.Length == 0 || most == 1 && words.NodeRank is null) return null;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < most) return number;
        mistakes.Add($"{name}{text}: must be the number of this machine, from 0 to {most - 1}");
        return null;
    }

    /// <summary>Where the first node is.</summary>
    /// <returns>Null after a mistake.</returns>
    public static LinkAddress? EndpointOf(TorchrunWords words, Func<string, string?> environment, ICollection<string> mistakes)
    {
        var (name, text, port) = words.Endpoint is { } given ? ("--rdzv-endpoint", given, RendezvousPort)
            : words.MasterAddress is { } address ? ("--master-addr", WithPort(address, words.MasterPort), MasterPort)
            : Set(environment, "PET_RDZV_ENDPOINT") is { } pet ? ("PET_RDZV_ENDPOINT", pet, RendezvousPort)
            : (Set(environment, "PET_MASTER_ADDR") ?? Set(environment, "MASTER_ADDR")) is { } master
                ? ("MASTER_ADDR", WithPort(master, words.MasterPort ?? Set(environment, "PET_MASTER_PORT") ?? Set(environment, "MASTER_PORT")), MasterPort)
            : ("", "", 0);
        if (text.Length == 0)
        {
            mistakes.Add("several nodes need to know where the first one is: give --rdzv-endpoint HOST:PORT (or MASTER_ADDR and MASTER_PORT), the same on all");
            return null;
        }
        try
        {
            // torchrun takes a host alone.
            var parsed = LinkAddress.Parse(text.Contains(':', StringComparison.Ordinal) ? text : string.Create(CultureInfo.InvariantCulture, $"{text}:{port}"));
            if (parsed is { Kind: LinkTransportKind.Tcp, Port: > 0 }) return parsed;
            mistakes.Add($"{name} {text}: several nodes need HOST:PORT with a port from 1 to 65535");
        }
        catch (UserMistakeException e)
        {
            mistakes.Add($"{name} {e.Message}");
        }
        return null;
    }

    private static string WithPort(string address, string? port) => port is null ? address : $"{address}:{port}";

    private static void Note(string? backend, string? restarts, string? id, List<string> notes, ICollection<string> mistakes)
    {
        if (backend is "c10d" or "static") notes.Add($"--rdzv-backend {backend}: the coordinator itself is the meeting place; nothing else is needed");
        else if (backend is not null) mistakes.Add($"--rdzv-backend {backend}: the coordinator itself is the meeting place; leave it out, or say c10d or static");
        if (restarts is not null)
        {
            if (int.TryParse(restarts, NumberStyles.None, CultureInfo.InvariantCulture, out _))
                notes.Add($"--max-restarts {restarts}: not needed; a process that dies is started again alone, and {Limits.RestartsWithoutCommit} restarts without a step in between end the run");
            else mistakes.Add($"--max-restarts {restarts}: must be a number");
        }
        if (id is not null) notes.Add($"--rdzv-id {id}: not needed; runs are told apart by their id and their join secret");
    }
}
