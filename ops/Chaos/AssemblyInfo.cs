using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Chaos.Tests")]
// The tail of a log is what "bench hosts" watches as well.
[assembly: InternalsVisibleTo("cluster")]
