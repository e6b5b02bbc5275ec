using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Data.Tests")]
