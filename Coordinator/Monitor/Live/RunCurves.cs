using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Coordinator.Monitor.Live;

/// <summary>The curves of one run. Not for several threads.</summary>
public sealed class RunCurves
{
    private long _last;

    /// <summary>Mean training loss, nats.</summary>
    public Curve Loss { get; } = new();

    /// <summary>Training accuracy, 0 to 1.</summary>
    public Curve Accuracy { get; } = new();
    public Curve TestLoss { get; } = new();
    public Curve TestAccuracy { get; } = new();
    public Curve LearningRate { get; } = new();
    public Curve GradNorm { get; } = new();

    /// <summary>Images per second, of each step by itself.</summary>
    public Curve Rate { get; } = new();

    /// <summary>Milliseconds from commit to commit.</summary>
    public Curve StepTime { get; } = new();

    /// <summary>By the names that the page knows them by.</summary>
    public IReadOnlyList<(string Name, Curve Curve)> All { get; }

    public RunCurves() => All =
    [
        ("loss", Loss), ("testLoss", TestLoss), ("accuracy", Accuracy), ("testAccuracy", TestAccuracy),
        ("learningRate", LearningRate), ("gradNorm", GradNorm), ("rate", Rate), ("stepTime", StepTime),
    ];

    /// <param name="took">From commit to commit; null = not known, or no measure of a step's work.</param>
    public void Committed(CommitRecord record, TimeSpan? took)
    {
        ArgumentNullException.ThrowIfNull(record);
        var step = record.Step.Value;
        // Replayed steps come out as they are recorded.
        if (step <= _last) return;
        _last = step;
        Loss.Add(step, record.Loss);
        Accuracy.Add(step, record.Accuracy);
        LearningRate.Add(step, record.LearningRate);
        GradNorm.Add(step, record.GradNorm);
        if (record.Evaluation is { } note) Evaluated(note.Version.Value, note.Loss, note.Accuracy);
        if (took is not { TotalMilliseconds: > 0 } time) return;
        Rate.Add(step, record.Samples / time.TotalSeconds);
        StepTime.Add(step, time.TotalMilliseconds);
    }

    /// <summary>Told twice (by a record and by the evaluation itself), it counts once.</summary>
    public void Evaluated(long step, double loss, double accuracy)
    {
        if (TestLoss.Count > 0 && TestLoss[TestLoss.Count - 1].Step >= step) return;
        TestLoss.Add(step, loss);
        TestAccuracy.Add(step, accuracy);
    }

    /// <summary>What the log held when this process opened it.</summary>
    public void Fill(IReadOnlyList<CommitLine> logged)
    {
        ArgumentNullException.ThrowIfNull(logged);
        // The first one paid for building kernels and filling buffers.
        for (var i = 0; i < logged.Count; i++)
            Committed(logged[i].Record, i == 0 ? null : TimeSpan.FromMilliseconds(logged[i].Milliseconds));
    }

    public void Settle()
    {
        foreach (var (_, curve) in All) curve.Settle();
    }
}
