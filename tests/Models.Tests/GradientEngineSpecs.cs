using System.Diagnostics;
using Cluster.Contracts;
using Cluster.Engine;
using Cluster.Torch;

namespace Cluster.Models.Tests;

/// <summary>Alone in the process: live tensors and page faults of a neighbour would be counted too.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;

[Collection(nameof(AloneInTheProcess))]
public sealed class GradientEngineSpecs
{
    [Fact]
    public void Loss_falls_when_small_cnn_follows_its_gradients()
    {
        using var problem = new Problem(Problem.SmallCnn, count: 32);
        var layout = problem.Engine.Layout;
        var weights = new float[layout.StateFloats];
        problem.Engine.Initialize(seed: 3, weights);

        var losses = new List<double>();
        for (var step = 0; step < 12; step++)
        {
            problem.Engine.LoadState(weights);
            var (outcome, node) = problem.Leaf();
            losses.Add(outcome.LossSum / 32);
            for (var i = 0; i < layout.ParameterFloats; i++) weights[i] -= 0.05f / 32 * node[i];
            node.AsSpan(layout.BufferOffset).CopyTo(weights.AsSpan(layout.BufferOffset));
        }

        Assert.InRange(losses[0], 2.0, 3.5);    // ln 10 = 2.30 for a guess
        Assert.True(losses[^1] < 0.5 * losses[0], $"losses: {string.Join(", ", losses.Select(l => l.ToString("F3")))}");
    }

    [Fact]
    public void Leaf_leaves_the_loaded_state_untouched()
    {
        using var problem = Problem.WithSmallCnn();
        var before = problem.Predict();

        problem.Leaf();

        var state = new float[problem.Engine.Layout.StateFloats];
        problem.Engine.CopyLoadedState(state);
        Assert.Equal(problem.State, state);
        Assert.Equal(before, problem.Predict());
    }

    [Theory]
    [InlineData("small-cnn")]
    [InlineData("resnet20")]
    public void Leaf_gives_the_same_bits_when_computed_again(string model)
    {
        using var problem = new Problem(Problem.SmallCnn with { Model = model }, count: 6);

        var first = problem.Leaf();
        problem.Predict();
        var second = problem.Leaf();

        Assert.Equal(first.Outcome, second.Outcome);
        AssertSameBits(first.Node, second.Node);
    }

