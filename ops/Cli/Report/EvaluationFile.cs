using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Cli.Report;

/// <summary>The last evaluation of a run: evaluation.json in its folder.</summary>
/// <param name="Classes">[C] names, in label order.</param>
/// <param name="Confusion">How many samples of a label were given a class; pairs that never came are left out.</param>
internal sealed record EvaluationFile(
    long Step, long Samples, double Loss, double Accuracy, double Top5, IReadOnlyList<string> Classes, IReadOnlyList<(int Label, int Predicted, long Count)> Confusion)
{
    public const string Name = "evaluation.json";

    /// <summary>More classes than any data set has; a file that says more is damaged.</summary>
    private const int MaxClasses = 100_000;

    /// <summary>[C] samples of each label.</summary>
    public long[] SamplesByLabel()
    {
        var samples = new long[Classes.Count];
        foreach (var (label, _, count) in Confusion) samples[label] += count;
        return samples;
    }

    /// <summary>[C] samples of each label that were given it.</summary>
    public long[] RightByLabel()
    {
        var right = new long[Classes.Count];
        foreach (var (label, predicted, count) in Confusion)
            if (label == predicted) right[label] += count;
        return right;
    }

    /// <param name="labels">The class of each evaluated sample, in order.</param>
    /// <param name="predictions">As many; -1 for one that could not be decoded: it does not count.</param>
    public static IReadOnlyList<(int Label, int Predicted, long Count)> Count(IReadOnlyList<int> labels, IReadOnlyList<int> predictions)
    {
        var counts = new SortedDictionary<(int Label, int Predicted), long>();
        for (var i = 0; i < Math.Min(labels.Count, predictions.Count); i++)
            if (predictions[i] >= 0) counts[(labels[i], predictions[i])] = counts.GetValueOrDefault((labels[i], predictions[i])) + 1;
        return [.. counts.Select(static pair => (pair.Key.Label, pair.Key.Predicted, pair.Value))];
    }

    /// <summary>Atomic: the file is there whole, or as it was.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public void Write(string folder) => WholeFile.Write(Path.Combine(folder, Name), json =>
    {
        json.WriteNumber("step", Step);
        json.WriteNumber("samples", Samples);
        Number("loss", Loss);
        Number("accuracy", Accuracy);
        Number("top5", Top5);
        json.WriteStartArray("classes");
        foreach (var name in Classes) json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteStartArray("confusion");
        foreach (var (label, predicted, count) in Confusion)
        {
            json.WriteStartArray();
            json.WriteNumberValue(label);
            json.WriteNumberValue(predicted);
            json.WriteNumberValue(count);
            json.WriteEndArray();
        }
        json.WriteEndArray();

        void Number(string name, double value)
        {
            if (double.IsFinite(value)) json.WriteNumber(name, value);
            else json.WriteNull(name);
        }
    });

    /// <returns>Null when there is none that can be read: a report does without.</returns>
    public static EvaluationFile? Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, Name);
            if (!File.Exists(path)) return null;
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = json.RootElement;
            var classes = root.GetProperty("classes").EnumerateArray().Select(static c => c.GetString() ?? "").ToArray();
            var confusion = root.GetProperty("confusion").EnumerateArray().Select(static c => (Label: c[0].GetInt32(), Predicted: c[1].GetInt32(), Count: c[2].GetInt64())).ToArray();
            if (classes.Length > MaxClasses || confusion.Any(c => c.Label < 0 || c.Label >= classes.Length || c.Predicted < 0 || c.Predicted >= classes.Length || c.Count < 0)) return null;
            return new EvaluationFile(root.GetProperty("step").GetInt64(), root.GetProperty("samples").GetInt64(), Number(root, "loss"), Number(root, "accuracy"), Number(root, "top5"), classes, confusion);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    private static double Number(JsonElement json, string name) => json.GetProperty(name) is { ValueKind: JsonValueKind.Number } number ? number.GetDouble() : double.NaN;
}
