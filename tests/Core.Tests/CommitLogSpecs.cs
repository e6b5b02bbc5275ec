using System.Text;
using System.Text.Json;
using Cluster.Contracts;
using Cluster.Coordinator.Core;

namespace Cluster.Core.Tests;

public sealed class CommitLogSpecs
{
    private static CommitRecord Record(long step, long term = 1, double loss = 2.302585092994046) => new(
        new Term(term), new StepId(step), 2, 0, 100, loss, 0.1, 1.0 / 3, 0.7071067811865476, 0.05, true,
        [new LeafRecord(new WorkerId(1), 50, 0xFEDCBA9876543210), new LeafRecord(new WorkerId(0), 25, 7), new LeafRecord(new WorkerId(1), 25, 0)]);

    private static byte[] Log(params CommitRecord[] records) => [.. records.SelectMany(r => CommitLog.Write(r, 12.5))];

    private static void AssertSame(CommitRecord expected, CommitRecord actual)
    {
        Assert.Equal(expected.Leaves, actual.Leaves);
        Assert.Equal(expected with { Leaves = actual.Leaves }, actual);
    }

    [Fact]
    public void Line_is_pinned_byte_for_byte()
    {
        const string Body =
            """{"step":7,"attempt":2,"term":3,"epoch":0,"samples":100,"loss":2.302585092994046,"accuracy":0.1,"grad_norm":0.3333333333333333,"scale":0.7071067811865476,"lr":0.05,"applied":true,"workers":2,"leaves":[{"worker":1,"samples":50,"digest":"fedcba9876543210"},{"worker":0,"samples":25,"digest":"0000000000000007"},{"worker":1,"samples":25,"digest":"0000000000000000"}],"ms":12.5""";
        Assert.Equal(Body + ",\"crc\":\"" + Crc32CByTable(Encoding.UTF8.GetBytes(Body)).ToString("x8") + "\"}\n", Encoding.UTF8.GetString(CommitLog.Write(Record(7, 3), 12.5)));
    }

    [Fact]
    public void What_was_left_out_is_in_the_line_and_comes_back()
    {
        var line = CommitLog.Write(Record(7) with { LeftOut = [3, 1_000_000] }, 1);
        Assert.Contains("\"left_out\":[3,1000000]", Encoding.UTF8.GetString(line), StringComparison.Ordinal);
        Assert.Equal([3, 1_000_000], CommitLog.ReadLine(line.AsSpan(0, line.Length - 1), 7).Record.LeftOut!);
        Assert.Null(CommitLog.Read(Log(Record(1))).Lines[0].Record.LeftOut);
    }

