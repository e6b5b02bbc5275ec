namespace TorchSharp.Utils;

/// <summary>Which C# type holds which element type.</summary>
internal static class ElementTypes
{
    public static torch.ScalarType Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? torch.ScalarType.Float32
        : typeof(T) == typeof(double) ? torch.ScalarType.Float64
        : typeof(T) == typeof(long) ? torch.ScalarType.Int64
        : typeof(T) == typeof(int) ? torch.ScalarType.Int32
        : typeof(T) == typeof(short) ? torch.ScalarType.Int16
        : typeof(T) == typeof(byte) ? torch.ScalarType.Byte
        : typeof(T) == typeof(sbyte) ? torch.ScalarType.Int8
        : typeof(T) == typeof(bool) ? torch.ScalarType.Bool
        : typeof(T) == typeof(Half) ? torch.ScalarType.Float16
        : throw new ArgumentException($"no tensor element type is a C# {typeof(T).Name}");

    public static void Require<T>(torch.ScalarType dtype) where T : unmanaged
    {
        if (Of<T>() != dtype) throw new ArgumentException($"the tensor's elements are {dtype}, not {typeof(T).Name}: convert it with to({Of<T>()}) first");
    }
}
