using TorchSharp.Interop;

namespace TorchSharp;

/// <summary>A number of any kind, as an operand. Made by implicit conversion: <c>tensor * 2.0</c>.</summary>
public sealed class Scalar : IDisposable
{
    private Scalar(ScalarValue value, torch.ScalarType type)
    {
        Value = value;
        Type = type;
    }

    internal ScalarValue Value { get; }

    public torch.ScalarType Type { get; }

    /// <summary>Nothing to free: the number lives in managed memory. Here because TorchSharp's has it.</summary>
    public void Dispose() { }

    public static implicit operator Scalar(byte value) => Integer(value, torch.ScalarType.Byte);
    public static implicit operator Scalar(sbyte value) => Integer(value, torch.ScalarType.Int8);
    public static implicit operator Scalar(short value) => Integer(value, torch.ScalarType.Int16);
    public static implicit operator Scalar(int value) => Integer(value, torch.ScalarType.Int32);
    public static implicit operator Scalar(long value) => Integer(value, torch.ScalarType.Int64);
    public static implicit operator Scalar(float value) => new(new ScalarValue(0, value, 0), torch.ScalarType.Float32);
    public static implicit operator Scalar(double value) => new(new ScalarValue(0, value, 0), torch.ScalarType.Float64);
    public static implicit operator Scalar(bool value) => new(new ScalarValue(2, 0, value ? 1 : 0), torch.ScalarType.Bool);

    private static Scalar Integer(long value, torch.ScalarType type) => new(new ScalarValue(1, 0, value), type);
}

/// <summary>Conversions of <see cref="Scalar"/>.</summary>
public static class ScalarExtensionMethods
{
    public static Scalar ToScalar(this int value) => value;
    public static Scalar ToScalar(this long value) => value;
    public static Scalar ToScalar(this float value) => value;
    public static Scalar ToScalar(this double value) => value;
    public static Scalar ToScalar(this bool value) => value;

    public static float ToSingle(this Scalar value) => (float)value.Value.AsDouble;
    public static double ToDouble(this Scalar value) => value.Value.AsDouble;
    public static int ToInt32(this Scalar value) => checked((int)value.Value.AsInt64);
    public static long ToInt64(this Scalar value) => value.Value.AsInt64;
    public static bool ToBoolean(this Scalar value) => value.Value.AsBoolean;
}
