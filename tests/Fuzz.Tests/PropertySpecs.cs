using System.Text;
using Cluster.Chaos;
using Cluster.Cli.Configuration;
using Cluster.Cli.Nodes;
using Cluster.Contracts;
using Cluster.Coordinator.Monitor.Web;
using Cluster.Link;
using Cluster.Workers.Data.Folders;
using FsCheck;
using FsCheck.Fluent;

namespace Cluster.Fuzz.Tests;

/// <summary>What holds for every value: drawn by FsCheck, which shrinks what breaks and prints how to draw it again.</summary>
public sealed class PropertySpecs
{
    private static readonly Config Often = Config.QuickThrowOnFailure.WithMaxTest(500).WithReplay(20_261_122UL, 15UL);

    private static void Holds<T>(Func<T, bool> property) => Prop.ForAll(ArbMap.Default.ArbFor<T>(), property).Check(Often);

    [Fact]
    public void Any_text_is_an_address_or_a_mistake_with_a_sentence() => Holds<NonNull<string>>(static text => Answers(() => LinkAddress.Parse(text.Get)));

    [Fact]
    public void Any_text_is_a_route_or_a_mistake_with_a_sentence() => Holds<NonNull<string>>(static text => Answers(() => Detours.Parse(text.Get)));

    [Fact]
    public void Any_text_is_a_fault_or_a_mistake_with_a_sentence() => Holds<NonNull<string>>(static text => Answers(() => FaultSpec.Parse(text.Get, ["worker-0"], 10)));

    [Fact]
    public void Any_text_is_a_value_of_an_option_or_a_format_error() => Holds<NonNull<string>>(static text => OptionTable.Rows.All(row =>
    {
        try
        {
            row.Write(new RunOptions(), text.Get);
            return true;
        }
        catch (FormatException e)
        {
            return e.Message.Length > 0;
        }
    }));

    [Fact]
    public void Any_hello_comes_back_as_it_was() => Holds<(NonNull<string> Role, NonNull<string> Name, ulong Session, long Incarnation, byte[] Note)>(static t =>
    {
        // Neither a lone surrogate nor a control character is text that travels.
        var (role, name) = (Clean(t.Role.Get), Clean(t.Name.Get));
        var hello = new HelloMessage(Lane.Bulk, t.Session, new LinkHello("run", role, name, t.Incarnation, (t.Note ?? []).Take(Limits.LinkNoteBytes).ToArray()), new byte[HandshakeCodec.NonceBytes]);
        var written = HandshakeCodec.Write(hello);
        return HandshakeCodec.TryRead(written, out HelloMessage? read) && read.Session == hello.Session && read.Self.Role == role && read.Self.Name == name
            && read.Self.Incarnation == t.Incarnation && read.Self.Note.Span.SequenceEqual(hello.Self.Note.Span);
    });

    [Fact]
    public void Any_path_comes_back_from_a_list() => Holds<NonNull<string>>(static text => ImageNames.Unescape(ImageNames.Escape(text.Get)) == text.Get && !ImageNames.Escape(text.Get).Contains('\n', StringComparison.Ordinal));

    [Fact]
    public void Nobody_looks_on_without_the_token() => Holds<(string Path, string? Query, string? Cookie, string? Header)>(static t =>
        new MonitorAccess("the-token-of-this-run").Decide(new Asking("GET", "/" + t.Path, "localhost", t.Query, t.Cookie, t.Header)) == Coordinator.Monitor.Web.Verdict.NoToken || (t.Path ?? "").StartsWith("healthz", StringComparison.Ordinal));

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    public void Hundred_thousand_levels_of_yaml_are_a_mistake_and_no_end_of_the_process(string level)
    {
        var text = new StringBuilder().Insert(0, level, 100_000).ToString();
        Assert.True(Answers(() => RecipeReader.Parse(text, "deep.yaml", "deep")));
        Assert.True(Answers(() => PlanFile.Parse(text, "deep.yaml", new RunShape(10, 1, 1))));
    }

    /// <summary>A value, or a sentence for a person.</summary>
    private static bool Answers(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (ClusterException e)
        {
            return e.Message.Trim().Length > 0;
        }
    }

    private static string Clean(string text)
    {
        var whole = new string([.. text.Where(static c => !char.IsSurrogate(c) && !char.IsControl(c))]);
        return whole.Length > 20 ? whole[..20] : whole;
    }
}
