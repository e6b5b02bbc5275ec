using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cluster.Contracts;

namespace Cluster.Link;

/// <summary>A dialler's first message.</summary>
/// <param name="Lane">Which of the link's connections this one is to be.</param>
/// <param name="Session">The link that it belongs to; 0 for the control connection, which opens one.</param>
/// <param name="Self">Who dials.</param>
/// <param name="Nonce">32 random bytes: the acceptor's proof covers them.</param>
internal sealed record HelloMessage(Lane Lane, ulong Session, LinkHello Self, byte[] Nonce)
{
    /// <summary>Of the dialler's program: the first thing in a hello, of any version from 2 on.</summary>
    public string Release { get; init; } = LinkWire.Release;
}

/// <summary>An acceptor's last message.</summary>
internal sealed record WelcomeMessage(ulong Session, LinkHello Self, byte[] Greeting);

/// <summary>
/// The handshake's messages as bytes. By hand, not MessagePack: they are read before anybody has proven anything and by other
/// versions. A text or a block is a 32-bit length and its bytes; every length has a limit.
/// </summary>
internal static class HandshakeCodec
{
    public const int NonceBytes = 32, ProofBytes = 32;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static byte[] Write(HelloMessage message)
    {
        var writer = new Writer();
        writer.Text(message.Release);
        writer.Byte((byte)message.Lane);
        writer.UInt64(message.Session);
        writer.Hello(message.Self);
        writer.Block(message.Nonce);
        return writer.ToArray();
    }

    public static bool TryRead(ReadOnlySpan<byte> from, [NotNullWhen(true)] out HelloMessage? message)
    {
        message = null;
        var reader = new Reader(from);
        var release = reader.Text();
        var lane = (Lane)reader.Byte();
        var session = reader.UInt64();
        var self = reader.Hello();
        var nonce = reader.Block(NonceBytes);
        if (!reader.AtEnd || self is null || nonce.Length != NonceBytes || lane is not (Lane.Control or Lane.Bulk or Lane.Heartbeat)) return false;
        message = new HelloMessage(lane, session, self, nonce) { Release = release };
        return true;
    }

    /// <summary>The release at the beginning of a hello of any version, whatever follows it; null = none that can be read.</summary>
    public static string? ReadRelease(ReadOnlySpan<byte> from)
    {
        var reader = new Reader(from);
        return reader.Text() is { Length: > 0 } release ? release : null;
    }

    public static byte[] Write(WelcomeMessage message)
    {
        var writer = new Writer();
        writer.UInt64(message.Session);
        writer.Hello(message.Self);
        writer.Block(message.Greeting);
        return writer.ToArray();
    }

    public static bool TryRead(ReadOnlySpan<byte> from, [NotNullWhen(true)] out WelcomeMessage? message)
    {
        var reader = new Reader(from);
        var session = reader.UInt64();
        var self = reader.Hello();
        var greeting = reader.Block(Limits.LinkGreetingBytes);
        message = reader.AtEnd && self is not null ? new WelcomeMessage(session, self, greeting) : null;
        return message is not null;
    }

    /// <summary>A sentence for a refusal or a goodbye, cut to its limit at a character.</summary>
    public static byte[] WriteSentence(string sentence)
    {
        var bytes = Utf8.GetBytes(sentence.ReplaceLineEndings(" "));
        if (bytes.Length <= Limits.LinkSentenceBytes) return bytes;
        var end = Limits.LinkSentenceBytes;
        while ((bytes[end] & 0xC0) == 0x80) end--;   // not in the middle of a character
        return bytes[..end];
    }

    /// <summary>The peer's sentence without what could confuse a terminal.</summary>
    public static string ReadSentence(ReadOnlySpan<byte> bytes)
    {
        var text = Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, Limits.LinkSentenceBytes)]);
        return new string([.. text.Select(c => char.IsControl(c) ? ' ' : c)]);
    }

    /// <exception cref="ArgumentException">A name or a note is too long to travel.</exception>
    public static void CheckTravels(LinkHello hello)
    {
        foreach (var (text, what) in new[] { (hello.RunId, "run id"), (hello.Role, "role"), (hello.Name, "node name") })
        {
            if (Utf8.GetByteCount(text) > Limits.LinkNameBytes) throw new ArgumentException($"the {what} '{text}' has more than {Limits.LinkNameBytes} bytes", nameof(hello));
            if (text.Any(char.IsControl)) throw new ArgumentException($"the {what} contains control characters", nameof(hello));
        }
        if (hello.Note.Length > Limits.LinkNoteBytes) throw new ArgumentException($"the note has {hello.Note.Length} bytes, at most {Limits.LinkNoteBytes} travel", nameof(hello));
    }

    private readonly struct Writer()
    {
        private readonly MemoryStream _stream = new();

        public void Byte(byte value) => _stream.WriteByte(value);

        public void UInt64(ulong value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            _stream.Write(bytes);
        }

        public void Block(ReadOnlySpan<byte> bytes)
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
            _stream.Write(length);
            _stream.Write(bytes);
        }

        public void Text(string text) => Block(Utf8.GetBytes(text));

        public void Hello(LinkHello hello)
        {
            Text(hello.RunId);
            Text(hello.Role);
            Text(hello.Name);
            UInt64((ulong)hello.Incarnation);
            Block(hello.Note.Span);
        }

        public byte[] ToArray() => _stream.ToArray();
    }

    /// <summary>Never throws: after the first mistake it is not <see cref="AtEnd"/> any more.</summary>
    private ref struct Reader(ReadOnlySpan<byte> from)
    {
        private ReadOnlySpan<byte> _rest = from;
        private bool _failed;

        public readonly bool AtEnd => !_failed && _rest.IsEmpty;

        private ReadOnlySpan<byte> Take(int count)
        {
            if (_failed || count > _rest.Length)
            {
                _failed = true;
                return [];
            }
            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        public byte Byte() => Take(1) is [var value] ? value : (byte)0;

        public ulong UInt64() => Take(8) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

        public byte[] Block(int limit)
        {
            var length = Take(4) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;
            if (length > limit) _failed = true;
            return _failed ? [] : Take((int)length).ToArray();
        }

        public LinkHello? Hello()
        {
            var (run, role, name) = (Text(), Text(), Text());
            var incarnation = (long)UInt64();
            var note = Block(Limits.LinkNoteBytes);
            return _failed ? null : new LinkHello(run, role, name, incarnation, note);
        }

        public string Text()
        {
            var bytes = Block(Limits.LinkNameBytes);
            if (!_failed && System.Text.Unicode.Utf8.IsValid(bytes))
            {
                var text = Utf8.GetString(bytes);
                if (!text.Any(char.IsControl)) return text;
            }
            _failed = true;
            return "";
        }
    }
}
