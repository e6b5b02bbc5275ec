using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Autograd, conversion and copies. https://pytorch.org/docs/stable/autograd.html
    public partial class Tensor
    {
        public bool requires_grad
        {
            get => NativeMethods.ct_requires_grad(Owned) != 0;
            set => Native.Check(NativeMethods.ct_set_requires_grad(Owned, value ? 1 : 0));
        }

        public Tensor requires_grad_(bool requires_grad = true)
        {
            this.requires_grad = requires_grad;
            return this;
        }

        public Tensor with_requires_grad(bool requires_grad = true) => requires_grad_(requires_grad);

        public bool is_leaf => NativeMethods.ct_is_leaf(Owned) != 0;

        /// <summary>The gradient so far, sharing memory with it; null before the first backward. A new object each time.</summary>
        public Tensor? grad
        {
            get => Native.WrapOrNull(NativeMethods.ct_grad(Owned));
            set => Native.Check(NativeMethods.ct_set_grad(Owned, Optional(value)));
        }

        public void retain_grad() => Native.Check(NativeMethods.ct_retain_grad(Owned));

        /// <summary>Adds d(this)/d(leaf) to the gradient of every leaf. Runs CPU work on the calling thread, with its thread count.</summary>
        public void backward() => backward(null);

        /// <param name="grad_tensors">One tensor of this one's shape: needed when this is not a single number.</param>
        /// <param name="inputs">The leaves to compute gradients for; all of them by default.</param>
        public unsafe void backward(IList<Tensor>? grad_tensors = null, bool create_graph = false, bool retain_graph = false, IList<Tensor>? inputs = null)
        {
            if (grad_tensors is { Count: > 1 }) throw new ArgumentException($"one tensor has one gradient, {grad_tensors.Count} were given", nameof(grad_tensors));
            var gradient = grad_tensors is { Count: 1 } ? grad_tensors[0] : null;
            var handles = inputs is null ? [] : Native.Handles(inputs);
            fixed (nint* pointer = handles)
            {
                var keepGraph = retain_graph || create_graph ? 1 : 0;
                Native.Check(NativeMethods.ct_backward(Owned, Optional(gradient), keepGraph, create_graph ? 1 : 0, pointer, handles.Length));
            }
            GC.KeepAlive(inputs);
        }

        /// <summary>The same memory, outside the graph.</summary>
        public Tensor detach() => Wrap(NativeMethods.ct_detach(Owned));
        public Tensor detach_() => InPlace(NativeMethods.ct_detach_(Owned));
        public Tensor alias() => Wrap(NativeMethods.ct_alias(Owned));
        public Tensor clone() => Wrap(NativeMethods.ct_clone(Owned));
        public Tensor contiguous() => Wrap(NativeMethods.ct_contiguous(Owned));
        /// <summary>A copy in page-locked memory, from which copies to a CUDA device run without waiting.</summary>
        public Tensor pin_memory() => Wrap(NativeMethods.ct_pin_memory(Owned));

        public Tensor cpu() => to(CPU);
        public Tensor cuda(Device? device = null) => to(device ?? CUDA);
        public Tensor to(Device device) => Convert(dtype, device, copy: false);
        public Tensor to(string device) => to(new Device(device));
        public Tensor to(DeviceType deviceType, int deviceIndex = -1, bool copy = false) => Convert(dtype, new Device(deviceType, deviceIndex), copy);
        public Tensor to(ScalarType type) => Convert(type, device, copy: false);
        public Tensor to(ScalarType type, Device device, bool copy = false) => Convert(type, device, copy);
        public Tensor to(Tensor other) => Convert(other.dtype, other.device, copy: false);
        public Tensor to_type(ScalarType type, bool copy = false) => Convert(type, device, copy);
        public Tensor type(ScalarType dtype) => to(dtype);
        public Tensor type_as(Tensor tensor) => to(tensor.dtype);
        public Tensor @float() => to(ScalarType.Float32);
        public Tensor @double() => to(ScalarType.Float64);
        public Tensor @long() => to(ScalarType.Int64);
        public Tensor @int() => to(ScalarType.Int32);
        public Tensor @bool() => to(ScalarType.Bool);

        private Tensor Convert(ScalarType type, Device device, bool copy) =>
            Wrap(NativeMethods.ct_to(Owned, new NativeOptions(type, device, false), copy ? 1 : 0));

        /// <summary>Overwrites this with <paramref name="source"/>, broadcast and converted. Returns this.</summary>
        public Tensor copy_(Tensor source, bool nonBlocking = false) => InPlace(NativeMethods.ct_copy_(Owned, source.Owned, nonBlocking ? 1 : 0));
    }
}
