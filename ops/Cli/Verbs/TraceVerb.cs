using System.CommandLine;
using System.Globalization;
using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Contracts;
using Cluster.Coordinator.Core;
using Cluster.Coordinator.Monitor.Traces;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster trace DIR</c>: where the time of a step went, and whether the traces of a run are whole.</summary>
internal sealed class TraceVerb : IVerb
{
    /// <summary>Steps in a Perfetto file that is asked for without one: what its page scrolls through.</summary>
    private const int PerfettoSteps = 500;

    private readonly Argument<string?> _folder = new("folder") { Arity = ArgumentArity.ZeroOrOne };
    private readonly Option<long?> _step = new("--step") { Description = "The step to show." };
    private readonly Option<string?> _perfetto = new("--perfetto") { Description = "Write a file for ui.perfetto.dev." };
    private readonly Option<bool> _check = new("--check") { Description = "Check that the traces are whole." };

    public TraceVerb() => Command = new Command("trace", "Show where the time of a step went.") { _folder, _step, _perfetto, _check };

    public Command Command { get; }

    public string HelpText =>
        """
        cluster trace DIR [--step N] [--perfetto FILE] [--check]

        Reads traces.jsonl of the run in DIR, which may still be going.

          --step N         Draw step N as a waterfall: a line per span, the critical path marked. Without it: which steps there are.
          --perfetto FILE  Write step N, or the last 500 steps, as a file that ui.perfetto.dev and chrome://tracing open.
          --check          Hold the traces against commits.jsonl and events.jsonl: one trace and one root per committed step, every
                           parent and link there (unless its process was killed), every critical path as long as its step.

        Exit codes: 0 done, 1 the traces are not whole, 2 DIR is no run, or holds no trace of that step.
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        var folder = parse.GetValue(_folder) ?? throw new UserMistakeException("cluster trace needs the folder of a run: cluster trace runs/NAME --step N ('cluster runs' lists them)");
        var run = ConfigReader.Read(folder);
        folder = Path.GetDirectoryName(run.Path) is { Length: > 0 } parent ? parent : ".";
        var runId = run.RunId ?? throw new UserMistakeException($"{run.Path} does not say the run's id: the run ended before its data was open, or the file was changed by hand");
        var traces = new StoredTraces(folder, runId);
        if (!traces.Exist) throw new UserMistakeException($"{folder} holds no {TraceFile.Name}: the run began nothing, or was not traced");
        try
        {
            var step = parse.GetValue(_step);
            var perfetto = parse.GetValue(_perfetto);
            if (parse.GetValue(_check)) return Task.FromResult(Check(folder, run, traces));
            if (step is null && perfetto is null)
            {
                Console.Out.WriteLine($"{folder} holds the traces of {traces.StepsText()}. --step N shows one.");
                return Task.FromResult(ExitCodes.Done);
            }
            IReadOnlyList<Timeline> shown = step is { } number
                ? [Timeline.Of(traces.Of(number)) ?? throw new UserMistakeException($"{folder} holds no trace of step {number}: it holds those of {traces.StepsText()}")]
                : traces.Last(PerfettoSteps);
            if (perfetto is not null) WritePerfetto(perfetto, Path.GetFileName(Path.GetFullPath(folder)), shown);
            else Console.Out.Write(Waterfall.Write(shown[0], WidthOf()));
            return Task.FromResult(ExitCodes.Done);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot read the traces of {folder}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        finally
        {
            if (traces.Damaged > 0) Console.Error.WriteLine($"cluster: {traces.Damaged} damaged {(traces.Damaged == 1 ? "line" : "lines")} of {TraceFile.Name} passed over");
        }
    }

    private static int WidthOf() => Console.IsOutputRedirected ? 140 : Math.Max(80, Console.WindowWidth - 1);

    private static void WritePerfetto(string path, string name, IReadOnlyList<Timeline> timelines)
    {
        try
        {
            using var file = File.Create(path);
            PerfettoFile.Write(file, name, timelines);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"cannot write {path}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        Console.Out.WriteLine($"{path}: {timelines.Count} {(timelines.Count == 1 ? "step" : "steps")}, {timelines.Sum(static t => t.Rows.Count)} spans; open it at ui.perfetto.dev or chrome://tracing");
    }

    private static int Check(string folder, StoredRun run, StoredTraces traces)
    {
        var log = Path.Combine(folder, RunFolder.CommitsName);
        var committed = File.Exists(log) ? CommitLog.Read(File.ReadAllBytes(log)).Lines.Select(static l => l.Record.Step.Value) : [];
        var every = run.Options.TraceEvery;
        var all = traces.All();
        // What was dropped for want of room is told in events.jsonl; the rest must be whole.
        var first = traces.IsBounded ? all.Steps.DefaultIfEmpty(long.MaxValue).Min() + 1 : 1;
        var expected = committed.Where(step => step >= first && every > 0 && step % every == 0).ToArray();
        var verdict = TraceCheck.Run(run.RunId!, expected, all.Spans, ProcessEnds.Of(folder, all.Spans), all.Dropped);
        var text = new StringBuilder();
        foreach (var problem in verdict.Problems) text.Append("NOT WHOLE: ").Append(problem).Append('\n');
        if (verdict.IsWhole)
            text.Append(CultureInfo.InvariantCulture, $"whole: {verdict.Steps} committed steps, {verdict.Spans} spans; {verdict.Excused} references to spans of processes that ended; {all.Dropped} spans dropped\n");
        Console.Out.Write(text);
        return verdict.IsWhole ? ExitCodes.Done : ExitCodes.Failed;
    }
}
