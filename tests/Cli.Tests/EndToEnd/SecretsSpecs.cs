using System.Text;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>Secrets stay where they are needed: not in what is printed, nor in the run's folder, nor in the process list.</summary>
[Collection(SeveralProcesses.Name)]
[Trait("Clock", "wall")]
public sealed class SecretsSpecs : IDisposable
{
    private const string Secret = "c0ffee-join-secret-c0ffee", Token = "c0ffee-page-token-c0ffee";

    private readonly World _world = new();

    private string Folder => _world.PathOf("run");

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("json")]
    [InlineData("text")]
    public async Task Known_secret_and_token_of_a_launch_are_found_nowhere(string log)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "there is no /proc here");
        Directory.CreateDirectory(Folder);
        var environment = new Dictionary<string, string> { ["CLUSTER_JOIN_SECRET"] = Secret, ["CLUSTER_MONITOR_TOKEN"] = Token };
        using var cluster = RunningCluster.Start(_world.Folder, environment, Training.Launch("run", Training.ShortSteps, "--workers", "2", "--ps", "2", "--monitor", "0.0.0.0:0", "--insecure",
            "--log", log, "--trace-every", "1", "--checkpoint-every", "4", "--fault", "kill:worker-1@3"));
        await cluster.CommittedAsync(Folder, 5);
        var processes = new HashSet<string>(RunEvents.Of(Folder).Where(static e => e.Kind == "process-started").Select(static e => e.Sentence.Split(' ')[^1].TrimEnd('.')));
        Assert.True(processes.Count >= 5, "the processes of the run are not known");
        var seen = 0;
        foreach (var process in Directory.EnumerateDirectories("/proc").Where(static path => int.TryParse(Path.GetFileName(path), out _)))
        {
            if (CommandLineOf(process) is not { } line) continue;
            if (processes.Contains(Path.GetFileName(process))) seen++;
            Assert.DoesNotContain(Secret, line);
            Assert.DoesNotContain(Token, line);
        }
        Assert.True(seen > 0, "no process of the run was looked at");
        var outcome = await cluster.EndAsync();
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains($"state sha256 {Training.Expected(Training.ShortSteps)}", outcome.OutputLines[^1]);
        Assert.Contains("with the token of CLUSTER_MONITOR_TOKEN", outcome.Output);
        AssertNowhere(outcome, Secret);
        AssertNowhere(outcome, Token);
    }

    [Fact]
    public void Token_that_a_run_makes_itself_lies_in_one_file_that_its_owner_alone_reads()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "files have no modes here");
        var outcome = Processes.Run(Processes.Cluster, _world.Folder, Training.Arguments("run", 2, "--monitor", "0.0.0.0:0", "--insecure"));
        Assert.NotEmpty(Training.HashOf(outcome));
        var file = Path.Combine(Folder, "monitor");
        var token = File.ReadAllLines(file)[1];
        Assert.Matches("^[0-9a-f]{32}$", token);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Contains($"with the token that is the second line of {file}", outcome.Output);
        File.Delete(file);
        AssertNowhere(outcome, token);
    }

    private void AssertNowhere(Outcome outcome, string secret)
    {
        Assert.DoesNotContain(secret, outcome.Output);
        Assert.DoesNotContain(secret, outcome.Error);
        var files = Directory.GetFiles(Folder, "*", SearchOption.AllDirectories);
        Assert.Contains(files, static path => Path.GetFileName(path) == "config.yaml");
        foreach (var needle in (byte[][])[Encoding.UTF8.GetBytes(secret), Encoding.Unicode.GetBytes(secret)])
            foreach (var file in files) Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(needle) < 0, $"{file} holds a secret");
    }

    private static string? CommandLineOf(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
