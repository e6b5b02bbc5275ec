using Cluster.Cli.Verbs;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.EndToEnd;

/// <summary>What an exception becomes: lines on stderr and an exit code.</summary>
public sealed class FailureReportSpecs
{
    private static (int Code, string[] Lines) Report(Exception exception)
    {
        using var error = new StringWriter();
        var code = FailureReport.Write(exception, error);
        return (code, error.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void A_users_mistake_is_exit_code_2_with_a_line_for_each() =>
        Assert.Equivalent((2, new[] { "cluster: one", "cluster: two" }), Report(new UserMistakeException("one\ntwo")));

    [Fact]
    public void A_failed_job_is_exit_code_1_and_one_line() =>
        Assert.Equivalent((1, new[] { "cluster: worker-1 is lost for good" }), Report(new AggregateException(new ClusterException("worker-1 is lost\nfor good"))));

    [Fact]
    public void An_interrupted_job_is_exit_code_130_and_says_how_far_it_came()
    {
        Assert.Equivalent((130, new[] { "cluster: interrupted" }), Report(new OperationCanceledException()));
        Assert.Equivalent((130, new[] { "cluster: interrupted after step 7" }), Report(new OperationCanceledException("interrupted after step 7", new ClusterException("x"))));
    }

    [Fact]
    public void A_bug_is_one_line_and_its_trace_lies_in_the_run_folder()
    {
        using var world = new World();
        var bug = new InvalidOperationException("the queue is empty");
        bug.Data[FailureReport.FolderKey] = world.Folder;
        var (code, lines) = Report(bug);
        Assert.Equal(1, code);
        Assert.Equal($"cluster: InvalidOperationException: the queue is empty (full trace: {world.PathOf("failure.txt")})", Assert.Single(lines));
        Assert.Contains("System.InvalidOperationException: the queue is empty", File.ReadAllText(world.PathOf("failure.txt")));
    }
}
