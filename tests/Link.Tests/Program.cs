using Xunit.Runner.InProc.SystemConsole;

namespace Cluster.Link.Tests;

/// <summary>The tests; or, with a first argument of its own, a peer that may be killed: <c>peer ADDRESS</c> dials, sends a tensor now and then, and waits; <c>holder ADDRESS</c> and <c>lender ADDRESS</c> share memory with us; <c>starved</c> talks to itself without a thread pool.</summary>
public static class Program
{
    public static async Task<int> Main(string[] args) => args switch
    {
        ["peer", var address] => PeerProcess.Run(address),
        ["holder", var address] => PeerProcess.RunHolder(address),
        ["lender", var address] => PeerProcess.RunLender(address),
        ["peer-tls", var address, var folder] => PeerProcess.Run(address, folder),
        ["starved", _] => StarvedPool.Run(),
        _ => await ConsoleRunner.Run(args),
    };
}
