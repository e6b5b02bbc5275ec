using System.CommandLine;
using System.CommandLine.Parsing;
using Cluster.Cli.Nodes;
using Cluster.Cli.Verbs;
using Cluster.Link;

namespace Cluster.Cli.Launch.Hosts;

/// <summary>torchrun's options on a verb of ours, each with dashes and with underscores, as torchrun takes them.</summary>
internal sealed class TorchrunOptions
{
    private readonly Option<string> _nodes = Make("--nnodes");
    private readonly Option<string> _perNode = Make("--nproc-per-node");
    private readonly Option<string> _nodeRank = Make("--node-rank");
    private readonly Option<string> _endpoint = Make("--rdzv-endpoint");
    private readonly Option<string> _id = Make("--rdzv-id");
    private readonly Option<string> _backend = Make("--rdzv-backend");
    private readonly Option<string> _masterAddress = Make("--master-addr");
    private readonly Option<string> _masterPort = Make("--master-port");
    private readonly Option<string> _maxRestarts = Make("--max-restarts");
    private readonly Option<bool> _standalone = new("--standalone");

    /// <param name="command">Gets the options.</param>
    public TorchrunOptions(Command command)
    {
        foreach (var option in (Option[])[_nodes, _perNode, _nodeRank, _endpoint, _id, _backend, _masterAddress, _masterPort, _maxRestarts, _standalone]) command.Options.Add(option);
    }

    public TorchrunWords Words(ParseResult parse) => new()
    {
        Nodes = RowOptions.TextOf(parse, _nodes),
        PerNode = RowOptions.TextOf(parse, _perNode),
        NodeRank = RowOptions.TextOf(parse, _nodeRank),
        Endpoint = RowOptions.TextOf(parse, _endpoint),
        Id = RowOptions.TextOf(parse, _id),
        Backend = RowOptions.TextOf(parse, _backend),
        MasterAddress = RowOptions.TextOf(parse, _masterAddress),
        MasterPort = RowOptions.TextOf(parse, _masterPort),
        MaxRestarts = RowOptions.TextOf(parse, _maxRestarts),
        Standalone = parse.GetValue(_standalone),
    };

    /// <summary>For one node: where torchrun's words, or the environment, say that the coordinator is.</summary>
    /// <param name="mistakes">Gets a line for words that a single process has no use for, or that cannot be read.</param>
    /// <returns>Null if they do not say.</returns>
    public LinkAddress? JoinOf(ParseResult parse, string? role, ICollection<string> mistakes)
    {
        var words = Words(parse);
        if (words is not { Nodes: null, PerNode: null, NodeRank: null, Standalone: false }) mistakes.Add("--nnodes, --nproc-per-node, --node-rank and --standalone are words for 'cluster launch', which starts all processes of a machine; a node is one process");
        if (role is not (NodeOptions.Shards or NodeOptions.Worker)) return null;
        var isAsked = words.Endpoint is not null || words.MasterAddress is not null || Environment.GetEnvironmentVariable("MASTER_ADDR") is { Length: > 0 };
        return isAsked ? TorchrunPlanner.EndpointOf(words, Environment.GetEnvironmentVariable, mistakes) : null;
    }

    private static Option<string> Make(string name)
    {
        var other = "--" + name[2..].Replace('-', '_');
        return other == name ? new Option<string>(name) : new Option<string>(name, other);
    }
}
