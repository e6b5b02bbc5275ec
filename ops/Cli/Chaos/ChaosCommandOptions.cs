using System.CommandLine;
using Cluster.Contracts;

namespace Cluster.Cli.Chaos;

/// <summary>What was said on the command line about the faults, not about the run.</summary>
/// <param name="Plan">A file; at most one of Plan, Random and Faults is given.</param>
internal sealed record ChaosRequest(string? Plan, int? Random, IReadOnlyList<string> Faults, ulong FaultSeed, string? Expect, bool Strict);

/// <summary>The options of <c>chaos</c> beside those of <c>launch</c>.</summary>
internal sealed class ChaosCommandOptions
{
    private readonly Option<string?> _plan = new("--plan");
    private readonly Option<int?> _random = new("--random");
    private readonly Option<ulong?> _faultSeed = new("--fault-seed", "--fault_seed");
    private readonly Option<string[]> _fault = new("--fault") { AllowMultipleArgumentsPerToken = false };
    private readonly Option<string?> _expect = new("--expect");
    private readonly Option<bool> _strict = new("--strict");

    public IReadOnlyList<Option> All => [_plan, _random, _faultSeed, _fault, _expect, _strict];

    /// <summary>Names of those that were given.</summary>
    public IEnumerable<string> GivenOf(ParseResult parse) => All.Where(option => parse.GetResult(option) is { Implicit: false }).Select(static option => option.Name);

    /// <exception cref="UserMistakeException">They contradict one another.</exception>
    public ChaosRequest Read(ParseResult parse)
    {
        var request = new ChaosRequest(parse.GetValue(_plan), parse.GetValue(_random), parse.GetValue(_fault) ?? [], parse.GetValue(_faultSeed) ?? 1, parse.GetValue(_expect), parse.GetValue(_strict));
        if ((request.Plan is null ? 0 : 1) + (request.Random is null ? 0 : 1) + (request.Faults.Count == 0 ? 0 : 1) > 1) throw new UserMistakeException("--plan, --random and --fault exclude each other: give one of them, or none for the default plan");
        if (request.Random is null && parse.GetValue(_faultSeed) is not null && (request.Plan is not null || request.Faults.Count > 0)) throw new UserMistakeException("--fault-seed belongs to --random: what --plan and --fault say is not drawn");
        if (request.Expect is { } hash && (hash.Length != 64 || !hash.All(char.IsAsciiHexDigitLower))) throw new UserMistakeException($"--expect {hash}: give the 64 hexadecimal digits that a run prints after 'state sha256'");
        return request;
    }
}
