using System.Text.Json;
using Cluster.Cli.Study;

namespace Cluster.Cli.Tests.Study;

public sealed class StudyOutputSpecs
{
    private static readonly StudyState Some = StudyFixtures.Plan(variants: 6).With(
        StudyFixtures.Outcome("small-cnn-none"), StudyFixtures.Diverged("resnet20-none"), StudyFixtures.Outcome("small-cnn-l2") with { TrainLoss = 1e-9, Seconds = 1.25 });

    [Fact]
    public void The_table_has_a_row_per_ended_cell_in_the_order_of_the_plan_and_time_stands_last()
    {
        var lines = StudyCsv.Write(Some).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("model,penalty,steps,epochs,train_loss,train_accuracy,test_loss,test_accuracy,test_samples,gap,weight_norm,gradient_norm,clipped_share,state,seconds", lines[0]);
        Assert.Equal(["small-cnn,none", "resnet20,none", "small-cnn,l2"], lines[1..].Select(static line => string.Join(',', line.Split(',')[..2])));
        Assert.EndsWith(",diverged,10", lines[2]);
        Assert.StartsWith("resnet20,none,7,", lines[2]);
        Assert.Contains(",1E-09,", lines[3]);
        Assert.EndsWith(",done,1.25", lines[3]);
        Assert.All(lines, line => Assert.Equal(lines[0].Count(static c => c == ','), line.Count(static c => c == ',')));
    }

    [Fact]
    public void Study_json_has_the_plan_and_every_outcome_with_its_curves()
    {
        using var json = JsonDocument.Parse(StudyJson.Write(Some));
        var root = json.RootElement;
        Assert.Equal(("weight-decay", 3900, 3, 12), (root.GetProperty("study").GetString(), root.GetProperty("steps").GetInt32(), root.GetProperty("cells_done").GetInt32(), root.GetProperty("cells_planned").GetInt32()));
        Assert.Equal("128", root.GetProperty("options").GetProperty("batch").GetString());
        var cells = root.GetProperty("cells").EnumerateArray().ToList();
        Assert.Equal([2, 2, 2], cells.Select(static cell => cell.GetProperty("outcome").GetProperty("training").GetArrayLength()));
        Assert.Equal("0.0005", cells[2].GetProperty("settings").GetProperty("optimizer.weight-decay").GetString());
    }

    [Fact]
    public void The_page_asks_for_nothing_and_shows_every_model_and_penalty()
    {
        var page = StudyPage.Write(Some, Studies.WeightDecay, "./cluster study weight-decay --out 'a<b>'");
        Assert.DoesNotContain("<script", page);
        Assert.DoesNotContain("://", page);
        Assert.DoesNotContain("src=", page);
        Assert.Contains("default-src 'none'", page);
        foreach (var name in Some.Plan.Models.Concat(Some.Plan.Variants)) Assert.Contains(name, page);
        Assert.Contains("diverged behind step 7", page);
        Assert.Contains("a&lt;b&gt;", page);
        Assert.DoesNotContain("a<b>", page);
        Assert.DoesNotContain("NaN", page);
    }

    [Fact]
    public void A_page_without_a_cell_has_no_empty_charts()
    {
        var page = StudyPage.Write(StudyState.Of(Some.Plan), Studies.WeightDecay, "c");
        Assert.Contains("No cell has ended yet.", page);
        Assert.DoesNotContain("<figure", page);
    }
}
