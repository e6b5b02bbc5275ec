using System.Text;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Verbs;

/// <summary>The option table as help text and as docs/configuration.md.</summary>
public static class OptionHelp
{
    private const int Column = 34;
    private const int Width = 112;

    /// <summary>Help of <c>train</c>.</summary>
    public static string Train()
    {
        var text = new StringBuilder();
        text.Append("cluster train [--recipe NAME] [options]\n\n");
        text.Append("Trains on this machine. Without options: the recipe small-cnn on CIFAR-10, two workers of one thread.\n");
        text.Append("An option beats the recipe, the recipe beats the default shown here. --weight_decay and --weight-decay are the same.\n\n");
        Entry(text, "--recipe NAME|FILE", $"A named recipe ({string.Join(", ", RecipeFolder.Names)}), or a YAML file.");
        Entry(text, "--resume", "Go on with the run in --out (or the newest under runs/) from its newest whole checkpoint, to the same bits; a run of 'launch' too.");
        Entry(text, "--check", "Only check the options and print the resolved configuration.");
        Entry(text, "--log auto|json|text", "How to print: a live bar on a terminal and lines elsewhere; one JSON object per line, with trace ids; lines. [default auto]");
        Entry(text, "--insecure", "Show the page (--monitor) to other machines, unencrypted and behind a token.");
        foreach (var group in OptionTable.Rows.GroupBy(row => row.Group))
        {
            text.Append('\n').Append(group.Key).Append('\n');
            foreach (var row in group) Entry(text, row.IsSwitch ? $"{row.Flag} [true|false]" : $"{row.Flag} {row.ValueName}", Describe(row));
        }
        return text.ToString();
    }

    /// <summary>docs/configuration.md.</summary>
    public static string Markdown()
    {
        var text = new StringBuilder();
        text.Append("# Configuration\n\n");
        text.Append("Every option of `./cluster train`, made from `ops/Cli/Configuration/OptionTable.cs`; a test compares this page with it. To write it anew: `./cluster help --markdown > docs/configuration.md`.\n\n");
        text.Append("A recipe is a YAML file in `ops/recipes/`, or any file given as `--recipe FILE.yaml`. Keys with a dot stand indented below their section. ");
        text.Append("An option on the command line beats the recipe, the recipe beats the default. `-` and `_` are the same in both. ");
        text.Append("A run's `config.yaml` holds every option with its origin, and is itself a recipe.\n\n");
        text.Append("`--epochs` sets the length of the run and of the learning-rate schedule. `--steps` stops a run early and leaves the schedule alone. ");
        text.Append("A recipe that counts in steps alone has a schedule of that many steps.\n");
        foreach (var group in OptionTable.Rows.GroupBy(row => row.Group))
        {
            text.Append("\n## ").Append(group.Key).Append("\n\n| YAML | command line | values | unit | default | |\n|---|---|---|---|---|---|\n");
            foreach (var row in group)
            {
                text.Append("| ").Append(row.InRecipes ? $"`{row.Key}`" : "").Append(" | `").Append(row.Flag).Append("` | ").Append(Values(row)).Append(" | ")
                    .Append(row.Unit).Append(" | ").Append(Default(row) is { } value ? $"`{value}`" : "unset").Append(" | ").Append(row.Description).Append(" |\n");
            }
        }
        return text.ToString();
    }

    private static string Values(OptionRow row) =>
        row.Choices is { } choices ? string.Join(", ", choices.Select(choice => $"`{choice}`"))
        : row.Range is { } range ? $"{(row.ValueName == "N" ? "whole, " : "")}{range}"
        : $"`{row.ValueName.Replace("|", "` or `", StringComparison.Ordinal)}`";

    private static string Describe(OptionRow row)
    {
        var details = new List<string>();
        if (row.Unit.Length > 0) details.Add(row.Unit);
        if (row.Choices is { } choices && row.ValueName == "NAME") details.Add(string.Join(", ", choices));
        details.Add(Default(row) is { } value ? $"default {value}" : "default unset");
        return $"{row.Description} [{string.Join("; ", details)}]";
    }

    private static string? Default(OptionRow row) => row.Read(new RunOptions());

    private static void Entry(StringBuilder text, string name, string description)
    {
        text.Append("  ").Append(name.PadRight(Column - 2));
        if (name.Length > Column - 4) text.Append('\n').Append(' ', Column);
        var used = Column;
        foreach (var word in description.Split(' '))
        {
            if (used > Column && used + word.Length > Width)
            {
                text.Length--;
                text.Append('\n').Append(' ', Column);
                used = Column;
            }
            text.Append(word).Append(' ');
            used += word.Length + 1;
        }
        text.Length--;
        text.Append('\n');
    }
}
