using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Reductions, products and look-ups. https://pytorch.org/docs/stable/torch.html#reduction-ops
    public partial class Tensor
    {
        /// <summary>The sum of all elements, in another type if one is given. Beware: the literal 0 is a ScalarType to C#; write <c>sum(0L)</c> for the first dimension.</summary>
        public Tensor sum(ScalarType? type = null) => Wrap(NativeMethods.ct_sum(Owned, Code(type)));
        public unsafe Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) =>
            Wrap(NativeMethods.ct_sum_dims(Owned, &dim, 1, keepdim ? 1 : 0, Code(type)));
        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => sum((ReadOnlySpan<long>)dim, keepdim, type);
        public unsafe Tensor sum(ReadOnlySpan<long> dim, bool keepdim = false, ScalarType? type = null)
        {
            fixed (long* pointer = dim) return Wrap(NativeMethods.ct_sum_dims(Owned, pointer, dim.Length, keepdim ? 1 : 0, Code(type)));
        }

        public Tensor mean() => Wrap(NativeMethods.ct_mean(Owned));
        public unsafe Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null)
        {
            fixed (long* pointer = dimensions) return Wrap(NativeMethods.ct_mean_dims(Owned, pointer, dimensions.Length, keepdim ? 1 : 0, Code(type)));
        }

        /// <summary>Variance over some dimensions; unbiased divides by n - 1.</summary>
        public unsafe Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null)
        {
            if (type is { } wanted)
            {
                using var converted = to(wanted);
                return converted.var(dimensions, unbiased, keepdim);
            }
            fixed (long* pointer = dimensions)
                return Wrap(NativeMethods.ct_var_dims(Owned, pointer, dimensions.Length, unbiased ? 1 : 0, keepdim ? 1 : 0));
        }

        public Tensor max() => Wrap(NativeMethods.ct_max(Owned));
        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) =>
            Native.WrapPair(NativeMethods.ct_max_dim(Owned, dim, keepdim ? 1 : 0, out var indices), indices);
        public Tensor min() => Wrap(NativeMethods.ct_min(Owned));
        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) =>
            Native.WrapPair(NativeMethods.ct_min_dim(Owned, dim, keepdim ? 1 : 0, out var indices), indices);
        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true) =>
            Native.WrapPair(NativeMethods.ct_topk(Owned, k, dim, largest ? 1 : 0, sorted ? 1 : 0, out var indices), indices);
        public Tensor argmax() => Wrap(NativeMethods.ct_argmax(Owned));
        public Tensor argmax(long dim, bool keepdim = false) => Wrap(NativeMethods.ct_argmax_dim(Owned, dim, keepdim ? 1 : 0));
        public Tensor all() => Wrap(NativeMethods.ct_all(Owned));
        public Tensor all(long dim, bool keepdim = false) => Wrap(NativeMethods.ct_all_dim(Owned, dim, keepdim ? 1 : 0));
        public Tensor any() => Wrap(NativeMethods.ct_any(Owned));
        public Tensor any(long dim, bool keepdim = false) => Wrap(NativeMethods.ct_any_dim(Owned, dim, keepdim ? 1 : 0));
        /// <summary>The p-norm of all elements. Beware: an integer literal is a dimension (the other overload); write <c>norm(1f)</c>.</summary>
        public Tensor norm(float p = 2.0f) => Wrap(NativeMethods.ct_norm(Owned, p));
        public Tensor norm(int dim, bool keepdim = false, float p = 2.0f) => Wrap(NativeMethods.ct_norm_dim(Owned, p, dim, keepdim ? 1 : 0));

        public Tensor softmax(long dim, ScalarType? dtype = null) => Wrap(NativeMethods.ct_softmax(Owned, dim, Code(dtype)));
        public Tensor log_softmax(long dim, ScalarType? dtype = null) => Wrap(NativeMethods.ct_log_softmax(Owned, dim, Code(dtype)));

        public Tensor matmul(Tensor target) => Wrap(NativeMethods.ct_matmul(Owned, target.Owned));
        public Tensor mm(Tensor target) => Wrap(NativeMethods.ct_mm(Owned, target.Owned));

        /// <param name="index">int64, of this tensor's number of dimensions.</param>
        public Tensor gather(long dim, Tensor index) => Wrap(NativeMethods.ct_gather(Owned, dim, index.Owned));
        /// <param name="index">int64, one dimension.</param>
        public Tensor index_select(long dim, Tensor index) => Wrap(NativeMethods.ct_index_select(Owned, dim, index.Owned));
        public Tensor masked_fill(Tensor mask, Scalar value) => Wrap(NativeMethods.ct_masked_fill(Owned, mask.Owned, value.Value));

        private static int Code(ScalarType? type) => type is { } given ? (int)given : -1;
    }
}
