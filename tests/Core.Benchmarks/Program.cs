using Cluster.Coordinator.Core;
using Cluster.Core.Benchmarks;

// usage: Cluster.Core.Benchmarks [parameters [rounds]]
var parameters = args.Length > 0 ? int.Parse(args[0]) : 11_000_000;
var rounds = args.Length > 1 ? int.Parse(args[1]) : 31;
var results = UpdateBenchmark.Run(parameters, rounds);
var (ordinary, streaming) = (results[0], results[1]);

Console.WriteLine($"{parameters:N0} parameters, one thread, vectors of {(int)Lanes.Best} bits, medians of n = {rounds}, taken in turn");
Console.WriteLine("bytes: every array read or written counts once (triad 3, update 5: gradient, weights, momentum in; weights, momentum out)");
Console.WriteLine($"{"",-26}{"ms",9}{"GB/s",9}{"/ ordinary",13}{"/ streaming",13}");
foreach (var result in results)
{
    Console.WriteLine(
        $"{result.Name,-26}{result.MedianSeconds * 1e3,9:F2}{result.GigabytesPerSecond,9:F2}" +
        $"{result.GigabytesPerSecond / ordinary.GigabytesPerSecond,13:F2}{result.GigabytesPerSecond / streaming.GigabytesPerSecond,13:F2}");
}
