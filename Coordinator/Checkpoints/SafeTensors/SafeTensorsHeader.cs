using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// The JSON header of the safetensors format (https://huggingface.co/docs/safetensors): one object, per tensor its
/// dtype, shape and data_offsets, and strings under __metadata__. Stricter than the reference where a bound or an
/// unambiguous reading asks for it: duplicate and unknown keys, ranks above <see cref="MaxRank"/> and more than
/// <see cref="MaxTensors"/> tensors are refused.
/// </summary>
internal static class SafeTensorsHeader
{
    /// <summary>Longest header, as in the reference implementation.</summary>
    public const long MaxBytes = 100_000_000;

    /// <summary>PyTorch's own limit.</summary>
    public const int MaxRank = 64;

    /// <summary>Bounds the objects that a header can make us allocate: some 60 MB.</summary>
    public const int MaxTensors = 1 << 18;

    private const string MetadataKey = "__metadata__";
    private static readonly TensorType[] Types = Enum.GetValues<TensorType>();
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Tensors in the header's order, and the metadata.</summary>
    /// <param name="dataBytes">Bytes behind the header, which the tensors must tile exactly.</param>
    /// <exception cref="SafeTensorsException">Anything else than a well-formed header.</exception>
    public static (List<TensorInfo> Tensors, Dictionary<string, string> Metadata) Parse(string file, ReadOnlySpan<byte> json, long dataBytes)
    {
        if (json.IsEmpty || json[0] != (byte)'{') throw new SafeTensorsException(file, "the header does not begin with '{'");
        var tensors = new List<TensorInfo>();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            ParseObject(file, json, tensors, metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)     // the latter: text that is not UTF-8
        {
            throw new SafeTensorsException(file, $"the header is not valid JSON: {Printable.OneLine(e.Message)}", e);
        }
        CheckTiling(file, tensors, dataBytes);
        return (tensors, metadata);
    }

