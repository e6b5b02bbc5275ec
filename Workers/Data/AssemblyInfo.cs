using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Data.Tests")]
// `cluster bench decode` measures what nobody else sees: one decoder, without a data set around it.
[assembly: InternalsVisibleTo("cluster")]
[assembly: InternalsVisibleTo("Cluster.Fuzz.Tests")]
