using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests;

public class SyntheticSpecs
{
    [Fact]
    public void Synthetic_has_the_promised_shape_and_counts()
    {
        var (train, test) = Datasets.Open("synthetic", seed: 3);
        Assert.Equal((50_000, 10_000), (train.Count, test.Count));
        Assert.Equal(new ImageShape(3, 32, 32), train.Shape);
        Assert.Equal((10, 10), (train.ClassCount, train.ClassNames.Count));
        Assert.Equal(train.Mean, test.Mean);
        Assert.Equal(train.Std, test.Std);
    }

    [Fact]
    public void Synthetic_is_the_same_for_the_same_seed_and_another_for_another()
    {
        var (one, _) = Datasets.Open("synthetic", seed: 3);
        var (same, _) = Datasets.Open("synthetic", seed: 3);
        var (other, _) = Datasets.Open("synthetic", seed: 4);
        var (a, b, c) = (new byte[3072], new byte[3072], new byte[3072]);
        foreach (var sample in new[] { 0, 1, 77, 49_999 })
        {
            Assert.Equal(one.Read(sample, a), same.Read(sample, b));
            other.Read(sample, c);
            Assert.Equal(a, b);
            Assert.NotEqual(a, c);
        }
        Assert.Equal(one.Fingerprint, same.Fingerprint);
        Assert.NotEqual(one.Fingerprint, other.Fingerprint);
    }

    [Fact]
    public void Synthetic_test_samples_are_not_training_samples()
    {
        var (train, test) = Datasets.Open("synthetic", seed: 3);
        var (a, b) = (new byte[3072], new byte[3072]);
        train.Read(5, a);
        test.Read(5, b);
        Assert.NotEqual(a, b);
        Assert.NotEqual(train.Fingerprint, test.Fingerprint);
    }

    [Fact]
    public void Synthetic_classes_are_balanced()
    {
        var (_, test) = Datasets.Open("synthetic", seed: 9);
        var counts = new int[10];
        var pixels = new byte[3072];
        for (var i = 0; i < test.Count; i++) counts[test.Read(i, pixels)]++;
        Assert.All(counts, count => Assert.Equal(1000, count));
    }

    [Fact]
    public void Synthetic_gives_the_same_bytes_on_many_threads()
    {
        var (train, _) = Datasets.Open("synthetic", seed: 5);
        var expected = new byte[64][];
        for (var i = 0; i < expected.Length; i++) train.Read(i, expected[i] = new byte[3072]);
        Parallel.For(0, 512, i =>
        {
            var pixels = new byte[3072];
            train.Read(i % 64, pixels);
            Assert.Equal(expected[i % 64], pixels);
        });
    }

    [Fact]
    public void Synthetic_reports_mean_and_deviation_of_its_pixels()
    {
        var (train, _) = Datasets.Open("synthetic", seed: 5);
        var pixels = new byte[3072];
        var (sum, square) = (new double[3], new double[3]);
        const int First = 20_000, Samples = 2_000;      // not those that the statistics were taken from
        for (var s = 0; s < Samples; s++)
        {
            train.Read(First + s, pixels);
            for (var i = 0; i < pixels.Length; i++)
            {
                var value = pixels[i] / 255.0;
                sum[i / 1024] += value;
                square[i / 1024] += value * value;
            }
        }
        for (var c = 0; c < 3; c++)
        {
            var mean = sum[c] / (Samples * 1024);
            Assert.Equal(mean, train.Mean[c], 0.003);
            Assert.Equal(Math.Sqrt(square[c] / (Samples * 1024) - mean * mean), train.Std[c], 0.01);
        }
    }

    /// <summary>What a linear model would need and must not find: class means that differ from each other.</summary>
    [Fact]
    public void Synthetic_class_means_are_flat_although_single_images_are_not()
    {
        var (train, _) = Datasets.Open("synthetic", seed: 7);
        var mean = new double[3072];
        var pixels = new byte[3072];
        double within = 0;
        const int Samples = 2_000;
        for (var s = 0; s < Samples; s++)
        {
            train.Read(s * 10 + 4, pixels);             // class 4
            for (var i = 0; i < mean.Length; i++)
            {
                mean[i] += pixels[i] / (double)Samples;
                within += Math.Pow(pixels[i] - 128.0, 2) / (Samples * 3072.0);
            }
        }
        var between = mean.Average(m => Math.Pow(m - 128.0, 2));
        Assert.True(between < within / 200, $"class means vary by {between:F2}, single images by {within:F2}");
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(50_000)]
    public void Synthetic_refuses_a_sample_that_does_not_exist(int sample)
    {
        var (train, _) = Datasets.Open("synthetic", seed: 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => train.Read(sample, new byte[3072]));
        Assert.Throws<ArgumentException>(() => train.Read(0, new byte[3071]));
    }

    [Theory]
    [InlineData("cifar11")]
    [InlineData("")]
    [InlineData("Synthetic")]
    public void An_unknown_data_set_is_answered_with_the_known_ones(string spec)
    {
        var mistake = Assert.Throws<UserMistakeException>(() => Datasets.Open(spec, 1));
        Assert.Contains($"'{spec}'", mistake.Message);
        Assert.Contains("cifar10, cifar10:DIR, cifar100:DIR", mistake.Message);
        Assert.DoesNotContain('\n', mistake.Message);
    }

    [Fact]
    public void Data_sets_with_a_wrong_suffix_are_the_users_mistake()
    {
        Assert.Contains("no folder", Assert.Throws<UserMistakeException>(() => Datasets.Open("cifar10:", 1)).Message);
        Assert.Contains("takes no folder", Assert.Throws<UserMistakeException>(() => Datasets.Open("synthetic:/tmp", 1)).Message);
    }
}
