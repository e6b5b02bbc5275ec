using System.Collections.Concurrent;
using System.Reflection;
using MessagePack;

namespace Cluster.Contracts;

/// <summary>A peer sent a message with nothing where its type promises something. It ends the link, as bytes do that are no message.</summary>
public sealed class IncompleteMessageException : ClusterException
{
    /// <param name="member">Which part of it: <c>View.Members[0].Name</c>.</param>
    public IncompleteMessageException(Type message, string member) : base($"a {message?.Name} without its {member}") => Member = member;

    public IncompleteMessageException(string message) : base(message) { }

    public IncompleteMessageException(string message, Exception inner) : base(message, inner) { }

    public IncompleteMessageException() { }

    public string Member { get; } = "";
}

/// <summary>
/// What C# promises of a type, a peer need not keep: nil on the wire, or an array that ends too early, is null in a member that is
/// never null. All of a message's members are looked at once, behind the decoder, so that no actor has to. What to look at
/// is read from the types' own nullability, once; then it is a call per member that can be null, and none for numbers.
/// </summary>
public static class Completeness
{
    /// <summary>The path of what is missing in a value; null = nothing is.</summary>
    private delegate string? Lack<T>(in T value);

    private delegate TMember OfStruct<TOwner, TMember>(ref TOwner owner);

    /// <summary>By type of a message; null for one that can lack nothing.</summary>
    private static readonly ConcurrentDictionary<Type, Func<object, string?>?> Whole = new();

    /// <exception cref="IncompleteMessageException">A member, or an element of a list, is null that is never null.</exception>
    public static object Demand(object message)
    {
        var type = message.GetType();
        return Whole.GetOrAdd(type, Untyped)?.Invoke(message) is { } path ? throw new IncompleteMessageException(type, path) : message;
    }

    /// <summary>Whether anything of it is looked at; for the spec that holds this against the types.</summary>
    internal static bool Checks(Type type) => Whole.GetOrAdd(type, Untyped) is not null;

    private static Func<object, string?>? Untyped(Type type) => OfMembers(type) is { } lack ? (Func<object, string?>)Make(nameof(Unboxed), [type], lack) : null;

    private static Func<object, string?> Unboxed<T>(Lack<T> lack) => value => lack((T)value);

    /// <summary>A <see cref="Lack{T}"/> of a type with keys, or null. No such type holds itself.</summary>
    private static Delegate? OfMembers(Type type)
    {
        var context = new NullabilityInfoContext();
        var parts = type.GetProperties().Where(static property => property.GetCustomAttribute<KeyAttribute>() is not null)
            .Select(property => OfValue(property.PropertyType, context.Create(property)) is { } lack
                ? (Delegate)Make(type.IsValueType ? nameof(StructMember) : nameof(ClassMember), [type, property.PropertyType], property, lack)
                : null)
            .OfType<Delegate>().ToArray();
        return parts.Length == 0 ? null : (Delegate)Make(nameof(Any), [type], [parts]);
    }

    /// <summary>What a member or an element of this type can lack, or null.</summary>
    private static Delegate? OfValue(Type type, NullabilityInfo info)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying) return OfInner(underlying, info) is { } held ? (Delegate)Make(nameof(Held), [underlying], held) : null;
        var inner = OfInner(type, info);
        if (type.IsValueType) return inner;
        var mayBeNull = info.ReadState != NullabilityState.NotNull;
        return mayBeNull && inner is null ? null : (Delegate)Make(nameof(Reference), [type], mayBeNull, inner);
    }

    private static Delegate? OfInner(Type type, NullabilityInfo info)
    {
        if (type.GetCustomAttribute<MessagePackObjectAttribute>() is not null) return OfMembers(type);
        if (type.IsPrimitive || type.IsEnum || type == typeof(string)) return null;
        var (element, of) = type.IsArray ? (type.GetElementType(), info.ElementType)
            : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? (type.GenericTypeArguments[0], info.GenericTypeArguments[0])
            : (null, null);
        // Found by the spec that walks over all types that travel, before a peer finds it.
        if (element is null) throw new NotSupportedException($"{type.Name} travels, and nobody knows what it can lack");
        return OfValue(element, of!) is { } lack ? (Delegate)Make(nameof(Elements), [type, element], lack) : null;
    }

    private static object Make(string method, Type[] types, params object?[] arguments) =>
        typeof(Completeness).GetMethod(method, BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(types).Invoke(null, arguments)!;

    private static Lack<T> Any<T>(Delegate[] parts)
    {
        if (parts is [Lack<T> only]) return only;
        var all = Array.ConvertAll(parts, static part => (Lack<T>)part);
        return (in T value) =>
        {
            foreach (var part in all)
            {
                if (part(value) is { } path) return path;
            }
            return null;
        };
    }

    private static Lack<T> Reference<T>(bool mayBeNull, Lack<T>? inner) where T : class => (in T value) => value is null ? mayBeNull ? null : "" : inner?.Invoke(value);

    private static Lack<T?> Held<T>(Lack<T> inner) where T : struct => (in T? value) => value is { } held ? inner(held) : null;

    private static Lack<TList> Elements<TList, T>(Lack<T> element) where TList : IReadOnlyList<T> => (in TList list) =>
    {
        for (var i = 0; i < list.Count; i++)
        {
            if (element(list[i]) is { } path) return Path($"[{i}]", path);
        }
        return null;
    };

    private static Lack<TOwner> ClassMember<TOwner, TMember>(PropertyInfo property, Lack<TMember> lack) where TOwner : class
    {
        var (get, name) = (property.GetMethod!.CreateDelegate<Func<TOwner, TMember>>(), property.Name);
        return (in TOwner owner) => lack(get(owner)) is { } path ? Path(name, path) : null;
    }

    private static Lack<TOwner> StructMember<TOwner, TMember>(PropertyInfo property, Lack<TMember> lack) where TOwner : struct
    {
        var (get, name) = (property.GetMethod!.CreateDelegate<OfStruct<TOwner, TMember>>(), property.Name);
        return (in TOwner owner) =>
        {
            var copy = owner;
            return lack(get(ref copy)) is { } path ? Path(name, path) : null;
        };
    }

    private static string Path(string name, string rest) => rest.Length == 0 || rest[0] == '[' ? name + rest : $"{name}.{rest}";
}
