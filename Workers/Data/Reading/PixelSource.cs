using Cluster.Contracts;

namespace Cluster.Workers.Data;

/// <summary>Samples of a set whose images are bytes of one size.</summary>
/// <param name="dataset">Stays the caller's to dispose.</param>
/// <param name="pipeline">Made for the same shape.</param>
public sealed class PixelSource(IDataset dataset, AugmentationPipeline pipeline) : ISampleSource
{
    public IDataset Dataset { get; } = pipeline.Shape == dataset.Shape
        ? dataset
        : throw new ArgumentException($"the pipeline is for {pipeline.Shape}, the data set has {dataset.Shape}", nameof(pipeline));

    public SampleReader Open() => new Reader(Dataset, pipeline);

    private sealed class Reader(IDataset dataset, AugmentationPipeline pipeline) : SampleReader
    {
        private readonly byte[] _pixels = new byte[dataset.Shape.Floats];

        public override int ReadTraining(long epoch, int sample, Span<float> destination)
        {
            var label = dataset.Read(sample, _pixels);
            pipeline.Apply(epoch, sample, _pixels, destination);
            return label;
        }

        public override int ReadEvaluation(int sample, Span<float> destination)
        {
            var label = dataset.Read(sample, _pixels);
            pipeline.Normalize(_pixels, destination);
            return label;
        }
    }
}
