using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Chaos.Tests")]