    /// <summary>Bit by bit, from the reflected Castagnoli polynomial: shares nothing with the codec's own.</summary>
    private static uint Crc32CByTable(byte[] bytes)
    {
        var crc = 0xFFFFFFFFu;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }
        return ~crc;
    }

    [Fact]
    public void Checksum_is_that_of_the_standard()
    {
        // RFC 3720, appendix B.4, and the check value of CRC-32C.
        Assert.Equal(0x8A9136AAu, CommitLog.Crc32C(new byte[32]));
        Assert.Equal(0x62A8AB43u, CommitLog.Crc32C([.. Enumerable.Repeat((byte)0xFF, 32)]));
        Assert.Equal(0x46DD794Eu, CommitLog.Crc32C([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0xE3069283u, CommitLog.Crc32C("123456789"u8));
    }

    [Fact]
    public void Lines_are_json_with_every_promised_key()
    {
        using var json = JsonDocument.Parse(CommitLog.Write(Record(1), 3));
        string[] keys = ["step", "attempt", "term", "epoch", "samples", "loss", "accuracy", "grad_norm", "scale", "lr", "applied", "workers", "leaves", "ms", "crc"];
        Assert.Equal(keys, json.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal(2, json.RootElement.GetProperty("workers").GetInt32());
    }

    [Fact]
    public void Records_and_doubles_round_trip_exactly()
    {
        double[] awkward = [0, -0.0, double.Epsilon, double.MaxValue, 0.1 + 0.2, 1e21, 1.0 / 3, Math.PI, 1e-7, double.NaN, double.PositiveInfinity, double.NegativeInfinity];
        var records = awkward.Select((x, i) => Record(i + 1, 1 + i / 4, x) with { GradNorm = x, Applied = i % 2 == 0 }).ToArray();
        var content = CommitLog.Read(Log(records));
        Assert.Equal(records.Length, content.Lines.Count);
        for (var i = 0; i < records.Length; i++)
        {
            AssertSame(records[i], content.Lines[i].Record);
            Assert.Equal(BitConverter.DoubleToInt64Bits(records[i].Loss), BitConverter.DoubleToInt64Bits(content.Lines[i].Record.Loss));
            Assert.Equal(12.5, content.Lines[i].Milliseconds);
        }
        Assert.Equal(0, content.CutBytes);
    }

    [Fact]
    public void Last_line_without_its_newline_is_cut_at_every_length()
    {
        var whole = Log(Record(1), Record(2));
        var first = CommitLog.Write(Record(1), 12.5).Length;
        for (var length = first; length < whole.Length; length++)
        {
            var content = CommitLog.Read(whole.AsSpan(0, length));
            Assert.Single(content.Lines);
            Assert.Equal((first, length - first), (content.ValidBytes, content.CutBytes));
        }
        Assert.Empty(CommitLog.Read([]).Lines);
        Assert.Equal((0, 5), (CommitLog.Read("{\"ste"u8).ValidBytes, CommitLog.Read("{\"ste"u8).CutBytes));
    }

    [Fact]
    public void Any_flipped_bit_of_a_whole_line_is_found_and_its_line_named()
    {
        var first = CommitLog.Write(Record(1), 12.5);
        var log = Log(Record(1), Record(2), Record(3));
        for (var at = first.Length; at < 2 * first.Length - 1; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                log[at] ^= (byte)(1 << bit);
                Assert.Equal(2, Assert.Throws<CommitLogException>(() => CommitLog.Read(log)).Line);
                log[at] ^= (byte)(1 << bit);
            }
        }
        Assert.Equal(3, CommitLog.Read(log).Lines.Count);
    }

    [Theory]
    [InlineData(2, 4)]
    [InlineData(2, 2)]
    [InlineData(2, 1)]
    public void Missing_or_repeated_steps_are_errors(long second, long third)
    {
        var error = Assert.Throws<CommitLogException>(() => CommitLog.Read(Log(Record(1), Record(second), Record(third))));
        Assert.Equal($"commits.jsonl, line 3: step {third} where step 3 belongs", error.Message);
    }

    [Fact]
    public void Log_begins_with_step_one() => Assert.Equal(1, Assert.Throws<CommitLogException>(() => CommitLog.Read(Log(Record(2)))).Line);

    [Fact]
    public void Terms_never_fall()
    {
        Assert.Equal(3, CommitLog.Read(Log(Record(1, 1), Record(2, 4), Record(3, 4))).Lines.Count);
        var error = Assert.Throws<CommitLogException>(() => CommitLog.Read(Log(Record(1, 1), Record(2, 4), Record(3, 3))));
        Assert.Equal("commits.jsonl, line 3: term 3 after term 4: terms never fall", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("not a record")]
    [InlineData("{\"step\":1,\"crc\":\"zzzzzzzz\"}")]
    public void Foreign_lines_are_errors_with_a_reason(string line) =>
        Assert.StartsWith("commits.jsonl, line 1: ", Assert.Throws<CommitLogException>(() => CommitLog.Read(Encoding.UTF8.GetBytes(line + "\n"))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("{\"step\":1")]
    [InlineData("{\"step\":\"one\"")]
    [InlineData("[1")]
    public void Lines_with_a_right_checksum_and_wrong_content_are_errors(string body)
    {
        var line = $"{body},\"crc\":\"{Crc32CByTable(Encoding.UTF8.GetBytes(body)):x8}\"}}\n";
        var error = Assert.Throws<CommitLogException>(() => CommitLog.Read(Encoding.UTF8.GetBytes(line)));
        Assert.Contains("is not a commit record", error.Message, StringComparison.Ordinal);
    }
}
