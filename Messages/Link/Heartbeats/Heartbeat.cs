using System.Buffers.Binary;

namespace Cluster.Link;

/// <summary>
/// One heartbeat. It carries the peer's last one back, with the time that it lay here, so that one message per direction and
/// tick measures the round trip without comparing clocks.
/// </summary>
/// <param name="Sent">Sender's monotonic clock at sending.</param>
/// <param name="Echo">The <paramref name="Sent"/> of the last heartbeat that the sender heard from us; zero = none yet.</param>
/// <param name="Held">How long the sender has had that one.</param>
/// <param name="WallClock">Sender's UTC at sending, for the clock offset of traces.</param>
internal readonly record struct Heartbeat(TimeSpan Sent, TimeSpan Echo, TimeSpan Held, DateTime WallClock)
{
    public const int Bytes = 32;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Sent.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Echo.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Held.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(to[24..], WallClock.Ticks);
    }

    /// <returns>False for a length or a date that no heartbeat has.</returns>
    public static bool TryRead(ReadOnlySpan<byte> from, out Heartbeat heartbeat)
    {
        heartbeat = default;
        if (from.Length != Bytes) return false;
        var wall = BinaryPrimitives.ReadInt64LittleEndian(from[24..]);
        if (wall < 0 || wall > DateTime.MaxValue.Ticks) return false;
        heartbeat = new Heartbeat(
            new TimeSpan(BinaryPrimitives.ReadInt64LittleEndian(from)),
            new TimeSpan(BinaryPrimitives.ReadInt64LittleEndian(from[8..])),
            new TimeSpan(BinaryPrimitives.ReadInt64LittleEndian(from[16..])),
            new DateTime(wall, DateTimeKind.Utc));
        return true;
    }
}
