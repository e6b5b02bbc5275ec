using Cluster.Contracts;

namespace Cluster.Membership;

/// <summary>
/// A process' side of the Static engine: the coordinator's address is given, and the coordinator tells the views. The owner of
/// the transport reports what comes; all methods may be called from any thread and return at once.
/// </summary>
public sealed class StaticMember : IMembership
{
    private readonly ViewMailbox _mailbox;
    private readonly MemberRole _role;
    private readonly long _incarnation;
    private readonly string _address;
    private readonly Action<MemberRefusal> _refused;
    private string? _name;

    /// <summary>Of the last view that was told. Engine's thread.</summary>
    private Member? _coordinator;

    /// <param name="name">The name to ask for, or null for the lowest free one.</param>
    /// <param name="incarnation">Higher than that of every earlier process of this name.</param>
    /// <param name="address">Where others reach this process; empty if nowhere.</param>
    /// <param name="refused">Hears that this process is not let in, or has lost its place. Engine's thread.</param>
    public StaticMember(string? name, MemberRole role, long incarnation, string address, Action<MemberRefusal> refused)
    {
        (_name, _role, _incarnation, _address, _refused) = (name, role, incarnation, address, refused);
        _mailbox = new ViewMailbox("membership", new MembershipView(0, default, Coordinator: null, [], "not let in yet"));
    }

    /// <summary>This process' name, once it has one.</summary>
    public string? Name => Volatile.Read(ref _name);

    public MembershipView View => _mailbox.View;

    /// <summary>What to say to a coordinator on every new connection: after the first welcome with the name that it gave, so that a coordinator that took over finds everybody as before.</summary>
    public MemberHello Hello => new(Name, _role, _incarnation, _address);

    public IDisposable Subscribe(Action<MembershipView> listener) => _mailbox.Subscribe(listener);

    /// <summary>The coordinator lets this process in.</summary>
    public void Welcomed(MemberWelcome welcome) => _mailbox.Post(() =>
    {
        Volatile.Write(ref _name, welcome.Name);
        Accept(welcome.View);
    });

    /// <summary>The coordinator tells a view. One that is older than the present one is void: a zombie's, or late.</summary>
    public void Told(MembershipView view) => _mailbox.Post(() => Accept(view));

    /// <summary>The coordinator does not let this process in, or has given its place away.</summary>
    public void Refused(MemberRefusal refusal) => _mailbox.Post(() => _refused(refusal));

    /// <summary>The coordinator is silent, or the connection to it has ended: the members of the last view stay, the coordinator is unknown.</summary>
    /// <param name="cause">A sentence's end: <c>connection reset</c>.</param>
    public void CoordinatorLost(string cause) => _mailbox.Post(() =>
    {
        if (View.Coordinator is { } coordinator) _mailbox.Show(View with { Coordinator = null, Reason = $"{coordinator.Name} is lost ({cause})" });
    });

    /// <summary>The coordinator was only silent, and is heard again over the same connection.</summary>
    public void CoordinatorHeardAgain() => _mailbox.Post(() =>
    {
        if (View.Coordinator is null && _coordinator is { } back) _mailbox.Show(View with { Coordinator = back, Reason = $"{back.Name} is heard again" });
    });

    /// <summary>Ends the thread.</summary>
    public void Dispose() => _mailbox.Dispose();

    private void Accept(MembershipView view)
    {
        var order = view.TermCandidate.CompareTo(View.TermCandidate);
        // Two coordinators may ask for the same term, one after the other: the first died before it wrote it down.
        var age = view.Coordinator is { } tells && _coordinator is { } known ? tells.Incarnation.CompareTo(known.Incarnation) : 0;
        var isNewer = order > 0 || (order == 0 && (age > 0 || (age == 0 && view.Number > View.Number)));

        // The same view brings back a coordinator that was only out of reach.
        var isBack = order == 0 && age == 0 && view.Number == View.Number && View.Coordinator is null && view.Coordinator is not null;
        if (!isNewer && !isBack) return;
        _coordinator = view.Coordinator;
        _mailbox.Show(view);
    }
}
