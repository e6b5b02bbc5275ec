using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Membership.Tests")]
