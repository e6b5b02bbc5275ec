using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Bench.Update;

/// <summary>One pass over memory.</summary>
/// <param name="CountedBytes">Bytes read and written per run, each array once: no write-allocate traffic.</param>
/// <param name="Share">Least share of the streaming triad's bandwidth; null = none is set.</param>
internal sealed record UpdateOperation(string Name, long CountedBytes, double? Share, Action Run);

/// <summary>The server's passes over memory beside triads over the same arrays; owns their memory. One thread, unless the name says two.</summary>
internal sealed class UpdateOperations : IDisposable
{
    /// <summary>At it, the update waits for memory and for nothing else.</summary>
    private const double MomentumShare = 0.9;

    /// <summary>Of the other variants of SGD.</summary>
    private const double SgdShare = 0.7;

    /// <summary>Of rules with roots and divisions.</summary>
    private const double AdamShare = 0.5;

    private static readonly OptimizerOptions Sgd = new() { Momentum = 0.9, Nesterov = false, WeightDecay = 5e-4 };

    private static readonly (string Name, OptimizerOptions Options, double Share)[] Rules =
    [
        ("Nesterov", Sgd with { Nesterov = true }, SgdShare),
        ("no momentum", Sgd with { Momentum = 0 }, SgdShare),
        ("classical momentum", Sgd with { MomentumForm = "classical" }, SgdShare),
        ("decoupled decay", Sgd with { Penalty = "decoupled" }, SgdShare),
        ("elastic net", Sgd with { L1 = 1e-5 }, SgdShare),
        ("clip by value", Sgd with { ClipValue = 0.1 }, SgdShare),
        ("adaptive clipping", Sgd with { ClipAdaptive = 0.01 }, SgdShare),
        ("max-norm", Sgd with { MaxNorm = 3 }, SgdShare),
        ("momentum, average", Sgd with { EmaDecay = 0.999 }, SgdShare),
        ("LARS", Sgd with { Kind = "lars" }, SgdShare),
        ("Adam", new OptimizerOptions { Kind = "adam" }, AdamShare),
        ("AdamW", new OptimizerOptions { Kind = "adamw" }, AdamShare),
        ("Adagrad", new OptimizerOptions { Kind = "adagrad" }, AdamShare),
        ("RMSprop", new OptimizerOptions { Kind = "rmsprop", Momentum = 0 }, AdamShare),
        ("RMSprop, centered, momentum", new OptimizerOptions { Kind = "rmsprop", Centered = true }, AdamShare),
    ];

    private readonly NativeBuffer _gradient, _weights, _next;
    private readonly List<NativeBuffer> _owned = [];
    private readonly Dictionary<(string Slot, int Offset, int Length), NativeBuffer> _slots = [];
    private readonly ShardReducer _reducer;
    private readonly SecondThread _second = new();
    private readonly int _parameters;

    /// <param name="parameters">Of the model; the arrays are padded to a chunk.</param>
    public UpdateOperations(int parameters)
    {
        _parameters = parameters;
        var layout = Layout(wholeRows: false);
        var range = ShardPlan.Deal(layout, 1).Ranges[0];
        (_gradient, _weights, _next) = (Allocate(layout.StateFloats), Allocate(layout.StateFloats), Allocate(layout.StateFloats));
        var stream = new PhiloxStream(1, RandomPurpose.Fingerprint, 0);
        foreach (ref var x in _gradient.Span) x = stream.NextSingle() - 0.5f;
        foreach (ref var x in _weights.Span) x = stream.NextSingle() - 0.5f;
        _reducer = new ShardReducer(range, layout);
        var program = ReductionProgram.OverLeaves(2);
        var squares = new double[_reducer.ParameterChunkCount];
        var bytes = (long)layout.StateFloats * sizeof(float);

        var ordinary = new UpdateOperation("triad, ordinary stores", Triad.CountedArrays * bytes, null, () => Triad.Ordinary(_next.Span, _gradient.Span, _weights.Span, 0.5f));
        StreamingTriad = new UpdateOperation("triad, streaming stores", Triad.CountedArrays * bytes, null, () => Triad.Streaming(_next.Span, _gradient.Span, _weights.Span, 0.5f));
        FusedUpdate = Update("momentum", Sgd, MomentumShare, shards: 1);
        var adam = Rules.Single(static rule => rule.Name == "Adam").Options;
        var reduction = new UpdateOperation("sum of two nodes, norm", 3 * bytes, null, () => _reducer.Reduce(program, [new NodeMemory(_gradient, 0), new NodeMemory(_weights, 0)], _next.Span, squares));
        OfRules = [FusedUpdate, .. Rules.Select(rule => Update(rule.Name, rule.Options, rule.Share, shards: 1))];
        var adamUpdate = OfRules.Single(static operation => operation.Name == "update: Adam");
        // A model of one chunk cannot be halved.
        TwoThreads = layout.ChunkCount < 2 ? [] : [(FusedUpdate, Update("momentum", Sgd, null, shards: 2)), (adamUpdate, Update("Adam", adam, null, shards: 2))];
        All = [ordinary, StreamingTriad, .. OfRules, .. TwoThreads.Select(static pair => pair.Two), reduction];
    }

