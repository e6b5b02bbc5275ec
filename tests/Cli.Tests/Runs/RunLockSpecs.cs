using Cluster.Cli.Configuration;
using Cluster.Contracts;

namespace Cluster.Cli.Tests.Runs;

public sealed class RunLockSpecs : IDisposable
{
    private readonly World _world = new();

    public void Dispose() => _world.Dispose();

    [Fact]
    public void Folder_belongs_to_one_at_a_time()
    {
        Assert.False(RunLock.IsHeld(_world.Folder));
        using (RunLock.Take(_world.Folder))
        {
            Assert.True(RunLock.IsHeld(_world.Folder));
            Assert.Contains("is in use by another process", Assert.Throws<UserMistakeException>(() => RunLock.Take(_world.Folder)).Message);
        }
        Assert.False(RunLock.IsHeld(_world.Folder));
        using (RunLock.Take(_world.Folder)) Assert.True(RunLock.IsHeld(_world.Folder));
    }

    [Fact]
    public void Folder_that_is_not_there_is_the_users_mistake() =>
        Assert.Contains("cannot use", Assert.Throws<UserMistakeException>(() => RunLock.Take(_world.PathOf("nowhere"))).Message);
}
