namespace Cluster.Simulation.Tests;

/// <summary>
/// Bugs planted at the boundary around the unchanged core. The seed is the first of 1..200 that finds it: when faults or
/// protocol change, so may the seed, but every bug must be found within 200.
/// </summary>
public sealed class PlantedBugSpecs
{
    private static readonly Dictionary<string, Func<Plant>> Bugs = new()
    {
        [nameof(SkipTermCheck)] = static () => new SkipTermCheck(),
        [nameof(SkipAttemptCheck)] = static () => new SkipAttemptCheck(),
        [nameof(CountOverlapTwice)] = static () => new CountOverlapTwice(),
        [nameof(AddInArrivalOrder)] = static () => new AddInArrivalOrder(),
        [nameof(ForgetLease)] = static () => new ForgetLease(),
        [nameof(ApplyBeforeRecord)] = static () => new ApplyBeforeRecord(),
        [nameof(ActBeforeAllPromised)] = static () => new ActBeforeAllPromised(),
        [nameof(WriteToMovedLog)] = static () => new WriteToMovedLog(),
    };

    [Theory]
    [InlineData(nameof(SkipTermCheck), InvariantNames.OldOrdersAreVoid, 3)]
    [InlineData(nameof(SkipAttemptCheck), InvariantNames.OldOrdersAreVoid, 1)]
    [InlineData(nameof(CountOverlapTwice), InvariantNames.SameBits, 16)]
    [InlineData(nameof(AddInArrivalOrder), InvariantNames.SameBits, 1)]
    [InlineData(nameof(ForgetLease), InvariantNames.Finishes, 11)]
    [InlineData(nameof(ApplyBeforeRecord), InvariantNames.RecordFirst, 1)]
    [InlineData(nameof(ActBeforeAllPromised), InvariantNames.AllPromisedFirst, 2)]
    [InlineData(nameof(WriteToMovedLog), InvariantNames.OneRecordPerStep, 144)]
    public void Planted_bug_is_found_in_fewer_than_200_seeds(string bug, string invariant, int seed)
    {
        var results = Campaign.Run(first: 1, seeds: 199, steps: 0, Bugs[bug], null, TestContext.Current.CancellationToken);
        var found = results.FirstOrDefault(r => r.Invariant == invariant);
        Assert.True(found is not null, $"{Bugs[bug]().Name} is not found by '{invariant}'");
        Assert.True(found.Scenario.Seed == (ulong)seed, $"{Bugs[bug]().Name} is found at seed {found.Scenario.Seed} now: {found.Violation}");
        // It is the bug that was found: without it the seed is clean.
        Assert.Null(SeedRun.Run(Scenario.Draw(found.Scenario.Seed)).Violation);
    }
}
