using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Coordinator.Checkpoints;

/// <summary>
/// Reads a safetensors file tensor by tensor, straight into the caller's memory: nothing is held but the header, whose
/// length is checked against the file before it is allocated. Dispose it. Reading is thread-safe.
/// </summary>
public sealed class SafeTensorsReader : IDisposable
{
    private const int BlockBytes = 1 << 16;         // conversion block: fits the L2 cache
    private const int DirectFloats = 1 << 24;       // 64 MiB per read: a span of bytes cannot cover all floats of a large state

    private readonly SafeFileHandle _file;
    private readonly long _dataStart;
    private readonly Dictionary<string, TensorInfo> _byName;

    private SafeTensorsReader(string path, SafeFileHandle file, long dataStart, List<TensorInfo> tensors, Dictionary<string, string> metadata)
    {
        (Path, _file, _dataStart, Tensors, Metadata) = (path, file, dataStart, tensors, metadata);
        _byName = tensors.ToDictionary(static t => t.Name, StringComparer.Ordinal);
    }

    public string Path { get; }

    /// <summary>In the order of the header.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The strings under __metadata__.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens the file and checks its header against its length.</summary>
    /// <exception cref="SafeTensorsException">It cannot be read, or is not a well-formed file of this format.</exception>
    public static SafeTensorsReader Open(string path)
    {
        if (!BitConverter.IsLittleEndian) throw new PlatformNotSupportedException("safetensors data are little-endian; this processor is not");
        SafeFileHandle? file = null;
        try
        {
            // The length first: opening a pipe would wait for its writer.
            if (new FileInfo(path).Length < sizeof(long) + 2) throw new SafeTensorsException(path, "it has less than 10 bytes");
            file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            var fileBytes = RandomAccess.GetLength(file);
            Span<byte> prefix = stackalloc byte[sizeof(long)];
            ReadExactly(file, path, prefix, 0);
            var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
            if (length > SafeTensorsHeader.MaxBytes) throw new SafeTensorsException(path, DescribePrefix(prefix, length));
            if ((long)length > fileBytes - sizeof(long)) throw new SafeTensorsException(path, $"its header claims {length} bytes, the file has {fileBytes}: it is cut short");
            var header = new byte[(int)length];
            ReadExactly(file, path, header, sizeof(long));
            var dataStart = sizeof(long) + (long)length;
            var (tensors, metadata) = SafeTensorsHeader.Parse(path, header, fileBytes - dataStart);
            var reader = new SafeTensorsReader(path, file, dataStart, tensors, metadata);
            file = null;
            return reader;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new SafeTensorsException(path, $"it cannot be read: {Printable.Cause(e)}", e);
        }
        finally
        {
            file?.Dispose();
        }
    }

