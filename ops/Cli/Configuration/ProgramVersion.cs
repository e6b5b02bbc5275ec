using System.Reflection;

namespace Cluster.Cli.Configuration;

/// <summary>This build's version, with the commit where the build knew it.</summary>
public static class ProgramVersion
{
    public static string Text { get; } =
        typeof(ProgramVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
