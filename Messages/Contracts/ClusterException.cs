namespace Cluster.Contracts;

/// <summary>Base of everything this system throws on purpose. The message is written for a person.</summary>
public class ClusterException : Exception
{
    public ClusterException(string message) : base(message) { }
    public ClusterException(string message, Exception inner) : base(message, inner) { }
    public ClusterException() { }
}

/// <summary>
/// The user asked for something that cannot be done: one line that says what is wrong, where, and what to do.
/// The command line prints it without a stack trace and exits with code 2.
/// </summary>
public sealed class UserMistakeException : ClusterException
{
    public UserMistakeException(string message) : base(message) { }
    public UserMistakeException(string message, Exception inner) : base(message, inner) { }
    public UserMistakeException() { }
}
