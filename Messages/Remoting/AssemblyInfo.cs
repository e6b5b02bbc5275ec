using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Remoting.Tests")]
