using Cluster.Contracts;
using Cluster.Torch;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Cluster.Engine;

/// <summary>
/// The bridge between a model's tensors and the flat state vector. Keeps the loaded buffers, because a training forward
/// overwrites the running statistics and every leaf has to start from the loaded ones.
/// </summary>
/// <remarks>Tensors belong to the model. Used on the engine's thread.</remarks>
internal sealed class ModelState : IDisposable
{
    private readonly FlatCopy _parameterCopy, _bufferCopy;
    private readonly float[] _loadedBuffers;
    private bool _buffersChanged;

    /// <param name="model">Whose state it is; its parameters' order becomes the layout's.</param>
    /// <param name="decayNormAndBias">Weight decay on one-dimensional parameters too.</param>
    /// <param name="wholeRows">No chunk's edge cuts a row.</param>
    public ModelState(nn.Module<Tensor, Tensor> model, bool decayNormAndBias, bool wholeRows)
    {
        (string Name, Parameter Tensor)[] parameters = [.. model.named_parameters()];
        (string Name, Tensor Tensor)[] buffers = [.. model.named_buffers()];
        Layout = ParameterLayout.Of(
            parameters.Select(p => (p.Name, Shape(p.Tensor), StateKind.Parameter, decayNormAndBias || p.Tensor.shape.Length > 1))
                .Concat(buffers.Select(b => (b.Name, Shape(b.Tensor), KindOf(b.Tensor), false))), wholeRows);
        _loadedBuffers = new float[Layout.StateFloats - Layout.BufferOffset];
        _parameterCopy = new FlatCopy([.. parameters.Select(static p => p.Tensor)]);
        _bufferCopy = new FlatCopy([.. buffers.Where(static b => KindOf(b.Tensor) == StateKind.Buffer).Select(static b => b.Tensor)]);
    }

    public ParameterLayout Layout { get; }

    public bool IsLoaded { get; private set; }

    /// <summary>Loads weights and buffers [StateFloats].</summary>
    public void Load(ReadOnlySpan<float> state)
    {
        _parameterCopy.CopyFrom(state[..Layout.ParameterFloats]);
        state[Layout.BufferOffset..].CopyTo(_loadedBuffers);
        _buffersChanged = true;
        IsLoaded = true;
    }

    public void Unload() => IsLoaded = false;

    /// <summary>Writes what was loaded; zero in the padding.</summary>
    public void CopyLoaded(Span<float> state)
    {
        RequireLoaded();
        _parameterCopy.CopyTo(state[..Layout.ParameterFloats]);
        ClearPadding(state);
        _loadedBuffers.CopyTo(state[Layout.BufferOffset..]);
    }

    /// <summary>Puts the loaded buffers back into the model when a training forward has changed them.</summary>
    public void Rewind()
    {
        RequireLoaded();
        if (!_buffersChanged) return;
        _bufferCopy.CopyFrom(_loadedBuffers);
        _buffersChanged = false;
    }

    /// <summary>A training forward is about to overwrite the running statistics. Drops gradients, so that the next backward writes new ones instead of adding.</summary>
    public void BeginTraining()
    {
        _buffersChanged = true;
        _parameterCopy.ClearGradients();
    }

    /// <summary>
    /// Writes gradients, zero padding and the model's current buffers into <paramref name="node"/> [StateFloats], and
    /// frees the gradients.
    /// </summary>
    public void TakeGradients(Span<float> node)
    {
        _parameterCopy.CopyGradientsTo(node[..Layout.ParameterFloats]);
        _parameterCopy.ClearGradients();
        ClearPadding(node);
        _bufferCopy.CopyTo(node[Layout.BufferOffset..]);
    }

    /// <summary>Lets go of the tensors; the model itself belongs to the engine.</summary>
    public void Dispose()
    {
        _parameterCopy.Dispose();
        _bufferCopy.Dispose();
    }

    private void ClearPadding(Span<float> state) => state[Layout.ParameterFloats..Layout.BufferOffset].Clear();

    private void RequireLoaded()
    {
        if (!IsLoaded) throw new InvalidOperationException("no state is loaded: call LoadState before computing");
    }

    private static IReadOnlyList<int> Shape(Tensor tensor) => [.. tensor.shape.Select(static d => checked((int)d))];

    private static StateKind KindOf(Tensor buffer) => buffer.dtype == ScalarType.Int64 ? StateKind.Counter : StateKind.Buffer;
}
