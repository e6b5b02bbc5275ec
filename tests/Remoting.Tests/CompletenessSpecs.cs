using System.Reflection;
using Cluster.Contracts;
using MessagePack;

namespace Cluster.Remoting.Tests;

/// <summary>A message of every type, whole, and then with nothing in each of the places that are never empty, one after the other, as a peer would send it.</summary>
public sealed class CompletenessSpecs
{
    private static readonly NullabilityInfoContext Context = new();

    public static TheoryData<ushort> Numbers => [.. WireTypes.All.Keys.Order()];

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Message_with_nothing_where_something_must_be_is_refused_by_the_name_of_its_place(ushort number)
    {
        var type = WireTypes.All[number];
        Assert.Equal(type, WireTypes.Read(number, WireTypes.Write(Whole(type))).GetType());
        var places = 0;
        foreach (var (path, message) in Broken(type))
        {
            var refusal = Assert.Throws<IncompleteMessageException>(() => WireTypes.Read(number, WireTypes.Write(message)));
            Assert.Equal($"a {type.Name} without its {path}", refusal.Message);
            Assert.Equal(path, refusal.Member);
            places++;
        }
        Assert.Equal(places > 0, Completeness.Checks(type));
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Message_that_ends_before_its_first_member_is_refused_where_one_of_them_is_never_empty(ushort number)
    {
        var type = WireTypes.All[number];
        var isNeeded = Keys(type).Any(static property => !property.PropertyType.IsValueType && Context.Create(property).ReadState == NullabilityState.NotNull);
        if (isNeeded) Assert.Throws<IncompleteMessageException>(() => WireTypes.Read(number, [0x90]));
        else Assert.Equal(type, WireTypes.Read(number, [0x90]).GetType());
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Message_with_nothing_where_nothing_may_be_is_taken(ushort number)
    {
        var type = WireTypes.All[number];
        var sparse = Make(type, static (type, info, _) => !type.IsValueType && info.ReadState == NullabilityState.NotNull || type.IsValueType && Nullable.GetUnderlyingType(type) is null)!;
        Assert.Equal(type, WireTypes.Read(number, WireTypes.Write(sparse)).GetType());
    }

    [Fact]
    public void Every_type_is_one_whose_promises_can_be_read()
    {
        // Enough places that this is no walk over nothing; and no member whose promise the compiler did not write down.
        Assert.True(WireTypes.All.Values.Sum(static type => Broken(type).Count()) > 80);
        Assert.DoesNotContain(WireTypes.All.Values.SelectMany(Keys), static property => !property.PropertyType.IsValueType && Context.Create(property).ReadState == NullabilityState.Unknown);
        Assert.Contains("SpanBatch without its Spans[0].Links[0].Tags[0].Name", Refusal(new SpanBatch([Span with { Links = [new SpanLink(1, 2, 3, [default])] }], 0)), StringComparison.Ordinal);
        Assert.Contains("MembershipView without its Members[1]", Refusal(new MembershipView(1, new Term(1), null, [new Member("worker-0", MemberRole.Worker, 0, 1, "", MemberState.Up), null!], "")), StringComparison.Ordinal);
    }

    [Fact]
    public void Note_of_a_hello_is_looked_at_too() =>
        Assert.Equal("Host", Assert.Throws<IncompleteMessageException>(static () => WireTypes.Read<JoinNote>(WireTypes.Write(new JoinNote("1", "", null!, 5)))).Member);

    private static SpanRecord Span => new(1, 2, 3, 0, "step", 5, 6, [], [], null);

    private static string Refusal<T>(T message) where T : class => Assert.Throws<IncompleteMessageException>(() => WireTypes.Read(WireTypes.NumberOf(typeof(T)), WireTypes.Write((object)message))).Message;

    private static object Whole(Type type) => Make(type, static (_, _, _) => true)!;

    /// <summary>Each place in a message of this type that is never empty, and a message that is whole but for it.</summary>
    private static IEnumerable<(string Path, object Message)> Broken(Type type)
    {
        var paths = new List<string>();
        Make(type, (type, info, path) =>
        {
            if (!type.IsValueType && info.ReadState == NullabilityState.NotNull) paths.Add(path);
            return true;
        });
        return paths.Select(path => (path, Make(type, (_, _, at) => at != path)!));
    }

    private static IEnumerable<PropertyInfo> Keys(Type type) => type.GetProperties().Where(static property => property.GetCustomAttribute<KeyAttribute>() is not null);

    /// <param name="wants">Whether there is to be something: asked for every member and element, with its path.</param>
    private static object? Make(Type type, Func<Type, NullabilityInfo, string, bool> wants, string path = "")
    {
        var constructor = type.GetConstructors().OrderByDescending(static c => c.GetParameters().Length).First();
        return constructor.Invoke([.. constructor.GetParameters().Select(parameter =>
        {
            var property = type.GetProperty(parameter.Name!)!;
            return Value(property.PropertyType, Context.Create(property), wants, path.Length == 0 ? property.Name : $"{path}.{property.Name}");
        })]);
    }

    private static object? Value(Type type, NullabilityInfo info, Func<Type, NullabilityInfo, string, bool> wants, string path)
    {
        if (!wants(type, info, path)) return null;
        var inner = Nullable.GetUnderlyingType(type) ?? type;
        if (inner == typeof(string)) return "a text";
        if (inner.GetCustomAttribute<MessagePackObjectAttribute>() is not null) return Make(inner, wants, path);
        if (!inner.IsArray && !inner.IsGenericType) return Activator.CreateInstance(inner);
        var (element, of) = inner.IsArray ? (inner.GetElementType()!, info.ElementType!) : (inner.GenericTypeArguments[0], info.GenericTypeArguments[0]);
        var array = Array.CreateInstance(element, 1);
        array.SetValue(Value(element, of, wants, path + "[0]"), 0);
        return array;
    }
}
