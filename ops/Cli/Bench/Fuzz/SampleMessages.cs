using System.Collections;
using Cluster.Remoting;

namespace Cluster.Cli.Bench.Fuzz;

/// <summary>One message of every type that travels, filled in by its constructor's parameters: a new type is fuzzed without a word here.</summary>
internal static class SampleMessages
{
    /// <summary>Deep enough for records within lists of records.</summary>
    private const int Deepest = 8;

    /// <summary>Number and bytes of each.</summary>
    public static IReadOnlyList<(ushort Number, byte[] Body)> All() =>
        [.. WireTypes.All.OrderBy(static pair => pair.Key).Select(static pair => (pair.Key, WireTypes.Write(Make(pair.Value, 0)!)))];

    public static object? Make(Type type, int depth)
    {
        if (depth > Deepest) return null;
        if (Nullable.GetUnderlyingType(type) is { } inner) return Make(inner, depth);
        if (type == typeof(string)) return "a-text";
        if (type == typeof(byte[])) return new byte[] { 1, 2, 3 };
        if (type == typeof(ReadOnlyMemory<byte>)) return new ReadOnlyMemory<byte>([1, 2, 3]);
        if (type == typeof(bool)) return true;
        if (type == typeof(double)) return 0.5;
        if (type == typeof(float)) return 0.5f;
        if (type.IsEnum) return Enum.GetValues(type).GetValue(0);
        if (type.IsPrimitive) return Convert.ChangeType(3, type, System.Globalization.CultureInfo.InvariantCulture);
        if (type.IsArray) return One(type.GetElementType()!, depth);
        if (type.IsGenericType && type.GetGenericArguments() is [var element] && typeof(IEnumerable).IsAssignableFrom(type)) return One(element, depth);
        if (type.IsGenericType && type.GetGenericArguments() is [var key, var value] && typeof(IEnumerable).IsAssignableFrom(type))
        {
            var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(key, value))!;
            map.Add(Make(key, depth + 1)!, Make(value, depth + 1));
            return map;
        }
        var constructor = type.GetConstructors().OrderByDescending(static c => c.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter => Make(parameter.ParameterType, depth + 1))]);
    }

    private static Array One(Type element, int depth)
    {
        var array = Array.CreateInstance(element, 1);
        array.SetValue(Make(element, depth + 1), 0);
        return array;
    }
}
