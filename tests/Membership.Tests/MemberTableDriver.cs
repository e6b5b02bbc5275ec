using System.Collections.Immutable;
using Cluster.Contracts;

namespace Cluster.Membership.Tests;

/// <summary>Feeds a <see cref="MemberTable"/> on virtual time and writes its effects as short lines.</summary>
internal sealed class MemberTableDriver
{
    public MemberTableDriver(params string[] known)
    {
        var coordinator = new Member("coordinator", MemberRole.Coordinator, 0, 1, "host:1", MemberState.Up);
        Table = MemberTable.Create(new Term(3), coordinator, known, MembershipPolicy.Default, TimeSpan.Zero);
    }

    public MemberTable Table { get; private set; }

    public TimeSpan Now { get; private set; }

    public string Members => string.Join(' ', Table.View.Members.Select(member => $"{member.Name}#{member.Incarnation}{(member.State == MemberState.Leaving ? "-" : "")}"));

    public MemberTableDriver At(double seconds)
    {
        Now = TimeSpan.FromSeconds(seconds);
        return this;
    }

    public List<string> Hello(string? name, long incarnation, MemberRole role = MemberRole.Worker, string address = "a:1") =>
        Take(Table.Hello(new MemberHello(name, role, incarnation, address), Now));

    public List<string> Lost(string name, long incarnation, string cause = "connection reset") => Take(Table.Disconnected(name, incarnation, cause, Now));

    public List<string> Silent(string name, long incarnation) => Take(Table.Silent(name, incarnation, TimeSpan.FromMilliseconds(500), Now));

    public List<string> Heard(string name, long incarnation) => Take(Table.HeardAgain(name, incarnation, Now));

    public List<string> Leaving(string name, long incarnation) => Take(Table.Leaving(name, incarnation, Now));

    public List<string> Tick() => Take(Table.Tick(Now));

    private List<string> Take((MemberTable Next, ImmutableArray<MembershipEffect> Effects) decision)
    {
        var numbers = decision.Effects.OfType<MembershipEffect.Show>().Select(show => show.View.Number).ToList();
        Assert.Equal(Enumerable.Range(1, numbers.Count).Select(i => Table.View.Number + i), numbers);
        Table = decision.Next;
        return [.. decision.Effects.Select(effect => effect switch
        {
            MembershipEffect.Named named => $"named {named.Name}#{named.Incarnation}",
            MembershipEffect.Admit admit => $"admit {admit.Name}#{admit.Incarnation}",
            MembershipEffect.Refuse refuse => $"refuse{(refuse.TryAgain ? " for now" : "")}: {refuse.Sentence}",
            MembershipEffect.Void gone => $"void {gone.Name}#{gone.Incarnation}",
            MembershipEffect.Show => $"view: {Members}",
            MembershipEffect.Say say => say.Sentence,
            _ => throw new InvalidOperationException($"{effect}"),
        })];
    }
}
