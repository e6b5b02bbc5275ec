namespace Cluster.Checkpoints.Tests;

/// <summary>A disk that is really full or read-only: a tmpfs of a few MB in a mount namespace of its own.</summary>
public sealed class RefusingDiskSpecs : IDisposable
{
    private readonly RunFolder _run = new();

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Full_disk_refuses_the_checkpoint_keeps_the_old_one_and_takes_the_next_when_there_is_room()
    {
        var lines = Isolated("""
            mount -t tmpfs -o size=4m tmpfs "$1"
            "$0" write "$1" 1
            dd if=/dev/zero of="$1/filler" bs=64k status=none 2>/dev/null || true
            "$0" write "$1" 2 || echo "code $?"
            ls -A "$1/checkpoints"
            rm "$1/filler"
            "$0" write "$1" 3
            """);
        Assert.Equal(5, lines.Length);
        Assert.StartsWith("whole ", lines[0]);
        Assert.Contains("step-000002 was not written: No space left on device", lines[1]);
        Assert.Contains("earlier checkpoints are untouched", lines[1]);
        Assert.Equal($"code {Program.Refused}", lines[2]);
        Assert.Equal("step-000001", lines[3]);      // and nothing half-written beside it
        Assert.EndsWith("step-000003", lines[4]);
    }

    [Fact]
    public void Read_only_disk_refuses_the_checkpoint_and_keeps_the_old_one()
    {
        var lines = Isolated("""
            mount -t tmpfs -o size=4m tmpfs "$1"
            "$0" write "$1" 1
            mount -o remount,ro "$1"
            "$0" write "$1" 2 || echo "code $?"
            ls -A "$1/checkpoints"
            """);
        Assert.Contains("Read-only file system", lines[1]);
        Assert.Equal([$"code {Program.Refused}", "step-000001"], lines[2..]);
    }

    private string[] Isolated(string script)
    {
        Assert.SkipUnless(WriterProcess.CanMount(_run.Path), "needs root and the right to mount; the same faults are tried through the seam at every call");
        var (exitCode, output) = WriterProcess.RunIsolated(script, _run.Path);
        Assert.True(exitCode == 0, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
