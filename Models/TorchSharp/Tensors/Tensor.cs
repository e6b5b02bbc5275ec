using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp.Interop;
using TorchSharp.Utils;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>
    /// A reference to a libtorch tensor. Whoever makes it disposes it, directly or through the innermost
    /// <see cref="DisposeScope"/> of the thread; a finalizer catches what was forgotten. Several <see cref="Tensor"/>
    /// objects may share one libtorch tensor or its memory. Operators may be called from any thread; two threads must
    /// not change one tensor at a time.
    /// </summary>
    /// <remarks>Every member throws <see cref="ObjectDisposedException"/> after Dispose, and
    /// <see cref="ExternalException"/> with libtorch's message when libtorch refuses.</remarks>
    public partial class Tensor : IDisposable
    {
        private TensorHandle _handle;

        internal Tensor(TensorHandle handle)
        {
            _handle = handle;
            handle.Count();
            DisposeScope.Innermost?.Include(this);
        }

        /// <summary>Takes over the reference of another object, which is disposed from then on.</summary>
        private protected Tensor(Tensor source)
        {
            ArgumentNullException.ThrowIfNull(source);
            _handle = source.Owned;
            source._handle = TensorHandle.Closed;
            var scope = source.OwningScope;
            source.LeaveScope();
            scope?.Include(this);
        }

        internal DisposeScope? OwningScope { get; set; }

        /// <summary>The handle, open: what every native call takes.</summary>
        internal TensorHandle Owned
        {
            get
            {
                var handle = _handle;
                if (handle.IsClosed) throw new ObjectDisposedException(nameof(Tensor), "the tensor was disposed, by itself or with its dispose scope");
                return handle;
            }
        }

        /// <summary>The native at::Tensor. Valid until the tensor is disposed or finalized.</summary>
        public nint Handle => Owned.DangerousGetHandle();

        public bool IsInvalid => _handle.IsClosed || _handle.IsInvalid;

        /// <summary>Gives the native reference back. The memory goes when its last reference does. Twice does no harm.</summary>
        public void Dispose()
        {
            LeaveScope();
            _handle.Dispose();
            GC.SuppressFinalize(this);
        }

        /// <summary>From now on the caller disposes it, no scope does.</summary>
        public Tensor DetachFromDisposeScope()
        {
            LeaveScope();
            return this;
        }

        /// <summary>Hands it to the scope around its own, or to the caller when there is none.</summary>
        public Tensor MoveToOuterDisposeScope()
        {
            OwningScope?.MoveToOuter(this);
            return this;
        }

        private void LeaveScope()
        {
            OwningScope?.MarkAsDisposed(this);
            OwningScope = null;
        }

        // Metadata.
        public long ndim => NativeMethods.ct_dim(Owned);
        public long dim() => ndim;
        public long NumberOfElements => NativeMethods.ct_numel(Owned);
        public long numel() => NumberOfElements;
        public long ElementSize => NativeMethods.ct_element_size(Owned);
        public long element_size() => ElementSize;
        public ScalarType dtype => (ScalarType)NativeMethods.ct_dtype(Owned);
        public DeviceType device_type => (DeviceType)NativeMethods.ct_device_type(Owned);
        public int device_index => NativeMethods.ct_device_index(Owned);
        public Device device => device_type == DeviceType.CPU ? CPU : new Device(device_type, device_index);
        public bool is_cuda => device_type == DeviceType.CUDA;
        public bool is_cpu() => device_type == DeviceType.CPU;
        public bool is_contiguous() => NativeMethods.ct_is_contiguous(Owned) != 0;
        public bool is_pinned() => NativeMethods.ct_is_pinned(Owned) != 0;
        public long storage_offset() => NativeMethods.ct_storage_offset(Owned);

        /// <summary>Sizes, outermost dimension first. A new array.</summary>
        public unsafe long[] shape
        {
            get
            {
                var sizes = new long[ndim];
                fixed (long* pointer = sizes) NativeMethods.ct_sizes(Owned, pointer);
                return sizes;
            }
        }

        public long[] size() => shape;
        public long size(int dim) => shape[dim < 0 ? dim + (int)ndim : dim];

        /// <summary>Elements between neighbours along each dimension. A new array.</summary>
        public unsafe long[] stride()
        {
            var strides = new long[ndim];
            fixed (long* pointer = strides) NativeMethods.ct_strides(Owned, pointer);
            return strides;
        }

        public long stride(int dim) => stride()[dim < 0 ? dim + (int)ndim : dim];

        // Values.
        /// <summary>The value of a tensor of one element; waits for the device.</summary>
        /// <typeparam name="T">The C# type of the tensor's element type: no silent conversion.</typeparam>
        /// <exception cref="ArgumentException">T is not the tensor's type.</exception>
        public T item<T>() where T : unmanaged
        {
            ElementTypes.Require<T>(dtype);
            var value = ItemValue();
            if (typeof(T) == typeof(float)) return (T)(object)(float)value.AsDouble;
            if (typeof(T) == typeof(double)) return (T)(object)value.AsDouble;
            if (typeof(T) == typeof(long)) return (T)(object)value.AsInt64;
            if (typeof(T) == typeof(int)) return (T)(object)(int)value.AsInt64;
            if (typeof(T) == typeof(short)) return (T)(object)(short)value.AsInt64;
            if (typeof(T) == typeof(byte)) return (T)(object)(byte)value.AsInt64;
            if (typeof(T) == typeof(sbyte)) return (T)(object)(sbyte)value.AsInt64;
            if (typeof(T) == typeof(bool)) return (T)(object)value.AsBoolean;
            return (T)(object)(Half)value.AsDouble;
        }

        internal ScalarValue ItemValue()
        {
            Native.Check(NativeMethods.ct_item(Owned, out var value));
            return value;
        }

        /// <summary>The elements, in place, of a tensor in the CPU's memory. Gone when the tensor is.</summary>
        /// <exception cref="InvalidOperationException">The tensor is on another device.</exception>
        public TensorAccessor<T> data<T>() where T : unmanaged => new(this);

        /// <summary>The memory of a contiguous CPU tensor: valid as long as the tensor is. Setting copies.</summary>
        /// <exception cref="InvalidOperationException">Not contiguous, or not on the CPU.</exception>
        public unsafe Span<byte> bytes
        {
            get
            {
                if (!is_cpu()) throw new InvalidOperationException($"the bytes of a tensor on {device} cannot be reached: copy it with cpu() first");
                if (!is_contiguous()) throw new InvalidOperationException("the bytes of a non-contiguous tensor are not in order: call contiguous() first");
                return new Span<byte>((void*)NativeMethods.ct_data_ptr(Owned), checked((int)(NumberOfElements * ElementSize)));
            }
            set
            {
                fixed (byte* pointer = value) Native.Check(NativeMethods.ct_write(Owned, pointer, value.Length));
            }
        }

        /// <summary>Shape, type and device; the value too when there is only one.</summary>
        public override string ToString()
        {
            if (IsInvalid) return "[disposed]";
            var text = $"[{string.Join('x', shape)}], type = {dtype}, device = {device}";
            return ndim == 0 && is_cpu() && dtype is not (ScalarType.ComplexFloat32 or ScalarType.ComplexFloat64)
                ? $"{text}, value = {(dtype is ScalarType.Bool ? ItemValue().AsBoolean : ItemValue() is { Kind: 0 } real ? real.AsDouble : ItemValue().AsInt64)}"
                : text;
        }

        private static Tensor Wrap(TensorHandle handle) => Native.Wrap(handle);

        private Tensor InPlace(int status)
        {
            Native.Check(status);
            return this;
        }

        private static TensorHandle Optional(Tensor? tensor) => tensor is null ? TensorHandle.None : tensor.Owned;
    }
}
