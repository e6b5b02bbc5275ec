using Cluster.Contracts;

namespace Cluster.Cli.Launch;

/// <summary>When a dead child is started again, and how long a stopping one may take.</summary>
public sealed record RestartPolicy
{
    public static readonly RestartPolicy Default = new();

    /// <summary>Restarts of one child without a commit in between; one more death ends the run.</summary>
    public int Limit { get; init; } = Limits.RestartsWithoutCommit;

    /// <summary>Before the first restart; doubles with each.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(Limits.RestartDelayMilliseconds);

    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMilliseconds(Limits.MaxRestartDelayMilliseconds);

    /// <summary>Life time after which a commit starts the back-off anew. Shorter lives are a crash loop, whatever the others commit meanwhile.</summary>
    public TimeSpan Steady { get; init; } = TimeSpan.FromMilliseconds(Limits.SteadyMilliseconds);

    /// <summary>From SIGTERM to SIGKILL.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(Limits.StopGraceSeconds);

    /// <summary>From SIGTERM to SIGKILL of the child that ends the run, when a person stops the run: it writes a checkpoint.</summary>
    public TimeSpan RunStopGrace { get; init; } = TimeSpan.FromSeconds(Limits.RunStopGraceSeconds);

    /// <param name="doublings">Restarts since the back-off began anew.</param>
    public TimeSpan Delay(int doublings) =>
        doublings >= 30 ? LongestDelay : TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, FirstDelay.Ticks << doublings));
}
