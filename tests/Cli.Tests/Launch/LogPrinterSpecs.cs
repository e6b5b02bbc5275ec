using System.Globalization;
using Cluster.Cli.Launch;

namespace Cluster.Cli.Tests.Launch;

public sealed class LogPrinterSpecs
{
    private readonly StringWriter _output = new(CultureInfo.InvariantCulture), _error = new(CultureInfo.InvariantCulture);

    [Fact]
    public void Lines_stand_behind_their_childs_name_with_their_texts_aligned()
    {
        var printer = new LogPrinter(_output, _error, ["coordinator", "ps-0"], colours: false);
        printer.Line("coordinator", isError: false, "one");
        printer.Line("ps-0", isError: false, "two");
        printer.Line("ps-0", isError: true, "bad");
        printer.Said("ps-0", "restarted");
        Assert.Equal("[coordinator] one\n[ps-0]        two\n", _output.ToString());
        Assert.Equal("[ps-0]        bad\n[launch]      restarted\n", _error.ToString());
    }

    [Fact]
    public void Bare_childs_output_is_printed_as_it_is_and_its_errors_behind_its_name()
    {
        var printer = new LogPrinter(_output, _error, ["coordinator", "ps-0"], colours: false, bare: "coordinator");
        printer.Line("coordinator", isError: false, "state sha256 00");
        printer.Line("coordinator", isError: true, "warning");
        Assert.Equal("state sha256 00\n", _output.ToString());
        Assert.Equal("[coordinator] warning\n", _error.ToString());
    }

    [Fact]
    public void Names_alone_are_coloured_and_children_differ()
    {
        var printer = new LogPrinter(_output, _error, ["a", "b"], colours: true);
        printer.Line("a", isError: false, "x");
        printer.Line("b", isError: false, "x");
        Assert.Equal("\e[36m[a]      \e[0mx\n\e[33m[b]      \e[0mx\n", _output.ToString());
    }

    [Fact]
    public void Nothing_interleaves_inside_a_line()
    {
        var pieces = new PieceWriter();
        var printer = new LogPrinter(pieces, pieces, ["a", "b"], colours: false);
        Parallel.For(0, 2000, i => printer.Line(i % 2 == 0 ? "a" : "b", i % 3 == 0, new string('x', 100)));
        Assert.Equal(2000, pieces.Written.Count);
        Assert.All(pieces.Written, line => Assert.Matches("^\\[[ab]\\] {6}x{100}\n$", line));
        Assert.False(pieces.Overlapped);
    }

    /// <summary>Keeps each write, and notices two at once.</summary>
    private sealed class PieceWriter : StringWriter
    {
        private int _inside;

        public List<string> Written { get; } = [];

        public bool Overlapped { get; private set; }

        public override void Write(string? value)
        {
            if (Interlocked.Increment(ref _inside) != 1) Overlapped = true;
            Written.Add(value!);
            Interlocked.Decrement(ref _inside);
        }
    }
}
