using Cluster.Chaos.Proxy;
using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

public sealed class ProxySettingsSpecs
{
    [Fact]
    public void Orders_add_up_until_they_are_healed()
    {
        var settings = After("delay 50", "jitter 2.5", "rate 4", "black-hole-in", "corrupt-every 1000000");
        var both = new FlowFaults { Delay = TimeSpan.FromMilliseconds(50), Jitter = TimeSpan.FromMilliseconds(2.5), BytesPerSecond = 4e6, CorruptEvery = 1_000_000 };
        Assert.Equal(new ProxySettings(both, both with { IsBlackHole = true }), settings);
        Assert.Equal("delay 50 ms, jitter 2.5 ms, rate 4 MB/s, a flipped bit every 1000000 bytes, nothing passes in", settings.ToString());
        Assert.Equal(ProxySettings.None, settings.Obey("heal").Next);
        Assert.Equal("undisturbed", ProxySettings.None.ToString());
        Assert.Equal(ProxySettings.None, After("rate 4", "delay 5", "delay 0", "rate 0"));
        Assert.Equal("nothing passes", After("black-hole").ToString());
    }

    [Theory]
    [InlineData("corrupt", DamageKind.Corrupt, Limits.ProxyLargeSegmentBytes)]
    [InlineData("corrupt 1", DamageKind.Corrupt, 1)]
    [InlineData("  reorder   3000 ", DamageKind.Reorder, 3_000)]
    [InlineData("duplicate", DamageKind.Duplicate, Limits.ProxyLargeSegmentBytes)]
    public void Damage_is_done_once_and_changes_no_setting(string order, DamageKind kind, int bytes) =>
        Assert.Equal((ProxySettings.None, (ProxyAct)new ProxyAct.Damage(kind, bytes)), ProxySettings.None.Obey(order));

    [Theory]
    [InlineData("blackhole", "'blackhole' is no order; did you mean black-hole?")]
    [InlineData("delay", "write 'delay MS'")]
    [InlineData("delay 5 6", "write 'delay MS'")]
    [InlineData("cut 1", "write 'cut'")]
    [InlineData("delay x", "delay x: give a number from 0 to 60000")]
    [InlineData("delay -1", "delay -1: give a number from 0 to 60000")]
    [InlineData("rate 1e-9", "rate 1e-9: give 0 for no limit, or at least 0.001 MB/s")]
    [InlineData("delay NaN", "delay NaN: give a number")]
    [InlineData("reorder-every 100", "reorder-every 100: give 0 or at least 2896 bytes")]
    [InlineData("reorder 100", "reorder 100: give a number from 2896 to 262144")]
    public void Mistaken_order_is_one_line_that_says_what_to_write(string order, string expected)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => ProxySettings.None.Obey(order));
        Assert.StartsWith(expected, mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void Faults_at_the_same_time_add_their_delays_and_take_the_narrower_rate()
    {
        var one = new FlowFaults { Delay = TimeSpan.FromMilliseconds(10), BytesPerSecond = 5e6, CorruptEvery = 7 };
        var two = new FlowFaults { Delay = TimeSpan.FromMilliseconds(20), Jitter = TimeSpan.FromMilliseconds(3), BytesPerSecond = 4e6, CorruptEvery = 5, IsBlackHole = true };
        var both = new FlowFaults { Delay = TimeSpan.FromMilliseconds(30), Jitter = TimeSpan.FromMilliseconds(3), BytesPerSecond = 4e6, CorruptEvery = 5, IsBlackHole = true };
        Assert.Equal(both, one.And(two));
        Assert.Equal(both, two.And(one));
        Assert.Equal(one, one.And(FlowFaults.None));
    }

    private static ProxySettings After(params string[] orders) => orders.Aggregate(ProxySettings.None, static (settings, order) => settings.Obey(order).Next);
}
