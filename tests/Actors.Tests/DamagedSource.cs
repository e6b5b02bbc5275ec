using Cluster.Workers.Data;

namespace Cluster.Actors.Tests;

/// <summary>Samples of which one worker cannot decode some.</summary>
internal sealed class DamagedSource(ISampleSource source, int worker, Func<int, int, bool> cannotRead) : ISampleSource
{
    public static ISampleSource Of(ISampleSource source, int worker, Func<int, int, bool>? cannotRead) => cannotRead is null ? source : new DamagedSource(source, worker, cannotRead);

    public IDataset Dataset => source.Dataset;

    public SampleReader Open() => new Reader(source.Open(), worker, cannotRead);

    private sealed class Reader(SampleReader reader, int worker, Func<int, int, bool> cannotRead) : SampleReader
    {
        public override int ReadTraining(long epoch, int sample, Span<float> destination)
        {
            Check(sample);
            return reader.ReadTraining(epoch, sample, destination);
        }

        public override int ReadEvaluation(int sample, Span<float> destination)
        {
            Check(sample);
            return reader.ReadEvaluation(sample, destination);
        }

        private void Check(int sample)
        {
            if (cannotRead(worker, sample)) throw new UnreadableSampleException(sample, $"images/{sample}.jpg is cut in half");
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) reader.Dispose();
            base.Dispose(disposing);
        }
    }
}
