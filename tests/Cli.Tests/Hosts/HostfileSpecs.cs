using Cluster.Cli.Launch.Hosts;
using Cluster.Cli.Nodes;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Hosts;

/// <summary>Hostfiles, and what is started where.</summary>
public sealed class HostfileSpecs
{
    [Fact]
    public void Lines_of_mpirun_DeepSpeed_and_horovodrun_are_read()
    {
        var hosts = Hostfile.Parse("# two racks\na slots=4   # new\n\nb\tslots=2 max_slots=8\r\nc:3\nme@d\n::1 slots=2\n10.0.0.7:1", "hosts");
        Assert.Equal([new("a", 4), new("b", 2), new("c", 3), new("me@d", 1), new("::1", 2), new("10.0.0.7", 1)], hosts);
        Assert.Equal("d", hosts[3].Address);
    }

    [Theory]
    [InlineData("a slots=0", "line 1: slots of a must be a whole number from 1 to 1024, not '0'")]
    [InlineData("a slots=x", "line 1: slots of a must be a whole number from 1 to 1024, not 'x'")]
    [InlineData("a:x", "line 1: slots of a must be a whole number from 1 to 1024, not 'x'")]
    [InlineData("a:2 slots=2", "line 1: a has its slots twice")]
    [InlineData("a 4", "line 1: '4' is not expected behind a host: write HOST slots=N, and comments behind #")]
    [InlineData("a gpus=4", "line 1: 'gpus' is not known: write HOST slots=N")]
    [InlineData("\na\nb\na slots=2", "line 4: a stands in line 2 already; write all its slots in one line")]
    [InlineData("-oProxyCommand=reboot", "line 1: '-oProxyCommand=reboot' is no host name and no IP address")]
    [InlineData("me@-x", "line 1: 'me@-x' is no host name and no IP address")]
    [InlineData("a;reboot", "line 1: 'a;reboot' is no host name and no IP address")]
    public void Wrong_lines_are_told_by_their_number(string text, string mistake) =>
        Assert.Equal($"hosts, {mistake}", Assert.Throws<UserMistakeException>(() => Hostfile.Parse(text, "hosts")).Message);

    [Fact]
    public void All_mistakes_are_told_at_once_and_an_empty_file_is_one()
    {
        Assert.Equal(2, Assert.Throws<UserMistakeException>(() => Hostfile.Parse("a x\nb y", "hosts")).Message.Split('\n').Length);
        Assert.Equal("hosts: there is no host in it; write one a line: HOST slots=N", Assert.Throws<UserMistakeException>(() => Hostfile.Parse("# none\n\n", "hosts")).Message);
        Assert.StartsWith("--hostfile /nowhere/hosts: ", Assert.Throws<UserMistakeException>(() => Hostfile.Read("/nowhere/hosts")).Message);
    }

    [Fact]
    public void Shards_are_dealt_one_host_after_another_and_workers_by_slots()
    {
        var plan = HostPlan.Over(Hostfile.Parse("a slots=2\nb slots=2\nc", "hosts"), "head", 29500, static _ => false, ps: 4, workers: 4);
        Assert.Equal("head:29500", plan.Coordinator.ToString());
        Assert.Equal(
            ["coordinator here head:29500", "ps-0 a a:29501", "ps-1 b b:29502", "ps-2 c c:29503", "ps-3 a a:29504", "worker-0 a ", "worker-1 a ", "worker-2 b ", "worker-3 b "],
            plan.Nodes.Select(static n => $"{n.Name} {n.Host ?? "here"} {n.Listen}"));
        Assert.Equal(5, HostPlan.Over(Hostfile.Parse("a slots=2\nb slots=2\nc", "hosts"), "head", 29500, static _ => false, 1, null).Nodes.Count(static n => n.Role == NodeOptions.Worker));
    }

    [Fact]
    public void What_lies_on_this_machine_needs_no_remote_shell_and_is_reached_by_its_address()
    {
        var plan = HostPlan.Over(Hostfile.Parse("localhost\nb", "hosts"), "10.0.0.1", 29500, static h => h == "localhost", ps: 2, workers: null);
        Assert.Equal([null, null, "b", null, "b"], plan.Nodes.Select(static n => n.Host));
        Assert.Equal("10.0.0.1:29501", plan.Nodes[1].Listen!.ToString());
        Assert.Equal("this machine: coordinator, ps-0, worker-0; b: ps-1, worker-1; the coordinator is at 10.0.0.1:29500", plan.ToString());
    }

    [Fact]
    public void More_workers_than_slots_are_a_mistake() =>
        Assert.Equal("--workers 4: the hostfile has 3 slots in all; write more behind its hosts (slots=N)",
            Assert.Throws<UserMistakeException>(() => HostPlan.Over(Hostfile.Parse("a slots=2\nb", "hosts"), "head", 29500, static _ => false, 1, 4)).Message);

    [Theory]
    [InlineData("worker-0", "worker-0")]
    [InlineData("/a b/c", "'/a b/c'")]
    [InlineData("$(reboot)", "'$(reboot)'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("", "''")]
    public void Words_pass_a_remote_shell_as_they_are(string word, string quoted) => Assert.Equal(quoted, RemoteShell.Quoted(word));

    [Fact]
    public void Secret_and_environment_travel_over_standard_input_and_no_byte_more_is_read()
    {
        using var pipe = new MemoryStream();
        using (var orders = new RemoteOrders(pipe, [new("CLUSTER_JOIN_SECRET", "a=b\nc ü"), new("CLUSTER_FAULTS", null)])) Assert.True(orders.Send(Cluster.Cli.Launch.ChildSignal.Terminate));
        pipe.Position = 0;
        Assert.Equal([new("CLUSTER_JOIN_SECRET", "a=b\nc ü"), new("CLUSTER_FAULTS", null)], RemoteInput.Environments(pipe));
        Assert.Equal((byte)'T', pipe.ReadByte());
        Assert.Equal(-1, pipe.ReadByte());
        Assert.Contains("standard input ended", Assert.Throws<UserMistakeException>(() => RemoteInput.Environments(new MemoryStream("A=b\n"u8.ToArray()))).Message);
        var (_, line) = new RemoteShell(["rsh", "-x"], "/opt/my cluster").Line("b", ["node", "--join", "a:1"]);
        Assert.DoesNotContain("SECRET", string.Join(' ', line));
        Assert.EndsWith("exec env CLUSTER_SUPERVISOR_PID=input '/opt/my cluster' node --join a:1", line[^1]);
    }
}
