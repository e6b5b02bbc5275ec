using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>Hears an engine's views and waits for some, with a limit.</summary>
public sealed class ViewRecorder : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly List<MembershipView> _views = [];
    private readonly List<(Func<MembershipView, bool> Wanted, TaskCompletionSource<MembershipView> Found)> _waiting = [];
    private readonly IDisposable _subscription;
    private int _inside;

    public ViewRecorder(IMembership membership) => _subscription = membership.Subscribe(Hear);

    public IReadOnlyList<MembershipView> Views
    {
        get { lock (_views) return [.. _views]; }
    }

    /// <summary>Two calls at once were heard: a broken promise.</summary>
    public bool Overlapped { get; private set; }

    public static string Short(MembershipView view) => string.Join(' ', view.Members.Select(member => $"{member.Name}{(member.State == MemberState.Leaving ? "-" : "")}"));

    /// <summary>The present view if it is so, else the next one that is.</summary>
    public async Task<MembershipView> AwaitAsync(Func<MembershipView, bool> wanted)
    {
        var found = new TaskCompletionSource<MembershipView>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_views)
        {
            if (_views.Count > 0 && wanted(_views[^1])) return _views[^1];
            _waiting.Add((wanted, found));
        }
        try
        {
            return await found.Task.WaitAsync(Patience);
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException($"the view did not come in {Patience}; there were: {string.Join(" | ", Views.Select(view => $"{view.TermCandidate}.{view.Number} [{Short(view)}] {view.Reason}"))}", e);
        }
    }

    /// <summary>Waits for exactly these members, in order of role and index; a leaving one carries a dash.</summary>
    public Task<MembershipView> MembersAsync(string members) => AwaitAsync(view => Short(view) == members);

    public void Dispose() => _subscription.Dispose();

    private void Hear(MembershipView view)
    {
        if (Interlocked.Increment(ref _inside) != 1) Overlapped = true;
        lock (_views)
        {
            _views.Add(view);
            foreach (var waiter in _waiting.Where(waiter => waiter.Wanted(view)).ToList())
            {
                waiter.Found.TrySetResult(view);
                _waiting.Remove(waiter);
            }
        }
        Interlocked.Decrement(ref _inside);
    }
}
