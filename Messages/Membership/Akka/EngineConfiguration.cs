using System.Globalization;
using Akka.Configuration;
using Cluster.Contracts;

namespace Cluster.Membership.Gossip;

/// <summary>
/// Akka's settings for a system that does nothing but membership. Every number is either in <see cref="EngineTimes"/> with its
/// reason, or has it here.
/// </summary>
internal static class EngineConfiguration
{
    public const string SystemName = "membership", Voter = "voter";

    /// <summary>The name of the actor that stands for a process, on every process.</summary>
    public const string MemberName = "member";

    /// <summary>The phase in which a coordinator gives its seat back.</summary>
    public const string LastCheckpoint = "last-checkpoint";

    /// <summary>How long Akka may take to come up. Ten seconds: a machine at load 100 needs two.</summary>
    public static readonly TimeSpan Creation = TimeSpan.FromSeconds(10);

    /// <summary>How a role is called among the engine's.</summary>
    public static string RoleOf(MemberRole role) => role switch
    {
        MemberRole.Coordinator => "coordinator",
        MemberRole.ParameterServer => "ps",
        _ => "worker",
    };

    public static Config Create(EngineOptions options)
    {
        var times = options.Times;
        // Workers come and go: which side of a split goes on is for those who hold the run's state.
        var roles = options.Role == MemberRole.Worker ? RoleOf(options.Role) : $"{RoleOf(options.Role)}, {Voter}";
        var (threads, few) = (Threads(4), Threads(2));
        return ConfigurationFactory.ParseString($$"""
        akka {
          # Whatever a person must know is said by the engine, in its own words.
          loglevel = OFF
          stdout-loglevel = OFF
          log-dead-letters = off
          log-dead-letters-during-shutdown = off
          log-serializer-override-on-start = off
          # The cluster's own scheduler would be a second thread that wakes up as often.
          scheduler.tick-duration = 33ms
          actor {
            provider = cluster
            # Of the cluster's extension, which takes milliseconds.
            creation-timeout = {{Of(Creation)}}
            # Threads of its own: nothing that computes or blocks elsewhere in the process delays a heartbeat. Four, as Akka has at least:
            # while the cluster's extension starts, its actors block one of each until another answers.
            default-dispatcher = {{threads}}
            internal-dispatcher = {{threads}}
            serializers {
              membership = "{{typeof(MembershipSerializer).AssemblyQualifiedName}}"
              # Closed: these would build any type that a message names (Newtonsoft), any protobuf type, or deploy an actor from afar.
              json = "{{typeof(MembershipSerializer).AssemblyQualifiedName}}"
              proto = "{{typeof(MembershipSerializer).AssemblyQualifiedName}}"
              daemon-create = "{{typeof(MembershipSerializer).AssemblyQualifiedName}}"
              reliable-delivery = "{{typeof(MembershipSerializer).AssemblyQualifiedName}}"
            }
            serialization-bindings { "System.Object" = membership }
            # Known from 1.5.66 on; older versions have no such key and are closed by the lines above.
            allow-unregistered-types = off
          }
          remote {
            enabled-transports = ["akka.remote.cluster-link"]
            cluster-link { transport-class = "{{typeof(LinkTransport).AssemblyQualifiedName}}", applied-adapters = [] }
            default-remote-dispatcher = {{few}}
            backoff-remote-dispatcher = {{few}}
            # A process that is started again within seconds must be reached again within seconds.
            retry-gate-closed-for = {{Of(times.Heartbeat)}}
            log-remote-lifecycle-events = off
            # The link has its own, and so has the cluster; this one only ends associations that nobody uses.
            transport-failure-detector { heartbeat-interval = 4s, acceptable-heartbeat-pause = 60s }
          }
          cluster {
            roles = [{{roles}}]
            seed-node-timeout = {{Of(times.FirstSeed)}}
            retry-unsuccessful-join-after = {{Of(times.FirstSeed)}}
            log-info = off
            gossip-interval = {{Of(times.Round)}}
            leader-actions-interval = {{Of(times.Round)}}
            unreachable-nodes-reaper-interval = {{Of(times.Round)}}
            periodic-tasks-initial-delay = {{Of(times.Round)}}
            # Else a process would wait outside as long as somebody is unreachable.
            allow-weakly-up-members = {{Of(times.Stable)}}
            down-removal-margin = {{Of(times.RemovalMargin)}}
            # What is declared dead ends: a zombie that lingers would hold its place and its port.
            run-coordinated-shutdown-when-down = on
            failure-detector {
              heartbeat-interval = {{Of(times.Heartbeat)}}
              acceptable-heartbeat-pause = {{Of(times.Pause)}}
              expected-response-after = {{Of(times.Heartbeat)}}
              # Three agree soon enough; nine, the default, triple what idle clusters cost.
              monitored-by-nr-of-members = 3
            }
            downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
            split-brain-resolver {
              active-strategy = keep-majority
              stable-after = {{Of(times.Stable)}}
              keep-majority.role = {{Voter}}
              # Else one worker that flaps would have everybody declared dead. Two sides that both go on are harmless: terms.
              down-all-when-unstable = off
            }
            singleton { role = coordinator, hand-over-retry-interval = {{Of(times.Round)}} }
          }
          coordinated-shutdown {
            run-by-clr-shutdown-hook = off
            # The end of the system is its crash here; who leaves in order says so first.
            run-by-actor-system-terminate = off
            exit-clr = off
            phases {
              {{LastCheckpoint}} { timeout = {{Of(times.LastCheckpoint)}}, depends-on = [before-service-unbind] }
              service-unbind { depends-on = [{{LastCheckpoint}}] }
            }
          }
        }
        """);
    }

    private static string Threads(int count) => $$"""{ type = Dispatcher, executor = "{{typeof(EngineThreads).AssemblyQualifiedName}}", throughput = 5, threads = {{count}} }""";

    private static string Of(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0}ms");
}
