using System.Reflection;
using Cluster.Contracts;

namespace Cluster.Remoting.Tests;

public sealed class TensorMessageSpecs
{
    public static TheoryData<string> Names => [.. Samples.Names];

    /// <summary>Over the wire and back: the head as its bytes, the tensors as copies of their stretches.</summary>
    private static object Travel(object message, BufferPools arrived)
    {
        var (head, tensors) = TensorMessage.Split(message, Samples.RangeOf, Samples.Target)!.Value;
        var read = WireTypes.Read(WireTypes.NumberOf(head.GetType()), WireTypes.Write(head));
        var copies = tensors.Select(t =>
        {
            var copy = arrived.Rent(t.Length);
            t.Buffer.Span.Slice(t.First, t.Length).CopyTo(copy.Span);
            return copy;
        }).ToArray();
        return TensorMessage.Join(read, copies);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Message_is_the_same_after_it_was_split_and_joined_but_cut_to_its_shard(string name)
    {
        using var samples = new Samples();
        using var arrived = new BufferPools();
        var message = samples.Make(name);
        var joined = Travel(message, arrived);
        Assert.IsType(message.GetType(), joined);
        Samples.AssertArrived(name, joined);
        TensorMessage.Release(joined);
        Samples.AssertAllBack(arrived.All);
        TensorMessage.Release(message);
        samples.AssertAllReleased();
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Released_message_holds_nothing_and_is_not_released_twice(string name)
    {
        using var samples = new Samples();
        var message = samples.Make(name);
        TensorMessage.Release(message);
        samples.AssertAllReleased();
        Assert.Throws<ObjectDisposedException>(() => TensorMessage.Release(message));
    }

    [Fact]
    public void Every_type_with_a_tensor_can_be_split_and_is_among_the_samples()
    {
        var withTensors = typeof(GradientNode).Assembly.GetTypes().Where(t => t.IsClass && t.IsPublic && t.GetMethod("<Clone>$") is not null && t.GetProperties().Any(HoldsTensor)).Select(t => t.Name).Order();
        using var samples = new Samples();
        var made = Samples.Names.Select(samples.Make).ToArray();
        Assert.Equal(withTensors, made.Select(m => m.GetType().Name).Distinct().Order());
        foreach (var message in made) TensorMessage.Release(message);
        static bool HoldsTensor(PropertyInfo p) => p.PropertyType == typeof(NativeBuffer) || p.PropertyType.GenericTypeArguments.Contains(typeof(NativeBuffer));
    }

    [Fact]
    public void Shard_of_buffers_alone_gets_no_slots()
    {
        using var samples = new Samples();
        var load = samples.Make("load");
        var (head, tensors) = TensorMessage.Split(load, static _ => new RangeOnWire(Samples.BufferOffset, 10, 0), 0)!.Value;
        Assert.Empty(Assert.IsType<LoadShardHead>(head).Slots);
        Assert.Equal((Samples.BufferOffset, 10), Assert.Single(tensors.Select(t => (t.First, t.Length))));
        TensorMessage.Release(load);
    }

    [Fact]
    public void Average_of_the_weights_reaches_every_shard_and_covers_its_whole_range()
    {
        using var samples = new Samples();
        var load = new LoadShard(new Term(2), new WeightsVersion(5), samples.Numbers(Samples.StateFloats, 0), new Dictionary<string, NativeBuffer>
        {
            [StateSlots.Ema] = samples.Numbers(Samples.StateFloats, 1),
            ["exp_avg"] = samples.Numbers(Samples.BufferOffset, 2),
        }, 4, default);
        Assert.Equal([(60, 40), (60, 40), (60, 30)], Slices(Samples.RangeOf(1)));
        Assert.Equal([(Samples.BufferOffset, 10), (Samples.BufferOffset, 10)], Slices(new RangeOnWire(Samples.BufferOffset, 10, 0)));
        TensorMessage.Release(load);

        IEnumerable<(int, int)> Slices(RangeOnWire range) => TensorMessage.Split(load, _ => range, 1)!.Value.Tensors.Select(static t => (t.First, t.Length));
    }

    [Fact]
    public void Message_without_tensors_is_not_split()
    {
        Assert.Null(TensorMessage.Split(new WorkerReady(new WorkerId(1)), Samples.RangeOf, 0));
        TensorMessage.Release(new WorkerReady(new WorkerId(1)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Head_that_announces_other_tensors_is_refused(string name)
    {
        using var samples = new Samples();
        using var buffer = NativeBuffer.Allocate(8);
        var message = samples.Make(name);
        var (head, tensors) = TensorMessage.Split(message, Samples.RangeOf, Samples.Target)!.Value;
        foreach (var count in new[] { 0, tensors.Count - 1, tensors.Count + 1 })
            Assert.Contains($"{count} tensors", Assert.Throws<ClusterException>(() => TensorMessage.Join(head, [.. Enumerable.Repeat(buffer, count)])).Message);
        TensorMessage.Release(message);
    }

    [Fact]
    public void Two_slots_of_one_name_are_refused()
    {
        using var buffer = NativeBuffer.Allocate(8);
        var head = new ShardSnapshotHead(new Term(2), new WeightsVersion(5), new ShardId(1), 0, 4, ["m", "m"]);
        Assert.Throws<ClusterException>(() => TensorMessage.Join(head, [buffer, buffer, buffer]));
    }
}
