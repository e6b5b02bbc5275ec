using Cluster.Contracts;
using Cluster.Workers.Data.Images.Native;

namespace Cluster.Data.Tests.Images;

/// <summary>Where the native half is missing or cannot be loaded, a person is told in one line what to do.</summary>
public class NativeHalfSpecs
{
    [Fact]
    public void A_missing_file_asks_for_a_build()
    {
        using var folder = new TemporaryFolder();
        var e = Assert.Throws<UserMistakeException>(() => NativeImage.Load(folder.Path));
        Assert.Equal($"{folder.File("libcluster_image.so")} is missing, so images cannot be decoded: build again", e.Message);
    }

    [Fact]
    public void A_file_that_cannot_be_loaded_names_the_reason_and_the_packages()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("libcluster_image.so"), "no library");
        var e = Assert.Throws<UserMistakeException>(() => NativeImage.Load(folder.Path));
        Assert.Contains("could not be loaded", e.Message, StringComparison.Ordinal);
        Assert.EndsWith(NativeImage.Advice, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