    public bool TryGet(string name, out TensorInfo? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>
    /// Copies a floating-point tensor into <paramref name="destination"/> [Count]. F32 keeps its bits; F16 and BF16 widen
    /// exactly; F64 is taken only where float32 holds the same number, unless <paramref name="allowRounding"/>.
    /// </summary>
    /// <exception cref="SafeTensorsException">Another type, a float64 that would lose digits, or an error of the disk.</exception>
    public void Read(TensorInfo tensor, Span<float> destination, bool allowRounding = false)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ThrowIfLengthDiffers(tensor, destination.Length);
        switch (tensor.Type)
        {
            case TensorType.F32:
                for (var at = 0; at < destination.Length; at += DirectFloats)
                    ReadBytes(tensor, (long)at * sizeof(float), MemoryMarshal.AsBytes(destination.Slice(at, Math.Min(DirectFloats, destination.Length - at))));
                break;
            case TensorType.F16:
                Convert(tensor, destination, static (bytes, _) => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes));
                break;
            case TensorType.BF16:
                Convert(tensor, destination, static (bytes, _) => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16));
                break;
            case TensorType.F64:
                Convert(tensor, destination, (bytes, index) => Narrow(tensor, BinaryPrimitives.ReadDoubleLittleEndian(bytes), index, allowRounding));
                break;
            default:
                throw new SafeTensorsException(Path, $"tensor {Printable.Quoted(tensor.Name)} is {tensor.Type}, floating-point numbers are wanted");
        }
    }

    /// <summary>Copies a tensor of whole numbers (or BOOL: 0 and 1) into <paramref name="destination"/> [Count], exactly.</summary>
    /// <exception cref="SafeTensorsException">Another type, or an error of the disk.</exception>
    public void Read(TensorInfo tensor, Span<long> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ThrowIfLengthDiffers(tensor, destination.Length);
        Element<long> read = tensor.Type switch
        {
            TensorType.I64 => static (bytes, _) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            TensorType.I32 => static (bytes, _) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            TensorType.I16 => static (bytes, _) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            TensorType.I8 => static (bytes, _) => (sbyte)bytes[0],
            TensorType.U8 => static (bytes, _) => bytes[0],
            TensorType.BOOL => static (bytes, _) => bytes[0] == 0 ? 0 : 1,
            _ => throw new SafeTensorsException(Path, $"tensor {Printable.Quoted(tensor.Name)} is {tensor.Type}, whole numbers are wanted"),
        };
        Convert(tensor, destination, read);
    }

    /// <summary>Copies raw bytes of a tensor, from <paramref name="offset"/> within it.</summary>
    /// <exception cref="SafeTensorsException">An error of the disk, or the file has become shorter.</exception>
    public void ReadBytes(TensorInfo tensor, long offset, Span<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset + destination.Length, tensor.End - tensor.Begin);
        try
        {
            ReadExactly(_file, Path, destination, _dataStart + tensor.Begin + offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SafeTensorsException(Path, $"it cannot be read: {Printable.Cause(e)}", e);
        }
    }

    public void Dispose() => _file.Dispose();

    private delegate T Element<out T>(ReadOnlySpan<byte> bytes, long index);

    private void Convert<T>(TensorInfo tensor, Span<T> destination, Element<T> read)
    {
        var size = tensor.Type.Bytes();
        var block = ArrayPool<byte>.Shared.Rent(BlockBytes);
        try
        {
            for (var at = 0; at < destination.Length;)
            {
                var count = Math.Min(BlockBytes / size, destination.Length - at);
                ReadBytes(tensor, (long)at * size, block.AsSpan(0, count * size));
                for (var i = 0; i < count; i++) destination[at + i] = read(block.AsSpan(i * size, size), at + i);
                at += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private float Narrow(TensorInfo tensor, double value, long index, bool allowRounding)
    {
        var narrow = (float)value;
        if (allowRounding || narrow == value || double.IsNaN(value)) return narrow;
        throw new SafeTensorsException(Path, $"element {index} of tensor {Printable.Quoted(tensor.Name)} is the float64 {value:R}, which float32 cannot hold: save it with .float()");
    }

    /// <summary>A file of torch.save, a zip or a pickle, is the usual mistake.</summary>
    private static string DescribePrefix(ReadOnlySpan<byte> prefix, ulong length) => prefix is [(byte)'P', (byte)'K', 3, 4, ..] or [0x80, 2, ..]
        ? "it looks like a file of torch.save; save the state_dict with safetensors.torch.save_file"
        : $"its header claims {length} bytes, the limit is {SafeTensorsHeader.MaxBytes}";

    private static void ThrowIfLengthDiffers(TensorInfo tensor, int length)
    {
        if (tensor.Count != length) throw new ArgumentException($"tensor '{tensor.Name}' has {tensor.Count} elements, the destination {length}");
    }

    private static void ReadExactly(SafeFileHandle file, string path, Span<byte> destination, long position)
    {
        while (!destination.IsEmpty)
        {
            var read = RandomAccess.Read(file, destination, position);
            if (read == 0) throw new SafeTensorsException(path, $"it ends at byte {position}, more was there when it was opened");
            destination = destination[read..];
            position += read;
        }
    }
}