    private static void ParseObject(string file, ReadOnlySpan<byte> json, List<TensorInfo> tensors, Dictionary<string, string> metadata)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 3 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!names.Add(name)) throw new SafeTensorsException(file, $"the name {Printable.Quoted(name)} stands twice in the header");
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) throw new SafeTensorsException(file, $"{Printable.Quoted(name)} is not an object in the header");
            if (name == MetadataKey)
            {
                ParseMetadata(file, ref reader, metadata);
                continue;
            }
            if (tensors.Count == MaxTensors) throw new SafeTensorsException(file, $"it has more than {MaxTensors} tensors");
            tensors.Add(ParseTensor(file, name, ref reader));
        }
        while (reader.Read()) { }       // only blanks may follow: anything else throws
    }

    private static void ParseMetadata(string file, ref Utf8JsonReader reader, Dictionary<string, string> metadata)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw new SafeTensorsException(file, $"{MetadataKey} {Printable.Quoted(key)} is not a string");
            if (!metadata.TryAdd(key, reader.GetString()!)) throw new SafeTensorsException(file, $"{MetadataKey} holds {Printable.Quoted(key)} twice");
        }
    }

    private static TensorInfo ParseTensor(string file, string name, ref Utf8JsonReader reader)
    {
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (type is null && reader.ValueTextEquals("dtype"u8)) type = ParseType(file, name, ref reader);
            else if (shape is null && reader.ValueTextEquals("shape"u8)) shape = ParseNumbers(file, name, "shape", MaxRank, ref reader);
            else if (offsets is null && reader.ValueTextEquals("data_offsets"u8)) offsets = ParseNumbers(file, name, "data_offsets", 2, ref reader);
            else throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)} has the unknown or repeated key {Printable.Quoted(reader.GetString()!)}");
        }
        if (type is null || shape is null || offsets is not [var begin, var end])
            throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)} lacks dtype, shape or two data_offsets");
        var bytes = TensorTypes.SizeOf(type.Value, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(shape));
        if (bytes < 0) throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)} has a shape whose size overflows: {TensorTypes.ShapeText(shape)}");
        if (end < begin || end - begin != bytes)
            throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)} {type} {TensorTypes.ShapeText(shape)} takes {bytes} bytes, its data_offsets are {begin} to {end}");
        return new TensorInfo(name, type.Value, [.. shape], begin, end);
    }

    private static TensorType ParseType(string file, string name, ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
        {
            foreach (var type in Types)
                if (reader.ValueTextEquals(type.ToString())) return type;
        }
        throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)} has a dtype that is not one of {string.Join(", ", Types)}");
    }

    private static List<long> ParseNumbers(string file, string name, string key, int most, ref Utf8JsonReader reader)
    {
        var numbers = new List<long>(4);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray) throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)}: {key} is not an array");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)}: {key} holds something else than whole numbers from 0 to 2^63-1");
            if (numbers.Count == most) throw new SafeTensorsException(file, $"tensor {Printable.Quoted(name)}: {key} has more than {most} numbers");
            numbers.Add(number);
        }
        return numbers;
    }

    /// <summary>Sorted by their offsets, the tensors must follow each other from 0 to the end of the file: no gap, no overlap.</summary>
    private static void CheckTiling(string file, List<TensorInfo> tensors, long dataBytes)
    {
        long position = 0;
        foreach (var tensor in tensors.OrderBy(static t => t.Begin).ThenBy(static t => t.End))
        {
            if (tensor.Begin != position)
            {
                throw new SafeTensorsException(
                    file, $"tensor {Printable.Quoted(tensor.Name)} begins at byte {tensor.Begin} of the data, {(tensor.Begin < position ? "inside its predecessor" : "behind a gap")} that ends at {position}");
            }
            position = tensor.End;
        }
        if (position != dataBytes) throw new SafeTensorsException(file, $"its tensors take {position} bytes, behind the header are {dataBytes}: {(position > dataBytes ? "it is cut short" : "something else follows")}");
    }

    /// <summary>
    /// The header's bytes, length prefix included, padded with blanks to a multiple of 8, and the tensors with their
    /// places. Names stand in the order given; the data lie with wider elements first (as the reference writes them),
    /// so that each tensor is aligned for readers that map the file.
    /// </summary>
    /// <exception cref="ArgumentException">A name twice, the reserved name, or a size that overflows.</exception>
    public static (byte[] Header, List<TensorInfo> Tensors) Create(IReadOnlyList<TensorSpec> specs, IReadOnlyDictionary<string, string> metadata)
    {
        var places = new Dictionary<string, TensorInfo>(specs.Count, StringComparer.Ordinal);
        long position = 0;
        foreach (var spec in specs.OrderByDescending(static s => s.Type.Bytes()))
        {
            var bytes = TensorTypes.SizeOf(spec.Type, spec.Shape.AsSpan());
            if (bytes < 0 || spec.Name == MetadataKey || !places.TryAdd(spec.Name, new TensorInfo(spec.Name, spec.Type, spec.Shape, position, checked(position + bytes))))
                throw new ArgumentException($"tensor '{spec.Name}' cannot be written: its name is taken, or its size overflows");
            position += bytes;
        }
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json, Plain))
        {
            writer.WriteStartObject();
            if (metadata.Count > 0) WriteMetadata(writer, metadata);
            foreach (var spec in specs) WriteTensor(writer, places[spec.Name]);
            writer.WriteEndObject();
        }
        var length = (json.WrittenCount + 7) / 8 * 8;
        if (length > MaxBytes) throw new ArgumentException($"the header of {specs.Count} tensors has {length} bytes, the format's limit is {MaxBytes}");
        var header = new byte[sizeof(long) + length];
        header.AsSpan().Fill((byte)' ');
        System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(header, length);
        json.WrittenSpan.CopyTo(header.AsSpan(sizeof(long)));
        return (header, [.. specs.Select(s => places[s.Name])]);
    }

    private static void WriteMetadata(Utf8JsonWriter writer, IReadOnlyDictionary<string, string> metadata)
    {
        writer.WriteStartObject(MetadataKey);
        foreach (var (key, value) in metadata.OrderBy(static m => m.Key, StringComparer.Ordinal)) writer.WriteString(key, value);
        writer.WriteEndObject();
    }

    private static void WriteTensor(Utf8JsonWriter writer, TensorInfo tensor)
    {
        writer.WriteStartObject(tensor.Name);
        writer.WriteString("dtype"u8, tensor.Type.ToString());
        writer.WriteStartArray("shape"u8);
        foreach (var dimension in tensor.Shape) writer.WriteNumberValue(dimension);
        writer.WriteEndArray();
        writer.WriteStartArray("data_offsets"u8);
        writer.WriteNumberValue(tensor.Begin);
        writer.WriteNumberValue(tensor.End);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
