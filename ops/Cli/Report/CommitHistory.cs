using System.Text.Json;

namespace Cluster.Cli.Report;

/// <summary>A committed step, as far as a report draws it.</summary>
/// <param name="Milliseconds">Since the step before it.</param>
internal readonly record struct StepPoint(long Step, int Samples, double Loss, double Accuracy, double GradNorm, double Scale, double LearningRate, double Milliseconds);

/// <summary>One worker's part of a run.</summary>
/// <param name="Steps">In which it computed a leaf that counted.</param>
/// <param name="Milliseconds">That those steps took.</param>
internal sealed record WorkerPart(int Worker, long Samples, long Steps, long First, long Last, double Milliseconds);

/// <summary>What commits.jsonl tells of a run.</summary>
/// <param name="Steps">In order.</param>
/// <param name="Workers">By number.</param>
/// <param name="Shares">Samples by worker over the run.</param>
/// <param name="Terms">Coordinators' terms that the steps were decided in.</param>
/// <param name="Repeated">Steps that needed more than one attempt.</param>
/// <param name="Trouble">What is wrong with the file, as a sentence; null when nothing is.</param>
internal sealed record CommitHistory(
    IReadOnlyList<StepPoint> Steps, IReadOnlyList<WorkerPart> Workers, ShareTable Shares, int Terms, long Repeated, long Skipped, string? Trouble)
{
    /// <summary>A part of it while its line is read.</summary>
    private struct Line
    {
        public StepPoint Point;
        public long Term;
        public int Attempt;
        public bool IsSkipped;
    }

    /// <summary>Reads a log line by line, never the whole of it. What lies behind a damaged line is left out, and said.</summary>
    /// <param name="path">None at all is an empty history.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static CommitHistory Read(string path)
    {
        var steps = new List<StepPoint>();
        var workers = new Dictionary<int, WorkerPart>();
        var shares = new ShareTable();
        var leaves = new List<(int Worker, int Samples)>();
        var (terms, term, repeated, skipped) = (0, -1L, 0L, 0L);
        string? trouble = null;
        foreach (var (bytes, isWhole) in LinesOf(path))
        {
            if (!isWhole)
            {
                trouble = $"the last line of commits.jsonl is torn: step {steps.Count + 1} was never committed";
                break;
            }
            leaves.Clear();
            if (!TryParse(bytes.Span, leaves, out var line) || line.Point.Step != steps.Count + 1)
            {
                trouble = $"line {steps.Count + 1} of commits.jsonl is damaged or out of order: the report goes up to the line before it ('cluster audit' says more)";
                break;
            }
            steps.Add(line.Point);
            if (line.Term != term) terms++;
            term = line.Term;
            if (line.Attempt > 1) repeated++;
            if (line.IsSkipped) skipped++;
            Share(line.Point, leaves, workers, shares);
        }
        return new CommitHistory(steps, [.. workers.Values.OrderBy(static w => w.Worker)], shares, terms, repeated, skipped, trouble);
    }

    private static void Share(StepPoint point, List<(int Worker, int Samples)> leaves, Dictionary<int, WorkerPart> workers, ShareTable shares)
    {
        shares.Begin();
        foreach (var (worker, samples) in leaves)
        {
            shares.Add(worker, samples);
            var part = workers.GetValueOrDefault(worker) ?? new WorkerPart(worker, 0, 0, point.Step, 0, 0);
            var isNew = part.Last != point.Step;
            workers[worker] = part with
            {
                Samples = part.Samples + samples,
                Steps = part.Steps + (isNew ? 1 : 0),
                Last = point.Step,
                // The first step holds the start of the run.
                Milliseconds = part.Milliseconds + (isNew && point.Step > 1 && double.IsFinite(point.Milliseconds) ? point.Milliseconds : 0),
            };
        }
    }

    /// <summary>Lines without their newline; the last one may lack it.</summary>
    private static IEnumerable<(ReadOnlyMemory<byte> Bytes, bool IsWhole)> LinesOf(string path)
    {
        if (!File.Exists(path)) yield break;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        var buffer = new byte[1 << 18];
        var (start, end) = (0, 0);
        while (true)
        {
            var length = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (length >= 0)
            {
                yield return (buffer.AsMemory(start, length), true);
                start += length + 1;
                continue;
            }
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end == buffer.Length) Array.Resize(ref buffer, 2 * buffer.Length);
            var read = file.Read(buffer, end, buffer.Length - end);
            if (read == 0) break;
            end += read;
        }
        // Space that a log has reserved ahead reads as nothing; zeros are what a power loss leaves.
        if (end > 0 && buffer.AsSpan(0, end).ContainsAnyExcept((byte)0)) yield return (buffer.AsMemory(0, end), false);
    }

    private static bool TryParse(ReadOnlySpan<byte> bytes, List<(int Worker, int Samples)> leaves, out Line line)
    {
        line = default;
        try
        {
            var json = new Utf8JsonReader(bytes);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return false;
            var (step, samples, loss, accuracy, norm, scale, rate, ms) = (0L, 0, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("step"u8)) step = Whole(ref json);
                else if (json.ValueTextEquals("attempt"u8)) line.Attempt = (int)Whole(ref json);
                else if (json.ValueTextEquals("term"u8)) line.Term = Whole(ref json);
                else if (json.ValueTextEquals("samples"u8)) samples = (int)Whole(ref json);
                else if (json.ValueTextEquals("loss"u8)) loss = Number(ref json);
                else if (json.ValueTextEquals("accuracy"u8)) accuracy = Number(ref json);
                else if (json.ValueTextEquals("grad_norm"u8)) norm = Number(ref json);
                else if (json.ValueTextEquals("scale"u8)) scale = Number(ref json);
                else if (json.ValueTextEquals("lr"u8)) rate = Number(ref json);
                else if (json.ValueTextEquals("ms"u8)) ms = Number(ref json);
                else if (json.ValueTextEquals("applied"u8)) line.IsSkipped = json.Read() && json.TokenType == JsonTokenType.False;
                else if (json.ValueTextEquals("leaves"u8)) Leaves(ref json, leaves);
                else json.Skip();
            }
            line.Point = new StepPoint(step, samples, loss, accuracy, norm, scale, rate, ms);
            return json.TokenType == JsonTokenType.EndObject;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return false;
        }
    }

    private static void Leaves(ref Utf8JsonReader json, List<(int Worker, int Samples)> leaves)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.StartObject)
        {
            var (worker, samples) = (0, 0);
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("worker"u8)) worker = (int)Whole(ref json);
                else if (json.ValueTextEquals("samples"u8)) samples = (int)Whole(ref json);
                else json.Skip();
            }
            leaves.Add((worker, samples));
        }
    }

    private static long Whole(ref Utf8JsonReader json)
    {
        json.Read();
        return json.GetInt64();
    }

    /// <summary>Numbers that JSON cannot hold stand there as words.</summary>
    private static double Number(ref Utf8JsonReader json)
    {
        json.Read();
        return json.TokenType == JsonTokenType.Number ? json.GetDouble()
            : json.ValueTextEquals("Infinity"u8) ? double.PositiveInfinity
            : json.ValueTextEquals("-Infinity"u8) ? double.NegativeInfinity : double.NaN;
    }
}
