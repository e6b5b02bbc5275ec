using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests.Protocol;

public sealed class ReplicaProtocolSpecs
{
    private const long Claimant = 77;
    private static readonly ShardId Shard = new(1);
    private static readonly NodeId Here = new(0, 1), There = new(1, 1);
    private static readonly ReplicaId Id = new(Shard, Here);
    private static readonly Term Second = new(2), Third = new(3);

    private static CommitRecord Record(long step, bool applied = true, long term = 2) =>
        new(new Term(term), new StepId(step), 1, 0, 4, 1, 0.5, 1, 1, 0.1, applied, [new LeafRecord(new WorkerId(0), 4, 9)]);

    private static SumKey Sum(long step, int attempt = 1) => new(Second, new StepId(step), attempt);

    private static GradientNode Node(long step, int leaf, int attempt = 1, int leaves = 2) =>
        new(Second, new StepId(step), attempt, TreeNode.Leaf(leaf), leaves, new WorkerId(0), 0, null!, default);

    /// <summary>A slot in term 2, at version 4, in this role.</summary>
    private static ReplicaState At(ReplicaRole role, bool withStandby = true)
    {
        var place = role switch
        {
            ReplicaRole.Primary => new ShardPlace(Shard, Here, withStandby ? There : null),
            ReplicaRole.Standby => new ShardPlace(Shard, There, Here),
            _ => null,
        };
        return ReplicaState.Empty(Id, Term.First) with
        {
            Promised = Second,
            Claimant = Claimant,
            Place = place,
            Version = new WeightsVersion(4),
            Confirmed = new WeightsVersion(4),
            HasPrevious = true,
            AppliedSteps = 4,
            Records = [Record(3), Record(4)],
        };
    }

    private static (ReplicaState State, ImmutableArray<ReplicaEffect> Effects) After(ReplicaState state, params IReplicaInput[] inputs)
    {
        ImmutableArray<ReplicaEffect> effects = [];
        foreach (var input in inputs) (state, effects) = ReplicaProtocol.Advance(state, input);
        return (state, effects);
    }

    private static string Refusal(ImmutableArray<ReplicaEffect> effects) => Assert.Single(effects.OfType<ReplicaEffect.Refuse>()).Reason;

    [Fact]
    public void A_sum_without_its_empty_leaves_is_whole_and_nodes_of_another_shape_are_refused()
    {
        var state = At(ReplicaRole.Primary);
        foreach (var bad in new int[][] { [2], [-1], [1, 0] }) Assert.Equal("another number of leaves", Refusal(After(state, Node(5, 0) with { EmptyLeaves = bad }).Effects));
        Assert.Equal("node that is not in the tree", Refusal(After(state, Node(5, 1) with { EmptyLeaves = [1] }).Effects));
        (state, _) = After(state, Node(5, 0, leaves: 3) with { EmptyLeaves = [1] });
        Assert.Equal("another number of leaves", Refusal(After(state, Node(5, 2, leaves: 3)).Effects));
        var (_, effects) = After(state, Node(5, 2, leaves: 3) with { EmptyLeaves = [1] });
        var program = Assert.Single(effects.OfType<ReplicaEffect.Reduce>()).Program;
        Assert.Equal([TreeNode.Leaf(0), TreeNode.Leaf(2)], program.Nodes);
        Assert.Single(program.Additions);
    }

    [Fact]
    public void A_term_is_promised_once_and_to_one_claimant()
    {
        var (state, effects) = After(At(ReplicaRole.Primary), new ClaimTerm(Third, 5, Shard));
        Assert.Equal((Third, 5L, null), (state.Promised, state.Claimant, state.Place));
        var promised = Assert.IsType<TermPromised>(effects.OfType<ReplicaEffect.Answer>().Single().Message);
        Assert.Equal((new WeightsVersion(4), true, true, 2), (promised.Report.Version, promised.Report.HasPrevious, promised.Report.WasPrimary, promised.Report.Records.Count));
        Assert.IsType<ReplicaEffect.ReleaseNodes>(effects[0]);

        // The same claim again: the same answer, and nothing is let go of.
        (var again, effects) = After(state, new ClaimTerm(Third, 5, Shard));
        Assert.Equal(state, again);
        Assert.IsType<TermPromised>(Assert.IsType<ReplicaEffect.Answer>(Assert.Single(effects)).Message);

        foreach (var other in new[] { new ClaimTerm(Third, 6, Shard), new ClaimTerm(Second, 5, Shard) })
        {
            (again, effects) = After(state, other);
            Assert.Equal(state, again);
            Assert.Equal(new TermRefused(other.Term, Third, Id), effects.OfType<ReplicaEffect.Answer>().Single().Message);
        }
    }

