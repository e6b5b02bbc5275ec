using Akka.Configuration;

namespace Cluster.Cli.Hosting;

/// <summary>
/// Akka's settings. Our actors run on threads of their own, so neither native compute nor anybody's blocking on the
/// thread pool can delay a mailbox.
/// </summary>
internal static class ActorConfiguration
{
    public const string Dispatcher = "cluster-dispatcher";

    public static Config Create() => ConfigurationFactory.ParseString($$"""
        akka {
          loglevel = ERROR
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          coordinated-shutdown.run-by-clr-shutdown-hook = off
        }
        {{Dispatcher}} {
          type = ForkJoinDispatcher
          throughput = 10
          dedicated-thread-pool {
            thread-count = 2
            threadtype = background
          }
        }
        """);
}
