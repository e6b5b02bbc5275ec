using System.Collections.Concurrent;
using Akka.Configuration;
using Akka.Dispatch;

namespace Cluster.Membership.Gossip;

/// <summary>
/// Threads that belong to one of Akka's dispatchers and do nothing else: <c>executor</c> in its settings, with <c>threads</c>, how many.
/// </summary>
/// <remarks>
/// In the place of Akka's own ForkJoinDispatcher, which asks for at most as many of its threads as there are processors and forgets
/// what lies in the queue beyond: when those threads block, as they do while the cluster's extension starts, the rest waits for
/// whatever comes next. On two cores one start of two hundred was deaf for that reason, until Akka gave up after 20 s, and for good.
/// </remarks>
public sealed class EngineThreads(Config config, IDispatcherPrerequisites prerequisites) : ExecutorServiceConfigurator(config, prerequisites)
{
    public override ExecutorService Produce(string id) => new Pool(id, Config.GetInt("threads"));

    private sealed class Pool : ExecutorService
    {
        private readonly BlockingCollection<IRunnable> _work = [];

        public Pool(string id, int threads) : base(id)
        {
            for (var i = 0; i < threads; i++) new Thread(Serve) { IsBackground = true, Name = $"membership {id.Split('.')[^1]} {i}" }.Start();
        }

        public override void Execute(IRunnable run)
        {
            try
            {
                _work.Add(run);
            }
            catch (InvalidOperationException e)
            {
                throw new RejectedExecutionException($"{Id} is shut down", e);
            }
        }

        /// <summary>What is queued is still done.</summary>
        public override void Shutdown() => _work.CompleteAdding();

        private void Serve()
        {
            foreach (var run in _work.GetConsumingEnumerable()) run.Run();
        }
    }
}
