using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Cluster.Contracts;

/// <summary>
/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78; RFC 3720, appendix B.4), in hardware: carry-less multiplication folds
/// 64 bytes per 512-bit register, or 16 per 128-bit one; elsewhere the CRC instruction of x64 or Arm, or the run-time's table.
/// The folding: V. Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009).
/// </summary>
public static unsafe class Crc32C
{
    /// <summary>Start value. A sum in progress is kept inverted; <see cref="Finish"/> gives the CRC.</summary>
    public const uint Seed = 0xFFFF_FFFF;

    private const uint ReflectedPolynomial = 0x82F6_3B78;

    // Folding a 128-bit block over d bits multiplies its low half by x^(d+32) and its high half by x^(d-32), modulo the polynomial.
    private static readonly Vector128<ulong> Over512 = FoldingOver(512);
    private static readonly Vector512<ulong> Over4096 = Vector512.Create(Vector256.Create(FoldingOver(4096), FoldingOver(4096)), Vector256.Create(FoldingOver(4096), FoldingOver(4096)));

    public static uint Finish(uint crc) => ~crc;

    /// <summary>The CRC of these bytes alone.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Finish(Append(Seed, bytes));

    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* at = bytes) return Append(crc, at, (nuint)bytes.Length);
    }

    /// <summary>The sum in progress after <paramref name="count"/> more bytes.</summary>
    public static uint Append(uint crc, byte* at, nuint count)
    {
        return Pclmulqdq.V512.IsSupported && count >= 1024 ? AppendFolded512(crc, at, count) : AppendShort(crc, at, count);
    }

    private static uint AppendShort(uint crc, byte* at, nuint count) =>
        Pclmulqdq.IsSupported && count >= 128 ? AppendFolded128(crc, at, count) : AppendPlain(crc, at, count);

    /// <summary>Eight bytes per instruction, one after the other: the definition that the others are tested against, and the fallback.</summary>
    public static uint AppendPlain(uint crc, byte* at, nuint count)
    {
        for (; count >= 8; count -= 8, at += 8) crc = BitOperations.Crc32C(crc, Unsafe.ReadUnaligned<ulong>(at));
        for (; count > 0; count--, at++) crc = BitOperations.Crc32C(crc, *at);
        return crc;
    }

    /// <summary>Eight sums side by side: measured 58 GB/s out of the L2 cache, with four 43, for the multiplications of one wait for each other.</summary>
    public static uint AppendFolded512(uint crc, byte* at, nuint count)
    {
        // The running sum is the start value of the rest: it goes into the first four bytes.
        var a = Load(at) ^ Vector512.CreateScalar((ulong)crc);
        var b = Load(at + 64);
        var c = Load(at + 128);
        var d = Load(at + 192);
        var e = Load(at + 256);
        var f = Load(at + 320);
        var g = Load(at + 384);
        var h = Load(at + 448);
        var over = Over4096;
        for (at += 512, count -= 512; count >= 512; at += 512, count -= 512)
        {
            a = Fold(a, over, Load(at));
            b = Fold(b, over, Load(at + 64));
            c = Fold(c, over, Load(at + 128));
            d = Fold(d, over, Load(at + 192));
            e = Fold(e, over, Load(at + 256));
            f = Fold(f, over, Load(at + 320));
            g = Fold(g, over, Load(at + 384));
            h = Fold(h, over, Load(at + 448));
        }
        var left = stackalloc Vector512<ulong>[8] { a, b, c, d, e, f, g, h };
        // Of 2 kB, half of the time would go into these rests if they were summed up eight bytes at a time.
        return AppendShort(AppendShort(0, (byte*)left, 512), at, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(byte* at) => Vector512.Load((ulong*)at);

    public static uint AppendFolded128(uint crc, byte* at, nuint count)
    {
        var a = Vector128.Load((ulong*)at) ^ Vector128.CreateScalar((ulong)crc);
        var b = Vector128.Load((ulong*)(at + 16));
        var c = Vector128.Load((ulong*)(at + 32));
        var d = Vector128.Load((ulong*)(at + 48));
        var over = Over512;
        for (at += 64, count -= 64; count >= 64; at += 64, count -= 64)
        {
            a = Fold(a, over, Vector128.Load((ulong*)at));
            b = Fold(b, over, Vector128.Load((ulong*)(at + 16)));
            c = Fold(c, over, Vector128.Load((ulong*)(at + 32)));
            d = Fold(d, over, Vector128.Load((ulong*)(at + 48)));
        }
        var left = stackalloc Vector128<ulong>[4] { a, b, c, d };
        return AppendPlain(AppendPlain(0, (byte*)left, 64), at, count);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Fold(Vector512<ulong> sum, Vector512<ulong> over, Vector512<ulong> next) =>
        Pclmulqdq.V512.CarrylessMultiply(sum, over, 0x00) ^ Pclmulqdq.V512.CarrylessMultiply(sum, over, 0x11) ^ next;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Fold(Vector128<ulong> sum, Vector128<ulong> over, Vector128<ulong> next) =>
        Pclmulqdq.CarrylessMultiply(sum, over, 0x00) ^ Pclmulqdq.CarrylessMultiply(sum, over, 0x11) ^ next;

    private static Vector128<ulong> FoldingOver(int bits) => Vector128.Create(PowerOfX(bits + 32), PowerOfX(bits - 32));

    /// <summary>x^<paramref name="exponent"/> modulo the polynomial, reflected into 33 bits: a product of reflected factors comes out one bit low.</summary>
    private static ulong PowerOfX(int exponent)
    {
        var power = 0x8000_0000u;   // x^0, reflected
        for (var i = 0; i < exponent; i++) power = (power >> 1) ^ ((power & 1) * ReflectedPolynomial);
        return (ulong)power << 1;
    }
}