    [Fact]
    public void An_empty_replica_obeys_nobody_up_to_its_floor()
    {
        var empty = ReplicaState.Empty(Id, Second);
        Assert.IsType<TermRefused>(After(empty, new ClaimTerm(Second, 5, Shard)).Effects.OfType<ReplicaEffect.Answer>().Single().Message);
        Assert.IsType<TermPromised>(After(empty, new ClaimTerm(Third, 5, Shard)).Effects.OfType<ReplicaEffect.Answer>().Single().Message);
    }

    public static TheoryData<string> Orders => ["hold", "load", "apply", "snapshot", "report"];

    private static IReplicaInput Order(string name, Term term) => name switch
    {
        "hold" => new HoldPlace(term, new ShardPlace(Shard, Here, null), false),
        "load" => new LoadShard(term, new WeightsVersion(4), null!, new Dictionary<string, NativeBuffer>(), 4, default),
        "apply" => new ApplyStep(term, Record(5), Sum(5), default),
        "snapshot" => new SnapshotShard(term, new WeightsVersion(4)),
        _ => new ReportAgain(Sum(5) with { Term = term }, Shard),
    };

    [Theory]
    [MemberData(nameof(Orders))]
    public void An_order_of_an_old_term_has_no_effect_and_its_sender_is_told(string order)
    {
        var state = At(ReplicaRole.Primary);
        var (next, effects) = After(state, Order(order, Term.First));
        Assert.Equal(state, next);
        Assert.Equal("stale term", Refusal(effects));
        Assert.Equal(new TermRefused(Term.First, Second, Id), effects.OfType<ReplicaEffect.Answer>().Single().Message);
        // One that was never promised has no effect either, and nobody to tell.
        (next, effects) = After(state, Order(order, Third));
        Assert.Equal(state, next);
        Assert.Equal("term that was not promised", Refusal(effects));
    }

    [Fact]
    public void A_complete_tree_is_reduced_once_and_its_sum_goes_to_the_standby()
    {
        var (state, effects) = After(At(ReplicaRole.Primary), Node(5, 0), Node(5, 1));
        Assert.Equal([typeof(ReplicaEffect.Keep), typeof(ReplicaEffect.Reduce), typeof(ReplicaEffect.SendSum)], effects.Select(e => e.GetType()));
        Assert.Equal((Sum(5), null), (state.Sum, state.Gathering));
        Assert.Equal("node of a reduced attempt", Refusal(After(state, Node(5, 1)).Effects));
        Assert.Equal("node duplicate", Refusal(After(At(ReplicaRole.Primary), Node(5, 0), Node(5, 0)).Effects));
        Assert.Equal("stale step", Refusal(After(state, Node(4, 0)).Effects));
        Assert.Equal("stale step", Refusal(After(state, Node(6, 0)).Effects));
        Assert.Equal("another number of leaves", Refusal(After(At(ReplicaRole.Primary), Node(5, 0), Node(5, 1, leaves: 3)).Effects));
        Assert.IsType<ReplicaEffect.ReportSum>(Assert.Single(After(state, new ReportAgain(Sum(5), Shard)).Effects));
        Assert.Empty(After(At(ReplicaRole.Primary), new ReportAgain(Sum(5), Shard)).Effects);
    }

    [Fact]
    public void The_next_attempt_voids_the_nodes_of_the_one_before()
    {
        var (state, effects) = After(At(ReplicaRole.Primary), Node(5, 0, attempt: 1), Node(5, 1, attempt: 2));
        Assert.Equal([typeof(ReplicaEffect.ReleaseNodes), typeof(ReplicaEffect.Keep)], effects.Select(e => e.GetType()));
        Assert.Equal("stale attempt", Refusal(After(state, Node(5, 0, attempt: 1)).Effects));
        (state, effects) = After(state, new StepAbandoned(Second, new StepId(5), 2, "a leaf is not finite", default));
        Assert.Equal((null, null), (state.Gathering, state.Tree));
        Assert.IsType<ReplicaEffect.ReleaseNodes>(Assert.Single(effects));
    }

