namespace Cluster.Contracts;

public static partial class ClusterTelemetry
{
    /// <summary>Span names: one per phase of a step.</summary>
    public static class Spans
    {
        /// <summary>Root: begin to commit-and-applied of one step.</summary>
        public const string Step = "step";

        /// <summary>Coordinator: leaves given to a worker until it has reported them, they are void, or it is lost. What the worker does for them lies below. Linked to the leases that had the same leaves before.</summary>
        public const string Lease = "lease";

        /// <summary>Worker: its device waits for a prepared leaf.</summary>
        public const string DataWait = "data wait";
        public const string Forward = "forward";
        public const string Backward = "backward";
        public const string LocalSum = "local sum";
        public const string Send = "send";

        /// <summary>Shard: first node here to last node here.</summary>
        public const string Receive = "receive";

        /// <summary>Shard: last node here to its turn.</summary>
        public const string Queue = "queue";

        /// <summary>Shard: the tree is summed; one link per contributing node, 128 at most.</summary>
        public const string Reduce = "reduce";

        /// <summary>Coordinator: all shards reduced to the decision.</summary>
        public const string NormRound = "norm round";

        /// <summary>Coordinator: writing the commit record.</summary>
        public const string Commit = "commit";

        /// <summary>Shard: mean, clip, decay, momentum, weights in one pass.</summary>
        public const string Apply = "apply";

        /// <summary>Shard: its standby is told to apply the step and says that it has.</summary>
        public const string Replicate = "replicate";

        /// <summary>Shard: the version is handed to every worker's link.</summary>
        public const string Broadcast = "broadcast";

        /// <summary>Worker: last part of a version received and loaded.</summary>
        public const string WeightsReceived = "weights received";

        /// <summary>Root: one pass over the test set.</summary>
        public const string Evaluation = "evaluation";

        /// <summary>Worker: its batches of one evaluation.</summary>
        public const string Evaluate = "evaluate";

        /// <summary>Root: the seeded first weights travel to the shards.</summary>
        public const string Initialize = "initialize";

        /// <summary>Root: a term is written, the log adopted, every replica loaded.</summary>
        public const string Term = "term";

        /// <summary>Root: the first term of a coordinator that goes on with another one's run.</summary>
        public const string Takeover = "takeover";
    }

    /// <summary>Tag names.</summary>
    public static class Tags
    {
        public const string RunId = "train.run_id";
        public const string Role = "train.role";
        public const string Step = "train.step";
        public const string Attempt = "train.attempt";
        public const string Term = "train.term";
        public const string Epoch = "train.epoch";
        public const string Worker = "train.worker";
        public const string Shard = "train.shard";
        public const string Leaf = "train.leaf";
        public const string Leaves = "train.leaves";
        public const string Node = "train.node";
        public const string Bytes = "train.bytes";
        public const string Version = "train.version";
        public const string Contributors = "train.contributors";
        public const string Loss = "train.loss";
        public const string Accuracy = "train.accuracy";
        public const string LearningRate = "train.learning_rate";
        public const string GradNorm = "train.grad_norm";
        public const string Scale = "train.clip_scale";
        public const string Samples = "train.samples";
        public const string Reason = "train.reason";
        public const string Lane = "train.link.lane";

        /// <summary>True on a root that was written from the log: the coordinator that had it was killed.</summary>
        public const string Recovered = "train.recovered";

        /// <summary>Metrics alone: a part of a step (a span's name), a kind of event or memory, a queue, a GPU.</summary>
        public const string Part = "train.part";
        public const string Kind = "train.kind";
        public const string Queue = "train.queue";
        public const string Device = "train.device";
    }
}
