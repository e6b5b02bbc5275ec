using System.Collections.Immutable;
using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Study;

/// <summary>A study's folder: study.yaml, study.csv, study.json, study.html and cells/.</summary>
internal static class StudyFolder
{
    public const string CsvName = "study.csv", JsonName = "study.json", PageName = "study.html";

    /// <summary>The plan in the folder; null when it holds none, and nothing that a study would spoil.</summary>
    /// <param name="study">Asked for.</param>
    /// <exception cref="UserMistakeException">The folder holds a run, another study, or is a file.</exception>
    public static StudyPlan? PlanIn(string folder, string study)
    {
        if (File.Exists(folder)) throw new UserMistakeException($"--out {folder} is a file, not a folder");
        var path = Path.Combine(folder, StudyPlanFile.Name);
        if (!File.Exists(path))
        {
            if (File.Exists(Path.Combine(folder, RunFolder.ConfigName)) || File.Exists(Path.Combine(folder, RunFolder.CommitsName)))
                throw new UserMistakeException($"--out {folder}: the folder holds a run, not a study; nothing was touched, choose another folder");
            return null;
        }
        var plan = StudyPlanFile.Read(path);
        if (plan.Study != study) throw new UserMistakeException($"--out {folder}: the folder holds a study of {plan.Study}; go on with './cluster study {plan.Study} --out {folder}', or choose another folder");
        return plan;
    }

    /// <summary>The plan with what its cells have come to so far.</summary>
    public static StudyState StateIn(string folder, StudyPlan plan)
    {
        var ended = plan.Cells.Select(cell => CellOutcome.Read(CellRunner.FolderOf(folder, cell))).OfType<CellOutcome>();
        return new StudyState(plan, ended.ToImmutableDictionary(static outcome => outcome.Cell, StringComparer.Ordinal));
    }

    /// <summary>Writes a file so that a reader sees the old one or the new one, and never a part.</summary>
    /// <exception cref="IOException">The disk refused.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + ".new";
        using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }
}