    public UpdateOperation StreamingTriad { get; }

    /// <summary>The update that PyTorch's is compared with.</summary>
    public UpdateOperation FusedUpdate { get; }

    public IReadOnlyList<UpdateOperation> OfRules { get; }

    /// <summary>One shard on one thread, and two halves on two.</summary>
    public IReadOnlyList<(UpdateOperation One, UpdateOperation Two)> TwoThreads { get; }

    public IReadOnlyList<UpdateOperation> All { get; }

    public void Dispose()
    {
        _second.Dispose();
        _reducer.Dispose();
        foreach (var buffer in _owned) buffer.Dispose();
    }

    private NativeBuffer Allocate(int length)
    {
        var buffer = NativeBuffer.Allocate(length);
        _owned.Add(buffer);
        return buffer;
    }

    private UpdateOperation Update(string name, OptimizerOptions options, double? share, int shards)
    {
        var layout = Layout(options.NeedsWholeRows());
        var rule = UpdateRule.Create(options);
        var scales = options.NeedsTensorSums() ? layout.Parameters.Select(static _ => 0.01).ToArray() : null;
        var step = new ApplyArguments(Samples: 512, LeafCount: 8, Scale: 1, LearningRate: 1e-3, AppliedSteps: 1, scales);
        var actions = ShardPlan.Deal(layout, shards).Ranges.Select<ShardRange, Action>(range =>
        {
            var update = new ShardUpdate(range, layout, rule);
            var slots = update.Slots.Select(slot => SlotOf(slot.Name, range.Offset, slot.Length)).ToArray();
            return () => update.Apply(
                _gradient.Span.Slice(range.Offset, range.Length), _weights.Span.Slice(range.Offset, range.Length), _next.Span.Slice(range.Offset, range.Length), slots, step);
        }).ToArray();
        // Gradient and weights in, weights out; every slot in and out.
        var arrays = 3 + 2 * (rule.SlotNames.Count + (options.EmaDecay > 0 ? 1 : 0));
        var bytes = (long)arrays * layout.StateFloats * sizeof(float);
        return shards == 1
            ? new UpdateOperation($"update: {name}", bytes, share, actions[0])
            : new UpdateOperation($"update: {name}, two threads", bytes, share, () => _second.RunBoth(actions[0], actions[1]));
    }

    /// <summary>Rules share the memory of slots of one name: what is a square for one is never a momentum for another.</summary>
    private NativeBuffer SlotOf(string name, int offset, int length)
    {
        if (!_slots.TryGetValue((name, offset, length), out var buffer)) _slots[(name, offset, length)] = buffer = Allocate(length);
        return buffer;
    }

    /// <summary>Nine tenths decay, in tensors of a convolution's size with a norm's weight after each: ResNet-18's habit.</summary>
    private ParameterLayout Layout(bool wholeRows)
    {
        const int rows = 512, convolution = rows * 1152, norm = 512;
        var tensors = new List<(string, IReadOnlyList<int>, StateKind, bool)>();
        for (var left = _parameters; left > 0;)
        {
            var size = Math.Min(left, convolution);
            tensors.Add(($"conv{tensors.Count}.weight", size == convolution ? [rows, size / rows] : [1, size], StateKind.Parameter, true));
            left -= size;
            if (left < norm) continue;
            tensors.Add(($"bn{tensors.Count}.weight", [norm], StateKind.Parameter, false));
            left -= norm;
        }
        return ParameterLayout.Of(tensors, wholeRows);
    }
}
