using Cluster.Contracts;

namespace Cluster.Coordinator.Monitor.Traces;

/// <summary>From trace ids back to steps, for the steps that were told of last.</summary>
internal sealed class StepAddresses(string runId)
{
    /// <summary>Spans of older steps than that are of no step any more: nothing sends them so late.</summary>
    private const int MaxSteps = 4_096;

    private readonly Dictionary<(ulong High, ulong Low), long> _steps = [];
    private readonly Queue<(ulong, ulong)> _order = new();

    public void Know(long step)
    {
        var context = ContextOf(runId, step);
        var key = (context.TraceIdHigh, context.TraceIdLow);
        if (!_steps.TryAdd(key, step)) return;
        _order.Enqueue(key);
        if (_order.Count > MaxSteps) _steps.Remove(_order.Dequeue());
    }

    public long? Of(SpanRecord span) => _steps.TryGetValue((span.TraceIdHigh, span.TraceIdLow), out var step) ? step : null;

    /// <summary>The root of a step's trace.</summary>
    public static TraceContext ContextOf(string runId, long step) => StepTrace.ContextOf(runId, new StepId(step));
}
