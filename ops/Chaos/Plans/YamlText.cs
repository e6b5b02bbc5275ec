using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cluster.Chaos;

/// <summary>YAML that a person, or a stranger, wrote. The library recurses into its depth and throws more than its own exceptions; this does neither.</summary>
public static class YamlText
{
    /// <summary>A plan or a recipe has three levels.</summary>
    private const int Deepest = 32;

    /// <exception cref="YamlException">It is not YAML, or deeper than anything that is read here.</exception>
    public static YamlStream Load(string text)
    {
        var stream = new YamlStream();
        try
        {
            CheckDepth(text);
            stream.Load(new StringReader(text));
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or KeyNotFoundException or OverflowException)
        {
            throw new YamlException(Mark.Empty, Mark.Empty, "the text breaks off, or holds what YAML does not", e);
        }
        return stream;
    }

    /// <summary>Event by event, before anything recurses: it stops where it is too deep.</summary>
    private static void CheckDepth(string text)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > Deepest) throw new YamlException(parser.Current.Start, parser.Current.End, $"it has more than {Deepest} levels");
        }
    }
}