    [Fact]
    public void A_primary_with_a_standby_shows_a_version_only_after_the_standby_has_it()
    {
        var (state, effects) = After(At(ReplicaRole.Primary), Node(5, 0), Node(5, 1), new ApplyStep(Second, Record(5), Sum(5), default));
        Assert.Equal((new WeightsVersion(5), new WeightsVersion(4), 5L), (state.Version!.Value, state.Confirmed!.Value, state.AppliedSteps));
        Assert.Equal([typeof(ReplicaEffect.ReleaseNodes), typeof(ReplicaEffect.Apply), typeof(ReplicaEffect.ToStandby)], effects.Select(e => e.GetType()));
        Assert.Equal("weights that are not held", Refusal(After(state, new RequestWeights(Second, new WeightsVersion(5), Shard, new WorkerId(0))).Effects));
        Assert.True(Assert.IsType<ReplicaEffect.SendWeights>(Assert.Single(After(state, new RequestWeights(Second, new WeightsVersion(4), Shard, new WorkerId(0))).Effects)).IsPrevious);
        // The average has moved on with the version that the standby may lack, and there is none of the version before.
        Assert.Equal("average that is not held", Refusal(After(state, new RequestWeights(Second, new WeightsVersion(5), Shard, new WorkerId(0), IsAverage: true)).Effects));
        Assert.Equal("average that is not held", Refusal(After(state, new RequestWeights(Second, new WeightsVersion(4), Shard, new WorkerId(0), IsAverage: true)).Effects));
        // Told again while the standby is silent, it asks the standby again.
        Assert.IsType<ReplicaEffect.ToStandby>(Assert.Single(After(state, new ApplyStep(Second, Record(5), Sum(5), default)).Effects));
        Assert.IsType<StandbyApply>(Assert.IsType<ReplicaEffect.ToStandby>(After(state, new StandbyLacksSum(Second, Shard, Sum(5))).Effects[1]).Message);

        (state, effects) = After(state, new StandbyApplied(Second, Shard, new WeightsVersion(5)));
        Assert.Equal([typeof(ReplicaEffect.Publish), typeof(ReplicaEffect.Answer)], effects.Select(e => e.GetType()));
        Assert.IsType<ReplicaEffect.SendAverage>(Assert.Single(After(state, new RequestWeights(Second, new WeightsVersion(5), Shard, new WorkerId(0), IsAverage: true)).Effects));
        Assert.Equal("version that is confirmed", Refusal(After(state, new StandbyApplied(Second, Shard, new WeightsVersion(5))).Effects));
        Assert.IsType<ShardApplied>(Assert.IsType<ReplicaEffect.Answer>(Assert.Single(After(state, new ApplyStep(Second, Record(5), Sum(5), default)).Effects)).Message);
    }

    [Fact]
    public void A_primary_alone_applies_shows_and_reports_at_once()
    {
        var (state, effects) = After(At(ReplicaRole.Primary, withStandby: false), Node(5, 0), Node(5, 1), new ApplyStep(Second, Record(5), Sum(5), default));
        Assert.Equal([typeof(ReplicaEffect.ReleaseNodes), typeof(ReplicaEffect.Apply), typeof(ReplicaEffect.Publish), typeof(ReplicaEffect.Answer)], effects.Select(e => e.GetType()));
        Assert.Equal(state.Version, state.Confirmed);
        Assert.Equal([3L, 4L, 5L], state.Records.Select(r => r.Step.Value));
    }

    [Fact]
    public void A_skipped_step_needs_no_sum_and_counts_no_applied_step()
    {
        var (state, _) = After(At(ReplicaRole.Primary, withStandby: false), new ApplyStep(Second, Record(5, applied: false), Sum(5), default));
        Assert.Equal((new WeightsVersion(5), 4L), (state.Version!.Value, state.AppliedSteps));
    }

    [Fact]
    public void A_record_beyond_the_next_or_without_its_sum_is_a_bug_and_throws()
    {
        Assert.Contains("holds version 4", Assert.Throws<StepProtocolException>(() => After(At(ReplicaRole.Primary), new ApplyStep(Second, Record(7), Sum(7), default))).Message);
        Assert.Contains("sum of nothing", Assert.Throws<StepProtocolException>(() => After(At(ReplicaRole.Primary), new ApplyStep(Second, Record(5), Sum(5), default))).Message);
    }

