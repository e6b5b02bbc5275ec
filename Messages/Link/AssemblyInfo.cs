using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Link.Tests")]

// cluster bench fuzz
[assembly: InternalsVisibleTo("cluster")]
[assembly: InternalsVisibleTo("Cluster.Fuzz.Tests")]
