using Cluster.Benchmarks;

const string usage = """
    Forward and backward of one leaf: PyTorch, a bare loop over the binding, and the gradient engine, in turn.

      engine [--model NAME] [--batch N] [--threads N] [--contiguous] [--rounds N] [--iterations N] [--python PATH | --no-python]

      --model       small-cnn, resnet20 or resnet18 (default; CIFAR stem)
      --batch       samples of the leaf (64)
      --rounds      alternations; medians and ratios are over these (7)
      --iterations  forward-backward pairs of each side per round (3)
      --contiguous  without the channels-last conversion
      --python      an interpreter with torch and torchvision (/usr/bin/python3)
    """;

if (args is not ["engine", ..] || args.Contains("--help"))
{
    Console.WriteLine(usage);
    return args.Contains("--help") ? 0 : 2;
}
string Text(string name, string fallback) => Array.IndexOf(args, name) is var i and > 0 && i + 1 < args.Length ? args[i + 1] : fallback;
int Number(string name, int fallback) => int.Parse(Text(name, $"{fallback}"));

// On a thread of its own, as a worker computes: the C library serves such threads from other heaps than the first one.
var status = 0;
var compute = new Thread(() => status = Compare()) { Name = "compute" };
compute.Start();
compute.Join();
return status;

int Compare()
{
    var contenders = new List<IContender>();
    try
    {
        var workload = new Workload(Text("--model", "resnet18"), Number("--batch", 64), Number("--threads", 1), ChannelsLast: !args.Contains("--contiguous"));
        if (!args.Contains("--no-python")) contenders.Add(new PythonTwin(Text("--python", "/usr/bin/python3"), workload));
        contenders.Add(new BareLoop(workload));
        contenders.Add(new EngineLeaf(workload));
        Console.WriteLine(Comparison.Run(workload, contenders, Number("--rounds", 7), Number("--iterations", 3)));
        return 0;
    }
    catch (Exception mistake) when (mistake is InvalidOperationException or System.ComponentModel.Win32Exception or Cluster.Contracts.UserMistakeException or FormatException)
    {
        Console.Error.WriteLine(mistake.Message);
        return 2;
    }
    finally
    {
        contenders.ForEach(static c => c.Dispose());
    }
}
