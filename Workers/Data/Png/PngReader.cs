using System.Buffers.Binary;
using System.IO.Compression;

namespace Cluster.Workers.Data.Png;

/// <summary>
/// A strict PNG reader, row by row in constant memory: 8-bit grey, RGB or RGBA, not interlaced, all five filters, every
/// CRC and the zlib checksum verified, sizes capped. Anything else is a <see cref="PngFormatException"/>. What the data
/// set archives need and no more; the package feeds carry no image library that restores everywhere.
/// Source: W3C, Portable Network Graphics (third edition), 2025.
/// </summary>
internal sealed class PngReader : IDisposable
{
    /// <summary>A row of 65,536 RGBA pixels is 256 KiB; CIFAR's rows have 1,024.</summary>
    public const int MostWidth = 1 << 16;

    /// <summary>CIFAR's images have 10,000 rows; a hundred times that.</summary>
    public const int MostHeight = 1 << 20;

    private static readonly uint Ihdr = PngChunks.TypeOf("IHDR"u8), Idat = PngChunks.TypeOf("IDAT"u8), Iend = PngChunks.TypeOf("IEND"u8), Plte = PngChunks.TypeOf("PLTE"u8);

    private readonly PngChunks _chunks;
    private readonly ZLibStream _inflated;
    private readonly byte[] _filtered;
    private readonly byte[] _previous;
    private int _rowsRead;

    /// <summary>Reads everything up to the first pixel.</summary>
    /// <param name="source">At the file's first byte; stays the caller's, on whose thread everything runs.</param>
    public PngReader(Stream source)
    {
        _chunks = new PngChunks(source);
        _chunks.ReadSignature();
        _chunks.Next();
        (Width, Height, Channels) = ReadHeader();
        do
        {
            _chunks.Next();
            RefuseUnlessSkippable(_chunks.Type, beforePixels: true);
        }
        while (_chunks.Type != Idat);
        _filtered = new byte[1 + Width * Channels];
        _previous = new byte[Width * Channels];
        _inflated = new ZLibStream(new IdatStream(_chunks), CompressionMode.Decompress);
    }

    public int Width { get; }
    public int Height { get; }

    /// <summary>1 grey, 3 RGB, 4 RGBA.</summary>
    public int Channels { get; }

    /// <summary>Reads the next row, interleaved: [width, channels] bytes.</summary>
    public void ReadRow(Span<byte> row)
    {
        if (_rowsRead == Height) throw new InvalidOperationException("all rows were read");
        if (row.Length < Width * Channels) throw new ArgumentException($"{row.Length} bytes cannot hold a row of {Width * Channels}", nameof(row));
        Inflate(_filtered, $"in row {_rowsRead} of {Height}");
        Unfilter(_filtered[0], _filtered.AsSpan(1), _previous, Channels);
        _previous.CopyTo(row);
        _rowsRead++;
    }

    /// <summary>After the last row: no pixel data is left over, the checksums hold, and the file ends with IEND.</summary>
    public void ReadEnd()
    {
        if (_rowsRead != Height) throw new InvalidOperationException($"{Height - _rowsRead} rows were not read");
        try
        {
            if (_inflated.ReadByte() >= 0) throw new PngFormatException($"has more pixel data than {Height} rows");
        }
        catch (InvalidDataException e)
        {
            throw new PngFormatException("has damaged pixel data after its last row", e);
        }
        while (_chunks.Type == Idat) _chunks.Next();
        while (_chunks.Type != Iend)
        {
            RefuseUnlessSkippable(_chunks.Type, beforePixels: false);
            _chunks.Next();
        }
        _chunks.Finish();
    }

    public void Dispose() => _inflated.Dispose();

