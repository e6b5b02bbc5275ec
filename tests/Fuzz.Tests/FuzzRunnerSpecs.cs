using System.Text;
using Cluster.Cli.Bench.Fuzz;
using Cluster.Contracts;

namespace Cluster.Fuzz.Tests;

/// <summary>What the search itself rests on: it finds what is planted, and finds it again by its number.</summary>
public sealed class FuzzRunnerSpecs
{
    private static readonly byte[] Sample = Encoding.ASCII.GetBytes("length=0012;body=hello world;");

    private static FuzzTarget Target(Func<byte[], bool> decode) => new("planted", static () => [Sample], _ => new FuzzDecoder(decode));

    private static FuzzOutcome Run(FuzzTarget target, long first = 0, long count = 20_000) => new FuzzRunner(target, 5).Run(first, count, CancellationToken.None);

    [Fact]
    public void Error_of_another_type_is_found_and_its_case_comes_out_the_same_when_asked_for_by_number()
    {
        var target = Target(static bytes => bytes.Length > 10 && bytes[7] == '-' ? throw new InvalidTimeZoneException("planted") : bytes.Length > 0);
        var found = Run(target);
        Assert.NotNull(found.Failure);
        Assert.Contains("came out as InvalidTimeZoneException: planted", found.Failure);
        var number = found.Cases - 1;
        Assert.Contains($"again: cluster bench fuzz --sides planted --seed 5 --first {number} --cases 1", found.Failure);
        Assert.Equal(found.Failure, Run(target, number, 1).Failure);
    }

    [Fact]
    public void Typed_error_is_an_answer_and_a_refused_sample_is_none()
    {
        Assert.Null(Run(Target(static bytes => bytes.AsSpan().SequenceEqual(Sample) ? true : throw new ClusterException("no"))).Failure);
        Assert.Contains("is a sample, and was refused: no", Run(Target(static _ => throw new ClusterException("no"))).Failure);
        Assert.Contains("is a sample, and was refused", Run(Target(static _ => false)).Failure);
    }

    [Fact]
    public void Memory_out_of_proportion_is_found()
    {
        var outcome = Run(Target(static bytes => bytes.Length < 9 || new byte[bytes[8] == '9' ? 64 << 20 : 10].Length > 0));
        Assert.NotNull(outcome.Failure);
        Assert.Contains("allocated 67,1", outcome.Failure);
    }

    [Fact]
    public void Cases_differ_from_each_other_and_from_those_of_another_seed()
    {
        var target = Target(static _ => true);
        var one = Enumerable.Range(1, 200).Select(i => Convert.ToHexString(target.Case([Sample], 1, i))).ToList();
        Assert.True(one.Distinct().Count() > 150, $"{one.Distinct().Count()} different ones");
        Assert.NotEqual(one, Enumerable.Range(1, 200).Select(i => Convert.ToHexString(target.Case([Sample], 2, i))));
        Assert.Equal(one, Enumerable.Range(1, 200).Select(i => Convert.ToHexString(target.Case([Sample], 1, i))));
    }

    [Fact]
    public void Checksums_that_are_made_right_are_right()
    {
        // A target with a seal reaches what lies behind it: damaged frames are taken in numbers.
        var control = FuzzTargets.All.Single(static t => t.Name == "link.control");
        Assert.NotNull(control.Seal);
        var outcome = new FuzzRunner(control, 5).Run(0, 2_000, CancellationToken.None);
        Assert.True(outcome.Failure is null, outcome.Failure);
        Assert.InRange(outcome.Taken, 400, 1_990);
    }
}
