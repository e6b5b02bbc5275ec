using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// A PyTorch <c>state_dict</c> in a safetensors file, read into or written from a layout. Bits are kept. Dispose it: it
/// owns the state.
/// </summary>
/// <param name="State">[StateFloats]: parameters, zero padding, buffers.</param>
/// <param name="Counters">Values of all of the layout's counters; 0 where the file has none, as PyTorch reads a file from before <c>num_batches_tracked</c>.</param>
/// <param name="Widened">Names of the tensors that were not float32 in the file: every value is the same number, the type is not.</param>
public sealed record StateDict(NativeBuffer State, IReadOnlyDictionary<string, long> Counters, IReadOnlyList<string> Widened) : IDisposable
{
    /// <summary>Reads a file that anyone may have written.</summary>
    /// <param name="allowRounding">Take float64 values that float32 cannot hold, rounded to the nearest.</param>
    /// <exception cref="SafeTensorsException">It cannot be read, is malformed, or would lose digits.</exception>
    /// <exception cref="StateMismatchException">Every missing, unexpected and mis-shaped name.</exception>
    public static StateDict Read(string path, ParameterLayout layout, bool allowRounding = false)
    {
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(layout);
        using var file = SafeTensorsReader.Open(path);
        var comparison = new StateComparison();
        comparison.CompareModel(file, layout, StateFileKind.Import);
        if (comparison.AsException(path) is { } mismatch) throw mismatch;
        var state = NativeBuffer.Allocate(layout.StateFloats);
        try
        {
            var counters = CheckpointLoader.ReadModel(file, layout, state.Span, allowRounding);
            return new StateDict(state, counters, [.. file.Tensors.Where(static t => t.Type.IsFloating() && t.Type != TensorType.F32).Select(static t => t.Name)]);
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }

    /// <summary>Writes a state under the model's names, in the order of PyTorch's state_dict; the file appears whole or not at all.</summary>
    /// <param name="path">A file that is there is replaced.</param>
    /// <param name="state">[StateFloats].</param>
    /// <param name="counters">Values of all of the layout's counters, as int64.</param>
    /// <exception cref="UserMistakeException">The file cannot be written there.</exception>
    public static void Write(string path, ParameterLayout layout, StatePieces state, IReadOnlyDictionary<string, long> counters)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(layout);
        ArgumentNullException.ThrowIfNull(state);
        ArgumentNullException.ThrowIfNull(counters);
        if (state.Length != layout.StateFloats) throw new ArgumentException($"the state has {state.Length} floats, the layout {layout.StateFloats}");
        var full = Path.GetFullPath(path);
        var folder = Path.GetDirectoryName(full)!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.tmp");
        try
        {
            File.Delete(temporary);
            using (var file = new GatheringFile(DiskFiles.Instance.CreateFile(temporary)))
            {
                StateTensors.WriteModel(file.Append, layout, state, entry => counters[entry.Name]);
                file.Flush();
            }
            File.Move(temporary, full, overwrite: true);
            DiskFiles.Instance.FlushFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Forget(temporary);
            throw new UserMistakeException($"cannot write {path}: {Printable.Cause(e)}; choose a folder that exists and has room", e);
        }
    }

    public void Dispose() => State.Dispose();

    private static void Forget(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The error that led here is the one to report.
        }
    }
}
