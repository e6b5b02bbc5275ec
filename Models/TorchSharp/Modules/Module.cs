using System.Reflection;
using TorchSharp.Interop;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>Layers and what they are made of. https://pytorch.org/docs/stable/nn.html</summary>
    public static partial class nn
    {
        /// <summary>
        /// Something with parameters, buffers and submodules, each under a name; the path of names is the entry's name in
        /// a state dict (<c>layer1.0.conv1.weight</c>). Owns them: Dispose disposes all of it. Not thread-safe.
        /// https://pytorch.org/docs/stable/generated/torch.nn.Module.html
        /// </summary>
        public class Module : IDisposable
        {
            private readonly string _name;
            private readonly Entries<Parameter> _parameters = new("parameter");
            private readonly Entries<Tensor> _buffers = new("buffer");
            private readonly Entries<Module> _modules = new("module");
            private bool _componentsRegistered;

            protected Module(string name) => _name = name;

            /// <summary>True in training mode: dropout drops, batch norm uses the batch's statistics.</summary>
            public virtual bool training { get; private set; } = true;

            public virtual string GetName() => _name;

            /// <summary>Registers every field that holds a module, a parameter or a tensor under the field's name. Call it last in a constructor.</summary>
            /// <exception cref="InvalidOperationException">An auto-property holds one: it has no field name to go by.</exception>
            protected virtual void RegisterComponents()
            {
                if (_componentsRegistered) return;
                _componentsRegistered = true;
                foreach (var field in GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
                {
                    if (field.DeclaringType!.Assembly == typeof(Module).Assembly) continue; // our own layers register by hand
                    var value = field.GetValue(this);
                    if (value is not (Module or Tensor) || IsRegistered(value)) continue;
                    if (field.Name.Contains('<', StringComparison.Ordinal))
                        throw new InvalidOperationException($"{GetType().Name}: {field.Name} holds a component but has no field name; make it a field, or register it by name");
                    if (value is Module module) register_module(field.Name, module);
                    else if (value is Parameter parameter) register_parameter(field.Name, parameter);
                    else register_buffer(field.Name, (Tensor)value);
                }
            }

            /// <summary>Adds a parameter, or replaces the one of this name; null takes it out.</summary>
            public virtual void register_parameter(string name, Parameter? param) => _parameters.Set(name, (Parameter?)param?.DetachFromDisposeScope());

            /// <summary>Adds a tensor that is part of the state but not trained.</summary>
            public virtual void register_buffer(string name, Tensor tensor) => _buffers.Set(name, tensor.DetachFromDisposeScope());

            public virtual void register_module(string name, Module submodule)
            {
                ArgumentNullException.ThrowIfNull(submodule);
                if (ReferenceEquals(submodule, this)) throw new ArgumentException("a module cannot contain itself", nameof(submodule));
                submodule.RegisterComponents();
                _modules.Set(name, submodule);
            }

            public virtual void add_module(string name, Module module) => register_module(name, module);

            /// <summary>(name, child) of the direct children, in the order of registration.</summary>
            public virtual IEnumerable<(string name, Module module)> named_children() => _modules;
            public virtual IEnumerable<Module> children() => _modules.Values;

            /// <summary>(path, module) of all descendants, parents first.</summary>
            public virtual IEnumerable<(string name, Module module)> named_modules() => Descendants().Skip(1);
            public virtual IEnumerable<Module> modules() => named_modules().Select(entry => entry.module);

            /// <summary>(path, parameter), parents first, each parameter once.</summary>
            public virtual IEnumerable<(string name, Parameter parameter)> named_parameters(bool recurse = true) =>
                Collect(recurse, module => module._parameters);
            public virtual IEnumerable<Parameter> parameters(bool recurse = true) => named_parameters(recurse).Select(entry => entry.parameter);

            public virtual IEnumerable<(string name, Tensor buffer)> named_buffers(bool recurse = true) => Collect(recurse, module => module._buffers);
            public virtual IEnumerable<Tensor> buffers(bool recurse = true) => named_buffers(recurse).Select(entry => entry.buffer);

            public virtual Parameter? get_parameter(string target) => named_parameters().FirstOrDefault(entry => entry.name == target).parameter;
            public virtual Tensor? get_buffer(string target) => named_buffers().FirstOrDefault(entry => entry.name == target).buffer;
            public virtual bool has_parameter(string target) => get_parameter(target) is not null;
            public virtual bool has_buffer(string target) => get_buffer(target) is not null;

            /// <summary>Parameters and buffers by path, in PyTorch's order: a module's parameters, its buffers, then its children.</summary>
            public virtual Dictionary<string, Tensor> state_dict(Dictionary<string, Tensor>? destination = null, string? prefix = null)
            {
                destination ??= [];
                foreach (var (path, module) in Descendants())
                {
                    var start = string.IsNullOrEmpty(prefix) ? path : Join(prefix, path);
                    foreach (var (name, parameter) in module._parameters) destination[Join(start, name)] = parameter;
                    foreach (var (name, buffer) in module._buffers) destination[Join(start, name)] = buffer;
                }
                return destination;
            }

            /// <summary>Copies the source's values into parameters and buffers of the same name.</summary>
            /// <param name="strict">Refuse when the names are not the same on both sides.</param>
            /// <returns>Names that only the module has, names that only the source has.</returns>
            public virtual (IList<string> missing_keys, IList<string> unexpected_keyes) load_state_dict(Dictionary<string, Tensor> source, bool strict = true, IList<string>? skip = null)
            {
                var own = state_dict();
                List<string> missing = [.. own.Keys.Where(name => !source.ContainsKey(name) && skip?.Contains(name) != true)];
                List<string> unexpected = [.. source.Keys.Where(name => !own.ContainsKey(name) && skip?.Contains(name) != true)];
                if (strict && missing.Count + unexpected.Count > 0)
                    throw new InvalidOperationException($"the state does not fit {_name}: missing {Listed(missing)}, unexpected {Listed(unexpected)}");
                using var noGrad = no_grad();
                foreach (var (name, target) in own)
                {
                    if (skip?.Contains(name) != true && source.TryGetValue(name, out var value)) target.copy_(value);
                }
                return (missing, unexpected);

                static string Listed(List<string> names) => names.Count == 0 ? "none" : string.Join(", ", names.Take(5)) + (names.Count > 5 ? ", ..." : "");
            }

            public virtual void train(bool train = true)
            {
                foreach (var (_, module) in Descendants()) module.training = train;
            }

            public virtual void eval() => train(false);

            /// <summary>Zeroes the gradients that there are.</summary>
            public virtual void zero_grad()
            {
                foreach (var parameter in parameters())
                {
                    using var gradient = parameter.grad;
                    gradient?.detach_().zero_();
                }
            }

            /// <summary>Calls <paramref name="fn"/> with every descendant, children first, then with this.</summary>
            public virtual Module apply(Action<Module> fn)
            {
                foreach (var child in children()) child.apply(fn);
                fn(this);
                return this;
            }

            public void Dispose()
            {
                Dispose(true);
                GC.SuppressFinalize(this);
            }

            protected virtual void Dispose(bool disposing)
            {
                if (!disposing) return;
                foreach (var module in _modules.Values) module.Dispose();
                foreach (var parameter in _parameters.Values) parameter.Dispose();
                foreach (var buffer in _buffers.Values) buffer.Dispose();
            }

            /// <summary>Forgets the children without disposing them.</summary>
            protected void ClearModules() => _modules.Clear();

            /// <summary>Moves or converts parameters and buffers: the objects stay, their memory is another. Integers keep their type, as in PyTorch.</summary>
            internal void Convert(Device? device, ScalarType? dtype)
            {
                foreach (var tensor in parameters().Concat(buffers()))
                {
                    var floating = tensor.dtype is ScalarType.Float32 or ScalarType.Float64 or ScalarType.BFloat16 or ScalarType.Float16;
                    using var source = tensor.detach();
                    using var converted = source.to(floating && dtype is { } wanted ? wanted : tensor.dtype, device ?? tensor.device);
                    Native.Check(NativeMethods.ct_set_data(tensor.Owned, converted.Owned));
                    // Set last: libtorch refuses a gradient of another device or type.
                    using var gradient = tensor.grad;
                    if (gradient is null) continue;
                    using var moved = gradient.to(converted);
                    Native.Check(NativeMethods.ct_set_grad(tensor.Owned, moved.Owned));
                }
            }

            /// <summary>This module under the empty path, then its descendants, parents first, each module once.</summary>
            private IEnumerable<(string name, Module module)> Descendants()
            {
                var seen = new HashSet<Module>(ReferenceEqualityComparer.Instance);
                return Walk("", this, seen);

                static IEnumerable<(string, Module)> Walk(string path, Module module, HashSet<Module> seen)
                {
                    if (!seen.Add(module)) yield break;
                    yield return (path, module);
                    foreach (var (name, child) in module.named_children())
                    {
                        foreach (var entry in Walk(Join(path, name), child, seen)) yield return entry;
                    }
                }
            }

            private IEnumerable<(string, T)> Collect<T>(bool recurse, Func<Module, Entries<T>> select) where T : class
            {
                var seen = new HashSet<T>(ReferenceEqualityComparer.Instance);
                var modules = recurse ? Descendants() : [("", this)];
                foreach (var (path, module) in modules)
                {
                    foreach (var (name, value) in select(module))
                    {
                        if (seen.Add(value)) yield return (Join(path, name), value);
                    }
                }
            }

            private bool IsRegistered(object value) =>
                _modules.Values.Any(x => ReferenceEquals(x, value)) || _parameters.Values.Any(x => ReferenceEquals(x, value))
                || _buffers.Values.Any(x => ReferenceEquals(x, value));

            private static string Join(string path, string name) => path.Length == 0 ? name : name.Length == 0 ? path : $"{path}.{name}";
        }
    }
}
