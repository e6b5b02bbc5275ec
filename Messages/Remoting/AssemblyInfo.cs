using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Remoting.Tests")]

// cluster bench fuzz
[assembly: InternalsVisibleTo("cluster")]
