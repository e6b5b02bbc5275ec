using System.Xml.Linq;

namespace Cluster.Contracts.Tests;

/// <summary>A project file: its folder from the repository's root, the projects it references, and the packages it asks for.</summary>
internal sealed record Project(string Folder, IReadOnlyList<string> References, IReadOnlyList<string> Packages);

/// <summary>What every project of the repository sees: its references, and through them theirs.</summary>
internal sealed class ProjectGraph(IEnumerable<Project> projects)
{
    private readonly Dictionary<string, Project> _projects = projects.ToDictionary(p => p.Folder);

    public IEnumerable<Project> Projects => _projects.Values.OrderBy(p => p.Folder, StringComparer.Ordinal);

    public static string Root { get; } = FindRoot();

    public static ProjectGraph OfRepository() => new(
        Directory.EnumerateFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(Root, path).Split('/').Any(part => part is "artifacts" or "bin" or "obj" or "node_modules"))
            .Select(Read));

    /// <summary>Everything that <paramref name="folder"/> sees, each with the shortest way to it.</summary>
    public IReadOnlyDictionary<string, string> SeenBy(string folder)
    {
        var ways = new Dictionary<string, string>();
        var open = new Queue<(string Folder, string Way)>([(folder, folder)]);
        while (open.TryDequeue(out var at))
        {
            if (!_projects.TryGetValue(at.Folder, out var project)) continue;
            foreach (var next in project.References.Concat(project.Packages.Select(p => "package " + p)))
                if (ways.TryAdd(next, $"{at.Way} -> {next}")) open.Enqueue((next, ways[next]));
        }
        return ways;
    }

    private static Project Read(string path)
    {
        var xml = XDocument.Load(path);
        var folder = Path.GetDirectoryName(path)!;
        IEnumerable<string> Items(string name) => xml.Descendants(name).Select(e => (string?)e.Attribute("Include") ?? "").Where(i => i.Length > 0);
        bool Says(string property) => xml.Descendants(property).Any(e => e.Value.Trim() == "true");
        var references = Items("ProjectReference").Select(i => Relative(Path.GetDirectoryName(Path.GetFullPath(Path.Combine(folder, i.Replace('\\', '/'))))!)).ToList();
        var packages = Items("PackageReference").ToList();
        // The feed-dependent ones, see ops/build/Feeds.targets.
        if (Says("UsesTorchSharp")) references.Add("Models/TorchSharp");
        if (Says("UsesAkka")) packages.Add("Akka");
        if (Says("UsesMessagePack")) packages.Add("MessagePack");
        return new Project(Relative(folder), references, packages);
    }

    private static string Relative(string folder) => Path.GetRelativePath(Root, folder).Replace('\\', '/');

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "Cluster.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the tests run outside the repository");
    }
}
