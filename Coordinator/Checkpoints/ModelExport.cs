using Cluster.Contracts;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// A checkpoint's model as a file of its own. <c>model.safetensors</c> already is a PyTorch state_dict, so its bytes are
/// copied; no model has to be built, and no bit can change. The average of the weights takes the places of the weights.
/// </summary>
public static class ModelExport
{
    /// <summary>Holds the whole checkpoint against its manifest, then copies its model; the file appears whole or not at all. Blocks on the disk.</summary>
    /// <param name="checkpoint">Folder of a checkpoint, <c>RUN/checkpoints/step-NNNNNN</c>.</param>
    /// <param name="path">Where to; its folder exists.</param>
    /// <param name="replace">Whether a file that is there may be replaced.</param>
    /// <param name="average">The average of the weights instead (<see cref="HasAverage"/>).</param>
    /// <returns>Size of the file in bytes.</returns>
    /// <exception cref="CheckpointDamagedException">Torn, damaged or hostile.</exception>
    /// <exception cref="UserMistakeException">The file is there already, or cannot be written.</exception>
    public static long Copy(string checkpoint, string path, bool replace, bool average = false)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        ArgumentException.ThrowIfNullOrEmpty(path);
        CheckpointInspector.Inspect(checkpoint, expected: null, contents: true);
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full)) throw new UserMistakeException($"{path} is a folder: name the file, for example {Path.Combine(path, CheckpointFormat.ModelName)}");
        if (!replace && File.Exists(full)) throw AlreadyThere(path);
        var folder = Path.GetDirectoryName(full)!;
        var temporary = Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.tmp");
        try
        {
            if (average) WriteAverage(checkpoint, temporary);
            else File.Copy(Path.Combine(checkpoint, CheckpointFormat.ModelName), temporary, overwrite: true);
            using (var copy = File.OpenHandle(temporary, FileMode.Open, FileAccess.ReadWrite)) RandomAccess.FlushToDisk(copy);
            var bytes = new FileInfo(temporary).Length;
            File.Move(temporary, full, replace);
            DiskFiles.Instance.FlushFolder(folder);
            return bytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Forget(temporary);
            // Somebody else may have written it meanwhile.
            if (!replace && File.Exists(full)) throw AlreadyThere(path);
            throw new UserMistakeException($"cannot write {path}: {Printable.Cause(e)}; choose a folder that exists and has room", e);
        }
    }

    /// <summary>True if the checkpoint holds the average of the weights beside them.</summary>
    /// <exception cref="SafeTensorsException">The file of the optimizer's state is damaged.</exception>
    public static bool HasAverage(string checkpoint)
    {
        using var slots = SafeTensorsReader.Open(Path.Combine(checkpoint, CheckpointFormat.OptimizerName));
        return slots.Tensors.Any(static t => t.Name.EndsWith("." + StateSlots.Ema, StringComparison.Ordinal));
    }

    /// <summary>The model's file with the averages in place of parameters and buffers; counters are the model's own.</summary>
    private static void WriteAverage(string checkpoint, string path)
    {
        using var model = SafeTensorsReader.Open(Path.Combine(checkpoint, CheckpointFormat.ModelName));
        using var slots = SafeTensorsReader.Open(Path.Combine(checkpoint, CheckpointFormat.OptimizerName));
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
        var writer = new SafeTensorsWriter(file.Write, [.. model.Tensors.Select(static t => new TensorSpec(t.Name, t.Type, t.Shape))], model.Metadata);
        foreach (var tensor in writer.InDataOrder)
        {
            if (model.TryGet(tensor.Name, out var own) && own!.Type == TensorType.I64)
            {
                var counts = new long[own.Count];
                model.Read(own, counts);
                writer.Append(tensor.Name, counts);
                continue;
            }
            if (!slots.TryGet(StateTensors.SlotName(tensor.Name, StateSlots.Ema), out var average))
                throw new SafeTensorsException(slots.Path, $"the average of {Printable.Quoted(tensor.Name)} is missing");
            var values = new float[average!.Count];
            slots.Read(average, values);
            writer.Append(tensor.Name, values);
        }
        writer.Complete();
    }

    private static UserMistakeException AlreadyThere(string path) => new($"{path} is there already; nothing was touched, choose another name or say --force");

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
