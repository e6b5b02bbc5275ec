using System.Globalization;
using Cluster.Contracts;

namespace Cluster.Workers.Data.Folders;

/// <summary>
/// Text files that say which class an image has: lines "path label" (Places' lists, Caffe's val.txt), "path,label", Tiny
/// ImageNet's val_annotations.txt, Kaggle's LOC_val_solution.csv, and ILSVRC2012's lists of one label a line.
/// </summary>
internal static class LabelList
{
    /// <summary>Longest line that is read: a path of 4,096 bytes and a label.</summary>
    private const int LongestLine = 8_192;

    /// <summary>Lines "path label" with a blank, a tabulator or a comma between; further columns are left alone.</summary>
    /// <param name="file">Absolute.</param>
    /// <exception cref="UserMistakeException">The file cannot be read, or a line is none of this kind; the line is named.</exception>
    public static IEnumerable<LabelLine> Pairs(string file)
    {
        var number = 0;
        foreach (var line in Lines(file))
        {
            number++;
            if (line.Length == 0 || line.StartsWith('#')) continue;
            var (path, label) = Split(line);
            if (path.Length == 0 || label.Length == 0) throw new UserMistakeException($"{file} line {number}: '{Short(line)}' is no path and label");
            if (number == 1 && !ImageNames.IsImage(path) && !int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out _)) continue;      // "filename,label"
            yield return new LabelLine(number, Sound(file, number, path), label);
        }
    }

    /// <summary>Kaggle: "ILSVRC2012_val_00048981,n03995372 85 1 499 272", one box after another; all boxes of an image are of one class.</summary>
    /// <inheritdoc cref="Pairs"/>
    public static IEnumerable<LabelLine> Boxes(string file)
    {
        var number = 0;
        foreach (var line in Lines(file))
        {
            number++;
            if (line.Length == 0 || line.StartsWith("ImageId", StringComparison.Ordinal)) continue;
            var comma = line.IndexOf(',');
            var label = comma < 0 ? "" : line[(comma + 1)..].Split(' ', 2)[0];
            if (comma <= 0 || label.Length == 0) throw new UserMistakeException($"{file} line {number}: '{Short(line)}' is no image and class");
            yield return new LabelLine(number, Sound(file, number, line[..comma] + ".JPEG"), label);
        }
    }

    /// <summary>ILSVRC2012's lists: line i is the label of ILSVRC2012_val_0000000i.JPEG.</summary>
    /// <inheritdoc cref="Pairs"/>
    public static IEnumerable<LabelLine> OfValidation(string file)
    {
        var number = 0;
        foreach (var line in Lines(file))
        {
            number++;
            if (line.Length == 0) continue;
            yield return new LabelLine(number, string.Create(CultureInfo.InvariantCulture, $"ILSVRC2012_val_{number:00000000}.JPEG"), line);
        }
    }

    /// <summary>All lines, trimmed.</summary>
    /// <exception cref="UserMistakeException">The file cannot be read, or a line is too long to be text.</exception>
    public static IEnumerable<string> Lines(string file)
    {
        using var reader = Open(file);
        while (true)
        {
            string? line;
            try
            {
                line = reader.ReadLine();
            }
            catch (IOException e)
            {
                throw new UserMistakeException($"{file} cannot be read: {e.Message}", e);
            }
            if (line is null) yield break;
            if (line.Length > LongestLine) throw new UserMistakeException($"{file} has a line of {line.Length:N0} characters: it is no list of images");
            yield return line.Trim();
        }
    }

    private static StreamReader Open(string file)
    {
        try
        {
            return new StreamReader(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserMistakeException($"{file} cannot be read: {ImageNames.Escape(e.Message)}", e);
        }
    }

    private static (string Path, string Label) Split(string line)
    {
        if (line.Contains('\t'))
        {
            var columns = line.Split('\t');
            return (columns[0].Trim(), columns[1].Trim());
        }
        var at = line.LastIndexOfAny([',', ' ']);
        return at < 0 ? (line, "") : (line[..at].TrimEnd(',', ' '), line[(at + 1)..]);
    }

    /// <summary>A list leads to images below the set's folder and nowhere else.</summary>
    private static string Sound(string file, int number, string path)
    {
        var relative = path.TrimStart('/');         // Places365 writes "/a/airfield/00000001.jpg"
        if (relative.Length == 0 || relative.Split('/').Any(static part => part is ".." or "." or ""))
            throw new UserMistakeException($"{file} line {number}: '{Short(path)}' leads out of the data set or nowhere");
        return relative;
    }

    private static string Short(string line) => ImageNames.Escape(line.Length <= 80 ? line : line[..80] + "…");
}

/// <summary>One line of a list.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Path">Relative to the images' folder.</param>
/// <param name="Label">A class's name or its number, as it stands there.</param>
internal readonly record struct LabelLine(int Number, string Path, string Label);
