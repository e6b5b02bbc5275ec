namespace Cluster.Chaos;

/// <summary>A death of the supervisor, as chaos itself brought it about.</summary>
/// <param name="Survivors">Processes that still ran after <see cref="Cluster.Contracts.Limits.OrphanSeconds"/>.</param>
/// <param name="GoneAfter">Until the last of them was gone.</param>
/// <param name="Torn">What was cut, or why nothing was; null when the plan asked for no tear.</param>
/// <param name="TornStep">Step of the checkpoint that was cut.</param>
public sealed record SupervisorDeath(long Step, DateTimeOffset Time, int Survivors, TimeSpan GoneAfter, string? Torn, long? TornStep);

/// <summary>What one storm left behind: all that a report is made of.</summary>
/// <param name="Storm">The disturbed run.</param>
/// <param name="Calm">The undisturbed run; null when the hash was given.</param>
/// <param name="Appeared">When each step's record appeared.</param>
/// <param name="WentBack">See <see cref="CommitTail.WentBack"/>.</param>
/// <param name="Failure">Why the disturbed run did not finish, or null.</param>
/// <param name="AuditIsClean">The verdict of <c>audit</c>.</param>
/// <param name="Audit">Its words.</param>
public sealed record ChaosFindings(
    RunRecords Storm,
    RunRecords? Calm,
    IReadOnlyDictionary<long, DateTimeOffset> Appeared,
    IReadOnlyList<SupervisorDeath> Deaths,
    string? WentBack,
    string? Failure,
    bool AuditIsClean,
    string Audit,
    DateTimeOffset Began,
    TimeSpan Elapsed,
    int Starts);
