namespace Cluster.Cli.Tests.Configuration;

/// <summary>Options of images of any size and of images of one size: what goes with which data set.</summary>
public sealed class ImageOptionSpecs : IDisposable
{
    private readonly World _world = new();

    public ImageOptionSpecs() => Directory.CreateDirectory(_world.PathOf("images"));

    public void Dispose() => _world.Dispose();

    [Theory]
    [InlineData("imagefolder:images", "set pad-crop to 0", "--pad-crop", "4")]
    [InlineData("imagefolder:images", "set cutout to 0", "--cutout", "8")]
    [InlineData("cifar10", "leave crop-scale away", "--crop-scale", "0.1,1")]
    [InlineData("synthetic", "leave crop-ratio away", "--crop-ratio", "0.5,2")]
    [InlineData("cifar100:images", "leave color-jitter away", "--color-jitter", "0.4,0.4,0.4,0.1")]
    [InlineData("mnist:images", "set random-erasing to 0", "--random-erasing", "0.25")]
    [InlineData("fashion-mnist:images", "leave image-size away", "--image-size", "64")]
    [InlineData("cifar10", "leave eval-resize away", "--eval-resize", "64")]
    public void What_a_data_set_does_not_allow_is_one_line_that_names_both(string data, string why, string flag, string value)
    {
        var mistake = Assert.Single(_world.MistakesOf(null, "--data", data, flag, value));
        Assert.Contains(why, mistake);
        Assert.Contains($"{flag} {value}", mistake);
        Assert.Contains($"--data {data}", mistake);
    }

    [Fact]
    public void The_centre_of_evaluation_fits_into_what_it_is_cut_from()
    {
        Assert.Contains("choose an eval-resize of at least image-size", Assert.Single(_world.MistakesOf(null, "--data", "imagefolder:images", "--image-size", "128", "--eval-resize", "127")));
        Assert.Contains("choose an eval-resize", Assert.Single(_world.MistakesOf(null, "--data", "imagefolder:images", "--eval-resize", "223")));
        Assert.Equal(128, _world.Resolve(null, "--data", "imagefolder:images", "--image-size", "128", "--eval-resize", "128").Options.EvalResize);
    }

    [Fact]
    public void A_recipe_for_images_of_one_size_gives_way_to_a_folder_on_the_command_line()
    {
        // The default recipe crops padded images.
        Assert.Equal(0, _world.Resolve(null, "--data", "imagefolder:images").Options.Augmentation.PadCrop);
        Assert.NotEqual(0, _world.Resolve(null, "--data", "cifar10").Options.Augmentation.PadCrop);
    }

    [Fact]
    public void A_recipe_for_images_of_any_size_gives_way_to_a_set_of_one_size_on_the_command_line()
    {
        _world.Write("folder.yaml", "model: resnet18\ndata: imagefolder:images\nimage-size: 96\neval-resize: 100\naugmentation:\n  crop-scale: 0.2,1\n  random-erasing: 0.1\n");
        var options = _world.Resolve(_world.PathOf("folder.yaml"), "--data", "synthetic").Options;
        Assert.Null(options.ImageSize);
        Assert.Null(options.EvalResize);
        Assert.Null(options.Augmentation.CropScale);
        Assert.Equal(0, options.Augmentation.RandomErasing);
    }

    [Theory]
    [InlineData("imagefolder", "imagefolder needs a folder that you have: write --data imagefolder:DIR")]
    [InlineData("imagefolder:", "imagefolder needs a folder that you have: write --data imagefolder:DIR")]
    [InlineData("mnist", "mnist needs a folder that you have: write --data mnist:DIR")]
    [InlineData("imagefolder:nowhere", "there is no folder nowhere")]
    [InlineData("imagefolder:file", "file is a file: name the folder that it lies in")]
    [InlineData("imagefoldr:images", "unknown data set imagefoldr; did you mean imagefolder?")]
    public void A_specification_that_names_no_folder_is_one_line(string data, string expected)
    {
        _world.Write("file", "");
        Assert.Equal($"--data {data}: {expected}", Assert.Single(_world.MistakesOf(null, "--data", data)));
    }

    [Fact]
    public void The_folder_is_made_absolute() => Assert.Equal($"imagefolder:{_world.PathOf("images")}", _world.Resolve(null, "--data", "imagefolder:images").Options.Data);
}
