using System.Buffers.Binary;
using System.Text;
using Cluster.Contracts;
using Cluster.Coordinator.Checkpoints;

namespace Cluster.Checkpoints.Tests;

public sealed class SafeTensorsSpecs : IDisposable
{
    private readonly RunFolder _run = new(inMemory: true);

    private string File => _run.At("file.safetensors");

    public void Dispose() => _run.Dispose();

    [Fact]
    public void Values_keep_their_bits_denormals_negative_zero_and_nan_payloads_included()
    {
        float[] values = [-0f, 0f, float.Epsilon, -1e-40f, float.MaxValue, float.NegativeInfinity, BitConverter.UInt32BitsToSingle(0xFFC1_2345), BitConverter.UInt32BitsToSingle(0x7F80_0001)];
        System.IO.File.WriteAllBytes(File, SafeTensorsFiles.Written(("a", values), ("b", [1]), ("none", [])));
        using var file = SafeTensorsReader.Open(File);
        Assert.Equal(["a", "b", "none"], file.Tensors.Select(t => t.Name));
        Assert.Equal([8L], file.Tensors[0].Shape);
        var read = new float[8];
        file.Read(file.Tensors[0], read);
        States.SameBits(values, read);
    }

    [Fact]
    public void Written_header_is_padded_with_blanks_to_eight_bytes_and_holds_the_documented_text()
    {
        var bytes = SafeTensorsFiles.Written(("w", [1, 2]), ("v\"é", [3]));
        var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        Assert.Equal(8 + length + 12, bytes.Length);
        Assert.Equal(
            """{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"v\"é":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""",
            Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
    }

    [Fact]
    public void Wider_elements_come_first_so_that_every_tensor_is_aligned()
    {
        using var stream = new MemoryStream();
        var writer = new SafeTensorsWriter(
            stream.Write, [new("w", TensorType.F32, [1]), new("count", TensorType.I64, []), new("v", TensorType.F32, [3])], new Dictionary<string, string>());
        Assert.Equal(["count", "w", "v"], writer.InDataOrder.Select(t => t.Name));
        Assert.Throws<InvalidOperationException>(() => writer.Append("w", [1f]));
        writer.Append("count", [5L]);
        writer.Append("w", [1f]);
        writer.Append("v", [1f, 2f]);
        Assert.Throws<InvalidOperationException>(writer.Complete);
        Assert.Throws<InvalidOperationException>(() => writer.Append("v", [1f, 2f]));
        writer.Append("v", [3f]);
        writer.Complete();
        Assert.Equal(3, SafeTensorsFiles.ReadAll(File, stream.ToArray()));
    }

    [Fact]
    public void Sixteen_bit_floats_widen_exactly()
    {
        // Every bf16 and every f16 pattern, against the bits they stand for.
        var header = """{"b":{"dtype":"BF16","shape":[65536],"data_offsets":[0,131072]},"h":{"dtype":"F16","shape":[256,256],"data_offsets":[131072,262144]}}""";
        var data = SafeTensorsFiles.Of(header, 262144);
        for (var i = 0; i < 65536; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(8 + header.Length + 2 * i), (ushort)i);
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(8 + header.Length + 131072 + 2 * i), (ushort)i);
        }
        System.IO.File.WriteAllBytes(File, data);
        using var file = SafeTensorsReader.Open(File);
        var (bfloats, halves) = (new float[65536], new float[65536]);
        file.Read(file.Tensors[0], bfloats);
        file.Read(file.Tensors[1], halves);
        for (var i = 0; i < 65536; i++)
        {
            Assert.Equal((uint)i << 16, BitConverter.SingleToUInt32Bits(bfloats[i]));
            var half = BitConverter.UInt16BitsToHalf((ushort)i);
            if (Half.IsNaN(half)) Assert.True(float.IsNaN(halves[i]));
            else Assert.Equal(BitConverter.HalfToUInt16Bits(half), BitConverter.HalfToUInt16Bits((Half)halves[i]));
        }
    }

    public static TheoryData<string, string, int> HostileHeaders => new()
    {
        { "[]", "does not begin with '{'", 0 },
        { " {}", "does not begin with '{'", 0 },
        { "{", "not valid JSON", 8 },
        { "{}x", "not valid JSON", 0 },
        { "{} {}", "not valid JSON", 0 },
        { "{}", "something else follows", 8 },
        { """{"a":1}""", "not an object", 0 },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "cut short", 4 },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "behind a gap", 12 },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", "inside its predecessor", 12 },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""", "behind a gap", 16 },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "inside its predecessor", 8 },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "takes 12 bytes", 8 },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "takes 8 bytes", 8 },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "stands twice", 0 },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "stands twice", 0 },
        { """{"__metadata__":{},"__metadata__":{}}""", "stands twice", 0 },
        { """{"__metadata__":{"a":"1","a":"2"}}""", "twice", 0 },
        { """{"__metadata__":{"a":1}}""", "not a string", 0 },
        { """{"__metadata__":[]}""", "not an object", 0 },
        { """{"a":{"dtype":"F32","dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "repeated key", 0 },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],"more":1}}""", "unknown or repeated key 'more'", 0 },
        { """{"a":{"dtype":"F32","shape":[0]}}""", "lacks", 0 },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0]}}""", "lacks", 0 },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0,0]}}""", "more than 2", 0 },
        { """{"a":{"dtype":"F8_E4M3","shape":[0],"data_offsets":[0,0]}}""", "dtype", 0 },
        { """{"a":{"dtype":"f32","shape":[0],"data_offsets":[0,0]}}""", "dtype", 0 },
        { """{"a":{"dtype":7,"shape":[0],"data_offsets":[0,0]}}""", "dtype", 0 },
        { """{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,0]}}""", "whole numbers", 0 },
        { """{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", "whole numbers", 4 },
        { """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,18446744073709551616]}}""", "whole numbers", 4 },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}""", "overflows", 0 },
        { """{"a":{"dtype":"F32","shape":[9223372036854775807,9223372036854775807,0],"data_offsets":[0,0]}}""", "overflows", 0 },
        { """{"a":{"dtype":"I64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", "overflows", 0 },
        { """{"a":{"dtype":"F32","shape":[[0]],"data_offsets":[0,0]}}""", "JSON", 0 },
        { """{"a":{"dtype":"F32","shape":{"b":0},"data_offsets":[0,0]}}""", "not an array", 0 },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0],}}""", "JSON", 0 },
        { """{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "JSON", 0 },
        { "{\"a\nb\":1}", "JSON", 0 },
    };

    [Theory, MemberData(nameof(HostileHeaders))]
    public void Hostile_header_is_refused_with_the_reason(string header, string reason, int dataBytes)
    {
        var refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsFiles.ReadAll(File, SafeTensorsFiles.Of(header, dataBytes)));
        Assert.Contains(reason, refused.Reason);
        Assert.Equal(File, refused.File);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Theory]
    [InlineData(ulong.MaxValue, "limit")]
    [InlineData(100_000_001ul, "limit")]
    [InlineData(100_000_000ul, "cut short")]
    [InlineData(3ul, "cut short")]
    [InlineData(0ul, "does not begin")]
    public void Header_length_is_held_against_the_file_before_anything_is_allocated(ulong claimed, string reason)
    {
        var bytes = SafeTensorsFiles.Of("{}", 0, claimed);
        SafeTensorsFiles.ReadAll(File, SafeTensorsFiles.Of("{}", 0));       // warm, and a file without tensors is fine
        var before = GC.GetAllocatedBytesForCurrentThread();
        var refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsFiles.ReadAll(File, bytes));
        Assert.Contains(reason, refused.Reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    [Fact]
    public void Deep_nesting_and_endless_shapes_are_refused_early()
    {
        var deep = $$"""{"a":{"dtype":"F32","shape":{{new string('[', 100_000)}}""";
        Assert.Throws<SafeTensorsException>(() => SafeTensorsFiles.ReadAll(File, SafeTensorsFiles.Of(deep, 0)));
        var wide = """{"a":{"dtype":"U8","shape":[""" + string.Join(',', Enumerable.Repeat("1", 100_000)) + """],"data_offsets":[0,1]}}""";
        Assert.Contains("more than 64", Assert.Throws<SafeTensorsException>(() => SafeTensorsFiles.ReadAll(File, SafeTensorsFiles.Of(wide, 1))).Reason);
    }

    [Fact]
    public void Names_in_messages_are_short_and_printable()
    {
        var header = $$"""{"\u001b[31m{{new string('x', 5000)}}":1}""";
        var refused = Assert.Throws<SafeTensorsException>(() => SafeTensorsFiles.ReadAll(File, SafeTensorsFiles.Of(header, 0)));
        Assert.DoesNotContain('\u001b', refused.Message);
        Assert.InRange(refused.Reason.Length, 1, 300);
    }

    [Fact]
    public void Missing_file_a_folder_and_a_file_of_torch_save_are_told_apart()
    {
        Assert.Contains("cannot be read", Assert.Throws<SafeTensorsException>(() => SafeTensorsReader.Open(_run.At("absent"))).Reason);
        Assert.Throws<SafeTensorsException>(() => SafeTensorsReader.Open(_run.Path));
        System.IO.File.WriteAllBytes(File, [.. "PK\u0003\u0004\u0001\u0001\u0001\u0001"u8, .. new byte[100]]);
        Assert.Contains("torch.save", Assert.Throws<SafeTensorsException>(() => SafeTensorsReader.Open(File)).Reason);
        System.IO.File.WriteAllBytes(File, "short"u8.ToArray());
        Assert.Contains("less than 10", Assert.Throws<SafeTensorsException>(() => SafeTensorsReader.Open(File)).Reason);
    }

    [Fact]
    public void Thousands_of_damaged_files_give_the_typed_error_or_a_whole_read_in_bounded_memory()
    {
        var stream = new PhiloxStream(3, RandomPurpose.Fingerprint, 0);
        var good = SafeTensorsFiles.Written(("layer1.0.conv1.weight", States.Floats(40, 1)), ("fc.bias", States.Floats(7, 2)), ("fc.weight", States.Floats(11, 3)));
        var headerEnd = 8 + (int)BinaryPrimitives.ReadUInt64LittleEndian(good);
        var (refused, read) = (0, 0);
        for (var i = 0; i < 4000; i++)
        {
            var bytes = good.ToArray();
            switch (i % 4)
            {
                case 0: bytes[stream.NextInt32(headerEnd)] ^= (byte)(1 << stream.NextInt32(8)); break;
                case 1: bytes = bytes[..stream.NextInt32(bytes.Length)]; break;
                case 2:
                    for (var flips = 1 + stream.NextInt32(6); flips > 0; flips--) bytes[stream.NextInt32(headerEnd)] = (byte)stream.NextInt32(256);
                    break;
                default:
                    var garbage = new byte[stream.NextInt32(400)];
                    for (var at = 0; at < garbage.Length; at++) garbage[at] = (byte)stream.NextInt32(256);
                    if (garbage.Length > 8) BinaryPrimitives.WriteUInt64LittleEndian(garbage, (ulong)stream.NextInt32(garbage.Length));
                    if (garbage.Length > 8) garbage[8] = (byte)'{';
                    bytes = garbage;
                    break;
            }
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                SafeTensorsFiles.ReadAll(File, bytes);
                read++;
            }
            catch (SafeTensorsException)
            {
                refused++;
            }
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 400_000);
        }
        Assert.True(refused > 3000, $"{refused} refused");      // flips in names and in the data's values are legal
        Assert.True(read > 100, $"{read} read");
    }
}
