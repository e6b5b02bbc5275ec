using Cluster.Data.Tests.Folders;
using Cluster.Workers.Data;

namespace Cluster.Data.Tests.Images;

public class DecodingFingerprintSpecs
{
    [Fact]
    public void Both_splits_of_images_say_what_this_machine_decodes_and_sets_of_pixels_do_not()
    {
        using var folder = ImageFolder.OfTwoClasses();
        var (train, test) = Datasets.Open(folder.Request);
        using var trainSet = train;
        using var testSet = test;
        Assert.Matches("^[0-9a-f]{64}$", train.Decoding);
        Assert.Equal(train.Decoding, test.Decoding);
        var (pixels, more) = Datasets.Open("synthetic", 1);
        using var pixelSet = pixels;
        using var moreSet = more;
        Assert.Null(pixels.Decoding);
    }
}
