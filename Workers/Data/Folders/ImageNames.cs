using System.Globalization;
using System.Text;

namespace Cluster.Workers.Data.Folders;

/// <summary>Which files of a folder are taken for images, and how a path is written in one line.</summary>
internal static class ImageNames
{
    /// <summary>What a name that is not UTF-8 is read as: the file can then not be opened by it.</summary>
    private const char Replacement = '\uFFFD';

    /// <summary>torchvision's IMG_EXTENSIONS (https://pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html), so that samples have the numbers that they have there.</summary>
    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"];

    /// <summary>By its extension, in any case of letters.</summary>
    public static bool IsImage(ReadOnlySpan<char> name)
    {
        foreach (var extension in Extensions)
        {
            if (name.EndsWith(extension, StringComparison.OrdinalIgnoreCase)) return true;
        }
        return false;
    }

    /// <summary>Files that systems put beside images: .DS_Store, ._photo.jpg, and the folder of resource forks that macOS packs.</summary>
    public static bool IsHidden(ReadOnlySpan<char> name) => name.StartsWith('.') || name is "__MACOSX" or "@eaDir";

    /// <summary>The name's bytes are no UTF-8.</summary>
    public static bool IsBroken(ReadOnlySpan<char> name) => name.Contains(Replacement);

    /// <summary>One line: control characters and backslashes are written as escapes, which <see cref="Unescape"/> reads.</summary>
    public static string Escape(string path)
    {
        if (!path.AsSpan().ContainsAnyInRange('\0', '\u001f') && !path.AsSpan().ContainsAny('\\', '\u007f')) return path;
        var text = new StringBuilder(path.Length + 8);
        foreach (var letter in path)
        {
            if (letter == '\\') text.Append(@"\\");
            else if (letter == '\n') text.Append(@"\n");
            else if (letter is < ' ' or '\u007f') text.Append(CultureInfo.InvariantCulture, $@"\x{(int)letter:x2}");
            else text.Append(letter);
        }
        return text.ToString();
    }

    /// <exception cref="FormatException">A backslash that begins none of the escapes.</exception>
    public static string Unescape(string line)
    {
        if (!line.Contains('\\')) return line;
        var text = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] != '\\')
            {
                text.Append(line[i]);
                continue;
            }
            var kind = i + 1 < line.Length ? line[++i] : '\0';
            if (kind == '\\') text.Append('\\');
            else if (kind == 'n') text.Append('\n');
            else if (kind == 'x' && i + 2 < line.Length && byte.TryParse(line.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            {
                text.Append((char)code);
                i += 2;
            }
            else throw new FormatException($"a backslash begins no escape in {line}");
        }
        return text.ToString();
    }
}
