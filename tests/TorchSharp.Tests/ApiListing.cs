using System.Reflection;

namespace Cluster.Binding.Tests;

/// <summary>
/// Writes an assembly's public and protected members the way the listing of TorchSharp's API does: one line per type
/// (<c>name : kind base</c>) and one per member (<c>type :: signature</c>); a parameter followed by ? has a default.
/// </summary>
internal static class ApiListing
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static IEnumerable<string> Lines(IEnumerable<Type> types) => types.Where(IsVisible).SelectMany(Lines).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Lines(Type type)
    {
        var owner = $"{type.Namespace}.{Path(type)}";
        yield return $"{owner} : {Kind(type)}{Base(type)}";
        foreach (var field in type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly))
            yield return $"{owner} :: field {field.Name} -> {Name(field.FieldType)}";
        foreach (var constructor in type.GetConstructors(Declared).Where(IsVisible))
            if (!constructor.IsStatic) yield return $"{owner} :: new({Parameters(constructor)})";
        foreach (var property in type.GetProperties(Declared).Where(property => property.GetIndexParameters().Length == 0))
        {
            var get = property.GetMethod is { } getter && IsVisible(getter);
            var set = property.SetMethod is { } setter && IsVisible(setter);
            if (!get && !set) continue;
            var isStatic = (property.GetMethod ?? property.SetMethod)!.IsStatic ? "static " : "";
            yield return $"{owner} :: {isStatic}{property.Name} {{{(get ? "get;" : "")}{(set ? "set;" : "")}}} -> {Name(property.PropertyType)}";
        }
        var plain = type.GetProperties(Declared).Where(property => property.GetIndexParameters().Length == 0).SelectMany(property => property.GetAccessors(true)).ToHashSet();
        foreach (var method in type.GetMethods(Declared).Where(method => IsVisible(method) && !plain.Contains(method)))
        {
            var generic = method.IsGenericMethodDefinition ? $"<{string.Join(',', method.GetGenericArguments().Select(Name))}>" : "";
            yield return $"{owner} :: {(method.IsStatic ? "static " : "")}{method.Name}{generic}({Parameters(method)}) -> {Name(method.ReturnType)}";
        }
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static bool IsVisible(Type type) =>
        type.IsNested ? (type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamORAssem) && IsVisible(type.DeclaringType!) : type.IsPublic;

    private static string Kind(Type type) => type.IsInterface ? "interface" : type.IsEnum ? "enum" : type.IsValueType ? "struct" : "class";

    private static string Base(Type type) =>
        type.IsClass && type.BaseType is { } parent && parent != typeof(object) ? $" {Name(parent)}" : "";

    private static string Path(Type type) => type.IsNested ? $"{Path(type.DeclaringType!)}.{type.Name}" : type.Name;

    private static string Parameters(MethodBase method) =>
        string.Join(", ", method.GetParameters().Select(p => $"{Name(p.ParameterType)} {p.Name}{(p.IsOptional ? "?" : "")}"));

    private static string Name(Type type)
    {
        if (type.IsByRef) return $"ref {Name(type.GetElementType()!)}";
        if (type.IsArray) return $"{Name(type.GetElementType()!)}[]";
        if (type.IsGenericParameter) return type.Name;
        var outer = type.IsNested ? $"{Name(type.DeclaringType!)}." : "";
        var tick = type.Name.IndexOf('`', StringComparison.Ordinal);
        if (tick < 0) return outer + type.Name;
        return $"{outer}{type.Name[..tick]}<{string.Join(',', type.GetGenericArguments().Select(Name))}>";
    }
}
