using System.Collections.Immutable;

namespace Cluster.Contracts;

/// <summary>
/// Which sentences of strangers are told (refusals at the door, what nodes say of themselves): in a window of
/// <see cref="Limits.RefusalWindowSeconds"/> the first few different ones; the others are counted. Pure.
/// </summary>
/// <param name="Since">When the window began.</param>
/// <param name="Told">What was told in it.</param>
/// <param name="Untold">How many more there were.</param>
public sealed record RefusalTally(TimeSpan Since, ImmutableHashSet<string> Told, long Untold)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(Limits.RefusalWindowSeconds);

    public static readonly RefusalTally Empty = new(TimeSpan.MinValue, ImmutableHashSet.Create<string>(StringComparer.Ordinal), 0);

    /// <summary>Takes one more.</summary>
    /// <param name="now">Of one monotonic clock, from 0.</param>
    /// <param name="most">Different ones that are told in a window.</param>
    /// <returns>IsTold: whether to tell it; Before: how many of a window that is over were not told.</returns>
    public (RefusalTally Next, bool IsTold, long Before) Add(string refusal, TimeSpan now, int most = Limits.ToldRefusals)
    {
        var isNew = Since == TimeSpan.MinValue || now - Since >= Window;
        var window = isNew ? Empty with { Since = now } : this;
        var isTold = window.Told.Count < most && !window.Told.Contains(refusal);
        var next = isTold ? window with { Told = window.Told.Add(refusal) } : window with { Untold = window.Untold + 1 };
        return (next, isTold, isNew ? Untold : 0);
    }
}
