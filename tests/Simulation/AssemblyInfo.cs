using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Cluster.Simulation.Tests")]
