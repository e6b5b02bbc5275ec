namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>The script ./cluster, from places where people call it. What it needs is built by then, so it only has to notice.</summary>
public sealed class ScriptSpecs : IDisposable
{
    private readonly World _world = new();
    private readonly string _script = Repository.PathOf("cluster");

    public void Dispose() => _world.Dispose();

    [Fact]
    public void From_another_folder_relative_paths_are_the_callers()
    {
        _world.Write("mine.yaml", "recipe: mine\nmodel: small-cnn\n");
        var outcome = Processes.Run(_script, _world.Folder, "train", "--check", "--recipe", "mine.yaml");
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("recipe: mine\n", outcome.Output);
    }

    [Fact]
    public void Through_a_symbolic_link_it_finds_its_own_folder()
    {
        File.CreateSymbolicLink(_world.PathOf("link"), _script);
        var outcome = Processes.Run(_world.PathOf("link"), _world.Folder, "version");
        Assert.Equal(0, outcome.ExitCode);
        Assert.StartsWith("cluster 0.", outcome.Output);
    }

    [Fact]
    public void The_exit_code_and_the_one_line_of_a_mistake_come_through()
    {
        var outcome = Processes.Run(_script, _world.Folder, "train", "--workers", "0");
        Assert.Equal(2, outcome.ExitCode);
        Assert.Equal("cluster: --workers 0: must be at least 1 and at most 1024", outcome.ErrorLines[^1]);
    }

    [Fact]
    public void Without_libtorch_and_without_the_right_to_install_it_says_what_to_do()
    {
        var line = Assert.Single(RunWithout().ErrorLines);
        Assert.Contains("missing: ", line);
        Assert.Contains("cmake", line);
        Assert.Contains("apt-get install -y --no-install-recommends", line);
    }

    [Fact]
    public void With_the_right_to_install_it_calls_apt_and_tells_when_apt_cannot()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root installs without asking");
        var outcome = RunWithout("#!/usr/bin/env bash\necho \"$@\" >>apt.log\necho 'E: Unable to locate package cmake'\nexit 100\n");
        Assert.Contains("installing ", outcome.ErrorLines[0]);
        Assert.Equal("E: Unable to locate package cmake", outcome.ErrorLines[1]);
        Assert.Contains("apt could not install", outcome.ErrorLines[^1]);
        var calls = File.ReadAllLines(_world.PathOf("apt.log"));
        Assert.Equal(3, calls.Length);
        Assert.StartsWith("install -y --no-install-recommends ", calls[0]);
        Assert.Equal("update", calls[1]);
        Assert.Equal(calls[0], calls[2]);
    }

    /// <summary>The script on a PATH that has neither cmake nor a compiler, nor sudo; with this apt-get, or none.</summary>
    private Outcome RunWithout(string? aptGet = null)
    {
        var bin = Directory.CreateDirectory(_world.PathOf("bin")).FullName;
        foreach (var tool in (string[])["bash", "env", "readlink", "dirname", "id", "head", "mktemp", "grep", "rm", "dotnet"])
        {
            var found = new[] { "/usr/bin", "/bin", "/usr/local/bin", "/usr/share/dotnet", "/usr/lib/dotnet" }.Select(folder => Path.Combine(folder, tool)).FirstOrDefault(File.Exists);
            Assert.SkipWhen(found is null, $"{tool} is in no usual folder on this machine");
            File.CreateSymbolicLink(Path.Combine(bin, tool), found);
        }
        if (aptGet is not null)
        {
            var path = Path.Combine(bin, "apt-get");
            File.WriteAllText(path, aptGet);
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        var outcome = Processes.Run("/usr/bin/env", _world.Folder, $"PATH={bin}", "bash", _script, "version");
        Assert.Equal(2, outcome.ExitCode);
        return outcome;
    }

    [Theory]
    [InlineData("./cluster test takes one filter", "test", "one", "two")]
    [InlineData("unknown option --verbose", "test", "--verbose")]
    public void The_test_verb_refuses_what_it_does_not_know(string expected, params string[] arguments)
    {
        var outcome = Processes.Run(_script, _world.Folder, arguments);
        Assert.Equal(2, outcome.ExitCode);
        Assert.Contains(expected, Assert.Single(outcome.ErrorLines));
    }
}
