using System.Text.Json;
using Cluster.Contracts;

namespace Cluster.Models.Tests;

/// <summary>What PyTorch computed for one model in float64: see tests/fixtures/generators/models.py.</summary>
/// <param name="Float32Error">How far PyTorch's own float32 lies from it, where a network is too deep for fixed tolerances; else 0.</param>
internal sealed record GoldenCase(
    string Model, string Stem, int[] Image, int Classes, int Count, ulong Seed, string? LossKind, double LabelSmoothing, double LogitScale, double Float32Error,
    int ParameterCount,
    double[] EvaluationLogits, int Correct, double Loss, GoldenTensor[] Parameters, GoldenTensor[] Buffers, string[] Counters)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The loss that was computed; older files leave the kind out.</summary>
    public LossOptions Objective => new() { Kind = LossKind ?? "cross-entropy", LabelSmoothing = LabelSmoothing, LogitScale = LogitScale };

    public ImageShape ImageShape => new(Image[0], Image[1], Image[2]);

    public static GoldenCase Load(string name) => Read<GoldenCase>(name);

    public static T Read<T>(string name)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "golden", name + ".json"));
        return JsonSerializer.Deserialize<T>(file, Json) ?? throw new InvalidDataException($"{name}.json is empty");
    }
}

/// <param name="Gradient">Samples of the gradient, of parameters; in large networks of some of them.</param>
/// <param name="Updated">Samples after one training forward, of buffers; likewise.</param>
/// <param name="GradientNorm">Of parameters.</param>
/// <param name="Norm">Of buffers.</param>
internal sealed record GoldenTensor(string Name, int[] Shape, double GradientNorm, double[]? Gradient, double Norm, double[]? Updated);
