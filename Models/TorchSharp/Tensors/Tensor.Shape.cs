using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Views and rearrangements. A view shares memory with its source. https://pytorch.org/docs/stable/tensor_view.html
    public partial class Tensor
    {
        /// <param name="shape">One size may be -1: whatever is left.</param>
        public unsafe Tensor view(params long[] shape)
        {
            fixed (long* pointer = shape) return Wrap(NativeMethods.ct_view(Owned, pointer, shape.Length));
        }

        /// <summary>A view where that is possible, else a copy.</summary>
        public unsafe Tensor reshape(params long[] shape)
        {
            fixed (long* pointer = shape) return Wrap(NativeMethods.ct_reshape(Owned, pointer, shape.Length));
        }

        public Tensor view_as(Tensor other) => view(other.shape);
        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Wrap(NativeMethods.ct_flatten(Owned, start_dim, end_dim));
        public Tensor unsqueeze(long dim) => Wrap(NativeMethods.ct_unsqueeze(Owned, dim));
        public Tensor squeeze(long? dim = null) => Wrap(dim is { } given ? NativeMethods.ct_squeeze_dim(Owned, given) : NativeMethods.ct_squeeze(Owned));
        public Tensor t() => Wrap(NativeMethods.ct_transpose_2d(Owned));
        public Tensor transpose(long dim0, long dim1) => Wrap(NativeMethods.ct_transpose(Owned, dim0, dim1));
        public Tensor narrow(long dim, long start, long length) => Wrap(NativeMethods.ct_narrow(Owned, dim, start, length));
        public Tensor select(long dim, long index) => Wrap(NativeMethods.ct_select(Owned, dim, index));

        /// <summary>Every step-th index from start up to, not including, finish.</summary>
        public Tensor slice(long dim, long start, long finish, long step) => Wrap(NativeMethods.ct_slice(Owned, dim, start, finish, step));

        public unsafe Tensor permute(params long[] permutation)
        {
            fixed (long* pointer = permutation) return Wrap(NativeMethods.ct_permute(Owned, pointer, permutation.Length));
        }

        public unsafe Tensor flip(params long[] dims)
        {
            fixed (long* pointer = dims) return Wrap(NativeMethods.ct_flip(Owned, pointer, dims.Length));
        }

        public Tensor expand(params long[] sizes) => expand((ReadOnlySpan<long>)sizes);
        public unsafe Tensor expand(ReadOnlySpan<long> sizes, bool isImplicit = false)
        {
            fixed (long* pointer = sizes) return Wrap(NativeMethods.ct_expand(Owned, pointer, sizes.Length, isImplicit ? 1 : 0));
        }

        public Tensor expand_as(Tensor other) => expand(other.shape);

        /// <summary>Views of at most <paramref name="size"/> along a dimension; the last may be shorter.</summary>
        public unsafe Tensor[] split(long size, int dim = 0)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
            var length = this.size(dim);
            var handles = new nint[Math.Max(1, (length + size - 1) / size)];
            fixed (nint* pointer = handles) Native.Check(NativeMethods.ct_split(Owned, size, dim, pointer, handles.Length));
            return [.. handles.Select(handle => new Tensor(new TensorHandle(handle)))];
        }

        // New tensors like this one.
        public Tensor empty_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            empty(shape, dtype ?? this.dtype, device ?? this.device, requires_grad);
        public Tensor zeros_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            zeros(shape, dtype ?? this.dtype, device ?? this.device, requires_grad);
        public Tensor ones_like(ScalarType? dtype = null, Device? device = null, bool requires_grad = false) =>
            ones(shape, dtype ?? this.dtype, device ?? this.device, requires_grad);

        // Random fills, in place. https://pytorch.org/docs/stable/torch.html#in-place-random-sampling
        public Tensor uniform_(double from, double to, Generator? generator = null) =>
            InPlace(NativeMethods.ct_uniform_(Owned, from, to, Generator.HandleOf(generator)));
        public Tensor normal_(double mean = 0.0, double std = 1.0, Generator? generator = null) =>
            InPlace(NativeMethods.ct_normal_(Owned, mean, std, Generator.HandleOf(generator)));
    }
}
