using Cluster.Cli.Launch.Hosts;

namespace Cluster.Cli.Tests.Hosts;

/// <summary>torchrun's words and the variables of PyTorchJob, in a table: words and environment in, plan or mistake out.</summary>
public sealed class TorchrunWordsSpecs
{
    // Words, environment, what comes of it: rank (? = unknown), first or not, nodes waited for x workers each, endpoint.
    [Theory]
    [InlineData("--nnodes=1 --nproc-per-node=4", "", "0 first 1x4 -")]
    [InlineData("--standalone --nproc-per-node=2", "MASTER_ADDR=b WORLD_SIZE=8 RANK=3", "0 first 1x2 -")]
    [InlineData("--nnodes=2 --nproc-per-node=4 --node-rank=0 --rdzv-endpoint=a:29400", "", "0 first 2x4 a:29400")]
    [InlineData("--nnodes=2 --nproc-per-node=4 --node-rank=1 --rdzv-endpoint=a:29400", "", "1 joins 2x4 a:29400")]
    [InlineData("--nnodes=2 --nproc-per-node=cpu --node-rank=1 --rdzv-endpoint=a", "", "1 joins 2x6 a:29400")]
    [InlineData("--nnodes=2 --rdzv-endpoint=here:1234", "", "0 first 2x1 here:1234")]
    [InlineData("--nnodes=2 --rdzv-endpoint=there:1234", "", "? joins 2x1 there:1234")]
    [InlineData("--nnodes=1:4 --nproc-per-node=2 --rdzv-endpoint=there:1234", "", "? joins 1x2 there:1234")]
    [InlineData("--nnodes=3 --node-rank=2 --master-addr=a", "", "2 joins 3x1 a:29500")]
    [InlineData("--nnodes=3 --node-rank=2 --master-addr=a --master-port=77", "MASTER_PORT=78", "2 joins 3x1 a:77")]
    [InlineData("--nnodes=3 --node-rank=2", "MASTER_ADDR=a MASTER_PORT=78", "2 joins 3x1 a:78")]
    [InlineData("--nnodes=3", "MASTER_ADDR=a MASTER_PORT=78 NODE_RANK=1", "1 joins 3x1 a:78")]
    [InlineData("", "MASTER_ADDR=job-master-0 MASTER_PORT=23456 WORLD_SIZE=3 RANK=0", "0 first 3x1 job-master-0:23456")]
    [InlineData("", "MASTER_ADDR=job-master-0 MASTER_PORT=23456 WORLD_SIZE=3 RANK=2", "2 joins 3x1 job-master-0:23456")]
    [InlineData("--nproc-per-node=2", "MASTER_ADDR=a MASTER_PORT=1 WORLD_SIZE=6 RANK=2", "2 joins 3x2 a:1")]
    [InlineData("--nproc-per-node=2", "MASTER_ADDR=a MASTER_PORT=1 WORLD_SIZE=6 NODE_RANK=1 RANK=3 LOCAL_RANK=1", "1 joins 3x2 a:1")]
    [InlineData("", "MASTER_ADDR=a MASTER_PORT=1 WORLD_SIZE=4 RANK=3 LOCAL_RANK=1", "3 joins 4x1 a:1")]
    [InlineData("", "PET_NNODES=2 PET_NPROC_PER_NODE=4 PET_NODE_RANK=1 PET_MASTER_ADDR=a PET_MASTER_PORT=23456", "1 joins 2x4 a:23456")]
    [InlineData("", "PET_NNODES=2:3 PET_NPROC_PER_NODE=1 PET_RDZV_ENDPOINT=there:23456 PET_RDZV_BACKEND=c10d", "? joins 2x1 there:23456")]
    [InlineData("", "MASTER_ADDR=localhost MASTER_PORT=1 WORLD_SIZE=1 RANK=0", "0 first 1x1 -")]
    [InlineData("--nnodes=2 --node-rank=0 --rdzv-endpoint=[::1]:9", "", "0 first 2x1 [::1]:9")]
    public void Words_become_a_plan(string words, string environment, string plan)
    {
        var (made, mistakes) = Plan(words, environment);
        Assert.Empty(mistakes);
        Assert.Equal(plan, $"{made!.NodeRank?.ToString() ?? "?"} {(made.IsFirst ? "first" : "joins")} {made.LeastNodes}x{made.PerNode} {made.Endpoint?.ToString() ?? "-"}");
        Assert.Equal(made.LeastNodes * made.PerNode, made.Workers);
    }

