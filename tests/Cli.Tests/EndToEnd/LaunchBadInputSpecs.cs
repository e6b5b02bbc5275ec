namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What a person may get wrong with <c>launch</c> and <c>node</c>: one line each, exit code 2, nothing written.</summary>
public sealed class LaunchBadInputSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("--fault kil:worker-1@3: unknown kind 'kil'; did you mean kill?", "--fault", "kil:worker-1@3")]
    [InlineData("--fault kill:worker-9@3: this run has no node 'worker-9'", "--fault", "kill:worker-9@3")]
    [InlineData("--fault kill:ps-1@3: this run has no node 'ps-1'", "--fault", "kill:ps-1@3")]
    [InlineData("--fault kill:worker-0@9: step 9 is not in this run of 5 steps; give one from 1 to 5", "--fault", "kill:worker-0@9", "--steps", "5")]
    [InlineData("--fault kill:worker-0@0: step 0 is not in this run", "--fault", "kill:worker-0@0", "--steps", "5")]
    [InlineData("--fault stop:worker-0@3+x: 'x' is no number of seconds", "--fault", "stop:worker-0@3+x")]
    [InlineData("--fault kill:worker-0@3+2: a kill lasts no time", "--fault", "kill:worker-0@3+2")]
    [InlineData("--fault kill: write KIND:NODE@STEP[+SECONDS]", "--fault", "kill")]
    [InlineData("'--fault'", "--fault")]
    [InlineData("--replicas 2: must be at least 0 and at most 1", "--replicas", "2")]
    [InlineData("--replicas 1 needs --ps 2 or more", "--replicas", "1")]
    [InlineData("--workers 0: must be at least 1 and at most 1024", "--workers", "0")]
    [InlineData("there is no run", "--resume", "--out", "nowhere")]
    [InlineData("--tls nowhere: there is no such folder; 'cluster certs nowhere' makes one", "--tls", "nowhere")]
    [InlineData("--monitor 0.0.0.0:0: other machines can reach this address, and what is shown there is not encrypted", "--monitor", "0.0.0.0:0")]
    [InlineData("unknown option --replica; did you mean --replicas?", "--replica", "1")]
    public void Mistake_with_launch_is_one_line(string expected, params string[] arguments) => Mistaken(expected, ["launch", "--data", "synthetic", .. arguments]);

    [Theory]
    [InlineData("--role is missing: coordinator, ps or worker")]
    [InlineData("--role boss: a node is coordinator, ps or worker", "--role", "boss")]
    [InlineData("--join is missing: HOST:PORT or unix:/PATH", "--role", "worker")]
    [InlineData("--join 'nowhere' has no port: write HOST:PORT", "--role", "worker", "--join", "nowhere")]
    [InlineData("--join '99999' in '127.0.0.1:99999' is no port: give a number from 1 to 65535", "--role", "worker", "--join", "127.0.0.1:99999")]
    [InlineData("--join '-1' in '127.0.0.1:-1' is no port", "--role", "worker", "--join", "127.0.0.1:-1")]
    [InlineData("--join 'a b' in 'a b:7000' is no host name", "--role", "worker", "--join", "a b:7000")]
    [InlineData("--join 'unix:here' needs an absolute path", "--role", "worker", "--join", "unix:here")]
    [InlineData("nobody can listen at port 0 of '127.0.0.1:0': give the port that the listener printed", "--role", "worker", "--join", "127.0.0.1:0")]
    [InlineData("no coordinator lets this node in at 127.0.0.1:1 (cannot reach 127.0.0.1:1: Connection refused): start it first, or check --join", "--role", "worker", "--join", "127.0.0.1:1", "--patience", "1")]
    [InlineData("no coordinator lets this node in at unix:/none/c", "--role", "worker", "--join", "unix:/none/c", "--patience", "0.5")]
    [InlineData("the host 'none.invalid' cannot be found", "--role", "worker", "--join", "none.invalid:7000", "--patience", "1")]
    [InlineData("--patience 0: must be a number of seconds above 0 and at most 86400", "--role", "worker", "--join", "127.0.0.1:1", "--patience", "0")]
    [InlineData("--patience soon: must be a number of seconds", "--role", "worker", "--join", "127.0.0.1:1", "--patience", "soon")]
    [InlineData("--name ps-1: a worker is called worker-0 to worker-1023", "--role", "worker", "--join", "127.0.0.1:1", "--name", "ps-1")]
    [InlineData("--name worker-1024: a worker is called worker-0 to worker-1023", "--role", "worker", "--join", "127.0.0.1:1", "--name", "worker-1024")]
    [InlineData("--name ps-256: a ps is called ps-0 to ps-255", "--role", "ps", "--join", "127.0.0.1:1", "--listen", "127.0.0.1:7001", "--name", "ps-256")]
    [InlineData("--listen is missing: HOST:PORT or unix:/PATH", "--role", "ps", "--join", "127.0.0.1:1")]
    [InlineData("--tls nowhere: there is no such folder; 'cluster certs nowhere' makes one", "--role", "worker", "--join", "127.0.0.1:1", "--tls", "nowhere")]
    [InlineData("--monitor 0.0.0.0:0: other machines can reach this address", "--role", "worker", "--join", "127.0.0.1:1", "--monitor", "0.0.0.0:0")]
    [InlineData("put the token that they need into CLUSTER_MONITOR_TOKEN", "--role", "worker", "--join", "127.0.0.1:1", "--monitor", "0.0.0.0:0", "--insecure")]
    [InlineData("--listen 0.0.0.0:7001: the other nodes dial this very address", "--role", "ps", "--join", "127.0.0.1:1", "--listen", "0.0.0.0:7001", "--insecure")]
    [InlineData("--listen [::]:7001: the other nodes dial this very address", "--role", "ps", "--join", "127.0.0.1:1", "--listen", "[::]:7001", "--insecure")]
    [InlineData("--listen 0.0.0.0:7001: the other nodes dial this very address", "--role", "coordinator", "--run", "r", "--listen", "0.0.0.0:7001", "--membership", "akka", "--seeds", "a:7100", "--cluster-listen", "a:7100", "--insecure")]
    [InlineData("--listen a:0: the other nodes must know the port", "--role", "coordinator", "--run", "r", "--listen", "a:0", "--membership", "akka", "--seeds", "a:7100", "--cluster-listen", "a:7100")]
    [InlineData("--run DIR is missing: the folder with the run's config.yaml", "--role", "coordinator", "--listen", "127.0.0.1:0")]
    [InlineData("there is no run", "--role", "coordinator", "--run", "nowhere", "--listen", "127.0.0.1:0")]
    [InlineData("--devices-per-worker 65: must be a number from 1 to 64", "--role", "worker", "--join", "127.0.0.1:1", "--devices-per-worker", "65")]
    [InlineData("--devices-per-worker two: must be a number from 1 to 64", "--role", "worker", "--join", "127.0.0.1:1", "--devices-per-worker", "two")]
    [InlineData("--secret-file nowhere: ", "--role", "worker", "--join", "127.0.0.1:1", "--secret-file", "nowhere")]
    [InlineData("unknown option --jion; did you mean --join?", "--role", "coordinator", "--listen", "127.0.0.1:0", "--run", ".", "--jion", "x")]
    public void Mistake_with_node_is_one_line(string expected, params string[] arguments) => Mistaken(expected, ["node", .. arguments]);

    [Fact]
    public void Several_mistakes_with_node_are_all_told_at_once()
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, "node", "--role", "ps", "--join", "x", "--name", "worker-0", "--patience", "-1");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal(4, outcome.ErrorLines.Length);
    }

    private void Mistaken(string expected, string[] arguments)
    {
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, arguments);
        Assert.Equal(2, outcome.ExitCode);
        var line = Assert.Single(outcome.ErrorLines);
        Assert.StartsWith("cluster: ", line);
        Assert.Contains(expected, line);
        Assert.Empty(outcome.Output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_world.Folder));
    }
}
