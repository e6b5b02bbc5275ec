namespace Cluster.Simulation.Tests;

/// <summary>
/// Bugs planted at the boundary around the unchanged core. Behind each stands the first seed that finds it; that seed moves
/// with every change of faults or protocol (the test's output says where to), but it must stay under 200.
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
        [nameof(AddZerosForEmptyLeaf)] = static () => new AddZerosForEmptyLeaf(),
        [nameof(ForgetLeftOut)] = static () => new ForgetLeftOut(),
        [nameof(ForgetHosts)] = static () => new ForgetHosts(),
    };

    [Theory]
    [InlineData(nameof(SkipTermCheck), InvariantNames.OldOrdersAreVoid)]  // seed 9
    [InlineData(nameof(SkipAttemptCheck), InvariantNames.OldOrdersAreVoid)]  // seed 1
    [InlineData(nameof(CountOverlapTwice), InvariantNames.SameBits)]  // seed 9
    [InlineData(nameof(AddInArrivalOrder), InvariantNames.SameBits)]  // seed 1
    [InlineData(nameof(ForgetLease), InvariantNames.Finishes)]  // seed 2
    [InlineData(nameof(ApplyBeforeRecord), InvariantNames.RecordFirst)]  // seed 1
    [InlineData(nameof(ActBeforeAllPromised), InvariantNames.AllPromisedFirst)]  // seed 2
    [InlineData(nameof(WriteToMovedLog), InvariantNames.OneRecordPerStep)]  // seed 11
    [InlineData(nameof(AddZerosForEmptyLeaf), InvariantNames.SameBits)]
    [InlineData(nameof(ForgetLeftOut), InvariantNames.LeftOutRightly)]
    [InlineData(nameof(ForgetHosts), InvariantNames.StandbyElsewhere)]
    public void Planted_bug_is_found_in_fewer_than_200_seeds(string bug, string invariant)
    {
        var results = Campaign.Run(first: 1, seeds: 199, steps: 0, Bugs[bug], null, TestContext.Current.CancellationToken);
        var found = results.FirstOrDefault(r => r.Invariant == invariant);
        Assert.True(found is not null, $"{Bugs[bug]().Name} is not found by '{invariant}'");
        TestContext.Current.TestOutputHelper?.WriteLine($"{Bugs[bug]().Name}: seed {found.Scenario.Seed}, {found.Violation}; in all {results.Count(static r => r.Violation is not null)} of {results.Count} seeds");
        // It is the bug that was found: without it the seed is clean.
        Assert.Null(SeedRun.Run(Scenario.Draw(found.Scenario.Seed)).Violation);
    }
}
