using Cluster.Contracts;
using Cluster.Membership.Kubernetes;
using static Cluster.Membership.Tests.Kubernetes.PodJson;

namespace Cluster.Membership.Tests.Kubernetes;

/// <summary>The API server's answer as seeds, the good ones and the bad ones.</summary>
public sealed class PodListSpecs
{
    [Fact]
    public void Pods_of_a_set_are_named_as_their_service_names_them_in_the_order_of_their_ordinals()
    {
        var found = Seeds(List(OfSet("cluster-coordinator", 10, "10.0.0.1"), OfSet("cluster-coordinator", 2, "10.0.0.9"), OfSet("cluster-coordinator", 0, "10.0.0.7")));
        Assert.Equal(
            ["cluster-coordinator-0.cluster-coordinator.cluster.svc:7100", "cluster-coordinator-2.cluster-coordinator.cluster.svc:7100", "cluster-coordinator-10.cluster-coordinator.cluster.svc:7100"],
            found.Seeds.Select(static seed => seed.ToString()));
        Assert.Empty(found.LeftOut);
    }

    [Fact]
    public void Pods_of_no_set_are_named_by_their_address_in_the_order_of_their_names()
    {
        var found = Seeds(List(Plain("b-7f9c", "10.0.0.1"), Plain("a-6d2x", "10.0.0.2")));
        Assert.Equal(["10.0.0.2:7100", "10.0.0.1:7100"], found.Seeds.Select(static seed => seed.ToString()));
    }

