using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Link.Tests")]
