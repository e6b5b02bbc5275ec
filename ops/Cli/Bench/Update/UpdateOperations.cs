using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Bench.Update;

/// <summary>One pass over memory.</summary>
/// <param name="CountedBytes">Bytes read and written per run, each array once: no write-allocate traffic.</param>
internal sealed record UpdateOperation(string Name, long CountedBytes, Action Run);

/// <summary>The server's passes over memory beside triads over the same arrays; owns their memory. One thread.</summary>
internal sealed class UpdateOperations : IDisposable
{
    private readonly NativeBuffer[] _buffers = new NativeBuffer[4];
    private readonly NativeBuffer[] _momentum;
    private readonly ShardReducer _reducer;

    /// <param name="parameters">Of the model; the arrays are padded to a chunk.</param>
    public UpdateOperations(int parameters)
    {
        var layout = Layout(parameters);
        var range = ShardPlan.Deal(layout, 1).Ranges[0];
        _reducer = new ShardReducer(range, layout);
        for (var i = 0; i < _buffers.Length; i++) _buffers[i] = NativeBuffer.Allocate(layout.StateFloats);
        var (a, b, c, d) = (_buffers[0], _buffers[1], _buffers[2], _buffers[3]);
        var stream = new PhiloxStream(1, RandomPurpose.Fingerprint, 0);
        _momentum = [c];
        foreach (ref var x in a.Span) x = stream.NextSingle() - 0.5f;
        foreach (ref var x in b.Span) x = stream.NextSingle() - 0.5f;
        var plain = Rule(nesterov: false);
        var nesterov = Rule(nesterov: true);
        var program = ReductionProgram.OverLeaves(2);
        var squares = new double[_reducer.ParameterChunkCount];
        var step = new ApplyArguments(Samples: 512, LeafCount: 8, Scale: 1, LearningRate: 1e-3, AppliedSteps: 1);
        var bytes = (long)layout.StateFloats * sizeof(float);

        OrdinaryTriad = new UpdateOperation("triad, ordinary stores", Triad.CountedArrays * bytes, () => Triad.Ordinary(d.Span, a.Span, b.Span, 0.5f));
        StreamingTriad = new UpdateOperation("triad, streaming stores", Triad.CountedArrays * bytes, () => Triad.Streaming(d.Span, a.Span, b.Span, 0.5f));
        // Gradient, weights and momentum in; weights and momentum out.
        FusedUpdate = new UpdateOperation("fused update: momentum", 5 * bytes, () => plain.Apply(a.Span, b.Span, d.Span, _momentum, step));
        NesterovUpdate = new UpdateOperation("fused update: Nesterov", 5 * bytes, () => nesterov.Apply(a.Span, b.Span, d.Span, _momentum, step));
        Reduction = new UpdateOperation("sum of two nodes, norm", 3 * bytes, () => _reducer.Reduce(program, [new NodeMemory(a, 0), new NodeMemory(b, 0)], d.Span, squares));

        ShardUpdate Rule(bool nesterov) => new(range, layout, UpdateRule.Create(new OptimizerOptions { Momentum = 0.9, Nesterov = nesterov, WeightDecay = 5e-4 }));
    }

    public UpdateOperation OrdinaryTriad { get; }
    public UpdateOperation StreamingTriad { get; }
    public UpdateOperation FusedUpdate { get; }
    public UpdateOperation NesterovUpdate { get; }
    public UpdateOperation Reduction { get; }

    public IReadOnlyList<UpdateOperation> All => [OrdinaryTriad, StreamingTriad, FusedUpdate, NesterovUpdate, Reduction];

    public void Dispose()
    {
        _reducer.Dispose();
        foreach (var buffer in _buffers) buffer.Dispose();
    }

    /// <summary>Nine tenths decay, in tensors of a convolution's size with a norm's weight after each: ResNet-18's habit.</summary>
    private static ParameterLayout Layout(int parameters)
    {
        const int convolution = 589_824, norm = 512;
        var tensors = new List<(string, IReadOnlyList<int>, StateKind, bool)>();
        for (var left = parameters; left > 0;)
        {
            var size = Math.Min(left, convolution);
            tensors.Add(($"conv{tensors.Count}.weight", [size], StateKind.Parameter, true));
            left -= size;
            if (left < norm) continue;
            tensors.Add(($"bn{tensors.Count}.weight", [norm], StateKind.Parameter, false));
            left -= norm;
        }
        return ParameterLayout.Of(tensors);
    }
}
