using Cluster.Contracts;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Workers.Data.Images;

/// <summary>Samples of a set whose images are JPEGs and PNGs of any size.</summary>
/// <param name="dataset">Stays the caller's to dispose. Its shape is the square that the network sees; its mean and standard deviation hold where the options leave them open.</param>
/// <param name="images">Of the same samples.</param>
/// <param name="shortSide">Of an image before evaluation takes its centre.</param>
/// <exception cref="UserMistakeException">An option that images of any size do not allow.</exception>
internal sealed class EncodedSource(IDataset dataset, IEncodedImages images, AugmentationOptions augmentation, int shortSide, ulong seed) : ISampleSource
{
    private readonly ImageRecipe _recipe = new(augmentation, dataset.Shape, shortSide, dataset.Mean, dataset.Std, seed);

    public IDataset Dataset { get; } = dataset;

    /// <exception cref="UserMistakeException">The native half of decoding, or a library that it needs, is missing.</exception>
    public SampleReader Open() => new Reader(images, new ImageReader(_recipe));

    private sealed class Reader(IEncodedImages images, ImageReader reader) : SampleReader
    {
        private byte[] _encoded = [];

        public override int ReadTraining(long epoch, int sample, Span<float> destination)
        {
            var length = images.Read(sample, ref _encoded);
            try
            {
                reader.ReadTraining(_encoded.AsSpan(0, length), epoch, sample, destination);
            }
            catch (BadImageException e)
            {
                throw Unreadable(sample, e);
            }
            return images.LabelOf(sample);
        }

        public override int ReadEvaluation(int sample, Span<float> destination)
        {
            var length = images.Read(sample, ref _encoded);
            try
            {
                reader.ReadEvaluation(_encoded.AsSpan(0, length), destination);
            }
            catch (BadImageException e)
            {
                throw Unreadable(sample, e);
            }
            return images.LabelOf(sample);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) reader.Dispose();
            base.Dispose(disposing);
        }

        private UnreadableSampleException Unreadable(int sample, BadImageException e) => new(sample, $"{images.PlaceOf(sample)}: {e.Message}", e);
    }
}