    [Theory]
    [InlineData("--nnodes=0", "", "--nnodes 0: must be a number of machines from 1 to 1024, or LEAST:MOST")]
    [InlineData("--nnodes=3:2", "", "--nnodes 3:2: must be a number of machines from 1 to 1024, or LEAST:MOST")]
    [InlineData("--nnodes=two", "", "--nnodes two: must be a number of machines from 1 to 1024, or LEAST:MOST")]
    [InlineData("--nproc-per-node=gpu", "", "--nproc-per-node gpu: must be a number of workers from 1 to 1024, cpu or auto (one per processor); devices are given with --device")]
    [InlineData("--nnodes=2 --node-rank=2 --rdzv-endpoint=a:1", "", "--node-rank 2: must be the number of this machine, from 0 to 1")]
    [InlineData("--nnodes=2 --rdzv-endpoint=a:1", "NODE_RANK=-1", "NODE_RANK=-1: must be the number of this machine, from 0 to 1")]
    [InlineData("--nnodes=2 --node-rank=0", "", "several nodes need to know where the first one is: give --rdzv-endpoint HOST:PORT (or MASTER_ADDR and MASTER_PORT), the same on all")]
    [InlineData("--nnodes=2 --node-rank=0 --rdzv-endpoint=a:0", "", "--rdzv-endpoint a:0: several nodes need HOST:PORT with a port from 1 to 65535")]
    [InlineData("--nnodes=2 --node-rank=0 --rdzv-endpoint=a:b", "", "--rdzv-endpoint 'b' in 'a:b' is no port: give a number from 1 to 65535")]
    [InlineData("--nnodes=2 --node-rank=0 --master-addr=a --master-port=99999", "", "--master-addr '99999' in 'a:99999' is no port: give a number from 1 to 65535")]
    [InlineData("--rdzv-backend=etcd", "", "--rdzv-backend etcd: the coordinator itself is the meeting place; leave it out, or say c10d or static")]
    [InlineData("--max-restarts=many", "", "--max-restarts many: must be a number")]
    [InlineData("--nproc-per-node=4", "MASTER_ADDR=a WORLD_SIZE=6 RANK=0", "WORLD_SIZE=6: must be a number of workers from 1 to 1024 that 4 per node divide; or give --nnodes")]
    public void A_mistake_gets_one_line(string words, string environment, string mistake)
    {
        var (made, mistakes) = Plan(words, environment);
        Assert.Null(made);
        Assert.Equal(mistake, Assert.Single(mistakes));
    }

    [Fact]
    public void What_is_done_in_another_way_is_said()
    {
        var (plan, _) = Plan("--nnodes=1:2 --rdzv-endpoint=there:1 --rdzv-backend=c10d --rdzv-id=9 --max-restarts=3", "");
        Assert.Equal(
            [
                "the first step waits for 1 of the 1 to 2 nodes; others may join at any time",
                "--rdzv-backend c10d: the coordinator itself is the meeting place; nothing else is needed",
                "--max-restarts 3: not needed; a process that dies is started again alone, and 5 restarts without a step in between end the run",
                "--rdzv-id 9: not needed; runs are told apart by their id and their join secret",
            ], plan!.Notes);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("MASTER_ADDR=a MASTER_PORT=1", false)]
    [InlineData("MASTER_ADDR=a WORLD_SIZE=2", false)]
    [InlineData("MASTER_ADDR=a WORLD_SIZE=2 RANK=1", true)]
    [InlineData("PET_NNODES=2", true)]
    public void Environment_alone_counts_only_where_it_is_whole(string environment, bool isAsked) => Assert.Equal(isAsked, TorchrunPlanner.IsAsked(Read(environment)));

    [Fact]
    public void First_node_has_coordinator_shards_and_workers_and_the_others_their_workers()
    {
        var first = HostPlan.Of(Plan("--nnodes=2 --nproc-per-node=2 --node-rank=0 --rdzv-endpoint=a:29400", "").Plan!, "me", static _ => false, ps: 2);
        Assert.Equal(["coordinator a:29400", "ps-0 a:29401", "ps-1 a:29402", "worker-0 ", "worker-1 "], first.Nodes.Select(static n => $"{n.Name} {n.Listen}"));
        var second = HostPlan.Of(Plan("--nnodes=2 --nproc-per-node=2 --node-rank=1 --rdzv-endpoint=a:29400", "").Plan!, "me", static _ => false, ps: 2);
        Assert.Equal(["worker-2", "worker-3"], second.Nodes.Select(static n => n.Name));
        Assert.Equal("a:29400", second.Coordinator.ToString());
        Assert.All(HostPlan.Of(Plan("--nnodes=2 --rdzv-endpoint=there:1", "").Plan!, "me", static _ => false, 1).Nodes, static n => Assert.False(n.IsNamed));
        // PyTorchJob's master may call itself localhost; the others could not dial that.
        Assert.Equal("me:5", HostPlan.Of(Plan("", "MASTER_ADDR=localhost MASTER_PORT=5 WORLD_SIZE=2 RANK=0").Plan!, "me", static h => h == "localhost", 1).Coordinator.ToString());
    }

    private static (TorchrunPlan? Plan, List<string> Mistakes) Plan(string words, string environment)
    {
        var given = words.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static w => w.Split('=', 2)).ToDictionary(static w => w[0], static w => w.Length > 1 ? w[1] : "");
        string? Of(string name) => given.GetValueOrDefault(name);
        var mistakes = new List<string>();
        var plan = TorchrunPlanner.Plan(new TorchrunWords
        {
            Nodes = Of("--nnodes"),
            PerNode = Of("--nproc-per-node"),
            NodeRank = Of("--node-rank"),
            Endpoint = Of("--rdzv-endpoint"),
            Id = Of("--rdzv-id"),
            Backend = Of("--rdzv-backend"),
            MasterAddress = Of("--master-addr"),
            MasterPort = Of("--master-port"),
            MaxRestarts = Of("--max-restarts"),
            Standalone = given.ContainsKey("--standalone"),
        }, Read(environment), static host => host == "here", processors: 6, mistakes);
        return (plan, mistakes);
    }

    private static Func<string, string?> Read(string environment)
    {
        var variables = environment.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static v => v.Split('=')).ToDictionary(static v => v[0], static v => v[1]);
        return name => variables.GetValueOrDefault(name);
    }
}
