using Cluster.Cli.Configuration;

namespace Cluster.Cli.Hosting;

/// <summary>Where a run stands after a committed step.</summary>
/// <param name="Epoch">Epoch of the step, from 0.</param>
/// <param name="EpochFraction">Epochs passed since the start of the run, with the fraction.</param>
/// <param name="Loss">Mean training loss of the step, in nats.</param>
/// <param name="Accuracy">Training accuracy of the step, 0 to 1.</param>
/// <param name="GradNorm">Norm of the mean gradient before clipping.</param>
/// <param name="ImagesPerSecond">Over the recent steps.</param>
/// <param name="Remaining">Estimate of the time to the last step.</param>
public sealed record TrainingProgress(
    long Step,
    long TotalSteps,
    long Epoch,
    double EpochFraction,
    double Loss,
    double Accuracy,
    double LearningRate,
    double GradNorm,
    double ImagesPerSecond,
    TimeSpan Elapsed,
    TimeSpan Remaining);

/// <summary>Outcome of one pass over the test set with the weights after <paramref name="Step"/>.</summary>
/// <param name="Loss">Mean cross-entropy, in nats.</param>
/// <param name="Accuracy">0 to 1.</param>
/// <param name="Top5">Fraction of samples whose label is among the five largest logits, 0 to 1.</param>
public sealed record EvaluationResult(long Step, double Loss, double Accuracy, double Top5, long Samples);

/// <summary>What a finished run leaves behind.</summary>
/// <param name="StateSha256">SHA-256 over parameters, buffers, optimizer state and step; lower-case hex.</param>
/// <param name="ImagesPerSecond">Samples of all committed steps over the training time, evaluations left out.</param>
/// <param name="TrainLoss">Mean training loss of the last step, in nats.</param>
/// <param name="Test">Last evaluation; null when the run made none.</param>
public sealed record TrainingSummary(
    long Steps,
    double Epochs,
    string StateSha256,
    double ImagesPerSecond,
    double TrainLoss,
    EvaluationResult? Test,
    TimeSpan Elapsed)
{
    /// <summary>The run ended before its last step: hash and test figures are those of its best version. Null = it did not.</summary>
    public EarlyEnd? Early { get; init; }

    /// <summary>There was nothing left to do: the run had reached its last step before.</summary>
    public bool WasFinished { get; init; }

    /// <summary>How often the gradient was clipped; null when nothing clips.</summary>
    public ClippingShare? Clipping { get; init; }

    /// <summary>Share of the workers' time that went into waiting for images, 0 to 1; null when it is not known.</summary>
    public double? DataWait { get; init; }
}

/// <summary>How many of a run's committed steps, those before a resume too, had their gradient clipped.</summary>
public sealed record ClippingShare(long Clipped, long Steps)
{
    /// <summary>0 to 1; 0 before the first step.</summary>
    public double Share => Steps > 0 ? (double)Clipped / Steps : 0;
}

/// <summary>Told what a training job does. Calls come one at a time, from any thread, and return quickly.</summary>
public interface ITrainingObserver
{
    /// <summary>The first weights are ready and step 1 is about to begin.</summary>
    void Starting(ResolvedRun run, string description);

    void Committed(TrainingProgress progress);

    void Evaluated(EvaluationResult result);

    /// <summary>Something unusual happened; the sentence is for a person.</summary>
    void Said(string sentence);
}
