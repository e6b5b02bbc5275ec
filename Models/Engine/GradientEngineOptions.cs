using Cluster.Contracts;

namespace Cluster.Engine;

/// <summary>What a gradient engine needs to know of a run. Everything here but the device's index decides bits.</summary>
public sealed record GradientEngineOptions
{
    /// <summary>A name of <see cref="Architectures.ModelCatalog"/>.</summary>
    public required string Model { get; init; }

    /// <summary><c>cifar</c>, <c>imagenet</c> or null: by the size of the images.</summary>
    public string? Stem { get; init; }

    /// <summary>Width of the logits.</summary>
    public required int ClassCount { get; init; }

    /// <summary>Shape of one sample.</summary>
    public required ImageShape Image { get; init; }

    /// <summary><c>cpu</c> or <c>cuda:N</c>.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>libtorch's and BLAS's threads of the compute thread.</summary>
    public int Threads { get; init; } = 1;

    public LossOptions Loss { get; init; } = new();

    /// <summary>Rate of every dropout layer; null = the architecture's own.</summary>
    public double? Dropout { get; init; }

    /// <summary>Hand the samples to the model in channels-last memory; convolutions follow their input. Weights stay contiguous: measured, converting them too gains nothing.</summary>
    public bool ChannelsLast { get; init; } = true;

    /// <summary>Weight decay on biases and norm layers too (part of <see cref="ParameterLayout.Hash"/>).</summary>
    public bool DecayNormAndBias { get; init; }

    /// <summary>No chunk's edge cuts a row of a parameter (part of <see cref="ParameterLayout.Hash"/>).</summary>
    public bool WholeRows { get; init; }

    /// <summary>The engine's part of a run's options.</summary>
    /// <param name="run">The run.</param>
    /// <param name="image">Shape of the data set's samples.</param>
    /// <param name="classCount">Classes of the data set.</param>
    /// <param name="device">This worker's device: one of <see cref="RunOptions.Device"/>'s list.</param>
    public static GradientEngineOptions For(RunOptions run, ImageShape image, int classCount, string device)
    {
        ArgumentNullException.ThrowIfNull(run);
        return new GradientEngineOptions
        {
            Model = run.Model,
            Stem = run.Stem,
            ClassCount = classCount,
            Image = image,
            Device = device,
            Threads = run.Threads,
            Loss = run.Loss,
            Dropout = run.Dropout,
            ChannelsLast = run.ChannelsLast,
            DecayNormAndBias = run.Optimizer.DecayNormAndBias,
            WholeRows = run.Optimizer.NeedsWholeRows(),
        };
    }
}
