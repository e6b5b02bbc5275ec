using System.Text;

namespace Cluster.Cli.Hosting.Supervision;

/// <summary>What a service manager has been told.</summary>
/// <param name="IsReady">READY=1; never twice.</param>
/// <param name="IsStopping">STOPPING=1; nothing but a status comes after it.</param>
/// <param name="Status">The last sentence.</param>
/// <param name="LastBeat">Of <see cref="ServiceLook.Now"/>; null = none yet.</param>
internal sealed record ServiceState(bool IsReady, bool IsStopping, string Status, TimeSpan? LastBeat)
{
    public static readonly ServiceState Nothing = new(false, false, "", null);
}

/// <summary>How a process is, at one moment.</summary>
/// <param name="IsLive">It turns over.</param>
/// <param name="IsIn">It is in the run.</param>
/// <param name="IsStopping">It was asked to stop, or has ended.</param>
/// <param name="Status">A sentence for a person.</param>
/// <param name="Now">Of one monotonic clock.</param>
internal readonly record struct ServiceLook(bool IsLive, bool IsIn, bool IsStopping, string Status, TimeSpan Now);

/// <summary>
/// What to tell a service manager, in the lines of sd_notify(3): READY=1 once the process is in the run, STATUS= when it
/// changes, WATCHDOG=1 while it turns over, STOPPING=1 once. Pure.
/// </summary>
internal static class ServiceNotices
{
    /// <summary>A line that systemctl status shows whole.</summary>
    private const int LongestStatus = 200;

    /// <param name="beatEvery">How often WATCHDOG=1 is due; null = nobody waits for it.</param>
    /// <returns>Message: empty when there is nothing to tell.</returns>
    public static (ServiceState Next, string Message) Advance(ServiceState state, ServiceLook look, TimeSpan? beatEvery)
    {
        var message = new StringBuilder();
        if (look.IsIn && !state.IsReady && !state.IsStopping)
        {
            state = state with { IsReady = true };
            message.Append("READY=1\n");
        }
        if (look.IsStopping && !state.IsStopping)
        {
            state = state with { IsStopping = true };
            message.Append("STOPPING=1\n");
        }
        var status = OneLine(look.Status);
        if (status.Length > 0 && status != state.Status)
        {
            state = state with { Status = status };
            message.Append("STATUS=").Append(status).Append('\n');
        }
        // The manager counts from READY=1 on: what a process does before has its start limit.
        if (look.IsLive && state.IsReady && beatEvery is { } every && (state.LastBeat is not { } last || look.Now - last >= every))
        {
            state = state with { LastBeat = look.Now };
            message.Append("WATCHDOG=1\n");
        }
        return (state, message.ToString());
    }

    /// <summary>A message is lines: a line feed in a status would begin another assignment.</summary>
    private static string OneLine(string text)
    {
        var line = new StringBuilder(Math.Min(text.Length, LongestStatus));
        foreach (var c in text.AsSpan(0, Math.Min(text.Length, LongestStatus))) line.Append(char.IsControl(c) ? ' ' : c);
        if (line.Length > 0 && char.IsHighSurrogate(line[^1])) line.Length--;
        return line.ToString().Trim();
    }

    /// <summary>Half of the watchdog's time, as sd_watchdog_enabled(3) advises.</summary>
    /// <param name="microseconds">WATCHDOG_USEC.</param>
    /// <param name="process">WATCHDOG_PID: whose watchdog it is; absent = this process's.</param>
    public static TimeSpan? BeatEvery(string? microseconds, string? process, int self)
    {
        if (!long.TryParse(microseconds, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var us) || us <= 0) return null;
        if (process is { Length: > 0 } && process != self.ToString(System.Globalization.CultureInfo.InvariantCulture)) return null;
        return TimeSpan.FromMicroseconds(Math.Min(us, long.MaxValue / 100) / 2.0);
    }
}
