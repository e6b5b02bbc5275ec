using Cluster.Contracts;

namespace Cluster.Cli.Configuration;

/// <summary>What a run turns out to train once its data and its model are open.</summary>
/// <param name="NumericFingerprint">Null when it is not known yet.</param>
public sealed record RunIdentity(int TrainingSamples, string DataFingerprint, string LayoutHash, string? NumericFingerprint = null);

/// <summary>Says whether a run may go on with these options: only what cannot change a bit of its result may differ. Pure.</summary>
public static class ResumeCheck
{
    /// <summary>Rows that say how, where and how long a run is carried out.</summary>
    private static readonly HashSet<string> MayChange =
    [
        "workers", "devices-per-worker", "ps", "replicas", "audit-every", "device", "eval-every", "eval-samples", "evaluate", "checkpoint-every", "checkpoint-keep", "out", "steps",
        "monitor", "trace-every", "tensorboard", "histogram-every", "decode-threads",
        "data",         // compared by name here, and by what it holds once it is open
        "epochs",       // the run's length is free; the schedule's is compared below
    ];

    /// <summary>Compares options.</summary>
    /// <param name="stored">As the run's config.yaml has them.</param>
    /// <param name="asked">As they would be used now; what was not given is taken from <paramref name="stored"/> by the caller.</param>
    /// <returns>One line per difference that forbids to go on; empty when the run may.</returns>
    public static IReadOnlyList<string> Differences(RunOptions stored, RunOptions asked)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(asked);
        var differences = new List<string>();
        foreach (var row in OptionTable.Rows.Where(row => !MayChange.Contains(row.Key)))
        {
            if (row.Read(stored) != row.Read(asked)) differences.Add(Difference(row, row.Read(stored), row.Read(asked)));
        }
        if (NameOf(stored.Data) != NameOf(asked.Data)) differences.Add(Difference(OptionTable.ByKey("data")!, stored.Data, asked.Data));
        if (stored.Epochs != asked.Epochs && EpochsShapeTheRate(asked.Schedule))
            differences.Add($"{Difference(OptionTable.ByKey("epochs")!, OptionRow.Number(stored.Epochs), OptionRow.Number(asked.Epochs))}, which the {asked.Schedule.Kind} schedule spans; --steps changes the length of the run alone");
        if (asked.Schedule.Kind == "plateau" || asked.EarlyStopping.Patience > 0)
        {
            // When evaluations come decides then what becomes of the run.
            foreach (var row in ((string[])["eval-every", "eval-samples", "evaluate"]).Select(static key => OptionTable.ByKey(key)!))
            {
                if (row.Read(stored) != row.Read(asked)) differences.Add(Difference(row, row.Read(stored), row.Read(asked)));
            }
        }
        return differences;
    }

    /// <summary>Compares what was opened with what the run noted down; a fact that it did not note is not compared.</summary>
    /// <returns>One line per difference that forbids to go on; empty when the run may.</returns>
    public static IReadOnlyList<string> Differences(StoredRun stored, RunIdentity now)
    {
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(now);
        var differences = new List<string>();
        if (stored.TrainingSamples is { } samples && samples != now.TrainingSamples)
            differences.Add($"the training set has {now.TrainingSamples} samples, and the run began with {samples}");
        if (stored.DataFingerprint is { } data && data != now.DataFingerprint)
            differences.Add($"the training set holds other data than the one the run began with (fingerprint {now.DataFingerprint}, was {data})");
        if (stored.LayoutHash is { } layout && layout != now.LayoutHash)
            differences.Add($"the model has other parameters than the one the run began with (layout {now.LayoutHash}, was {layout})");
        if (stored.NumericFingerprint is { } fingerprint && now.NumericFingerprint is { } measured && fingerprint != measured)
            differences.Add($"this machine computes other bits than the one the run began on (fingerprint {measured}, was {fingerprint}); libraries, threads and device must be as they were");
        return differences;
    }

    private static string Difference(OptionRow row, string? stored, string? asked) =>
        $"{row.Flag} {asked ?? "unset"}: the run began with {stored ?? "unset"}";

    /// <summary>The same data may lie in another folder by now.</summary>
    private static string NameOf(string data) => data.Split(':')[0];

    private static bool EpochsShapeTheRate(ScheduleOptions schedule) => schedule is { Kind: "one-cycle" or "cosine" or "linear", TotalSteps: null };
}
