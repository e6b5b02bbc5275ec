using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Torch;

[assembly: DisableRuntimeMarshalling]

namespace TorchSharp.Interop;

/// <summary>Finds the native half beside the application, by absolute path: never whatever the system's search path holds.</summary>
internal static partial class NativeLibraryLoader
{
    public const string Library = "cluster_torch";

#pragma warning disable CA2255 // The resolver must be there before the first native call, whichever that is.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Install() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraryLoader).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != Library) return 0;
        LoadTorchSharp();
        var library = Load(AppContext.BaseDirectory);
        RequireOneLibtorch();
        return library;
    }

    // Only where TorchSharp's own assembly brings a native half of its own: see OverTorchSharp.
    static partial void LoadTorchSharp();
    static partial void RequireOneLibtorch();

    /// <exception cref="LibtorchNotFoundException">The file is missing, or something it needs (libtorch itself) is.</exception>
    internal static nint Load(string directory)
    {
        var path = Path.Combine(directory, "libcluster_torch.so");
        if (!File.Exists(path))
            throw new LibtorchNotFoundException($"{path} is missing: build again; if the build reports it, {LibtorchNotFoundException.Advice}");
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (DllNotFoundException inner)
        {
            // The loader's message is a page of hints with one line per attempt: the line that names a file of ours is the reason.
            var lines = inner.Message.Split('\n');
            var reason = Array.Find(lines, line => line.Contains(".so", StringComparison.Ordinal) && !line.StartsWith("Unable to load", StringComparison.Ordinal)) ?? lines[0];
            throw new LibtorchNotFoundException($"{path} could not be loaded ({reason.Trim()}): {LibtorchNotFoundException.Advice}", inner);
        }
    }
}