    private (int Width, int Height, int Channels) ReadHeader()
    {
        Span<byte> header = stackalloc byte[13];
        if (_chunks.Type != Ihdr || _chunks.Length != header.Length) throw new PngFormatException("does not begin with an IHDR chunk of 13 bytes");
        for (var filled = 0; filled < header.Length;) filled += _chunks.Read(header[filled..]);
        _chunks.Finish();
        var (width, height) = (BinaryPrimitives.ReadUInt32BigEndian(header), BinaryPrimitives.ReadUInt32BigEndian(header[4..]));
        if (width is 0 or > MostWidth || height is 0 or > MostHeight)
            throw new PngFormatException($"is {width} x {height} pixels; read are 1 x 1 to {MostWidth} x {MostHeight}");
        var (depth, colour, compression, filter, interlace) = (header[8], header[9], header[10], header[11], header[12]);
        if (depth != 8) throw new PngFormatException($"has {depth} bits per sample; only 8 are read");
        if (compression != 0 || filter != 0) throw new PngFormatException($"uses unknown compression {compression} or filter method {filter}");
        if (interlace != 0) throw new PngFormatException("is interlaced, which is not read");
        var channels = colour switch
        {
            0 => 1,
            2 => 3,
            6 => 4,
            _ => throw new PngFormatException($"has colour type {colour}; read are 0 (grey), 2 (RGB) and 6 (RGBA)"),
        };
        return ((int)width, (int)height, channels);
    }

    /// <summary>Ancillary chunks (lower-case first letter) say nothing about the pixels' values; an unknown critical one might.</summary>
    private static void RefuseUnlessSkippable(uint type, bool beforePixels)
    {
        if (beforePixels && type == Idat) return;
        if (beforePixels && type == Iend) throw new PngFormatException("has no pixel data");
        if (type == Plte && beforePixels) return;
        if ((type & 0x20000000) == 0) throw new PngFormatException($"has a critical chunk {PngChunks.NameOf(type)} that is not read{(beforePixels ? "" : " after its pixels")}");
    }

    private void Inflate(Span<byte> buffer, string where)
    {
        try
        {
            if (_inflated.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length) throw new PngFormatException($"has no more pixel data {where}");
        }
        // zlib's own words for some damage come as an IOException of a type that nobody can name.
        catch (Exception e) when (e is InvalidDataException or IOException and not EndOfStreamException)
        {
            throw new PngFormatException($"has damaged pixel data {where}", e);
        }
    }

    /// <summary>Turns a filtered row into pixels in <paramref name="row"/>, which holds the row above (section 9).</summary>
    private static void Unfilter(byte filter, ReadOnlySpan<byte> filtered, Span<byte> row, int pixel)
    {
        switch (filter)
        {
            case 0:
                filtered.CopyTo(row);
                break;
            case 1:
                filtered[..pixel].CopyTo(row);
                for (var i = pixel; i < row.Length; i++) row[i] = (byte)(filtered[i] + row[i - pixel]);
                break;
            case 2:
                for (var i = 0; i < row.Length; i++) row[i] += filtered[i];
                break;
            case 3:
                for (var i = 0; i < pixel; i++) row[i] = (byte)(filtered[i] + row[i] / 2);
                for (var i = pixel; i < row.Length; i++) row[i] = (byte)(filtered[i] + (row[i] + row[i - pixel]) / 2);
                break;
            case 4:
                UnfilterPaeth(filtered, row, pixel);
                break;
            default:
                throw new PngFormatException($"has a row with unknown filter {filter}");
        }
    }

    private static void UnfilterPaeth(ReadOnlySpan<byte> filtered, Span<byte> row, int pixel)
    {
        Span<byte> aboveLeft = stackalloc byte[4];      // the row above is overwritten as we go
        for (var i = 0; i < row.Length; i++)
        {
            int left = i < pixel ? 0 : row[i - pixel], above = row[i], corner = aboveLeft[i % pixel];
            aboveLeft[i % pixel] = row[i];
            int toLeft = Math.Abs(above - corner), toAbove = Math.Abs(left - corner), toCorner = Math.Abs(left + above - 2 * corner);
            var nearest = toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
            row[i] = (byte)(filtered[i] + nearest);
        }
    }

    /// <summary>The data of consecutive IDAT chunks as one stream.</summary>
    private sealed class IdatStream(PngChunks chunks) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            while (chunks.Type == Idat)
            {
                var read = chunks.Read(buffer);
                if (read > 0 || buffer.IsEmpty) return read;
                chunks.Next();
            }
            return 0;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
