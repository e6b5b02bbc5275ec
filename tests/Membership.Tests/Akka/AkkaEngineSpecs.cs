using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.Serialization;
using Akka.Actor;
using Cluster.Contracts;
using Cluster.Link;
using Cluster.Membership.Gossip;

namespace Cluster.Membership.Tests;

/// <summary>What is the Akka engine's own: who becomes the coordinator, what travels, and who is let near it.</summary>
[Trait("Clock", "wall")]
public sealed class AkkaEngineSpecs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Second_coordinator_stands_by_and_takes_the_seat_of_the_one_that_died()
    {
        await using var world = new AkkaWorld();
        await world.StartCoordinatorAsync();
        var worker = await world.StartAsync(MemberRole.Worker);
        var before = await worker.Views.AwaitAsync(static view => view.Members.Count == 1 && view.Coordinator is not null);
        using var standby = world.JoinCoordinator(address: "host:2");
        await Settled(standby);
        await world.StartAsync(MemberRole.Worker);
        await worker.Views.AwaitAsync(static view => view.Members.Count == 2);
        // Whoever would take the seat of a living one has had the time for it.
        Assert.False(standby.Seat.IsCompleted);
        await world.CrashCoordinatorAsync();
        await standby.Seat.WaitAsync(Patience);
        var after = await worker.Views.AwaitAsync(static view => view.Coordinator?.Address == "host:2" && view.Members.Count == 2);
        Assert.True(after.TermCandidate > before.TermCandidate);
        Assert.Equal(before.Members[0].Name, after.Members[0].Name);
        Assert.Equal(before.Members[0].Incarnation, after.Members[0].Incarnation);
    }

    [Fact]
    public async Task Coordinator_that_leaves_is_asked_for_its_seat_and_the_next_one_waits_until_it_has_let_go()
    {
        await using var world = new AkkaWorld();
        await world.StartCoordinatorAsync();
        using var standby = world.JoinCoordinator(address: "host:2");
        await Settled(standby);
        var lost = new TaskCompletionSource();
        using var registration = world.Seat!.Lost.Register(() => lost.TrySetResult());
        var ending = world.Engine.EndAsync();
        await lost.Task.WaitAsync(Patience);

        // The last checkpoint is still being written.
        Assert.False(standby.Seat.IsCompleted);
        world.Seat.Release();
        await ending.WaitAsync(Patience);
        await standby.Seat.WaitAsync(Patience);
    }

    [Fact]
    public async Task Coordinator_on_the_small_side_of_a_split_loses_its_seat_and_is_out()
    {
        await using var world = new AkkaWorld();
        var held = await world.StartHeldCoordinatorAsync();
        using var standby = world.JoinCoordinator(address: "host:2");
        await Settled(standby);
        using var lost = world.Seat!.Lost.Register(world.Seat.Release);
        await world.HoldAsync(held);
        await standby.Seat.WaitAsync(Patience);
        await world.Engine.Out.WaitAsync(Patience);
        Assert.True(world.Seat.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task Node_that_stands_still_for_too_long_is_out_and_comes_back_under_its_name()
    {
        await using var world = new AkkaWorld();
        await world.StartCoordinatorAsync();
        var node = await world.StartAsync(MemberRole.Worker);
        await node.Views.MembersAsync("worker-0");
        await world.PauseAsync(node);
        await world.Coordinator.MembersAsync("");
        Assert.Contains("declared", await AkkaWorld.EngineOf(node).Out.WaitAsync(Patience), StringComparison.Ordinal);
        var again = await world.StartAsync(MemberRole.Worker, "worker-0");
        var view = await again.Views.MembersAsync("worker-0");
        Assert.Equal(again.Incarnation, view.Members[0].Incarnation);
    }

    [Fact]
    public async Task Coordinator_that_cannot_open_its_register_is_out_and_the_next_one_gets_the_seat()
    {
        await using var world = new AkkaWorld();
        using var first = world.JoinCoordinator(refuses: "the disk is gone\nand so is the term");
        Assert.Equal("it cannot take the coordinator's seat: the disk is gone and so is the term", await first.Out.WaitAsync(Patience));
        Assert.False(first.Seat.IsCompleted);
        using var standby = world.JoinCoordinator(address: "host:2");
        await Settled(standby);
        Assert.False(standby.Seat.IsCompleted);
        await first.EndAsync().WaitAsync(Patience);
        await standby.Seat.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Process_that_is_started_again_at_its_address_keeps_its_place_whatever_becomes_of_the_one_before(bool wasSilent)
    {
        await using var world = new AkkaWorld();
        await world.StartCoordinatorAsync();
        var watcher = await world.StartAsync(MemberRole.ParameterServer);
        var before = await world.StartAsync(MemberRole.Worker, "worker-0");
        await watcher.Views.MembersAsync("ps-0 worker-0");
        var address = AkkaWorld.EngineOf(before).Listens;
        await world.CrashAsync(before);
        if (wasSilent) await watcher.Views.MembersAsync("ps-0");
        var again = await world.StartAsync(MemberRole.Worker, "worker-0", address);
        await watcher.Views.AwaitAsync(view => view.Members.Any(member => member.Incarnation == again.Incarnation));

        // The cluster takes it in when the old one is out, of which the coordinator may hear before or after.
        await Settled(AkkaWorld.EngineOf(again));
        await world.StartAsync(MemberRole.Worker, "worker-1");
        var after = await watcher.Views.MembersAsync("ps-0 worker-0 worker-1");
        // It may have been told to ask again as long as the old one had the name.
        Assert.Equal(again.Incarnation, after.Members[1].Incarnation);
    }

    [Fact]
    public async Task Process_without_the_secret_is_turned_away_and_both_sides_are_told()
    {
        var (said, heard) = (new TaskCompletionSource<string>(), new TaskCompletionSource<string>());
        using var seed = MembershipEngines.JoinAkka(Options("127.0.0.1:0", []) with { Secret = "the secret"u8.ToArray(), Say = sentence => Told(said, sentence, "secret") });
        using var stranger = MembershipEngines.JoinAkka(Options("127.0.0.1:0", [seed.Listens]) with { Secret = "another secret"u8.ToArray(), Say = sentence => Told(heard, sentence, "secret") });
        Assert.DoesNotContain('\n', await said.Task.WaitAsync(Patience));
        Assert.DoesNotContain('\n', await heard.Task.WaitAsync(Patience));
    }

    [Fact]
    public async Task Probe_that_asks_whether_the_port_is_open_is_nobody_who_was_turned_away()
    {
        var said = new ConcurrentQueue<string>();
        var garbage = new TaskCompletionSource<string>();
        using var seed = MembershipEngines.JoinAkka(Options("127.0.0.1:0", []) with
        {
            Say = sentence =>
            {
                said.Enqueue(sentence);
                Told(garbage, sentence, "turned away");
            },
        });
        for (var i = 0; i < 3; i++)
        {
            using var probe = new TcpClient("127.0.0.1", seed.Listens.Port);
        }
        using (var browser = new TcpClient("127.0.0.1", seed.Listens.Port))
        {
            await browser.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: membership\r\n\r\n"u8.ToArray());
            await garbage.Task.WaitAsync(Patience);
        }
        Assert.Single(said, static sentence => sentence.Contains("turned away", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Seeds_that_do_not_answer_are_named_in_one_line()
    {
        var said = new TaskCompletionSource<string>();
        using var lonely = MembershipEngines.JoinAkka(Options("127.0.0.1:0", [LinkAddress.Parse("127.0.0.1:1")]) with { Say = sentence => said.TrySetResult(sentence) });
        var sentence = await said.Task.WaitAsync(Patience);
        Assert.Contains("127.0.0.1:1", sentence, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', sentence);
    }

    /// <summary>Akka's actors wait for each other at the start; with its own pool of threads one start of two hundred stood still for 20 s and was deaf then.</summary>
    [Fact]
    public void Processes_that_start_on_a_busy_machine_come_up_at_once()
    {
        const int Starts = 200, AtOnce = 8;
        var begun = 0;
        var late = new ConcurrentQueue<TimeSpan>();
        var threads = Enumerable.Range(0, AtOnce).Select(_ => new Thread(() =>
        {
            while (Interlocked.Increment(ref begun) <= Starts)
            {
                var from = Stopwatch.GetTimestamp();
                using var engine = (AkkaMembership)MembershipEngines.JoinAkka(Options("127.0.0.1:0", []));
                if (Akka.Cluster.Cluster.Get(engine.System).IsTerminated || Stopwatch.GetElapsedTime(from) >= EngineConfiguration.Creation) late.Enqueue(Stopwatch.GetElapsedTime(from));
            }
        })).ToArray();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        Assert.Empty(late);
    }

    [Fact]
    public void Address_that_is_taken_is_the_users_mistake_and_says_which()
    {
        using var first = MembershipEngines.JoinAkka(Options("127.0.0.1:0", []));
        var mistake = Assert.Throws<UserMistakeException>(() => MembershipEngines.JoinAkka(Options(first.Listens.ToString(), [])));
        Assert.Contains(first.Listens.ToString(), mistake.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Types_that_nobody_registered_do_not_travel_in_either_direction()
    {
        using var engine = (AkkaMembership)MembershipEngines.JoinAkka(Options("127.0.0.1:0", []));
        var serialization = engine.System.Serialization;
        foreach (var stranger in (object[])[new Uri("http://host/"), new Dictionary<string, object>(), new { Name = "anonymous" }, new InvalidOperationException()])
        {
            var serializer = serialization.FindSerializerFor(stranger);
            Assert.IsType<MembershipSerializer>(serializer);
            Assert.Throws<SerializationException>(() => serializer.ToBinary(stranger));
        }

        // Newtonsoft's number is 1, protobuf's 2, remote deployment's 3: none of them is answered.
        foreach (var number in (int[])[1, 2, 3, 36])
            Assert.Throws<SerializationException>(() => serialization.Deserialize("{\"$type\":\"System.Uri, System.Private.Uri\",\"$\":\"http://host/\"}"u8.ToArray(), number, "System.Uri, System.Private.Uri"));
        Assert.Throws<SerializationException>(() => serialization.Deserialize([0x90], new MembershipSerializer((ExtendedActorSystem)engine.System).Identifier, "System.Uri"));
    }

    [Theory]
    [MemberData(nameof(Messages))]
    public void Words_of_the_membership_come_back_as_they_went(object message)
    {
        using var engine = (AkkaMembership)MembershipEngines.JoinAkka(Options("127.0.0.1:0", []));
        var serializer = Assert.IsType<MembershipSerializer>(engine.System.Serialization.FindSerializerFor(message));
        var bytes = serializer.ToBinary(message);
        var back = serializer.FromBinary(bytes, serializer.Manifest(message));
        Assert.Equal(bytes, serializer.ToBinary(back));
        for (var cut = 0; cut < bytes.Length; cut++) Assert.Throws<SerializationException>(() => serializer.FromBinary(bytes[..cut], serializer.Manifest(message)));
    }

    public static TheoryData<object> Messages()
    {
        var member = new Member("worker-1", MemberRole.Worker, 1, 300, "host:1", MemberState.Up);
        var view = new MembershipView(7, new Term(2), member, [member], "it joins");
        return [new MemberWelcome("worker-1", view), new MemberRefusal("no", true), view, new MemberLeaves("worker-1", 5), new CoordinatorCalls(new Term(2), 7), new MemberAnswers(-7, new MemberHello(null, MemberRole.Worker, 5, "a:1"))];
    }

    [Fact]
    public void Message_that_lacks_what_its_type_promises_is_refused()
    {
        using var engine = (AkkaMembership)MembershipEngines.JoinAkka(Options("127.0.0.1:0", []));
        var serializer = Assert.IsType<MembershipSerializer>(engine.System.Serialization.FindSerializerFor(new MemberLeaves("worker-1", 5)));
        foreach (var message in (object[])[new MemberLeaves(null!, 5), new MemberAnswers(1, null!), new MemberAnswers(1, new MemberHello(null, MemberRole.Worker, 5, null!)), new MembershipView(7, new Term(2), null, [null!], "it joins")])
            Assert.Throws<SerializationException>(() => serializer.FromBinary(serializer.ToBinary(message), serializer.Manifest(message)));
    }

    [Fact]
    public void Defaults_bring_the_next_coordinator_within_the_promised_time()
    {
        Assert.Equal(TimeSpan.FromSeconds(4), EngineTimes.Default.Detection);
        Assert.Equal(TimeSpan.FromSeconds(7), EngineTimes.Default.Succession);
        Assert.Equal(TimeSpan.FromSeconds(11), EngineTimes.Default.Takeover);
    }

    private static EngineOptions Options(string listen, IReadOnlyList<LinkAddress> seeds) =>
        new(MemberRole.Worker, null, 5, "", LinkAddress.Parse(listen), seeds) { Times = AkkaWorld.Times };

    private static void Told(TaskCompletionSource<string> heard, string sentence, string word)
    {
        if (sentence.Contains(word, StringComparison.Ordinal)) heard.TrySetResult(sentence);
    }

    /// <summary>It is in the cluster, beside those who were there before.</summary>
    private static async Task Settled(IMembershipEngine engine)
    {
        var cluster = Akka.Cluster.Cluster.Get(((AkkaMembership)engine).System);
        var up = new TaskCompletionSource();
        cluster.RegisterOnMemberUp(() => up.TrySetResult());
        await up.Task.WaitAsync(Patience);
    }
}