    [Fact]
    public void Order_is_the_same_in_whatever_order_they_come()
    {
        string[] names = ["ps-0", "a-10", "a-2", "a", "a-x", "a-02", "a-99999999999999999999999", "a-3", "10", "b-1-0", "a-1-0", "b"];
        var pods = names.Select((name, i) => Plain(name, $"10.0.0.{i + 1}")).ToArray();
        var expected = Seeds(List(pods)).Seeds;
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            random.Shuffle(pods);
            Assert.Equal(expected, Seeds(List(pods)).Seeds);
        }
        Assert.Equal(names.Length, expected.Distinct().Count());
    }

    [Fact]
    public void Whoever_is_no_seed_is_left_out_with_its_reason()
    {
        var found = Seeds(List(
            OfSet("c", 0, "10.0.0.1", deletion: "2026-11-22T10:00:00Z"), OfSet("c", 1, "10.0.0.2", phase: "Failed"), OfSet("c", 2, "10.0.0.3", phase: "Succeeded"), OfSet("c", 3, ""),
            Plain("x-0", null, "Pending"), Plain("x-1", "fd00::5"), Plain("x-2", "10.0.0.07"), OfSet("c", 4, "10.0.0.4", phase: "Pending")));
        Assert.Equal("c-4.c.cluster.svc:7100", Assert.Single(found.Seeds).ToString());
        Assert.Equal(["c-0 is ending", "c-1 has failed", "c-2 is done", "c-3 has no address yet", "x-0 has no address yet", "x-1 has only IPv6 addresses, which the engine does not take", "x-2 has no address yet"], found.LeftOut);
    }

    [Fact]
    public void Pod_of_a_set_with_only_an_address_of_the_sixth_version_is_a_seed_since_it_has_a_name()
    {
        var found = Seeds(List(OfSet("c", 1, "fd00::6"), OfSet("c", 0, "10.0.0.1"), OfSet("c", 2, "fd00::7", phase: "Failed"), OfSet("c", 3, "fd00::8", deletion: "2026-11-22T10:00:00Z")));
        Assert.Equal(["c-0.c.cluster.svc:7100", "c-1.c.cluster.svc:7100"], found.Seeds.Select(static seed => seed.ToString()));
        Assert.Equal(["c-2 has failed", "c-3 is ending"], found.LeftOut);
    }

    [Theory]
    [InlineData("""{"podIPs":["10.0.0.1",7,null,{"ip":"nowhere"},{"ip":"10.1.2.3"}]}""")]
    [InlineData("""{"podIP":"nowhere","podIPs":[{"ip":"10.1.2.3"},{"ip":"10.1.2.4"}]}""")]
    public void Address_that_is_none_is_passed_over(string status) =>
        Assert.Equal("10.1.2.3:7100", Assert.Single(Seeds(List($$"""{"metadata":{"name":"a","namespace":"n"},"status":{{status}}}""")).Seeds).ToString());

    [Theory]
    [InlineData("A_B", "c")]
    [InlineData("a", "c.d")]
    public void Pod_whose_hostname_is_none_is_named_by_its_address(string hostname, string subdomain) =>
        Assert.Equal("10.1.2.3:7100", Assert.Single(Seeds(List($$"""{"metadata":{"name":"a","namespace":"n"},"spec":{"hostname":"{{hostname}}","subdomain":"{{subdomain}}"},"status":{"podIP":"10.1.2.3"} }""")).Seeds).ToString());

    [Fact]
    public void Of_two_kinds_of_addresses_the_fourth_version_is_taken()
    {
        var found = Seeds(List("""{"metadata":{"name":"a","namespace":"n"},"status":{"podIP":"fd00::5","podIPs":[{"ip":"fd00::5"},{"ip":"10.1.2.3"}]}}"""));
        Assert.Equal("10.1.2.3:7100", Assert.Single(found.Seeds).ToString());
    }

    [Theory]
    [InlineData("""{"kind":"PodList"}""")]
    [InlineData("""{"kind":"PodList","metadata":null,"items":null}""")]
    [InlineData("""{"kind":"PodList","metadata":{"continue":""},"items":[]}""")]
    public void List_without_pods_is_one(string json) => Assert.Empty(PodList.Read(Bytes(json)));

    [Theory]
    [InlineData("""{"metadata":{"name":"a","namespace":"n"}}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"n","deletionTimestamp":null},"spec":null,"status":null}""")]
    [InlineData("""{"metadata":{"name":"a","namespace":"n"},"spec":{"hostname":null,"subdomain":null},"status":{"podIP":null,"podIPs":null,"phase":null}}""")]
    public void Null_is_as_absent_and_such_a_pod_has_no_address(string pod) => Assert.Equal(["a has no address yet"], Seeds(List(pod)).LeftOut);

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("7")]
    [InlineData("<html>502</html>")]
    [InlineData("""{"kind":"Status","code":200}""")]
    [InlineData("""{"kind":null,"items":[]}""")]
    [InlineData("""{"kind":"PodList","items":{}}""")]
    [InlineData("""{"kind":"PodList","items":[null]}""")]
    [InlineData("""{"kind":"PodList","items":["a"]}""")]
    [InlineData("""{"kind":"PodList","items":[{}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":null}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":null,"namespace":"n"}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"a"}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"a\nb","namespace":"n"}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"\ud800","namespace":"n"}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"A_B","namespace":"n"}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"n"},"status":{"podIP":7}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"n"},"status":"Running"}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"n","deletionTimestamp":true}}]}""")]
    [InlineData("""{"kind":"PodList","items":[{"metadata":{"name":"a","namespace":"n"}},{"metadata":{"name":"a","namespace":"n"}}]}""")]
    public void What_is_no_list_of_pods_is_refused_as_a_whole_in_one_line(string json)
    {
        var refusal = Assert.Throws<PodsUnknownException>(() => PodList.Read(Bytes(json)));
        Assert.StartsWith("the API server's answer is no list of pods", refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.False(refusal.IsFinal);
    }

    [Fact]
    public void List_that_is_cut_off_anywhere_is_refused()
    {
        var whole = Bytes(List(OfSet("c", 0, "10.0.0.1"), OfSet("c", 1, "10.0.0.2")));
        for (var length = 0; length < whole.Length; length++) Assert.Throws<PodsUnknownException>(() => PodList.Read(whole.AsMemory(0, length)));
        Assert.Equal(2, PodList.Read(whole).Count);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_refused() =>
        Assert.Throws<PodsUnknownException>(() => PodList.Read((byte[])[.. """{"kind":"PodList","items":[{"metadata":{"name":"a"""u8, 0xFF, 0xFE, .. "\",\"namespace\":\"n\"}}]}"u8]));

    [Fact]
    public void Half_a_list_of_too_many_pods_is_refused_for_good()
    {
        var refusal = Assert.Throws<PodsUnknownException>(() => PodList.Read(Bytes("""{"kind":"PodList","metadata":{"continue":"eyJ2"},"items":[]}""")));
        Assert.True(refusal.IsFinal);
        Assert.Contains(Limits.SeedPods.ToString(), refusal.Message, StringComparison.Ordinal);
        var many = List([.. Enumerable.Range(0, Limits.SeedPods + 1).Select(static i => Plain($"p-{i}", "10.0.0.1"))]);
        Assert.True(Assert.Throws<PodsUnknownException>(() => PodList.Read(Bytes(many))).IsFinal);
    }
}
