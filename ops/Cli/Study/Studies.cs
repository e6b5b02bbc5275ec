using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>The studies that there are, with the strengths of their variants and the reasons for them.</summary>
internal static class Studies
{
    /// <summary>Size of a typical weight of the five architectures: what L1 and L2 are made equally strong at.</summary>
    private const double TypicalWeight = 0.02;

    /// <summary>
    /// One regulariser at a time: no dropout, smoothing or augmentation beside the variant, so that a gap between training
    /// and test accuracy is the variant's work, and training accuracy is measured on the images that are in the set.
    /// </summary>
    private static readonly RunOptions Shared = new()
    {
        Recipe = "study",
        Batch = 128,
        Microbatches = 4,
        Dropout = 0,
        NonFinite = "halt",          // a cell that diverges is a finding; to compute it twice finds nothing else
        KeepCheckpoints = 1,
        Optimizer = new OptimizerOptions { Momentum = 0.9, Nesterov = false, WeightDecay = 5e-4 },
        Schedule = new ScheduleOptions { Kind = "one-cycle", PercentStart = 0.25 },
        Loss = new LossOptions { AuxiliaryWeight = 0.3 },
    };

    public static StudyDefinition WeightDecay { get; } = new(
        "weight-decay", "penalty", "Weight decay",
        [
            new("none", o => Penalty(null, 0, 0, 0), "nothing is added for the weights' size"),
            new("l2", o => Penalty("l2", o.Optimizer.WeightDecay, 0, 0),
                "λ = 5e-4, the value of AlexNet, VGG and most that came after (Krogh and Hertz, 1992; Krizhevsky et al., 2012); --weight-decay sets it"),
            new("decoupled", o => Penalty("decoupled", Rounded(o.Optimizer.WeightDecay / (1 - o.Optimizer.Momentum)), 0, 0),
                "λ / (1 − momentum): momentum adds up coupled decay over 1 / (1 − momentum) steps, so that both shrink a weight equally fast (Loshchilov and Hutter, 2019)"),
            new("l1", o => Penalty("l1", 0, L1Of(o), 0),
                $"0.02 · λ: pulls a weight of typical size, 0.02, as hard as l2 does (Tibshirani, 1996); --l1 sets it"),
            new("elastic-net", o => Penalty("elastic-net", o.Optimizer.WeightDecay / 2, L1Of(o) / 2, 0), "half of l1 and half of l2 (Zou and Hastie, 2005)"),
            new("max-norm", o => Penalty(null, 0, 0, o.Optimizer.MaxNorm > 0 ? o.Optimizer.MaxNorm : 3),
                "3, the lower end of the usual 3 to 4 (Srebro and Shraibman, 2005; Srivastava et al., 2014); --max-norm sets it"),
        ],
        ["optimizer.penalty"],
        Shared);

    public static StudyDefinition Momentum { get; } = new(
        "momentum", "momentum", "Momentum",
        [
            new("none", o => Sgd(0, "pytorch", nesterov: false, o.Schedule.LearningRate > 0 ? Rounded(o.Schedule.LearningRate / (1 - o.Optimizer.Momentum)) : 0),
                "the rate times 1 / (1 − momentum): momentum's steps add up to that, and it is momentum that is compared, not the rate"),
            new("pytorch", o => Sgd(o.Optimizer.Momentum, "pytorch", nesterov: false, o.Schedule.LearningRate), "buffer = 0.9 · buffer + g; w −= lr · buffer, as torch.optim.SGD; --momentum sets the 0.9"),
            new("classical", o => Sgd(o.Optimizer.Momentum, "classical", nesterov: false, o.Schedule.LearningRate), "v = 0.9 · v − lr · g; w += v (Polyak, 1964; Sutskever et al., 2013): differs from pytorch while the rate changes"),
            new("nesterov", o => Sgd(o.Optimizer.Momentum, "pytorch", nesterov: true, o.Schedule.LearningRate), "looks ahead along the buffer (Nesterov, 1983; Sutskever et al., 2013), in PyTorch's form"),
            new("adam", o => [new("optimizer.kind", "adam"), new("optimizer.nesterov", "false"), new("schedule.lr", "0.001")], "β = 0.9 and 0.999, rate 0.001 as its authors propose (Kingma and Ba, 2015)"),
        ],
        ["optimizer.kind", "optimizer.momentum-form", "optimizer.nesterov", "optimizer.dampening"],
        Shared);

    public static StudyDefinition Clipping { get; } = new(
        "clipping", "clipping", "Gradient clipping",
        [
            new("none", o => Clips(0, 0, 0, 0), "gradients as they are"),
            new("global", o => Clips(Or(o.Optimizer.ClipNorm, 1), 0, 0, 0), "norm of the whole gradient at most 1 (Pascanu et al., 2013); --clip-norm sets it"),
            new("parameter", o => Clips(0, Or(o.Optimizer.ClipParameterNorm, 0.25), 0, 0), "norm of each parameter's gradient at most 0.25: 16 parameters at that bound make a whole of 1; --clip-parameter-norm sets it"),
            new("value", o => Clips(0, 0, Or(o.Optimizer.ClipValue, 0.01), 0), "no element above 0.01, some ten times the typical element of a gradient of norm 1 over a million parameters; --clip-value sets it"),
            new("adaptive", o => Clips(0, 0, 0, Or(o.Optimizer.ClipAdaptive, 0.04)), "a unit's gradient at most 0.04 times its weights' norm: of the values that Brock et al. (2021) try, 0.01 to 0.16, the middle one; --clip-adaptive sets it"),
        ],
        [],
        Shared);

    public static IReadOnlyList<StudyDefinition> All { get; } = [WeightDecay, Momentum, Clipping];

    public static StudyDefinition? Of(string name) => All.FirstOrDefault(study => study.Name == name);

    private static double L1Of(RunOptions options) => Or(options.Optimizer.L1, Rounded(TypicalWeight * options.Optimizer.WeightDecay));

    private static IReadOnlyList<CellSetting> Penalty(string? kind, double decay, double l1, double maxNorm) =>
        [new("optimizer.penalty", kind), Number("optimizer.weight-decay", decay), Number("optimizer.l1", l1), Number("optimizer.max-norm", maxNorm)];

    private static IReadOnlyList<CellSetting> Sgd(double momentum, string form, bool nesterov, double rate) =>
    [
        new("optimizer.kind", "sgd"), Number("optimizer.momentum", momentum), new("optimizer.momentum-form", form),
        new("optimizer.nesterov", nesterov ? "true" : "false"), new("optimizer.dampening", "0"), Number("schedule.lr", rate),
    ];

    private static IReadOnlyList<CellSetting> Clips(double norm, double parameter, double value, double adaptive) =>
    [
        Number("optimizer.clip-norm", norm), Number("optimizer.clip-parameter-norm", parameter),
        Number("optimizer.clip-value", value), Number("optimizer.clip-adaptive", adaptive),
    ];

    private static CellSetting Number(string key, double value) => new(key, OptionRow.Number(value));

    private static double Or(double given, double otherwise) => given > 0 ? given : otherwise;

    /// <summary>Without the last bits of a division: 0.005, not 0.0050000000000000001.</summary>
    private static double Rounded(double value) => double.Parse(value.ToString("G6", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture);
}
