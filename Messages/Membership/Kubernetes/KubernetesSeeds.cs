using Cluster.Contracts;
using Cluster.Link;

namespace Cluster.Membership.Kubernetes;

/// <summary>Asks for the pods until their list counts. Any failure that may pass is said once, and asked again.</summary>
/// <param name="say">Hears a sentence whenever what is waited for changes. Any thread.</param>
public sealed class KubernetesSeeds(PodSelector selector, SeedRules rules, IPodLister pods, TimeProvider time, Action<string> say)
{
    private string? _said;

    /// <param name="patience">How long to look; infinite for whoever stands by.</param>
    /// <exception cref="UserMistakeException">Not found in time, or asking again brings nothing else.</exception>
    /// <exception cref="OperationCanceledException">It was asked to stop.</exception>
    public async Task<IReadOnlyList<LinkAddress>> FindAsync(TimeSpan patience, CancellationToken stop)
    {
        var start = time.GetTimestamp();
        var watch = SeedsWatch.Nothing;
        while (true)
        {
            var pause = rules.Times.Look;
            string sentence;
            try
            {
                var asked = time.GetElapsedTime(start);
                var found = SeedPods.Of(await pods.ListAsync(selector, stop), selector.Port);
                (watch, var seeds, sentence) = watch.Look(found, asked, time.GetElapsedTime(start), rules);
                Say(sentence);
                if (seeds is not null) return seeds;
            }
            catch (PodsUnknownException e)
            {
                if (e.IsFinal) throw new UserMistakeException($"--seeds {selector}: {e.Message}", e);
                (watch, pause, sentence) = (SeedsWatch.Failed, rules.Times.Pause, e.Message);
                Say($"{sentence}; it asks again");
            }
            if (patience != Timeout.InfiniteTimeSpan && time.GetElapsedTime(start) + pause > patience)
                throw new UserMistakeException($"--seeds {selector}: no seeds within {patience.TotalSeconds} s (--patience): {sentence}");
            await Task.Delay(pause, time, stop);
        }
    }

    private void Say(string sentence)
    {
        if (sentence == _said) return;
        _said = sentence;
        say($"seeds: {sentence}");
    }
}
