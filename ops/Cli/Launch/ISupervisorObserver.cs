namespace Cluster.Cli.Launch;

/// <summary>Hears what a supervisor and its children say and do. Must not throw.</summary>
public interface ISupervisorObserver
{
    /// <summary>A line of a child. From that child's reader threads, several at once; lines of one stream in order.</summary>
    /// <param name="isError">From standard error.</param>
    void Line(string child, bool isError, string text);

    /// <summary>The supervisor did or noticed something: a sentence for the log. Supervisor's thread.</summary>
    /// <param name="child">Whom it is about, or null.</param>
    void Said(string? child, string sentence);

    /// <summary>Supervisor's thread.</summary>
    void Started(string child, int process);

    /// <summary>A child is dead and reaped. Supervisor's thread.</summary>
    void Exited(string child, int process, ChildEnd end);
}
