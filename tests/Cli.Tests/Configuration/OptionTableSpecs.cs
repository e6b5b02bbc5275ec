using System.Reflection;
using Cluster.Cli.Configuration;
using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Configuration;

public sealed class OptionTableSpecs
{
    public static TheoryData<string> Keys => [.. OptionTable.Rows.Select(row => row.Key)];

    [Fact]
    public void Keys_and_flags_are_unique()
    {
        Assert.Equal(OptionTable.Rows.Count, OptionTable.Rows.Select(row => row.Key).Distinct().Count());
        Assert.Equal(OptionTable.Rows.Count, OptionTable.Rows.Select(row => row.Flag).Distinct().Count());
    }

    /// <summary>A property of the options that no row writes could never be set by anybody.</summary>
    [Fact]
    public void Every_property_of_RunOptions_is_written_by_exactly_one_row()
    {
        var written = OptionTable.Rows.Select(row => Assert.Single(ChangedBy(row))).Order(StringComparer.Ordinal);
        Assert.Equal(Leaves(typeof(RunOptions)).Where(name => name != nameof(RunOptions.Recipe)).Order(StringComparer.Ordinal), written);
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_row_reads_back_what_it_wrote(string key)
    {
        var row = OptionTable.ByKey(key)!;
        var changed = row.Write(new RunOptions(), OtherValue(row));
        var again = row.Write(new RunOptions(), row.Read(changed));
        Assert.Equal(row.Read(changed), row.Read(again));
        Assert.NotEqual(row.Read(new RunOptions()), row.Read(changed));
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_row_refuses_what_lies_outside_its_range_or_its_choices(string key)
    {
        var row = OptionTable.ByKey(key)!;
        if (row.Choices is not null || row.IsSwitch)
        {
            Assert.Throws<FormatException>(() => row.Write(new RunOptions(), "nonsense"));
        }
        else if (row.Range is { } range)
        {
            Assert.Throws<FormatException>(() => row.Write(new RunOptions(), "nonsense"));
            Assert.Throws<FormatException>(() => row.Write(new RunOptions(), "nan"));
            Assert.Throws<FormatException>(() => row.Write(new RunOptions(), "-1"));
            if (double.IsFinite(range.Maximum) && range.Maximum < 1e15)
                Assert.Throws<FormatException>(() => row.Write(new RunOptions(), OptionRow.Number(range.Maximum + 1)));
        }
        else
        {
            Assert.Throws<FormatException>(() => row.Write(new RunOptions(), " "));
        }
    }

    [Fact]
    public void Defaults_lie_inside_their_own_ranges()
    {
        var options = OptionTable.Rows.Where(row => row.Read(new RunOptions()) is not null)
            .Aggregate(new RunOptions(), (current, row) => row.Write(current, row.Read(current)));
        Assert.Equal(new RunOptions(), options);
    }

    [Fact]
    public void The_documentation_page_says_what_the_table_says() =>
        Assert.Equal(OptionHelp.Markdown(), File.ReadAllText(Repository.PathOf("docs/configuration.md")));

    [Fact]
    public void The_help_shows_every_flag()
    {
        var help = OptionHelp.Train();
        Assert.All(OptionTable.Rows, row => Assert.Contains($"  {row.Flag} ", help));
        Assert.All(help.Split('\n'), line => Assert.True(line.Length <= 120, line));
    }

    [Theory]
    [InlineData(0.1, "0.1")]
    [InlineData(5e-4, "0.0005")]
    [InlineData(1e-20, "1E-20")]
    [InlineData(10000, "10000")]
    [InlineData(1d / 3, "0.3333333333333333")]
    public void Numbers_are_written_so_that_they_read_back_exactly(double value, string text) => Assert.Equal(text, OptionRow.Number(value));

    /// <summary>A valid text that differs from the default.</summary>
    private static string OtherValue(OptionRow row) =>
        row.Choices is { } choices ? choices.First(choice => choice != row.Read(new RunOptions()))
        : row.IsSwitch ? (row.Read(new RunOptions()) == "true" ? "false" : "true")
        : row.ValueName switch
        {
            "N" => new[] { 7, 1, 64 }.First(value => row.Range!.Contains(value)).ToString(System.Globalization.CultureInfo.InvariantCulture),
            "X" => "0.75",
            "X,X,X" => "0.25, 0.5, 0.75",
            _ => "somewhere",
        };

    private static List<string> ChangedBy(OptionRow row)
    {
        var before = Values("", new RunOptions());
        var after = Values("", row.Write(new RunOptions(), OtherValue(row)));
        return [.. before.Keys.Where(name => before[name] != after[name])];
    }

    private static Dictionary<string, string> Values(string prefix, object at)
    {
        var found = new Dictionary<string, string>();
        foreach (var property in at.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var value = property.GetValue(at);
            if (IsSection(property.PropertyType)) foreach (var (name, inner) in Values($"{prefix}{property.Name}.", value!)) found[name] = inner;
            else found[prefix + property.Name] = value is IEnumerable<double> list ? string.Join(' ', list) : value?.ToString() ?? "null";
        }
        return found;
    }

    private static IEnumerable<string> Leaves(Type type, string prefix = "") =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).SelectMany(property =>
            IsSection(property.PropertyType) ? Leaves(property.PropertyType, $"{prefix}{property.Name}.") : [prefix + property.Name]);

    private static bool IsSection(Type type) => type.Namespace == typeof(RunOptions).Namespace && type.IsClass;
}
