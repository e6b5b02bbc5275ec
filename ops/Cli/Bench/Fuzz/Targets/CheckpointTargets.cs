using System.Text;
using System.Text.Json.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;
using Cluster.Coordinator.Core;

namespace Cluster.Cli.Bench.Fuzz.Targets;

/// <summary>Files of a run and of its checkpoints: from another machine, or half written.</summary>
internal static class CheckpointTargets
{
    private static readonly string Hash = new('a', 64);

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("safetensors", SafeTensors, static folder => FuzzDecoder.OfFile(folder, "model.safetensors", static path =>
        {
            using var reader = SafeTensorsReader.Open(path);
            // What was believed must be there: every tensor is read.
            foreach (var tensor in reader.Tensors) ReadWhole(reader, tensor);
            return true;
        })) { Cost = 3 },
        new("checkpoint.manifest", static () => [new CheckpointManifest(7, Hash, [.. CheckpointFormat.RequiredFiles.Select(static name => new ManifestFile(name, 12, Hash))]).ToJson()],
            static _ => new FuzzDecoder(static bytes => CheckpointManifest.Parse("folder", bytes) is not null)),
        new("checkpoint.run", static () => [new RunPosition(7, 7, Hash, new JsonObject { ["seed"] = 7, ["loss"] = 0.5, ["configuration"] = new JsonObject { ["model"] = "small-cnn" }, ["test_accuracy"] = 0.25 }).ToJson()],
            static _ => new FuzzDecoder(static bytes => RunPosition.Parse("folder", bytes) is { } position && (position.TestAccuracy is null or >= double.MinValue))),
        new("commit-log", CommitLogs, static _ => new FuzzDecoder(static bytes => CommitLog.Read(bytes) is { } log && (log.ValidBytes + log.CutBytes == bytes.Length ? log.Lines.Count > 0 : throw new InvalidOperationException("a log whose parts are not the whole")))) { Seal = Seals.CommitLines, Cost = 2 },
    ];

    private static void ReadWhole(SafeTensorsReader reader, TensorInfo tensor)
    {
        if (tensor.Count > 1 << 20) throw new InvalidOperationException($"{tensor.Count} elements out of a file of some kilobytes");
        if (tensor.Type is TensorType.I64) reader.Read(tensor, new long[(int)tensor.Count]);
        else if (tensor.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.F64) reader.Read(tensor, new float[(int)tensor.Count], allowRounding: true);
        else reader.ReadBytes(tensor, 0, new byte[(int)(tensor.End - tensor.Begin)]);
    }

    private static IReadOnlyList<byte[]> SafeTensors()
    {
        using var file = new MemoryStream();
        var writer = new SafeTensorsWriter(bytes => file.Write(bytes), [new TensorSpec("conv1.weight", TensorType.F32, [2, 3, 1, 1]), new TensorSpec("bn1.num_batches_tracked", TensorType.I64, []), new TensorSpec("fc.bias", TensorType.F32, [4])],
            new Dictionary<string, string> { ["format"] = "pt" });
        foreach (var tensor in writer.InDataOrder)
        {
            if (tensor.Type == TensorType.I64) writer.Append(tensor.Name, (ReadOnlySpan<long>)[5L]);
            else writer.Append(tensor.Name, new float[(int)tensor.Count]);
        }
        return [file.ToArray(), [8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8]];
    }

    private static IReadOnlyList<byte[]> CommitLogs()
    {
        var record = new CommitRecord(new Term(1), new StepId(1), 1, 0, 64, 2.3, 0.1, 1.5, 1, 0.05, true, [new LeafRecord(new WorkerId(0), 32, 5), new LeafRecord(new WorkerId(1), 32, 6)]);
        var full = record with { Step = new StepId(2), Quarantined = [new WorkerId(1)], TensorScales = [1, 0.5], Evaluation = new EvaluationNote(new WeightsVersion(1), 2.2, 0.2), LeftOut = [3, 9], Loss = double.NaN };
        return [CommitLog.Write(record, 12.5), [.. CommitLog.Write(record, 12.5), .. CommitLog.Write(full, double.PositiveInfinity)], [.. CommitLog.Write(record, 1), .. Encoding.UTF8.GetBytes("{\"step\":2,")]];
    }
}
