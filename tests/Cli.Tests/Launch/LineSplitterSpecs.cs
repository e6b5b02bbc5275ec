using System.Text;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

public sealed class LineSplitterSpecs
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Lines_are_the_same_however_the_bytes_arrive(int piece)
    {
        var bytes = Encoding.UTF8.GetBytes("eins\nzwei ä €\r\n\nvier ohne Ende");
        Assert.Equal(["eins", "zwei ä €", "", "vier ohne Ende"], Split(100, bytes, piece));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Long_line_is_cut_and_marked_and_the_next_one_is_whole(int piece)
    {
        var bytes = Encoding.UTF8.GetBytes(new string('x', 500) + "\nnext\n");
        Assert.Equal([new string('x', 8) + LineSplitter.CutNote, "next"], Split(8, bytes, piece));
    }

    [Fact]
    public void Line_of_exactly_the_bound_is_not_cut() =>
        Assert.Equal(["12345678", "next"], Split(8, "12345678\nnext"u8.ToArray(), 100));

    [Fact]
    public void Cut_line_is_given_out_before_its_end_has_come()
    {
        var lines = new List<string>();
        new LineSplitter(8, lines.Add).Add(new byte[9].AsSpan().ToArray().Select(static _ => (byte)'x').ToArray());
        Assert.Single(lines);
    }

    [Fact]
    public void Cut_never_falls_inside_a_character()
    {
        for (var bound = 4; bound < 12; bound++)
        {
            var line = Split(bound, Encoding.UTF8.GetBytes("a€ß𝄞€€€€€"), 3)[0];
            Assert.DoesNotContain('\uFFFD', line);
            Assert.StartsWith("a", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Control_characters_of_a_child_do_not_reach_the_terminal() =>
        Assert.Equal(["\uFFFD[2J\tplain \uFFFD]0;title\uFFFD"], Split(100, "\e[2J\tplain \e]0;title\a\n"u8.ToArray(), 100));

    private static List<string> Split(int bound, byte[] bytes, int piece)
    {
        var lines = new List<string>();
        var splitter = new LineSplitter(bound, lines.Add);
        for (var at = 0; at < bytes.Length; at += piece) splitter.Add(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
        splitter.End();
        return lines;
    }
}
