namespace Cluster.Cli.Verbs;

/// <summary>What the process answers to its caller.</summary>
public static class ExitCodes
{
    public const int Done = 0;

    /// <summary>The job failed.</summary>
    public const int Failed = 1;

    /// <summary>The arguments or the data are bad; nothing was changed.</summary>
    public const int BadInput = 2;

    /// <summary>
    /// Between a supervised coordinator and its supervisor only: the run itself has failed, and starting the process again
    /// would meet the same end. <c>launch</c> answers its caller with <see cref="Failed"/>, and so does a coordinator that
    /// was started by hand.
    /// </summary>
    public const int RunFailed = 3;

    /// <summary>128 + SIGINT, as shells do.</summary>
    public const int Interrupted = 130;
}
