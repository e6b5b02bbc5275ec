using YamlDotNet.RepresentationModel;

namespace Cluster.Cli.Tests.Operations;

/// <summary>Looks into YAML files of ops/.</summary>
internal static class Yaml
{
    public static IReadOnlyList<YamlMappingNode> Documents(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(static document => (YamlMappingNode)document.RootNode)];
    }

    /// <summary>The node behind a path of keys and indexes; null when it leads nowhere.</summary>
    public static YamlNode? At(this YamlNode? node, params object[] path)
    {
        foreach (var step in path)
        {
            node = (node, step) switch
            {
                (YamlMappingNode map, string key) => map.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value : null,
                (YamlSequenceNode list, int index) => index < list.Children.Count ? list.Children[index] : null,
                _ => null,
            };
        }
        return node;
    }

    public static string? TextAt(this YamlNode? node, params object[] path) => (node.At(path) as YamlScalarNode)?.Value;

    public static IReadOnlyList<YamlNode> ItemsAt(this YamlNode? node, params object[] path) => node.At(path) is YamlSequenceNode list ? [.. list.Children] : [];

    public static IReadOnlyDictionary<string, string> MapAt(this YamlNode? node, params object[] path) =>
        node.At(path) is YamlMappingNode map ? map.Children.ToDictionary(static pair => ((YamlScalarNode)pair.Key).Value!, static pair => (pair.Value as YamlScalarNode)?.Value ?? "") : new Dictionary<string, string>();

    public static IReadOnlyList<string> TextsAt(this YamlNode? node, params object[] path) => [.. node.ItemsAt(path).Select(static item => ((YamlScalarNode)item).Value!)];
}
