using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>A point of a curve: after this step.</summary>
internal sealed record CurveSample(long Step, double Loss, double Accuracy);

/// <summary>What a cell came to. Everything but the seconds is a function of the plan and the data.</summary>
/// <param name="Steps">Committed; fewer than planned when it failed.</param>
/// <param name="TrainLoss">Mean cross-entropy over the samples of the last tenth of the steps (at most an epoch), in nats, the weights as they were at each step.</param>
/// <param name="TrainAccuracy">Of the same samples, 0 to 1.</param>
/// <param name="TestLoss">Of the last weights, in nats; null when it failed.</param>
/// <param name="TestSamples">Samples that were evaluated.</param>
/// <param name="WeightNorm">Euclidean norm of all parameters at the end.</param>
/// <param name="GradientNorm">Mean norm of the unclipped gradient over the steps of <paramref name="TrainLoss"/>.</param>
/// <param name="ClippedShare">Steps of all that were scaled down, 0 to 1.</param>
/// <param name="Seconds">That this cell took, over all its starts.</param>
/// <param name="Failure">Why it ended early, one sentence; null when it did not.</param>
/// <param name="Training">Mean over the samples of consecutive steps, at the last of them.</param>
/// <param name="Test">Every evaluation.</param>
internal sealed record CellOutcome(
    string Cell, long Steps, double TrainLoss, double TrainAccuracy, double? TestLoss, double? TestAccuracy, long TestSamples,
    double? WeightNorm, double GradientNorm, double ClippedShare, double Seconds, string? StateSha256, string? Failure,
    ImmutableArray<CurveSample> Training, ImmutableArray<CurveSample> Test)
{
    public const string FileName = "cell.json";

    /// <summary>Training accuracy less test accuracy; null when it failed.</summary>
    [JsonIgnore]
    public double? Gap => TrainAccuracy - TestAccuracy;

    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectRequiredConstructorParameters = true,
    };

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, Format);

    /// <summary>Of a folder of a cell; null when it has not finished.</summary>
    /// <exception cref="UserMistakeException">The file is damaged.</exception>
    public static CellOutcome? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            var outcome = JsonSerializer.Deserialize<CellOutcome>(File.ReadAllBytes(path), Format) ?? throw new JsonException("null");
            return outcome.Training.IsDefault || outcome.Test.IsDefault ? throw new JsonException("a curve is missing") : outcome;
        }
        catch (JsonException e)
        {
            throw new UserMistakeException($"{path} is damaged; delete that file, and the cell is measured again", e);
        }
    }
}
