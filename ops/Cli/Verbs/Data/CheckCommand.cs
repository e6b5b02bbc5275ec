using System.CommandLine;
using System.Globalization;
using Cluster.Cli.Display;
using Cluster.Contracts;
using Cluster.Workers.Data;

namespace Cluster.Cli.Verbs.Data;

/// <summary><c>cluster data check</c>: reads a set through and says what is wrong with it.</summary>
internal sealed class CheckCommand : IDataCommand
{
    private static readonly string[] InMemory = ["cifar100", "mnist", "fashion-mnist"];

    private readonly Argument<string?> _name = new("name") { Arity = ArgumentArity.ZeroOrOne };

    public CheckCommand() => Command = new Command("check", "Read a data set through and say what is wrong with it.") { _name };

    public Command Command { get; }

    public IReadOnlyList<(string Usage, string Meaning)> Help { get; } =
    [
        ("cluster data check cifar10[:DIR]", "Read every file again and compare its size and checksum."),
        ("cluster data check imagefolder:DIR", "Decode every image and name those that cannot be decoded. They go on a skip list beside the"),
        ("", "index in the cache folder and are no samples from then on. Exit code 0: the set can be used."),
        ("cluster data check shards:DIR", "Read every shard, compare its checksum with the index, and decode every image."),
        ("cluster data check NAME:DIR", $"Read {string.Join(", ", InMemory)} whole."),
    ];

    public async Task<int> RunAsync(ParseResult parse, CancellationToken stop)
    {
        var spec = DataSpec.Parse(parse.GetValue(_name), "check", ["cifar10", ImageFolderSource.SetName, ShardSource.SetName, .. InMemory]);
        if (spec.Name == ShardSource.SetName) return await PackCommand.CheckAsync(spec, stop);
        if (spec.Name == "cifar10") return Checksums(spec.Folder);
        if (spec.Name != ImageFolderSource.SetName) return Whole(spec);
        var report = await DownloadDisplay.ShowAsync(progress => Task.Run(() => ImageFolderSource.Check(new DataRequest(spec.ToString(), Seed: 0) { Progress = progress }, stop), stop));
        foreach (var line in Lines(report)) Console.Out.WriteLine(line);
        return report.TrainLeft > 0 ? ExitCodes.Done : throw new UserMistakeException($"not one training image of {report.Root} can be decoded");
    }

    /// <summary>A line for each bad image, then what it comes to.</summary>
    internal static IEnumerable<string> Lines(ImageFolderReport report)
    {
        foreach (var image in report.Bad) yield return $"bad  {image.Line}";
        foreach (var passed in report.Passed) yield return $"passed over  {passed.Line}";
        if (report.OtherFiles > 0) yield return Text($"passed over {report.OtherFiles:N0} files that have no image's extension");
        yield return Text($"{report.Train + report.Test - report.Bad.Count:N0} of {report.Train + report.Test:N0} images are sound: {report.Train:N0} training and {report.Test:N0} test images of {report.Classes:N0} classes in {report.Root}");
        if (report.SkipList is { } list)
            yield return Text($"{report.Bad.Count:N0} bad ones are on the skip list {list} and are no samples from now on; a run on several machines needs the same list in the cache folder of each: copy it, or check there too");
        else if (report.SkippedBefore > 0) yield return Text($"{report.SkippedBefore:N0} images that were on a skip list are sound now, and samples again");
    }

    private static int Checksums(string? folder)
    {
        var findings = Cifar10Source.Check(folder);
        var faults = findings.Where(finding => finding.Fault is not null).ToList();
        foreach (var sound in findings.Except(faults)) Console.Out.WriteLine($"ok  {sound.Path}");
        if (faults.Count > 0) throw new UserMistakeException(string.Join('\n', faults.Select(finding => finding.Fault)));
        return ExitCodes.Done;
    }

    private static int Whole(DataSpec spec)
    {
        var (train, test) = Datasets.Open(spec.ToString(), seed: 0);
        using (train)
        using (test)
            Console.Out.WriteLine(Text($"ok  {train.Count:N0} training and {test.Count:N0} test images of {train.ClassCount} classes, {train.Shape}, in {spec.Folder}"));
        return ExitCodes.Done;
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
