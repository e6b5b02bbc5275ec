using Cluster.Cli.Configuration;

namespace Cluster.Cli.Study;

/// <summary>One architecture of the studies.</summary>
/// <param name="Family">As the literature compares them.</param>
/// <param name="Name">Of <see cref="KnownNames.Models"/>.</param>
/// <param name="LearningRate">Highest rate of the schedule at batch 128, for SGD with momentum 0.9.</param>
internal sealed record StudyModel(string Family, string Name, double LearningRate);

/// <summary>The architectures that are compared, in the order of the literature: AlexNet, VGG, GoogLeNet, ResNet, DenseNet.</summary>
internal static class StudyModels
{
    /// <summary>
    /// Rates at batch 128: 0.01 without batch normalisation (Krizhevsky et al., 2012; Simonyan and Zisserman, 2015), 0.05 for
    /// the two old networks that have it, 0.1 for residual and dense ones (He et al., 2015; Huang et al., 2017).
    /// </summary>
    private static readonly IReadOnlyList<StudyModel> Known =
    [
        new("AlexNet", "alexnet", 0.01),
        new("VGG", "vgg16_bn", 0.05),
        new("GoogLeNet", "googlenet", 0.05),
        new("ResNet", "resnet18", 0.1),
        new("DenseNet", "densenet-bc100-k12", 0.1),
    ];

    /// <summary>What a study compares unless it is told otherwise: of each family the one above, as far as this program has it.</summary>
    public static IReadOnlyList<StudyModel> Default => [.. Known.Where(static model => KnownNames.Model(model.Name) is not null)];

    /// <summary>A model by name; one outside the five families has the rate of most.</summary>
    public static StudyModel Of(string name) => Known.FirstOrDefault(model => model.Name == name) ?? new StudyModel(name, name, LearningRate: 0.05);
}
