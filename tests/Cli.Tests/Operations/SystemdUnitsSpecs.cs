using Cluster.Cli.Tests.EndToEnd;

namespace Cluster.Cli.Tests.Operations;

/// <summary>ops/systemd: what systemd says of the units, and what the program says of their command lines.</summary>
public sealed class SystemdUnitsSpecs : IDisposable
{
    private static readonly string Folder = Repository.PathOf("ops/systemd");

    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    public static TheoryData<string> Services => [.. Directory.EnumerateFiles(Folder, "*.service").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    [Fact]
    public void Systemd_accepts_every_unit_without_a_word()
    {
        var units = Directory.EnumerateFiles(Folder).Where(static path => Path.GetExtension(path) is ".service" or ".target").ToArray();
        Assert.True(units.Length >= 4, $"only {units.Length} units");
        Verify(units);
    }

    [Fact]
    public void Systemd_accepts_the_drop_ins()
    {
        foreach (var unit in Directory.EnumerateFiles(Folder).Where(static path => Path.GetExtension(path) is ".service" or ".target"))
        {
            File.Copy(unit, _world.PathOf(Path.GetFileName(unit)));
            var role = Path.GetFileNameWithoutExtension(unit)["cluster".Length..].Trim('-', '@');
            if (role.Length == 0) continue;
            var place = Directory.CreateDirectory(_world.PathOf(Path.GetFileName(unit) + ".d")).FullName;
            File.Copy(Path.Combine(Folder, $"tls-{role}.conf"), Path.Combine(place, "tls.conf"));
            if (role == "worker") File.Copy(Path.Combine(Folder, "gpu.conf"), Path.Combine(place, "gpu.conf"));
        }
        Verify([.. Directory.EnumerateFiles(_world.Folder)]);
    }

    /// <summary>What the verification above rests on: this systemd speaks up about what it does not know.</summary>
    [Fact]
    public void Systemd_complains_of_a_unit_that_is_wrong()
    {
        var unit = _world.Write("cluster-coordinator.service", File.ReadAllText(Path.Combine(Folder, "cluster-coordinator.service")).Replace("WatchdogSec=", "WatchdogSecs=", StringComparison.Ordinal));
        Assert.Contains("WatchdogSecs", Analyze(unit).Error);
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Every_flag_is_one_that_the_program_knows_and_the_secret_is_no_argument(string file)
    {
        var command = Assert.Single(Values(file, "ExecStart"));
        Assert.StartsWith("/usr/bin/env cluster node ", command, StringComparison.Ordinal);
        var words = command.Split(' ')[2..];
        KnownFlags.Assert(words, file);
        Assert.Equal("${CREDENTIALS_DIRECTORY}/join-secret", words[Array.IndexOf(words, "--secret-file") + 1]);
        Assert.Contains("join-secret:/etc/cluster/join-secret", Values(file, "LoadCredential"));
        // The role of the file's name.
        Assert.Equal(file["cluster-".Length..].Split('@', '.')[0], words[Array.IndexOf(words, "--role") + 1]);
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void What_no_restart_mends_is_not_restarted_and_an_orderly_stop_is_no_failure(string file)
    {
        Assert.Equal(["notify"], Values(file, "Type"));
        Assert.Equal(["on-failure"], Values(file, "Restart"));
        Assert.Equal([$"{Cluster.Cli.Verbs.ExitCodes.BadInput}"], Values(file, "RestartPreventExitStatus"));
        Assert.Equal([$"{Cluster.Cli.Verbs.ExitCodes.Interrupted}"], Values(file, "SuccessExitStatus"));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void Process_may_do_nothing_but_its_work(string file)
    {
        foreach (var setting in (string[])["NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "RestrictSUIDSGID=yes", "ProtectKernelModules=yes", "CapabilityBoundingSet=", "UMask=0077", "User=cluster"])
            Assert.Contains(setting, File.ReadAllLines(Path.Combine(Folder, file)));
    }

    private static string[] Values(string file, string key) =>
        [.. File.ReadAllLines(Path.Combine(Folder, file)).Where(line => line.StartsWith(key + "=", StringComparison.Ordinal)).Select(line => line[(key.Length + 1)..])];

    private static void Verify(string[] units)
    {
        var outcome = Analyze(units);
        // An unknown key is a warning and no error to it.
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Output + outcome.Error));
    }

    private static Outcome Analyze(params string[] units)
    {
        const string program = "/usr/bin/systemd-analyze";
        Assert.SkipUnless(File.Exists(program), "systemd-analyze is not on this machine: 'apt-get install systemd' brings it");
        return Processes.Run(program, Folder, ["verify", .. units]);
    }
}
