using System.Globalization;
using Cluster.Contracts;
using OpenTelemetry.Trace;

namespace Cluster.Cli.Hosting;

/// <summary>Head sampling for OTLP: the traces of every n-th step, and all that are none of a step. What slow and failed steps were, the run's folder knows.</summary>
/// <param name="every">0 = of no step.</param>
internal sealed class StepSampler(long every) : Sampler
{
    public override SamplingResult ShouldSample(in SamplingParameters samplingParameters)
    {
        if (samplingParameters.Name != ClusterTelemetry.Spans.Step || samplingParameters.Tags is null) return new SamplingResult(SamplingDecision.RecordAndSample);
        foreach (var tag in samplingParameters.Tags)
            if (tag.Key == ClusterTelemetry.Tags.Step) return new SamplingResult(every > 0 && Convert.ToInt64(tag.Value, CultureInfo.InvariantCulture) % every == 0);
        return new SamplingResult(SamplingDecision.RecordAndSample);
    }
}
