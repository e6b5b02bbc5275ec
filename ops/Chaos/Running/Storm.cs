using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Chaos;

/// <summary>The disturbed run: started with its faults, and started again with those that are left after each death of its supervisor.</summary>
internal sealed class Storm(ChaosOptions options)
{
    private readonly List<SupervisorDeath> _deaths = [];
    private readonly CommitTail _tail = new(Path.Combine(options.Out, "commits.jsonl"));

    /// <summary>Why the run did not finish; null if it did.</summary>
    public string? Failure { get; private set; }

    public int Starts { get; private set; }

    public IReadOnlyList<SupervisorDeath> Deaths => _deaths;

    public string? WentBack => _tail.WentBack;

    public IReadOnlyDictionary<long, DateTimeOffset> Appeared => _tail.Seen.DistinctBy(static s => s.Step).ToDictionary(static s => s.Step, static s => s.Time);

    /// <exception cref="UserMistakeException">The program refuses its options.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var tail = _tail;
        var deaths = new Queue<StepId>(options.Plan.Deaths);
        while (true)
        {
            var next = deaths.TryDequeue(out var step) ? step : (StepId?)null;
            using var process = RunProcess.Start(options.Program, Arguments(), options.Say);
            Starts++;
            tail.Excuse();
            var end = await EndOrDeathAsync(process, next, stop);
            if (end is null)
            {
                await DieAsync(process, next!.Value);
                continue;
            }
            if (end.ExitCode == 2 && Starts == 1) throw new UserMistakeException(end.LastError);
            Failure ??= end.ExitCode == 0 ? null : $"{end.LastError} (exit code {end.ExitCode})";
            return;
        }
    }

    /// <returns>Null when it is the supervisor's time to die.</returns>
    private async Task<ProcessEnd?> EndOrDeathAsync(RunProcess process, StepId? death, CancellationToken stop)
    {
        await using var stopping = stop.Register(process.Terminate);
        var reached = death is { } step ? _tail.Reaches(step) : Task.Delay(Timeout.Infinite, stop);
        while (true)
        {
            var patience = _tail.Last.AddSeconds(Limits.ChaosPatienceSeconds) - DateTimeOffset.UtcNow;
            if (patience <= TimeSpan.Zero)
            {
                Failure = $"no step was committed for {Limits.ChaosPatienceSeconds} s";
                process.Kill();
                return await process.Ended;
            }
            var first = await Task.WhenAny(process.Ended, reached, Task.Delay(patience, stop));
            if (process.Ended.IsCompleted || stop.IsCancellationRequested)
            {
                var end = await process.Ended;
                stop.ThrowIfCancellationRequested();
                return end;
            }
            if (first == reached) return null;
        }
    }

    private string[] Arguments()
    {
        if (Starts == 0) return ["launch", .. options.RunArguments, "--out", options.Out, .. options.Plan.Faults.SelectMany(static f => (string[])["--fault", f.ToString()])];
        var events = RunRecords.EventsOf(options.Out);
        var last = _tail.Seen is { Count: > 0 } seen ? seen[^1].Step : 0;
        var left = options.Plan.Faults.Where(f => f.Step.Value > last && FaultReading.StrikeOf(f, events) is null && FaultReading.MissOf(f, events) is null).ToList();
        ChaosRun.Say(options, $"the run is resumed at step {last + 1} with {left.Count} {(left.Count == 1 ? "fault" : "faults")} left");
        return ["launch", "--resume", "--out", options.Out, .. left.SelectMany(static f => (string[])["--fault", f.ToString()])];
    }

    /// <summary>Kills the supervisor and sees to it that its processes are gone before the run is resumed.</summary>
    private async Task DieAsync(RunProcess process, StepId step)
    {
        var children = Posix.ChildrenOf(process.Id) ?? ProcessesOf(RunRecords.EventsOf(options.Out));
        process.Kill();
        await process.Ended;
        var time = DateTimeOffset.UtcNow;
        var deadline = time.AddSeconds(Limits.OrphanSeconds);
        var living = children;
        while (living.Count > 0 && DateTimeOffset.UtcNow < deadline)
        {
            await Task.Delay(10);
            living = [.. living.Where(Posix.IsAlive)];
        }
        var gone = DateTimeOffset.UtcNow - time;

        // They have failed the promise; they must not write into the run that goes on.
        foreach (var survivor in living) Posix.KillNow(survivor);
        ChaosRun.Say(options, $"fault kill:supervisor@{step}: the supervisor was killed; {(living.Count == 0 ? $"its {children.Count} processes were gone {gone.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s later" : $"{living.Count} of its {children.Count} processes outlived it")}");
        var (torn, tornStep) = options.Plan.RunFaults.Any(f => f.Kind == RunFaultKind.TearCheckpoint && f.Step == step) ? Tear(Path.Combine(options.Out, "checkpoints")) : (null, null);
        if (torn is not null) ChaosRun.Say(options, $"fault tear:checkpoint@{step}: {torn}");
        _deaths.Add(new SupervisorDeath(step.Value, time, living.Count, gone, torn, tornStep));
    }

    /// <summary>The newest process of each node, by the supervisor's own word in events.jsonl: for systems without /proc.</summary>
    private static List<int> ProcessesOf(IReadOnlyList<EventRow> events) =>
    [
        .. events.Where(static e => e.Kind == "process-started").GroupBy(static e => e.Node, StringComparer.Ordinal)
            .Select(static g => int.TryParse(g.Last().Sentence.TrimEnd('.').Split(' ')[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var process) ? process : 0)
            .Where(static process => process > 0 && Posix.IsAlive(process)),
    ];

    /// <summary>Cuts the newest checkpoint's largest file in the middle, as a machine does that loses power while it writes.</summary>
    internal static (string Sentence, long? Step) Tear(string checkpoints)
    {
        if (!Directory.Exists(checkpoints) || Directory.EnumerateDirectories(checkpoints, "step-*").MaxBy(StepOf) is not { } newest || StepOf(newest) is not { } step)
            return ("there was no checkpoint yet that could be torn", null);
        var file = new DirectoryInfo(newest).EnumerateFiles().MaxBy(static f => f.Length)!;
        var length = file.Length;
        using (var stream = file.Open(FileMode.Open, FileAccess.Write)) stream.SetLength(length / 2);
        return ($"{file.Name} of the newest checkpoint, {Path.GetFileName(newest)}, was cut from {length} to {length / 2} bytes", step);

        // A folder that is still being written has another name.
        static long? StepOf(string folder) => long.TryParse(Path.GetFileName(folder)["step-".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var step) ? step : null;
    }
}
