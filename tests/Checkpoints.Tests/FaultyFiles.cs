using System.Diagnostics;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

/// <summary>What happens at the chosen call.</summary>
internal enum Fault
{
    /// <summary>The disk refuses: nothing of the call is done, an IOException follows. Later calls are refused too, except removals.</summary>
    Full,

    /// <summary>As a kill leaves it: half of the call's bytes are written, and nothing after it happens, not even cleaning up.</summary>
    Torn,

    /// <summary>The process kills itself with SIGKILL after half of the call's bytes.</summary>
    Kill,
}

/// <summary>Stands for the end of the process where the test goes on. No IOException: nobody may catch it.</summary>
internal sealed class KilledException() : Exception("killed here");

/// <summary>The real disk with one fault at one call. Counts calls, and lists them.</summary>
internal sealed class FaultyFiles(int faultAt = int.MaxValue, Fault fault = Fault.Full) : ICheckpointFiles
{
    public List<string> Calls { get; } = [];

    public bool CanExchange { get; init; } = true;

    public void CreateFolder(string path) => Do($"create folder {Name(path)}", () => DiskFiles.Instance.CreateFolder(path));

    public ICheckpointFile CreateFile(string path)
    {
        ICheckpointFile? file = null;
        Do($"create {Name(path)}", () => file = DiskFiles.Instance.CreateFile(path));
        return new FaultyFile(this, Name(path), file!);
    }

    public void FlushFolder(string path) => Do($"flush folder {Name(path)}", () => DiskFiles.Instance.FlushFolder(path));

    public void Move(string from, string to) => Do($"move {Name(from)} {Name(to)}", () => DiskFiles.Instance.Move(from, to));

    public bool TryExchange(string first, string second)
    {
        var done = false;
        Do($"exchange {Name(first)} {Name(second)}", () => done = CanExchange && DiskFiles.Instance.TryExchange(first, second));
        return done;
    }

    public void DeleteFolder(string path) => Do($"delete {Name(path)}", () => DiskFiles.Instance.DeleteFolder(path), removes: true);

    private static string Name(string path) => Path.GetFileName(path);

    private void Do(string call, Action act, Action? half = null, bool removes = false)
    {
        var index = Calls.Count;
        Calls.Add(call);
        if (index == faultAt && fault != Fault.Full)
        {
            half?.Invoke();
            if (fault == Fault.Kill) Process.GetCurrentProcess().Kill();
            throw new KilledException();
        }
        if (fault == Fault.Torn && index > faultAt) throw new InvalidOperationException($"'{call}' after the end of the process");
        if (fault == Fault.Full && !removes && index >= faultAt)
        {
            half?.Invoke();
            throw new IOException($"No space left on device : '{call}'");
        }
        act();
    }

    private sealed class FaultyFile(FaultyFiles owner, string name, ICheckpointFile file) : ICheckpointFile
    {
        public void Append(ReadOnlySpan<byte> bytes)
        {
            var copy = bytes.ToArray();
            owner.Do($"append to {name}", () => file.Append(copy), half: () => file.Append(copy.AsSpan(0, copy.Length / 2)));
        }

        public void Flush() => owner.Do($"flush {name}", file.Flush);

        public void Dispose() => file.Dispose();
    }
}
