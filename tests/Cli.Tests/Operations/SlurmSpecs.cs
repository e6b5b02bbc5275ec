using System.Net;
using System.Net.Sockets;
using Cluster.Cli.Hosting.Supervision;
using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Operations;

/// <summary>ops/slurm with commands of SLURM's names on PATH that start the processes on this machine: two hosts are two loopback addresses.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class SlurmSpecs : IDisposable
{
    private static readonly string Folder = Repository.PathOf("ops/slurm");

    private readonly World _world = new();

    public SlurmSpecs()
    {
        Directory.CreateDirectory(_world.PathOf("bin"));
        // Each task is a process that stands for the step's: signals to the step reach it, as slurmstepd hands them on.
        Script("srun", """
            tasks=1 host=
            while [[ ${1:-} == --* ]]; do
              case $1 in --ntasks=*) tasks=${1#*=} ;; --nodelist=*) host=${1#*=} ;; --overlap | --nodes=1 | --kill-on-bad-exit=0) ;; *) echo "srun: unknown option $1" >&2; exit 64 ;; esac
              shift
            done
            echo "$host $tasks $*" >>"$FAKE/steps"
            export SLURMD_NODENAME=$host
            if ((tasks == 1)); then SLURM_LOCALID=0 exec "$@"; fi
            children=()
            trap 'kill -TERM "${children[@]}" 2>/dev/null' TERM
            for ((i = 0; i < tasks; i++)); do SLURM_LOCALID=$i "$@" & children+=($!); done
            worst=0
            for child in "${children[@]}"; do
              while :; do wait "$child"; code=$?; kill -0 "$child" 2>/dev/null || break; done
              ((code <= worst)) || worst=$code
            done
            exit "$worst"
            """);
        Script("scontrol", """
            case $1 in
              show) tr ',' '\n' <<<"$3" ;;
              requeue) echo "$2" >>"$FAKE/requeued" ;;
              *) exit 64 ;;
            esac
            """);
    }

    public void Dispose()
    {
        // A spec that fails leaves the job's processes behind: their command lines name its folder.
        Processes.Run("pkill", "/", "-KILL", "-f", _world.PathOf("run"));
        _world.Dispose();
    }

    [Fact]
    public void Shellcheck_finds_nothing()
    {
        const string program = "/usr/bin/shellcheck";
        Assert.SkipUnless(File.Exists(program), "shellcheck is not on this machine: 'apt-get install shellcheck' brings it");
        var outcome = Processes.Run(program, Folder, "cluster.sbatch", "keep.sh");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Output + outcome.Error));
    }

    [Fact]
    public async Task Job_that_reaches_its_limit_is_requeued_and_goes_on_to_the_same_bits()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using (var job = Job(nodes: 2, cores: 1, Training.Arguments("run", Training.Steps, "--checkpoint-every", "1000")[1..]))
        {
            await job.CommittedAsync(folder, 2);
            job.Signal(CheckpointSignal.Number);
            await job.ToldAsync(folder, "checkpoint", "coordinator");
            RunEvents.Single(folder, "checkpoint-asked", "SIGUSR1");
            job.Signal(RunningCluster.Terminate);
            Assert.Equal(130, (await job.EndAsync()).ExitCode);
        }
        Assert.Equal(["4711"], File.ReadAllLines(_world.PathOf("requeued")));
        Assert.InRange(Training.CommittedSteps(folder), 2, Training.Steps - 1);
        var secret = Path.Combine(folder, "join-secret");
        Assert.Equal(64, File.ReadAllText(secret).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secret));

        // The same job again, on other hosts: one, with two cores.
        using var again = Job(nodes: 1, cores: 2, Training.Arguments("run", Training.Steps, "--checkpoint-every", "1000")[1..]);
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(await again.EndAsync()));
        Assert.Single(File.ReadAllLines(_world.PathOf("requeued")));
        var steps = File.ReadAllLines(_world.PathOf("steps"));
        Assert.Single(steps, static step => step.StartsWith("127.0.0.2 1 ", StringComparison.Ordinal) && step.Contains("--role ps --name ps-1", StringComparison.Ordinal));
        Assert.Single(steps, static step => step.StartsWith("127.0.0.1 2 ", StringComparison.Ordinal) && step.Contains("--role worker", StringComparison.Ordinal));
        Assert.DoesNotContain(File.ReadAllText(secret), string.Join(' ', steps));
    }

    [Fact]
    public async Task Node_that_dies_is_started_again_within_the_job()
    {
        var folder = Directory.CreateDirectory(_world.PathOf("run")).FullName;
        using var job = Job(nodes: 1, cores: 1, Training.Arguments("run", Training.Steps)[1..]);
        await job.CommittedAsync(folder, 2);
        var worker = Processes.Run("pgrep", _world.Folder, "-f", $"node --secret-file {folder}/join-secret .*--role worker").OutputLines;
        // The process itself comes after the script that keeps it.
        Assert.Equal(0, Processes.Run("/bin/sh", _world.Folder, "-c", $"kill -9 {worker.Max(int.Parse)}").ExitCode);
        var outcome = await job.EndAsync();
        Assert.Equal(Training.Expected(Training.Steps), Training.HashOf(outcome));
        Assert.Contains("died with code 137 and is started again", outcome.Error);
    }

    [Theory]
    [InlineData(new string[0], "the run's folder is missing")]
    [InlineData(new[] { "--steps", "4" }, "the run's folder comes first, before --steps")]
    [InlineData(new[] { "run", "--stepz", "4" }, "unknown option --stepz")]
    public async Task Mistake_ends_the_job_with_2_and_one_line_before_anything_is_started(string[] arguments, string expected)
    {
        using var job = Start(1, 1, arguments);
        var outcome = await job.EndAsync();
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
        Assert.False(File.Exists(_world.PathOf("steps")));
    }

    [Fact]
    public async Task Device_that_is_not_there_ends_the_job_before_anything_is_started()
    {
        using var job = Start(1, 1, [_world.PathOf("run"), "--data", "synthetic", "--batch", "64", "--steps", "4", "--device", "cuda:0"]);
        var outcome = await job.EndAsync();
        Assert.Equal(2, outcome.ExitCode);
        Assert.False(File.Exists(_world.PathOf("steps")));
    }

    private RunningCluster Job(int nodes, int cores, string[] options) => Start(nodes, cores, [_world.PathOf("run"), .. options.Where((word, i) => word != "--out" && (i == 0 || options[i - 1] != "--out"))]);

    private RunningCluster Start(int nodes, int cores, string[] arguments)
    {
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = $"{_world.PathOf("bin")}:{Environment.GetEnvironmentVariable("PATH")}",
            ["FAKE"] = _world.Folder,
            ["CLUSTER"] = Processes.Cluster,
            ["CLUSTER_PORT"] = $"{FreePorts()}",
            ["SLURM_JOB_ID"] = "4711",
            ["SLURM_JOB_NODELIST"] = string.Join(',', Enumerable.Range(1, nodes).Select(static i => $"127.0.0.{i}")),
            ["SLURM_CPUS_ON_NODE"] = $"{cores}",
            ["SLURM_SUBMIT_DIR"] = Repository.Root,
        };
        return RunningCluster.StartProgram("/usr/bin/env", _world.Folder, environment, ["--default-signal=INT,TERM", "bash", Path.Combine(Folder, "cluster.sbatch"), .. arguments]);
    }

    /// <summary>The first of a few neighbouring ports that nobody has just now.</summary>
    private static int FreePorts()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Any, 0));
        return Math.Min(((IPEndPoint)probe.LocalEndPoint!).Port, 65_000);
    }

    private void Script(string name, string body)
    {
        var path = _world.Write(Path.Combine("bin", name), $"#!/usr/bin/env bash\n{body}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
