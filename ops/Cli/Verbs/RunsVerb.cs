using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Configuration;
using Cluster.Cli.Display;
using Cluster.Contracts;
using Spectre.Console;

namespace Cluster.Cli.Verbs;

/// <summary><c>cluster runs [DIR]</c>: the runs of a folder, newest first.</summary>
internal sealed class RunsVerb : IVerb
{
    private const string DefaultFolder = "runs";

    private static readonly string[] Columns = ["run", "state", "steps", "loss", "test acc.", "images/s", "recipe", "model", "data", "began"];

    /// <summary>Columns of numbers.</summary>
    private static readonly HashSet<string> RightAligned = ["steps", "loss", "test acc.", "images/s"];

    private readonly Argument<string?> _folder = new("folder") { Arity = ArgumentArity.ZeroOrOne };

    public RunsVerb() => Command = new Command("runs", "List past runs.") { _folder };

    public Command Command { get; }

    public string HelpText =>
        """
        cluster runs [DIR]

        Lists the runs in DIR (runs/ unless given), newest first: a table on a terminal, plain columns on a pipe. States: finished,
        interrupted (killed or stopped; 'cluster train --resume --out DIR' goes on), failed, running, broken (with what is wrong).
        """;

    public Task<int> RunAsync(ParseResult parse, IReadOnlyList<string> mistakes, CancellationToken stop)
    {
        HelpVerb.Refuse(mistakes);
        var given = parse.GetValue(_folder);
        var folder = given ?? DefaultFolder;
        if (!Directory.Exists(folder))
        {
            if (given is not null) throw new UserMistakeException($"there is no folder {given}");
            Console.Out.WriteLine($"no runs yet: 'cluster train' makes the first one under {DefaultFolder}/");
            return Task.FromResult(ExitCodes.Done);
        }
        var runs = PastRuns.In(folder);
        if (runs.Count == 0) Console.Out.WriteLine($"no runs in {folder}");
        else if (Displays.IsTerminal) WriteTable(runs, AnsiConsole.Console);
        else Console.Out.Write(Plain(runs));
        return Task.FromResult(ExitCodes.Done);
    }

    /// <summary>Columns padded with spaces, two between them; the trouble of a broken run stands behind its state.</summary>
    internal static string Plain(IReadOnlyList<PastRun> runs)
    {
        var rows = runs.Select(Cells).Prepend(Columns).ToList();
        var sound = rows.Where(row => row.Length == Columns.Length).ToList();
        var widths = Columns.Select((_, column) => column < 2
            ? rows.Max(row => row[column].Length)
            : sound.Max(row => row[column].Length)).ToArray();
        return string.Concat(rows.Select(row => string.Join("  ", row.Select((cell, column) =>
            column >= 2 && row.Length != Columns.Length ? cell
            : RightAligned.Contains(Columns[column]) ? cell.PadLeft(widths[column])
            : cell.PadRight(widths[column]))).TrimEnd() + "\n"));
    }

    internal static void WriteTable(IReadOnlyList<PastRun> runs, IAnsiConsole console)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in Columns)
        {
            var header = new TableColumn(new Text(column, new Style(decoration: Decoration.Bold)));
            table.AddColumn(RightAligned.Contains(column) ? header.RightAligned().NoWrap() : header);
        }
        foreach (var run in runs.Where(run => run.State != RunState.Broken))
        {
            var cells = Cells(run);
            table.AddRow(cells.Select((cell, column) => new Text(cell, column == 1 ? StyleOf(run.State) : Style.Plain)));
        }
        if (table.Rows.Count > 0) console.Write(table);
        // A sentence in a narrow column would be unreadable, so broken folders stand below the table.
        foreach (var run in runs.Where(run => run.State == RunState.Broken))
            console.MarkupLine($"[red]broken[/] {Markup.Escape(run.Name)}: {Markup.Escape(run.Trouble ?? "")}");
    }

    private static Style StyleOf(RunState state) => state switch
    {
        RunState.Finished => new Style(Color.Green),
        RunState.Running => new Style(Color.Blue),
        RunState.Interrupted => new Style(Color.Yellow),
        _ => new Style(Color.Red),
    };

    /// <summary>A broken run has three: name, state, what is wrong.</summary>
    private static string[] Cells(PastRun run)
    {
        var state = run.State.ToString().ToLowerInvariant();
        if (run.State == RunState.Broken) return [run.Name, state, run.Trouble ?? ""];
        return
        [
            run.Name,
            state,
            run.Steps is null ? "-" : $"{run.Steps}/{run.TotalSteps?.ToString(CultureInfo.InvariantCulture) ?? "?"}",
            run.Loss is { } loss ? $"{loss:0.0000}" : "-",
            run.TestAccuracy is { } accuracy ? Wording.Percent(accuracy) : "-",
            run.ImagesPerSecond is { } rate ? $"{rate:0}" : "-",
            run.Recipe ?? "-",
            run.Model ?? "-",
            run.Data ?? "-",
            run.When.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
        ];
    }
}