    [Fact]
    public void A_standby_follows_its_primary_and_says_what_it_lacks()
    {
        var standby = At(ReplicaRole.Standby);
        var apply = new StandbyApply(Second, Shard, Record(5), Sum(5));
        Assert.Equal(new StandbyLacksSum(Second, Shard, Sum(5)), Assert.IsType<ReplicaEffect.ToPrimary>(Assert.Single(After(standby, apply).Effects)).Message);
        var (state, effects) = After(standby, new StandbySum(Second, Shard, Sum(5), null!), apply);
        Assert.Equal([typeof(ReplicaEffect.ReleaseNodes), typeof(ReplicaEffect.Apply), typeof(ReplicaEffect.ToPrimary)], effects.Select(e => e.GetType()));
        Assert.Equal(new StandbyApplied(Second, Shard, new WeightsVersion(5)), ((ReplicaEffect.ToPrimary)effects[2]).Message);
        // Again: the same answer, and nothing is applied twice.
        Assert.IsType<StandbyApplied>(Assert.IsType<ReplicaEffect.ToPrimary>(Assert.Single(After(state, apply).Effects)).Message);
        Assert.Equal("sum that is kept", Refusal(After(standby, new StandbySum(Second, Shard, Sum(5), null!), new StandbySum(Second, Shard, Sum(5), null!)).Effects));
        Assert.Equal("record beyond the next", Refusal(After(standby, new StandbyApply(Second, Shard, Record(6), Sum(6))).Effects));
        Assert.Equal("not for a standby", Refusal(After(standby, Node(5, 0)).Effects));
        Assert.Equal("not for a primary", Refusal(After(At(ReplicaRole.Primary), apply).Effects));
    }

    [Fact]
    public void A_standby_that_is_seeded_holds_its_place_once_the_state_is_here()
    {
        var empty = ReplicaState.Empty(Id, Term.First) with { Promised = Second, Claimant = Claimant };
        var seed = new SeedStandby(Second, Shard, new WeightsVersion(4), 4, [Record(4)], null!, null, new Dictionary<string, NativeBuffer>());
        Assert.Equal("no place in this term", Refusal(After(empty, seed).Effects));
        var (state, effects) = After(empty, new HoldPlace(Second, new ShardPlace(Shard, There, Here), Seed: true));
        Assert.Empty(effects);
        (state, effects) = After(state, seed);
        Assert.Equal([typeof(ReplicaEffect.TakeState), typeof(ReplicaEffect.Answer)], effects.Select(e => e.GetType()));
        Assert.Equal((new WeightsVersion(4), false), (state.Version!.Value, state.HasPrevious));
        Assert.Equal("state of a standby that has one", Refusal(After(state, seed).Effects));
        Assert.IsType<PlaceHeld>(Assert.IsType<ReplicaEffect.Answer>(Assert.Single(After(state, new HoldPlace(Second, new ShardPlace(Shard, There, Here), Seed: true)).Effects)).Message);
    }

    [Fact]
    public void A_version_is_loaded_once_per_term_however_often_it_comes()
    {
        var load = new LoadShard(Second, new WeightsVersion(2), null!, new Dictionary<string, NativeBuffer>(), 2, default);
        var (state, effects) = After(At(ReplicaRole.Primary, withStandby: false), load);
        Assert.Equal([typeof(ReplicaEffect.ReleaseNodes), typeof(ReplicaEffect.TakeState), typeof(ReplicaEffect.Answer)], effects.Select(e => e.GetType()));
        Assert.Equal((new WeightsVersion(2), false, 2L, 0), (state.Version!.Value, state.HasPrevious, state.AppliedSteps, state.Records.Length));
        (state, _) = After(state, Node(3, 0), Node(3, 1));
        (var again, effects) = After(state, load);
        Assert.Equal(state, again);
        Assert.Equal("version that is loaded", Refusal(effects));
        Assert.IsType<ShardLoaded>(effects.OfType<ReplicaEffect.Answer>().Single().Message);
    }

    [Fact]
    public void A_slot_without_a_place_keeps_what_it_holds_and_does_nothing()
    {
        var none = At(ReplicaRole.None);
        foreach (var input in new IReplicaInput[] { Node(5, 0), Order("apply", Second), Order("load", Second), Order("snapshot", Second) })
        {
            var (state, effects) = After(none, input);
            Assert.Equal(none, state);
            Assert.Equal("no place in this term", Refusal(effects));
        }
    }
}
