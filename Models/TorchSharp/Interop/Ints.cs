using System.Runtime.CompilerServices;

namespace TorchSharp.Interop;

/// <summary>Two integers in a row: what a 2-d layer's stride, padding or size is in native code. Lives on the stack.</summary>
[InlineArray(2)]
internal struct Pair
{
    private long _first;

    public static Pair Of(long both) => Of(both, both);

    public static Pair Of(long first, long second)
    {
        var pair = default(Pair);
        pair[0] = first;
        pair[1] = second;
        return pair;
    }

    public static Pair Of((long, long) both) => Of(both.Item1, both.Item2);

    /// <summary>One value for both dimensions or one for each, as PyTorch reads a list.</summary>
    /// <exception cref="ArgumentException">Neither one nor two values.</exception>
    public static Pair Of(long[]? values, Pair fallback, [CallerArgumentExpression(nameof(values))] string name = "") => values switch
    {
        null => fallback,
        [var both] => Of(both),
        [var first, var second] => Of(first, second),
        _ => throw new ArgumentException($"{name} has {values.Length} values: give one, or one per spatial dimension (two)", name),
    };
}
