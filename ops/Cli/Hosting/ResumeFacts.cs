using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Hosting;

/// <summary>What of the world a resumed run must find as it left it: data, layout, arithmetic.</summary>
internal static class ResumeFacts
{
    /// <exception cref="UserMistakeException">Something differs; the message names all of it.</exception>
    public static void Check(ResolvedRun run, string folder, IDataset train, EngineFactory engines)
    {
        if (run.Resumes is not { } stored) return;
        var differences = new List<string>();
        Compare("training samples", stored.TrainingSamples?.ToString(), train.Count.ToString());
        Compare("data fingerprint", stored.DataFingerprint, train.Fingerprint);
        Compare("layout", stored.LayoutHash, engines.Layout.Hash);
        if (stored.NumericFingerprint is { } then && then != engines.Fingerprint)
            differences.Add($"this machine computes other bits (fingerprint {then[..12]} then, {engines.Fingerprint[..12]} now; then {stored.Fact("numerics")}, now {engines.Numerics})");
        if (differences.Count > 0) throw new UserMistakeException($"{folder} cannot be resumed here, the result would not be the same: {string.Join("; ", differences)}");

        void Compare(string what, string? then, string now)
        {
            if (then is not null && then != now) differences.Add($"{what} was {then} and is {now}");
        }
    }
}
