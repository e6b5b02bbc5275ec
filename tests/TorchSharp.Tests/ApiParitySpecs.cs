using Cluster.Torch;
using TorchSharp;

namespace Cluster.Binding.Tests;

/// <summary>
/// Code written against the binding compiles against TorchSharp: every public member outside our own namespace is one
/// of TorchSharp's, spelled the same. fixtures/torchsharp-api.txt holds the lines of TorchSharp 0.107's listing that we use.
/// </summary>
public sealed class ApiParitySpecs
{
    private static readonly string[] Fixture = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "torchsharp-api.txt"));

    /// <summary>Of those, what TorchSharp's own assembly, 0.107.0 from its sources, has otherwise: other base classes, more parameters with a default, other parameter names.</summary>
    private static readonly string[] Differs = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "torchsharp-api-differs.txt"));

    /// <summary>Members of the assembly that the suite runs over: our binding's, or TorchSharp's own.</summary>
    private static string[] Ours() =>
        [.. ApiListing.Lines(typeof(torch).Assembly.GetTypes().Where(type => type.Namespace?.StartsWith("TorchSharp", StringComparison.Ordinal) == true))];

    [Fact]
    public void Every_public_member_is_one_of_TorchSharps()
    {
        Binding.NeedsOurs("it has more than we use");
        var unknown = Ours().Except(Fixture).ToArray();
        Assert.True(unknown.Length == 0, $"{unknown.Length} members are not TorchSharp's; move them to Cluster.Torch or spell them alike:\n{string.Join('\n', unknown)}");
    }

    [Fact]
    public void The_fixture_lists_nothing_that_the_binding_lacks()
    {
        var stale = Fixture.Except(Ours()).ToArray();
        if (Binding.IsTorchSharps) stale = [.. stale.Except(Differs)];
        Assert.True(stale.Length == 0, $"the fixture lists {stale.Length} members that are gone:\n{string.Join('\n', stale)}");
    }

    /// <summary>A line too many would let a member go that the fixture is there to keep.</summary>
    [Fact]
    public void Of_the_fixture_nothing_is_excused_that_does_not_differ()
    {
        Assert.Empty(Differs.Except(Fixture));
        if (Binding.IsTorchSharps) Assert.Empty(Differs.Intersect(Ours()));
    }

    [Fact]
    public void Everything_else_lives_in_our_own_namespace() =>
        Assert.All(
            [.. typeof(torch).Assembly.GetExportedTypes(), .. typeof(FlatCopy).Assembly.GetExportedTypes()],
            type => Assert.True(type.Namespace == "Cluster.Torch" || type.Namespace!.StartsWith("TorchSharp", StringComparison.Ordinal), type.FullName));
}
