using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Simulation;

/// <summary>
/// The model that is trained: a vector of a few floats, cut into chunks. Gradients depend on weights, step and leaf, and
/// their magnitudes differ so much that float32 addition is not associative: another order of addition is another result.
/// </summary>
internal static class Arithmetic
{
    public const int ChunkFloats = 2;
    public const int Chunks = 6;
    public const int Floats = ChunkFloats * Chunks;
    private const float Momentum = 0.9f;

    /// <summary>The parameters: cut by chunks' edges, so that their pieces lie on several shards. The third has one dimension.</summary>
    private static readonly int[] TensorLengths = [3, 4, 1, 4];

    private static readonly int[] TensorOf = [.. TensorLengths.SelectMany(static (length, tensor) => Enumerable.Repeat(tensor, length))];

    /// <summary>First float of every piece of a tensor in a chunk, ascending.</summary>
    private static readonly int[] PieceStarts = [.. Enumerable.Range(0, Floats).Where(static i => i % ChunkFloats == 0 || TensorOf[i] != TensorOf[i - 1])];

    public static TensorPieces Tensors { get; } = new([.. PieceStarts.Select(static i => TensorOf[i])], [true, true, false, true], [0, 0, 0, 0]);

    /// <summary>What a shard says for rules that look at tensors; null for others.</summary>
    /// <param name="first">Where the shard's first float lies.</param>
    public static double[]? PieceSumsOf(OptimizerOptions rule, int first, float[] sum, float[] weights)
    {
        if (!rule.NeedsTensorSums()) return null;
        int[] starts = [.. PieceStarts.Where(i => i >= first && i < first + sum.Length), first + sum.Length];
        double[] Of(float[] values) => [.. starts.SkipLast(1).Select((start, i) => values[(start - first)..(starts[i + 1] - first)].Sum(static x => (double)x * x))];
        return PieceSums.WithWeights(rule) ? [.. Of(sum), .. Of(weights)] : Of(sum);
    }

    /// <summary>First chunk and chunks of a shard: contiguous, within one chunk of each other.</summary>
    public static (int First, int Count) ChunksOf(int shard, int shards)
    {
        var first = shard * Chunks / shards;
        return (first, (shard + 1) * Chunks / shards - first);
    }

    public static float[] Slice(float[] whole, int shard, int shards)
    {
        var (first, count) = ChunksOf(shard, shards);
        return whole[(first * ChunkFloats)..((first + count) * ChunkFloats)];
    }

    public static float[] FirstWeights(ulong seed)
    {
        var random = new SimulatedRandom(SimulatedRandom.Mix(seed ^ 0xF125));
        return [.. Enumerable.Range(0, Floats).Select(_ => (float)random.Between(-1, 1))];
    }

    /// <param name="missing">Digest of the leaf's samples that are left out: another set of samples has another gradient. 0 = none.</param>
    public static float[] Gradient(float[] weights, StepId step, int leaf, ulong missing)
    {
        var gradient = new float[Floats];
        for (var i = 0; i < Floats; i++)
        {
            var bits = SimulatedRandom.Mix((ulong)step.Value * 0x10001 + (ulong)leaf * 0x101 + (ulong)i + 1 ^ missing);
            var magnitude = (bits & 7) switch { 0 => 1000f, 1 => 100f, 2 => 0.01f, _ => 1f };
            // One that is -0 for ever, unless somebody adds a zero.
            gradient[i] = i == Floats - 1 ? -0f : magnitude * ((bits >> 40) * (1f / (1 << 23)) - 1f) + 0.3f * weights[i] * (leaf + 1);
        }
        return gradient;
    }

    /// <summary>For <see cref="Gradient"/>.</summary>
    public static ulong Missing(Scenario scenario, StepPlan plan, int leaf, IReadOnlyList<int>? leftOut)
    {
        var digest = new SampleDigest();
        foreach (var sample in scenario.SamplesOf(plan, leaf))
            if (leftOut?.Contains(sample) == true) digest.Add(sample);
        return digest.Value;
    }

    /// <summary>What a worker computes whose device fails in this leaf: one value is not finite, the others are wrong.</summary>
    public static float[] Spoilt(float[] gradient)
    {
        var spoilt = gradient.Select(static x => x * 1.5f + 7f).ToArray();
        spoilt[0] = float.NaN;
        return spoilt;
    }

    /// <summary>Sum of a leaf's losses: some number that depends on the weights.</summary>
    public static double LossSum(float[] weights, StepId step, int leaf)
    {
        var sum = 0.1 * (leaf + 1) / step.Value;
        foreach (var weight in weights) sum += 1e-3 * weight * (leaf + 1);
        return sum;
    }

    public static int CorrectCount(StepId step, int leaf, int samples) => (int)((step.Value + leaf) % (samples + 1));

    public static float[] Add(float[] left, float[] right)
    {
        var sum = new float[left.Length];
        for (var i = 0; i < sum.Length; i++) sum[i] = left[i] + right[i];
        return sum;
    }

    /// <summary>Carries out a reduction program.</summary>
    public static float[] Run(ReductionProgram program, Func<TreeNode, float[]> nodes)
    {
        if (program.Additions.Count == 0) return nodes(program.Nodes[0]);
        var scratch = new float[]?[program.ScratchCount];
        float[]? result = null;
        foreach (var addition in program.Additions)
        {
            var sum = Add(Of(addition.Left), Of(addition.Right));
            if (addition.Target.Kind == OperandKind.Result) result = sum;
            else scratch[addition.Target.Index] = sum;
        }
        return result!;

        float[] Of(Operand operand) => operand.Kind switch
        {
            OperandKind.Node => nodes(program.Nodes[operand.Index]),
            OperandKind.Scratch => scratch[operand.Index]!,
            _ => result!,
        };
    }

    /// <summary>Sum of squares per chunk.</summary>
    public static double[] SquaredNorms(float[] sum)
    {
        var norms = new double[sum.Length / ChunkFloats];
        for (var i = 0; i < sum.Length; i++) norms[i / ChunkFloats] += (double)sum[i] * sum[i];
        return norms;
    }

    /// <summary>Mean, clip, momentum, weights: the new weights and momentum.</summary>
    /// <param name="first">Where the first float lies in the state.</param>
    public static (float[] Weights, float[] Momentum) Update(OptimizerOptions rule, int first, float[] weights, float[] momentum, float[] sum, CommitRecord record, bool isFirst)
    {
        var (w, m) = (new float[weights.Length], new float[weights.Length]);
        for (var i = 0; i < w.Length; i++)
        {
            var ofTensor = record.TensorScales is { } scales ? scales[TensorOf[first + i]] : 1;
            var gradient = sum[i] / record.Samples * (float)(rule.ClipParameterNorm > 0 ? ofTensor : record.Scale);
            m[i] = isFirst ? gradient : Momentum * momentum[i] + gradient;
            w[i] = weights[i] - (float)(record.LearningRate * (rule.Kind == "lars" ? ofTensor : 1)) * m[i];
        }
        return (w, m);
    }

    public static bool SameBits(float[] left, float[] right) =>
        System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(left).SequenceEqual(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(right));
}
