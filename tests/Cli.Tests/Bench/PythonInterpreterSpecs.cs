using Cluster.Cli.Bench;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Bench;

/// <summary>Which Python is taken.</summary>
public sealed class PythonInterpreterSpecs
{
    private readonly List<string> _asked = [];

    private PythonInterpreter Find(string? chosen, params string[] withTorch) => PythonInterpreter.Find(chosen, interpreter =>
    {
        _asked.Add(interpreter);
        return withTorch.Contains(interpreter) ? "1.13.1" : null;
    });

    [Fact]
    public void The_distributions_python_comes_first()
    {
        Assert.Equal(new PythonInterpreter("/usr/bin/python3", "1.13.1"), Find(null, "/usr/bin/python3", "python3"));
        Assert.Equal(["/usr/bin/python3"], _asked);
    }

    [Fact]
    public void The_python_on_the_path_comes_next() => Assert.Equal("python3", Find("", "python3").Path);

    [Fact]
    public void A_chosen_one_is_taken_and_no_other_is_asked()
    {
        Assert.Equal("/opt/python", Find("/opt/python", "/opt/python", "/usr/bin/python3").Path);
        Assert.Equal(["/opt/python"], _asked);
    }

    [Fact]
    public void A_chosen_one_without_torch_is_a_mistake_even_where_another_has_it()
    {
        var mistake = Assert.Throws<UserMistakeException>(() => Find("/opt/python", "/usr/bin/python3"));
        Assert.StartsWith("CLUSTER_PYTHON=/opt/python cannot import torch", mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void None_with_torch_is_one_line_that_says_how_to_get_one()
    {
        var mistake = Assert.Throws<UserMistakeException>(() => Find(null));
        Assert.Contains("apt install python3-torch", mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }
}
