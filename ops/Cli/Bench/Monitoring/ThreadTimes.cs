using System.Globalization;

namespace Cluster.Cli.Bench.Monitoring;

/// <summary>
/// Processor time of the threads of another process by their names, between two of its steps: /proc/PID/task. Says what
/// watching costs where wall times cannot, because other users of the machine change its speed from one run to the next.
/// </summary>
internal sealed class ThreadTimes
{
    /// <summary>One over sysconf(_SC_CLK_TCK), which is 100 on every Linux that .NET runs on.</summary>
    private const double MillisecondsPerTick = 10;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>What trains, and what compiles code at the start: both are there without watching too.</summary>
    private static readonly string[] NotWatching = ["worker-", "prefetch", ".NET Tiered"];

    private (long Steps, Dictionary<string, double> Times)? _first, _last;

    /// <summary>Milliseconds of processor time of a step in all threads but those that train and compile; NaN when the run was too short.</summary>
    public double BesideTraining => Of(static name => !NotWatching.Any(n => name.StartsWith(n, StringComparison.Ordinal)));

    /// <summary>The same in all threads.</summary>
    public double All => Of(static _ => true);

    /// <summary>Samples until cancelled, or until the process is gone.</summary>
    /// <param name="process">Its id.</param>
    /// <param name="commits">The run's log: a line per step.</param>
    /// <param name="after">Steps that do not count.</param>
    public async Task SampleAsync(int process, string commits, long after, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Pause);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                var steps = File.Exists(commits) ? CountLines(commits) : 0;
                if (steps < after) continue;
                var now = (Steps: steps, Times: Read(process));
                // A process that is ending has lost some of its threads, and their time with them.
                if (_last is { } last && last.Times.Any(t => now.Times.GetValueOrDefault(t.Key) < t.Value)) continue;
                _first ??= now;
                _last = now;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or UnauthorizedAccessException)
        {
            // It ended between two looks.
        }
    }

    private double Of(Func<string, bool> wanted)
    {
        if (_first is not { } first || _last is not { } last || last.Steps <= first.Steps) return double.NaN;
        return (Sum(last.Times) - Sum(first.Times)) / (last.Steps - first.Steps);

        double Sum(Dictionary<string, double> times) => times.Where(t => wanted(t.Key)).Sum(static t => t.Value);
    }

    /// <summary>A thread that ended takes its time with it; those that matter live as long as the run.</summary>
    private static Dictionary<string, double> Read(int process)
    {
        var times = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var task in Directory.EnumerateDirectories($"/proc/{process}/task"))
        {
            try
            {
                // pid (name) state ppid …: utime and stime are fields 14 and 15; a name may hold spaces and brackets.
                var line = File.ReadAllText(Path.Combine(task, "stat"));
                var (open, close) = (line.IndexOf('('), line.LastIndexOf(')'));
                var fields = line[(close + 2)..].Split(' ');
                var name = line[(open + 1)..close];
                times[name] = times.GetValueOrDefault(name) + (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) * MillisecondsPerTick;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Gone since it was listed.
            }
        }
        return times;
    }

    private static long CountLines(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var buffer = new byte[64 * 1024];
        long lines = 0;
        for (int read; (read = file.Read(buffer)) > 0;) lines += buffer.AsSpan(0, read).Count((byte)'\n');
        return lines;
    }
}
