using System.Runtime.InteropServices;

namespace TorchSharp.Interop;

// native/operators.cpp
internal static unsafe partial class NativeMethods
{
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_relu(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_neg(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_abs(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_exp(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_log(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_sqrt(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_square(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_sigmoid(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_tanh(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_isfinite(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_isnan(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_isinf(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_logical_not(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_mean(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_max(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_min(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_argmax(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_all(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_any(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_transpose_2d(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_relu_(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_zero_(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_neg_(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_sqrt_(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_sub(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_mul(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_eq(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_ne(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_lt(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_le(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_gt(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_ge(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_maximum(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_minimum(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_matmul(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_mm(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_logical_and(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_logical_or(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_sub_(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_mul_(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_div(TensorHandle t, TensorHandle other, int rounding);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_div_(TensorHandle t, TensorHandle other, int rounding);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_div_scalar(TensorHandle t, ScalarValue value, int rounding);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_div_scalar_(TensorHandle t, ScalarValue value, int rounding);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_add(TensorHandle t, TensorHandle other, ScalarValue alpha);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_add_(TensorHandle t, TensorHandle other, ScalarValue alpha);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_add_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_sub_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_rsub_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_mul_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_rdiv_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_pow_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_eq_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_ne_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_lt_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_le_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_gt_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_ge_scalar(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_add_scalar_(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_sub_scalar_(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_mul_scalar_(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_fill_(TensorHandle t, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_clamp(TensorHandle t, ScalarValue min, ScalarValue max, int bounds);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_sum(TensorHandle t, int dtype);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_sum_dims(TensorHandle t, long* dims, int count, int keepdim, int dtype);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_mean_dims(TensorHandle t, long* dims, int count, int keepdim, int dtype);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_var_dims(TensorHandle t, long* dims, int count, int unbiased, int keepdim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_argmax_dim(TensorHandle t, long dim, int keepdim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_all_dim(TensorHandle t, long dim, int keepdim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_any_dim(TensorHandle t, long dim, int keepdim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_max_dim(TensorHandle t, long dim, int keepdim, out nint indices);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_min_dim(TensorHandle t, long dim, int keepdim, out nint indices);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_topk(TensorHandle t, int k, long dim, int largest, int sorted, out nint indices);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_norm(TensorHandle t, double p);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_norm_dim(TensorHandle t, double p, long dim, int keepdim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_softmax(TensorHandle t, long dim, int dtype);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_log_softmax(TensorHandle t, long dim, int dtype);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_equal(TensorHandle t, TensorHandle other);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_allclose(TensorHandle t, TensorHandle other, double rtol, double atol, int equalNan);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_view(TensorHandle t, long* sizes, int count);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_reshape(TensorHandle t, long* sizes, int count);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_expand(TensorHandle t, long* sizes, int count, int isImplicit);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_permute(TensorHandle t, long* dims, int count);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_flip(TensorHandle t, long* dims, int count);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_flatten(TensorHandle t, long start, long end);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_transpose(TensorHandle t, long a, long b);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_narrow(TensorHandle t, long dim, long start, long length);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_slice(TensorHandle t, long dim, long start, long end, long step);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_select(TensorHandle t, long dim, long index);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_unsqueeze(TensorHandle t, long dim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_squeeze(TensorHandle t);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_squeeze_dim(TensorHandle t, long dim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_gather(TensorHandle t, long dim, TensorHandle index);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_index_select(TensorHandle t, long dim, TensorHandle index);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_masked_fill(TensorHandle t, TensorHandle mask, ScalarValue value);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_where(TensorHandle condition, TensorHandle x, TensorHandle y);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_cat(nint* tensors, int count, long dim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial TensorHandle ct_stack(nint* tensors, int count, long dim);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_split(TensorHandle t, long size, long dim, nint* output, int capacity);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_uniform_(TensorHandle t, double from, double to, GeneratorHandle generator);
    [LibraryImport(NativeLibraryLoader.Library)]
    internal static partial int ct_normal_(TensorHandle t, double mean, double std, GeneratorHandle generator);
}
