using System.Runtime.ExceptionServices;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>Runs a parallel loop so that its caller meets what went wrong, and not a bundle of what several threads met.</summary>
internal static class SeveralThreads
{
    /// <exception cref="UserMistakeException">The loop met mistakes and nothing else: all of them, a line each.</exception>
    public static void Run(Action loop)
    {
        try
        {
            loop();
        }
        catch (AggregateException e) when (e.Flatten().InnerExceptions is { Count: > 0 } inner)
        {
            if (inner.FirstOrDefault(static one => one is not UserMistakeException) is { } other) ExceptionDispatchInfo.Throw(other);
            throw new UserMistakeException(SplitSource.Lines([.. inner.Select(static mistake => mistake.Message).Distinct().Order(StringComparer.Ordinal)], static line => line), e);
        }
    }
}
