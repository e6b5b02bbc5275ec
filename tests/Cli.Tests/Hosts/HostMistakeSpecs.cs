using Cluster.Chaos;
using Cluster.Cli.Hosting;
using Cluster.Cli.Launch.Hosts;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Hosts;

/// <summary>What a person gets wrong about several hosts: one line for each, before anything is started.</summary>
public sealed class HostMistakeSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public async Task Several_hosts_need_certificates_or_the_word_insecure_and_torchruns_words_a_secret()
    {
        var hosts = _world.Write("hosts", "a\nb slots=2");
        Assert.Contains("encrypt the traffic with --tls DIR ('cluster help certs'), or allow it as it is with --insecure, on a network that is yours", Assert.Single(await MistakesAsync("launch", "--hostfile", hosts)));
        Assert.Equal(
            "the nodes must know the same join secret: --secret-file FILE or CLUSTER_JOIN_SECRET on each of them",
            Assert.Single(await MistakesAsync("launch", "--nnodes", "2", "--node-rank", "1", "--rdzv-endpoint", "a:1", "--insecure")));
    }

    [Fact]
    public async Task Words_that_do_not_go_together_are_told_all_at_once()
    {
        var hosts = _world.Write("hosts", "a\nb slots=2");
        Assert.Contains("--hostfile starts processes on all hosts from here, torchrun's words on one host each: give one or the other", await MistakesAsync("launch", "--hostfile", hosts, "--nnodes", "2"));
        Assert.Equal(
            ["--ssh is for several hosts: give --hostfile or --nnodes as well", "--listen is for several hosts: give --hostfile or --nnodes as well"],
            await MistakesAsync("launch", "--ssh", "rsh", "--listen", "a:1"));
        Assert.Contains("--workers: torchrun's words say how many: --nnodes times --nproc-per-node", await MistakesAsync("launch", "--nnodes", "2", "--node_rank", "0", "--rdzv_endpoint", "a:1", "--workers", "3"));
        Assert.Contains("--listen a:0: the hosts must know it: give HOST:PORT with a port from 1 to 65535", await MistakesAsync("launch", "--hostfile", hosts, "--listen", "a:0"));
        Assert.Contains("--workers 9: the hostfile has 3 slots in all; write more behind its hosts (slots=N)", await MistakesAsync("launch", "--hostfile", hosts, "--insecure", "--workers", "9", "--data", "synthetic", "--out", _world.PathOf("run"), "--listen", "a:1"));
    }

    [Fact]
    public async Task Node_is_one_process_and_says_so()
    {
        Assert.Equal(
            "--nnodes, --nproc-per-node, --node-rank and --standalone are words for 'cluster launch', which starts all processes of a machine; a node is one process",
            Assert.Single(await MistakesAsync("node", "--role", "worker", "--rdzv-endpoint", "a:1", "--nnodes", "2")));
        Assert.Equal("--rdzv-endpoint a:0: several nodes need HOST:PORT with a port from 1 to 65535", (await MistakesAsync("node", "--role", "worker", "--rdzv-endpoint", "a:0"))[0]);
    }

    [Fact]
    public void Faults_that_do_not_reach_another_host_are_refused()
    {
        string[] nodes = ["coordinator", "ps-0", "worker-0"];
        HostedRun.Refuse([FaultSpec.Parse("kill:worker-0@3", nodes, 10), FaultSpec.Parse("nan:worker-0@3", nodes, 10)]);
        var refused = Assert.Throws<UserMistakeException>(() => HostedRun.Refuse([FaultSpec.Parse("stop:worker-0@3", nodes, 10)]));
        Assert.StartsWith("--fault stop:worker-0@3", refused.Message);
        Assert.Contains("over several hosts launch cannot do stop; it can do kill, leave", refused.Message);
    }

    private static async Task<string[]> MistakesAsync(params string[] arguments) =>
        (await Assert.ThrowsAsync<UserMistakeException>(() => new CommandLine(LocalTraining.RunAsync).RunAsync(arguments, CancellationToken.None))).Message.Split('\n');
}
