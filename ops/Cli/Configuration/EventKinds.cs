namespace Cluster.Cli.Configuration;

/// <summary>The closed set of words in the column <c>kind</c> of events.jsonl, and the part of a run's life that each belongs to. docs/launch.md has the same table; a test compares them.</summary>
public static class EventKinds
{
    /// <summary>Values of the column <c>phase</c>.</summary>
    public const string Run = "run", Step = "step", Term = "term", Checkpoint = "checkpoint", Evaluation = "evaluation", Membership = "membership", Process = "process";

    /// <summary>Kind, phase, what it tells.</summary>
    public static readonly IReadOnlyList<(string Kind, string Phase, string Meaning)> Table =
    [
        ("started", Run, "a process began to carry the run: model, data, steps, workers, shards"),
        ("resumed", Run, "an earlier process had begun the run: from which checkpoint, how many recorded steps are replayed"),
        ("imported", Run, "the run begins with weights from a file"),
        ("log-cut", Run, "the last line of commits.jsonl was torn and is cut: that step was never committed"),
        ("checkpoint-passed-over", Run, "a checkpoint is damaged and is not used"),
        ("finished", Run, "the last step is done: the hash of the state"),
        ("stopped-early", Run, "patience is spent: the run ends before its last step, and the best version is its result"),
        ("interrupted", Run, "somebody stopped the run: after which step"),
        ("failed", Run, "the run failed: why"),
        ("took-over", Term, "a coordinator was started on a run that had begun: after which step, which term comes next"),
        ("term", Term, "a new term begins: why"),
        ("restored", Term, "shards held less than the log: which checkpoint all of them load"),
        ("replay", Term, "recorded steps are computed again and must come out as recorded: which"),
        ("standby-same-host", Term, "a shard and its standby lie on one host, since no other has a process for shards: which, on which"),
        ("term-waits", Term, "the term cannot be written: the disk is full"),
        ("log-waits", Term, "the log cannot be copied for the new term: the disk is full"),
        ("stepped-down", Term, "another coordinator has a higher term: this one ends"),
        ("coordinator-paused", Run, "the coordinator's process stood still: for how long; noticed when it goes on"),
        ("waiting", Step, "no worker is there to go on"),
        ("worker-joined", Step, "a worker shares the leaves from the next step on"),
        ("worker-left", Step, "a worker left as planned"),
        ("worker-lost", Step, "a worker died or fell silent: in which step, how it was noticed"),
        ("worker-hung", Step, "a worker is alive and makes no progress"),
        ("worker-late", Step, "a worker needs several times as long for its leaves as the others; told once until it is in time again"),
        ("shard-lost", Step, "a process with shards died or fell silent: which shards and standbys it held"),
        ("shard-late", Step, "a process with shards is alive and does not answer: what it was to do, since when; told once until it is in time again"),
        ("leased-again", Step, "leaves of a lost or late worker are computed by another one as well"),
        ("non-finite", Step, "a gradient was NaN or infinite: leaf, worker, parameter"),
        ("data-bound", Step, "the workers wait for their images for more than a tenth of their time: what to do; told once"),
        ("sample-left-out", Step, "a training sample could not be decoded and is left out of its step: which, where it lies, why, and who found it"),
        ("sample-unreadable", Step, "a sample that a recorded step counts could not be decoded by one worker: another one replays its leaf"),
        ("unvouched", Step, "a sum holds a leaf whose report never came: the step is computed again"),
        ("audit-dispute", Step, "two workers got different bits for one leaf: it is computed again to tell which of them is wrong"),
        ("worker-quarantined", Step, "a worker gave wrong bits (which leaf, who contradicts it) and takes no part from here on"),
        ("commit-waits", Step, "the record of a step cannot be written: the disk is full"),
        ("commit-goes-on", Step, "there is room on the disk again"),
        ("spans-lost", Run, "spans are lost, and why: the disk refuses traces.jsonl, or it is full and the oldest are dropped; told once"),
        ("checkpoint", Checkpoint, "a checkpoint was written"),
        ("checkpoint-asked", Checkpoint, "somebody asks for a checkpoint (SIGUSR1): the next step that commits is kept"),
        ("checkpoint-skipped", Checkpoint, "a checkpoint was due while the one before was still being written, or asked for in a run that keeps none"),
        ("checkpoint-failed", Checkpoint, "a checkpoint could not be written; training goes on"),
        ("checkpoint-waits", Checkpoint, "the checkpoint of the best version cannot be written: the next step waits for it"),
        ("evaluated", Evaluation, "accuracy and loss on the test set"),
        ("test-sample-left-out", Evaluation, "a test sample could not be decoded and does not count: which, why; told once"),
        ("membership", Membership, "a process joined, left, fell silent or came back"),
        ("node-refused", Membership, "somebody was not let in: who, why"),
        ("message-refused", Membership, "a process sent what its role may not send: who, what; its link is closed"),
        ("node-unfit", Membership, "a node cannot take part, by its own word: its data set, model or device, and why"),
        ("link-lost", Membership, "a node lost its link to the coordinator, or damaged bytes came over its link to another node: how it was noticed"),
        ("process-started", Process, "the supervisor started a process: its number"),
        ("process-ended", Process, "a process ended: its exit code or its signal"),
        ("process", Process, "what the supervisor does about it"),
        ("fault", Process, "a fault that was ordered was struck or arose, ended, or missed"),
    ];

    /// <summary>What the supervisor of a run's processes may tell.</summary>
    public static readonly IReadOnlyList<string> OfSupervisors = ["process-started", "process-ended", "process", "fault", "message-refused"];

    /// <summary>What a node may tell of itself; the node column is its own name, whatever it says.</summary>
    public static readonly IReadOnlyList<string> OfNodes = ["fault", "link-lost", "node-unfit", "message-refused"];

    private static readonly Dictionary<string, string> Phases = Table.ToDictionary(static row => row.Kind, static row => row.Phase, StringComparer.Ordinal);

    /// <summary>The phase of a kind; null for a word that is not in the table.</summary>
    public static string? PhaseOf(string kind) => Phases.GetValueOrDefault(kind);
}
