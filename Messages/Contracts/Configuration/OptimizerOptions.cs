namespace Cluster.Contracts;

/// <summary>What the objective adds for the weights' size.</summary>
public enum PenaltyKind
{
    None = 0,

    /// <summary>g += λ·w (Krogh and Hertz, 1992): the gradient of λ/2·Σw² beside the mean loss; torch.optim's weight_decay.</summary>
    L2 = 1,

    /// <summary>g += λ/n·w with n the samples of the training set: the gradient of λ/(2n)·Σw².</summary>
    L2OverSamples = 2,

    /// <summary>w ← (1 − lr·λ)·w beside the step (Loshchilov and Hutter, 2019).</summary>
    Decoupled = 3,

    /// <summary>g += λ₁·sign(w); nothing at w = 0.</summary>
    L1 = 4,

    /// <summary>g += λ₁·sign(w) + λ·w (Zou and Hastie, 2005).</summary>
    ElasticNet = 5,
}

/// <summary>The parameter server's rule: PyTorch's definitions where PyTorch has one.</summary>
public sealed record OptimizerOptions
{
    /// <summary><c>sgd</c>, <c>adam</c>, <c>adamw</c>, <c>adagrad</c>, <c>rmsprop</c> or <c>lars</c>.</summary>
    public string Kind { get; init; } = "sgd";

    /// <summary>μ: buffer = μ·buffer + (1 − dampening)·g. SGD, LARS and RMSprop.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary><c>pytorch</c> (buffer = μ·buffer + g; w −= lr·buffer) or <c>classical</c> (buffer = μ·buffer − lr·g; w += buffer; Sutskever et al., 2013).</summary>
    public string MomentumForm { get; init; } = "pytorch";

    /// <summary>Share of a new gradient that does not enter the momentum buffer; must be 0 with Nesterov. The first step is not damped, as in PyTorch.</summary>
    public double Dampening { get; init; }

    public bool Nesterov { get; init; } = true;

    /// <summary>β₁ of Adam: share of the mean gradient that a step keeps.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>β₂ of Adam: share of the mean squared gradient that a step keeps.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to a root before it divides; null = PyTorch's: 1e-10 for Adagrad, 1e-8 for the others.</summary>
    public double? Epsilon { get; init; }

    /// <summary>Share of the mean squared gradient that RMSprop keeps.</summary>
    public double Alpha { get; init; } = 0.99;

    /// <summary>RMSprop divides by the deviation instead of the root of the mean square.</summary>
    public bool Centered { get; init; }

    /// <summary>Adagrad: the rate of step t is lr / (1 + (t − 1)·this).</summary>
    public double RateDecay { get; init; }

    /// <summary>Adagrad: what the sums of squares begin with.</summary>
    public double InitialAccumulator { get; init; }

    /// <summary>η of LARS (You et al., 2017): a tensor's rate is lr·η·‖w‖ / (‖g‖ + λ·‖w‖).</summary>
    public double TrustCoefficient { get; init; } = 0.001;

    /// <summary><c>l2</c>, <c>l2-over-n</c>, <c>decoupled</c>, <c>l1</c> or <c>elastic-net</c>; null = what the strengths below say (see <see cref="PenaltyOf"/>).</summary>
    public string? Penalty { get; init; }

    /// <summary>λ of L2, decoupled decay and the elastic net's second part.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>λ₁ of L1 and the elastic net's first part.</summary>
    public double L1 { get; init; }

    /// <summary>Largest norm of an output unit's weights, enforced after every step (Srebro and Shraibman, 2005; Srivastava et al., 2014); 0 = any.</summary>
    public double MaxNorm { get; init; }

    /// <summary>Biases and norm layers take the penalty too.</summary>
    public bool DecayNormAndBias { get; init; }

    /// <summary>Parameter groups: <c>PATTERN:lr=X,decay=X; …</c>, factors on the rate and on the penalty of the parameters whose name matches (<c>*</c> stands for any text); the first match counts. Null = none.</summary>
    public string? Groups { get; init; }

    /// <summary>Largest norm of the whole mean gradient (Pascanu et al., 2013); 0 = any. scale = min(1, clip / (norm + 1e-6)), as in torch.nn.utils.clip_grad_norm_.</summary>
    public double ClipNorm { get; init; }

    /// <summary>Largest norm of each parameter's mean gradient; 0 = any.</summary>
    public double ClipParameterNorm { get; init; }

    /// <summary>Largest magnitude of an element of the mean gradient, as in torch.nn.utils.clip_grad_value_; 0 = any.</summary>
    public double ClipValue { get; init; }

    /// <summary>λ of adaptive clipping (Brock et al., 2021): largest ratio of a unit's gradient norm to its weights' norm (at least 1e-3); 0 = any. One-dimensional parameters are units as a whole; the classifier is not left out.</summary>
    public double ClipAdaptive { get; init; }

    /// <summary>Share of the average of all weights so far that a step keeps; evaluation uses the average. 0 = none.</summary>
    public double EmaDecay { get; init; }

    /// <summary>The penalty that is added: the one named, or else what the strengths say.</summary>
    public PenaltyKind PenaltyOf() => Penalty switch
    {
        "l2" => WeightDecay > 0 ? PenaltyKind.L2 : PenaltyKind.None,
        "l2-over-n" => WeightDecay > 0 ? PenaltyKind.L2OverSamples : PenaltyKind.None,
        "decoupled" => WeightDecay > 0 ? PenaltyKind.Decoupled : PenaltyKind.None,
        "l1" => L1 > 0 ? PenaltyKind.L1 : PenaltyKind.None,
        "elastic-net" => PenaltyKind.ElasticNet,
        _ when L1 > 0 && WeightDecay > 0 => PenaltyKind.ElasticNet,
        _ when L1 > 0 => PenaltyKind.L1,
        _ when WeightDecay > 0 => Kind == "adamw" ? PenaltyKind.Decoupled : PenaltyKind.L2,
        _ => PenaltyKind.None,
    };

    /// <summary>The decision about a step needs norms of single tensors, which may lie on several shards.</summary>
    public bool NeedsTensorSums() => Kind == "lars" || ClipParameterNorm > 0;

    /// <summary>The arithmetic needs all weights of an output unit in one place, so no chunk may cut one.</summary>
    public bool NeedsWholeRows() => MaxNorm > 0 || ClipAdaptive > 0;
}
