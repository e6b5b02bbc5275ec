using System.Text.Json;

namespace Cluster.Core.Tests;

/// <summary>PyTorch's answers, written by <c>tests/fixtures/optimizers/generate.py</c>.</summary>
internal static class ArithmeticGolden
{
    public static IReadOnlyList<JsonElement> Cases(string file)
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Cluster.sln"))) folder = Path.GetDirectoryName(folder);
        Assert.NotNull(folder);
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tests", "fixtures", "optimizers", file)));
        return [.. json.RootElement.GetProperty("cases").Clone().EnumerateArray()];
    }

    public static double[] Doubles(this JsonElement array) => [.. array.EnumerateArray().Select(static e => e.GetDouble())];
    public static double Number(this JsonElement json, string name) => json.GetProperty(name).GetDouble();
    public static int Whole(this JsonElement json, string name) => json.GetProperty(name).GetInt32();
    public static bool Flag(this JsonElement json, string name) => json.GetProperty(name).GetBoolean();
    public static string Text(this JsonElement json, string name) => json.GetProperty(name).GetString()!;
}
