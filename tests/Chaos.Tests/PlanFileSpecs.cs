using Cluster.Contracts;

namespace Cluster.Chaos.Tests;

/// <summary>Plans as YAML: both forms of a row, and mistakes with file and line.</summary>
public sealed class PlanFileSpecs
{
    private static readonly RunShape Run = new(30, 3, 2);

    [Fact]
    public void Rows_may_be_texts_or_fields_and_are_put_in_order()
    {
        var plan = PlanFile.Parse(
            """
            # a comment
            name: rain
            faults:
              - tear:checkpoint@20
              - {fault: slow, node: worker-1, step: 12, seconds: 2.5, factor: 20}
              - kill:worker-1@10
              - {fault: kill, node: supervisor, step: 20}
              - {fault: stop, node: ps-0, step: 11}
            """, "x.yaml", Run);
        Assert.Equal("rain", plan.Name);
        Assert.Equal(["kill:worker-1@10", "stop:ps-0@11+5", "slow:worker-1@12+2.5,factor=20", "tear:checkpoint@20", "kill:supervisor@20"], plan.Texts.Order(StepOrder));
        Assert.Equal([new StepId(20)], plan.Deaths);
        Assert.Equal(5, plan.Count);
    }

    [Theory]
    [InlineData("- kill:worker-0@1\n- cut:ps-1@2\n")]
    [InlineData("faults:\n")]
    [InlineData("")]
    public void List_alone_and_nothing_at_all_are_plans(string text) =>
        Assert.Equal(text.Count(static c => c == '@'), PlanFile.Parse(text, "short.yaml", Run).Count);

    [Fact]
    public void Written_plan_reads_back_the_same()
    {
        var plan = FaultPlan.Parse(Run, [.. FaultKinds.All.Select(static (kind, i) => $"{kind.Word}:{(kind.Kind == FaultKind.Join ? "worker-7" : kind.Roles.Contains("worker") ? "worker-2" : kind.Roles.Contains("ps") ? "ps-1" : "coordinator")}@{i + 1}"), "kill:supervisor@28", "tear:checkpoint@28"], "all of 'them'");
        var again = PlanFile.Parse(PlanFile.Write(plan with { LeftOut = ["nothing: there is room"] }), "again.yaml", Run);
        Assert.Equal(plan.Name, again.Name);
        Assert.Equal(plan.Texts, again.Texts);
        Assert.Equal(FaultKinds.All.Count + 2, again.Count);
    }

    [Theory]
    [InlineData("faults:\n  - kill:worker-9@3\n", "p.yaml line 2: kill:worker-9@3: this run has no node 'worker-9'")]
    [InlineData("faults:\n  - kill:worker-1@3\n  - kil:worker-1@4\n", "p.yaml line 3: kil:worker-1@4: unknown kind 'kil'; did you mean kill?")]
    [InlineData("- {fault: kill, node: worker-1}\n", "p.yaml line 1: a row needs 'fault', 'node' and 'step'; 'step' is missing")]
    [InlineData("- {fault: kill, node: worker-1, step: 3, factor: 2}\n", "p.yaml line 1: kill:worker-1@3,factor=2: kill has no settings")]
    [InlineData("- {fault: kill, node: worker-1, step: [3]}\n", "p.yaml line 1: step needs one value")]
    [InlineData("- kill:worker-1@31\n", "p.yaml line 1: kill:worker-1@31: step 31 is not in this run of 30 steps")]
    [InlineData("- kill:worker-1@3\n\n- kill:worker-1@3\n", "p.yaml line 3: kill:worker-1@3 is there twice")]
    [InlineData("- kill:supervisor@30\n", "p.yaml line 1: kill:supervisor@30: it strikes when the step is committed")]
    [InlineData("- tear:checkpoint\n", "p.yaml line 1: tear:checkpoint: write tear:checkpoint@STEP")]
    [InlineData("- [kill, worker-1]\n", "p.yaml line 1: write KIND:NODE@STEP")]
    [InlineData("fault:\n  - kill:worker-1@3\n", "p.yaml line 1: unknown key fault")]
    [InlineData("faults: kill:worker-1@3\n", "p.yaml line 1: faults is a list")]
    [InlineData("just words\n", "p.yaml line 1: expected 'faults:'")]
    [InlineData("faults:\n  - {fault: kill\n", "p.yaml line 3: not valid YAML")]
    public void Mistake_is_one_line_with_file_and_line(string text, string expected)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => PlanFile.Parse(text, "p.yaml", Run));
        Assert.StartsWith(expected, mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void File_that_is_not_there_or_is_no_plan_is_named()
    {
        Assert.StartsWith("cannot read the plan nowhere/p.yaml", Assert.Throws<UserMistakeException>(() => PlanFile.Read("nowhere/p.yaml", Run)).Message);
        var rows = string.Concat(Enumerable.Range(1, Limits.MaxPlannedFaults + 1).Select(static i => $"- kill:worker-1@{i}\n"));
        Assert.Contains("are too many", Assert.Throws<UserMistakeException>(() => PlanFile.Parse(rows, "long.yaml", Run with { Steps = 1_000_000 })).Message);
    }

    [Fact]
    public void Documentation_has_the_table_of_all_kinds() =>
        Assert.Contains("\n\n" + FaultTable.Markdown() + "\n", File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "fault-injection.md")));

    /// <summary>Faults of one step may stand in any order.</summary>
    private static readonly IComparer<string> StepOrder = Comparer<string>.Create(static (a, b) => StepOf(a).CompareTo(StepOf(b)) is var order && order != 0 ? order : string.CompareOrdinal(b, a));

    private static int StepOf(string text) => int.Parse(string.Concat(text[(text.LastIndexOf('@') + 1)..].TakeWhile(char.IsAsciiDigit)));
}
