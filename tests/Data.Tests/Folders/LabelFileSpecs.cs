using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using Cluster.Contracts;
using Cluster.Workers.Data.Folders;

namespace Cluster.Data.Tests.Folders;

/// <summary>Labels that stand in files: ILSVRC2012's, Tiny ImageNet's and Places' own layouts. Never a wrong label.</summary>
public class LabelFileSpecs
{
    private const string First = "val/ILSVRC2012_val_00000001.JPEG", Second = "val/ILSVRC2012_val_00000002.JPEG";

    [Fact]
    public void The_ground_truth_is_numbered_as_the_devkit_says_and_not_as_the_sorted_wnids_are()
    {
        // 1 stands for n03, 2 for n01: another order than that of the labels.
        using var folder = Ilsvrc().WithText("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "1\n2\n")
            .With("ILSVRC2012_devkit_t12/data/meta.mat", MatFile((1, "n03"), (2, "n01"), (3, "n02")));
        Assert.Equal([2, 0], folder.Index().Test.Labels);
    }

    [Fact]
    public void Without_meta_mat_the_ground_truth_is_refused()
    {
        using var folder = Ilsvrc().WithText("ILSVRC2012_validation_ground_truth.txt", "1\n2\n");
        Assert.Contains("numbers the classes as the devkit's meta.mat does, which is not there", folder.Mistake());
    }

    [Theory]
    [InlineData("", "it does not begin as a MATLAB 5.0 file")]
    [InlineData("half", "meta.mat")]
    [InlineData("other", "there is no structure with the fields")]
    public void A_damaged_meta_mat_is_a_mistake(string damage, string expected)
    {
        var good = MatFile((1, "n01"), (2, "n02"));
        var bytes = damage switch { "half" => good[..(good.Length / 2)], "other" => good[..128].Concat(new byte[8]).ToArray(), _ => [] };
        using var folder = Ilsvrc().WithText("ILSVRC2012_validation_ground_truth.txt", "1\n2\n").With("meta.mat", bytes);
        var mistake = folder.Mistake();
        Assert.Contains("cannot be read as ILSVRC2012's meta.mat", mistake);
        Assert.Contains(expected, mistake);
    }

    [Fact]
    public void An_id_whose_wnid_training_lacks_is_a_line_of_its_own()
    {
        using var folder = Ilsvrc().WithText("ILSVRC2012_validation_ground_truth.txt", "1\n9\n").With("meta.mat", MatFile((1, "n03")));
        Assert.Equal($"{folder.PathOf("ILSVRC2012_validation_ground_truth.txt")} line 2: label '9' is none of the 3 classes that training has: add that class, or take the line out", folder.Mistake());
    }

    [Fact]
    public void Kaggles_boxes_name_the_class()
    {
        using var folder = Ilsvrc().WithText("LOC_val_solution.csv", "ImageId,PredictionString\nILSVRC2012_val_00000002,n02 85 1 499 272 n02 1 1 2 2\nILSVRC2012_val_00000001,n03 1 2 3 4 \n");
        var index = folder.Index();
        Assert.Equal([First, Second], ImageFolder.Paths(index.Test));
        Assert.Equal([2, 1], index.Test.Labels);
    }

    [Fact]
    public void Kaggles_folders_are_found()
    {
        using var folder = new ImageFolder().With("ILSVRC/Data/CLS-LOC/train/n01/1.JPEG", "ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG").WithText("LOC_val_solution.csv", "ImageId,PredictionString\nILSVRC2012_val_00000001,n01 1 2 3 4");
        Assert.Equal(["ILSVRC/Data/CLS-LOC/val/ILSVRC2012_val_00000001.JPEG"], ImageFolder.Paths(folder.Index().Test));
    }

    [Theory]
    [InlineData("imagenet_2012_validation_synset_labels.txt", "n02\nn01\n")]
    [InlineData("val.txt", "ILSVRC2012_val_00000001.JPEG 1\nILSVRC2012_val_00000002.JPEG 0\n")]
    [InlineData("val.txt", "val/ILSVRC2012_val_00000002.JPEG 0\nval/ILSVRC2012_val_00000001.JPEG 1\n")]
    [InlineData("val/val.txt", "ILSVRC2012_val_00000001.JPEG n02\nILSVRC2012_val_00000002.JPEG\tn01\n")]
    public void Other_lists_of_the_validation_images_are_read(string name, string text)
    {
        using var folder = Ilsvrc().WithText(name, text);
        Assert.Equal([1, 0], folder.Index().Test.Labels);
    }

    [Fact]
    public void A_number_beyond_the_classes_that_are_there_is_refused()
    {
        using var folder = Ilsvrc().WithText("val.txt", "ILSVRC2012_val_00000001.JPEG 65\n");
        Assert.Contains("val.txt line 1: label '65' is none of the 3 classes that training has", folder.Mistake());
    }

    [Fact]
    public void Tiny_imagenet_lists_its_validation_images_beside_them()
    {
        using var folder = new ImageFolder().With("train/n01/images/n01_0.JPEG", "train/n02/images/n02_0.JPEG", "val/images/val_0.JPEG", "val/images/val_1.JPEG").WithText("val/val_annotations.txt", "val_0.JPEG\tn02\t0\t0\t62\t62\nval_1.JPEG\tn01\t4\t0\t62\t62\n");
        var index = folder.Index();
        Assert.Equal(["val/images/val_0.JPEG", "val/images/val_1.JPEG"], ImageFolder.Paths(index.Test));
        Assert.Equal([1, 0], index.Test.Labels);
    }

    [Fact]
    public void Places_lists_are_read_with_their_categories()
    {
        using var folder = new ImageFolder().With("data_256/a/airfield/1.jpg", "data_256/b/barn/indoor/1.jpg", "val_256/Places365_val_00000001.jpg")
            .WithText("categories_places365.txt", "/a/airfield 0\n/b/barn/indoor 1\n").WithText("places365_train_standard.txt", "/b/barn/indoor/1.jpg 1\n/a/airfield/1.jpg 0\n").WithText("places365_val.txt", "Places365_val_00000001.jpg 1\n");
        var index = folder.Index();
        Assert.Equal(["a/airfield", "b/barn/indoor"], index.Classes);
        Assert.Equal(["data_256/a/airfield/1.jpg", "data_256/b/barn/indoor/1.jpg"], ImageFolder.Paths(index.Train));
        Assert.Equal([0, 1], index.Train.Labels);
        Assert.Equal(["val_256/Places365_val_00000001.jpg"], ImageFolder.Paths(index.Test));
        Assert.Equal([1], index.Test.Labels);
    }

    [Fact]
    public void Places205_lists_are_read()
    {
        using var folder = new ImageFolder().With("images256/a/abbey/1.jpg", "images256/a/abbey/2.jpg", "images256/z/zoo/1.jpg")
            .WithText("trainvalsplit_places205/train_places205.csv", "a/abbey/1.jpg 0\nz/zoo/1.jpg 1\n").WithText("trainvalsplit_places205/val_places205.csv", "a/abbey/2.jpg 0\n");
        var index = folder.Index();
        Assert.Equal([0, 1], index.Train.Labels);
        Assert.Equal(["images256/a/abbey/2.jpg"], ImageFolder.Paths(index.Test));
    }

    [Fact]
    public void A_list_with_names_for_labels_gets_its_classes_from_them()
    {
        using var folder = new ImageFolder().With("1.png", "2.png", "3.png").WithText("train.csv", "filename,label\n1.png,dog\n2.png,cat\n").WithText("val.csv", "filename,label\n3.png,dog\n");
        var index = folder.Index();
        Assert.Equal(["cat", "dog"], index.Classes);
        Assert.Equal([1, 0], index.Train.Labels);
        Assert.Equal([1], index.Test.Labels);
    }

    [Theory]
    [InlineData("../1.png 0", "leads out of the data set or nowhere")]
    [InlineData("a/../../1.png 0", "leads out of the data set or nowhere")]
    [InlineData("a//1.png 0", "leads out of the data set or nowhere")]
    [InlineData("1.png", "is no path and label")]
    [InlineData("1.png 0\n1.png 0", "1.png is listed twice")]
    [InlineData("1.png 0\n2.png 7", "only 2 different ones are there")]
    [InlineData("3.png 0", "which is neither in")]
    [InlineData("", "lists no images")]
    public void A_list_that_cannot_be_right_is_refused(string text, string expected)
    {
        using var folder = new ImageFolder().With("1.png", "2.png").WithText("train.txt", text);
        Assert.Contains(expected, folder.Mistake());
    }

    [Fact]
    public void Names_for_people_come_from_a_synset_file_and_twins_keep_their_wnid()
    {
        using var folder = new ImageFolder().With("train/n01/1.png", "train/n02/1.png", "train/n03/1.png", "train/n04/1.png").WithText("LOC_synset_mapping.txt", "n01 tench, Tinca tinca\nn02 crane\nn03 crane, derrick\n");
        var index = folder.Index();
        Assert.Equal(["tench", "crane (n02)", "crane (n03)", "n04"], index.ClassNames);
        File.Delete(folder.PathOf("LOC_synset_mapping.txt"));
        Assert.Equal(index.ContentHash, folder.Index().ContentHash);
    }

    private static ImageFolder Ilsvrc() => new ImageFolder().With("train/n01/1.JPEG", "train/n02/1.JPEG", "train/n03/1.JPEG", First, Second);

    /// <summary>A MATLAB 5.0 file with a structure "synsets", packed as the devkit's is.</summary>
    private static byte[] MatFile(params (int Id, string Wnid)[] synsets)
    {
        using var body = new MemoryStream();
        Element(body, 6, [2, 0, 0, 0, 0, 0, 0, 0]);
        Element(body, 5, Int32(synsets.Length, 1));
        Element(body, 1, Encoding.ASCII.GetBytes("synsets"));
        body.Write([5, 0, 4, 0, 16, 0, 0, 0]);                                 // a small element: the length of a field's name
        Element(body, 1, Encoding.ASCII.GetBytes("ILSVRC2012_ID".PadRight(16, '\0') + "WNID".PadRight(16, '\0')));
        foreach (var (id, wnid) in synsets)
        {
            Matrix(body, 6, 1, 1, inner => inner.Write([2, 0, 1, 0, (byte)id, 0, 0, 0]));      // a double that MATLAB keeps as a byte
            Matrix(body, 4, 1, wnid.Length, inner => Element(inner, 4, Encoding.Unicode.GetBytes(wnid)));
        }
        using var matrix = new MemoryStream();
        Element(matrix, 14, body.ToArray());
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(matrix.ToArray());
        byte[] head = [.. Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file".PadRight(124)), 0, 1, (byte)'I', (byte)'M'];
        return [.. head, .. Int32(15, (int)packed.Length), .. packed.ToArray()];
    }

    private static void Matrix(Stream to, byte kind, int rows, int columns, Action<Stream> contents)
    {
        using var inner = new MemoryStream();
        Element(inner, 6, [kind, 0, 0, 0, 0, 0, 0, 0]);
        Element(inner, 5, Int32(rows, columns));
        Element(inner, 1, []);
        contents(inner);
        Element(to, 14, inner.ToArray());
    }

    private static void Element(Stream to, int type, byte[] data)
    {
        to.Write(Int32(type, data.Length));
        to.Write(data);
        to.Write(new byte[(8 - data.Length % 8) % 8]);
    }

    private static byte[] Int32(params int[] numbers)
    {
        var bytes = new byte[4 * numbers.Length];
        for (var i = 0; i < numbers.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), numbers[i]);
        return bytes;
    }
}