    [Fact]
    public void Two_engines_give_the_same_bits_when_they_compute_at_once()
    {
        const int rounds = 4;
        var nodes = new float[2][][];
        using var start = new Barrier(2);
        var threads = Enumerable.Range(0, 2).Select(index => new Thread(() =>
        {
            using var problem = Problem.WithSmallCnn(16);
            nodes[index] = new float[rounds][];
            start.SignalAndWait();
            for (var round = 0; round < rounds; round++) nodes[index][round] = problem.Leaf().Node;
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());

        foreach (var node in nodes.SelectMany(n => n)) AssertSameBits(nodes[0][0], node);
    }

    [Fact]
    public void Engine_built_on_one_thread_gives_the_same_bits_on_another()
    {
        using var problem = Problem.WithSmallCnn();
        var here = problem.Leaf().Node;
        float[]? there = null;

        var thread = new Thread(() => there = problem.Leaf().Node);
        thread.Start();
        thread.Join();

        AssertSameBits(here, there!);
    }

    [Fact]
    public void Running_statistics_start_from_the_loaded_ones_in_each_leaf()
    {
        using var problem = Problem.WithSmallCnn();
        var layout = problem.Engine.Layout;
        var mean = layout["bn1.running_mean"];
        problem.Leaf();
        var first = problem.Leaf().Node;

        var shifted = (float[])problem.State.Clone();
        for (var i = 0; i < mean.Length; i++) shifted[mean.Offset + i] += 10f;
        problem.Engine.LoadState(shifted);
        var second = problem.Leaf().Node;

        // torch.nn.BatchNorm2d with momentum 0.1: new = 0.9 old + 0.1 batch, so a shift of 10 shows as 9.
        for (var i = 0; i < mean.Length; i++) Assert.Equal(9f, second[mean.Offset + i] - first[mean.Offset + i], 1e-4f);
        // Training mode normalises with the leaf's own statistics: the gradient does not see the shift.
        AssertSameBits(first[..layout.ParameterFloats], second[..layout.ParameterFloats]);
    }

    [Fact]
    public void A_pixel_that_is_not_a_number_is_named_by_the_first_parameter_it_reaches()
    {
        using var problem = Problem.WithSmallCnn();
        problem.Images[1000] = float.NaN;

        var (outcome, _) = problem.Leaf();

        Assert.False(outcome.IsFinite);
        Assert.Equal("conv1.weight", outcome.FirstBadParameter);
    }

    [Fact]
    public void An_infinite_buffer_is_named_when_the_gradients_are_finite()
    {
        using var problem = Problem.WithSmallCnn();
        var state = (float[])problem.State.Clone();
        state[problem.Engine.Layout["bn4.running_var"].Offset + 7] = float.PositiveInfinity;
        problem.Engine.LoadState(state);

        var (outcome, _) = problem.Leaf();

        Assert.False(outcome.IsFinite);
        Assert.Equal("bn4.running_var", outcome.FirstBadParameter);
    }

    [Fact]
    public void A_bad_leaf_does_not_spoil_the_next()
    {
        using var problem = Problem.WithSmallCnn();
        var clean = problem.Leaf();
        var pixel = problem.Images[0];
        problem.Images[0] = float.NaN;
        Assert.False(problem.Leaf().Outcome.IsFinite);
        problem.Images[0] = pixel;

        var again = problem.Leaf();

        Assert.Equal(clean.Outcome, again.Outcome);
        AssertSameBits(clean.Node, again.Node);
    }

    [Fact]
    public void Loss_is_the_smoothed_cross_entropy_of_scaled_logits()
    {
        const double smoothing = 0.2, scale = 0.25;
        var plain = Problem.SmallCnn with { Loss = new LossOptions { LabelSmoothing = smoothing, LogitScale = scale } };
        using var problem = new Problem(plain, count: 1);
        // One sample in evaluation and training differ (BatchNorm); with a zero classifier the logits are 0 in both.
        var state = (float[])problem.State.Clone();
        var classifier = problem.Engine.Layout["fc.weight"];
        state.AsSpan(classifier.Offset, classifier.Length).Clear();
        problem.Engine.LoadState(state);

        var (outcome, node) = problem.Leaf();

        Assert.Equal(Math.Log(10), outcome.LossSum, 1e-6);
        // The gradient of row c is scale · (1/10 − target_c) · features; target = 1 − ε + ε/10 at the label, ε/10 elsewhere.
        var label = (int)problem.Labels[0];
        var other = (label + 1) % 10;
        var feature = Enumerable.Range(0, 128).MaxBy(f => Math.Abs(node[classifier.Offset + label * 128 + f]));
        var ratio = node[classifier.Offset + label * 128 + feature] / node[classifier.Offset + other * 128 + feature];
        Assert.Equal((0.1 - (1 - smoothing + smoothing / 10)) / (0.1 - smoothing / 10), ratio, 1e-5);
    }

    [Fact]
    public void Live_tensors_and_resident_memory_stay_constant()
    {
        using var problem = Problem.WithSmallCnn(4);
        for (var i = 0; i < 50; i++) problem.Leaf();
        problem.Predict();
        var (tensors, resident) = (TorchRuntime.LiveTensors, Resident());
        for (var i = 0; i < 150; i++) problem.Leaf();
        problem.Predict();

        Assert.Equal(tensors, TorchRuntime.LiveTensors);
        Assert.InRange(Resident(), 0, resident * 1.05);

        static double Resident()
        {
            GC.Collect();   // nodes of the test itself are managed arrays
            using var process = Process.GetCurrentProcess();
            return process.WorkingSet64;
        }
    }

    [Fact]
    public void Leaf_reuses_the_memory_of_the_leaf_before()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads proc(5)");
        const int leaves = 4;
        double faults = 0;
        // On a thread of its own, as workers compute: glibc gives such threads heaps that it would unmap when they are empty.
        var thread = new Thread(() =>
        {
            using var problem = Problem.WithSmallCnn(64);
            var node = new float[problem.Engine.Layout.StateFloats];
            for (var i = 0; i < 3; i++) problem.Engine.ComputeLeaf(problem.Batch, 1, new StepId(1), 0, node);
            faults = PageFaults();
            for (var i = 0; i < leaves; i++) problem.Engine.ComputeLeaf(problem.Batch, 1, new StepId(1), 0, node);
            faults = (PageFaults() - faults) / leaves;
        });
        thread.Start();
        thread.Join();

        // Asked only now: the setting has to come from the engine.
        Assert.SkipUnless(NativeHeap.KeepFreedMemory(), "this C library is not glibc");
        Assert.InRange(faults, 0, 2_000);   // 8,000 without the setting: 32 MB of activations anew per leaf

        // minflt of this thread: the tenth field of proc(5)'s stat, after a name in brackets that may hold blanks.
        static double PageFaults()
        {
            var stat = File.ReadAllText("/proc/thread-self/stat");
            return double.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[7]);
        }
    }

    [Fact]
    public void Forward_and_backward_are_children_of_what_the_thread_computes_under()
    {
        using var problem = Problem.WithSmallCnn(2);
        var ended = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == ClusterTelemetry.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Add,
        };
        ActivitySource.AddActivityListener(listener);

        problem.Leaf();     // nobody traces: no roots
        ActivityTraceId trace;
        using (var lease = ClusterTelemetry.Source.StartActivity(ClusterTelemetry.Spans.Lease))
        {
            trace = lease!.TraceId;
            StepTrace.Current = TraceContext.From(lease);
            problem.Leaf();
            StepTrace.Current = default;
        }

        // Other tests of the assembly may run at the same time: look at this trace, and at roots, only.
        var mine = ended.Where(a => a.TraceId == trace).ToList();
        Assert.Equal([ClusterTelemetry.Spans.Forward, ClusterTelemetry.Spans.Backward, ClusterTelemetry.Spans.Lease], mine.Select(a => a.OperationName));
        Assert.All(mine[..2], a => Assert.Equal(mine[2].SpanId, a.ParentSpanId));
        Assert.DoesNotContain(ended, a => a.OperationName == ClusterTelemetry.Spans.Forward && a.ParentSpanId == default);
    }

    [Fact]
    public void Predict_normalises_with_the_running_statistics()
    {
        using var problem = Problem.WithSmallCnn(3);
        var together = problem.Predict();

        // Each sample alone gives its row: nothing depends on the batch. (Kernels may differ by size, so not bit for bit.)
        for (var i = 0; i < 3; i++)
        {
            var row = new float[10];
            problem.Engine.Predict(new ImageBatch(problem.Images.AsSpan(i * 3072, 3072), problem.Labels.AsSpan(i, 1), Problem.Cifar), row);
            for (var c = 0; c < 10; c++) Assert.Equal(together[i * 10 + c], row[c], 1e-3f);
        }
    }

    private static void AssertSameBits(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (BitConverter.SingleToInt32Bits(expected[i]) != BitConverter.SingleToInt32Bits(actual[i]))
                Assert.Fail($"float {i}: {expected[i]:R} and {actual[i]:R} differ");
        }
    }
}
