using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>
        /// What layers compute. Images are [N, C, H, W]; sizes, strides and paddings are (height, width), and one number
        /// means both. https://pytorch.org/docs/stable/nn.functional.html
        /// </summary>
        public static unsafe partial class functional
        {
            private static readonly Pair Ones = Pair.Of(1), Zeros = Pair.Of(0);

            /// <param name="weight">[out, in / groups, kH, kW].</param>
            /// <param name="bias">[out].</param>
            public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                Conv2d(input, weight, bias, Pair.Of(strides, Ones), Pair.Of(padding, Zeros), Pair.Of(dilation, Ones), groups);

            internal static Tensor Conv2d(Tensor input, Tensor weight, Tensor? bias, Pair stride, Pair padding, Pair dilation, long groups) =>
                Native.Wrap(NativeMethods.ct_conv2d(input.Owned, weight.Owned, Optional(bias), (long*)&stride, (long*)&padding, (long*)&dilation, groups));

            internal static Tensor Conv2dSame(Tensor input, Tensor weight, Tensor? bias, Pair stride, Pair dilation, long groups) =>
                Native.Wrap(NativeMethods.ct_conv2d_same(input.Owned, weight.Owned, Optional(bias), (long*)&stride, (long*)&dilation, groups));

            /// <summary>input [*, in] times weights [out, in] transposed, plus bias [out].</summary>
            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) =>
                Native.Wrap(NativeMethods.ct_linear(input.Owned, weights.Owned, Optional(bias)));

            /// <summary>In training, normalises with the batch's statistics and moves the running ones, in place, by <paramref name="momentum"/>.</summary>
            /// <param name="running_mean">[C]; null where no statistics are kept.</param>
            public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null, bool training = false, double momentum = 0.1, double eps = 1e-05) =>
                Native.Wrap(NativeMethods.ct_batch_norm(
                    input.Owned, Optional(weight), Optional(bias), Optional(running_mean), Optional(running_var), training ? 1 : 0, momentum, eps));

            public static Tensor relu(Tensor x, bool inplace = false) => inplace ? x.relu_().alias() : x.relu();

            /// <param name="stride">The kernel's size by default, so that windows do not overlap.</param>
            public static Tensor max_pool2d(Tensor input, long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceil_mode = false) =>
                MaxPool2d(input, Pair.Of(kernelSize), Pair.Of(stride ?? kernelSize), Pair.Of(padding ?? 0), Pair.Of(dilation ?? 1), ceil_mode);

            public static Tensor max_pool2d(Tensor input, (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceil_mode = false) =>
                MaxPool2d(input, Pair.Of(kernelSize), Pair.Of(stride ?? kernelSize), Pair.Of(padding ?? (0, 0)), Pair.Of(dilation ?? (1, 1)), ceil_mode);

            public static Tensor max_pool2d(Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
            {
                var kernel = Pair.Of(kernelSize, Ones);
                return MaxPool2d(input, kernel, Pair.Of(strides, kernel), Pair.Of(padding, Zeros), Pair.Of(dilation, Ones), ceil_mode);
            }

            internal static Tensor MaxPool2d(Tensor input, Pair kernel, Pair stride, Pair padding, Pair dilation, bool ceilMode) =>
                Native.Wrap(NativeMethods.ct_max_pool2d(input.Owned, (long*)&kernel, (long*)&stride, (long*)&padding, (long*)&dilation, ceilMode ? 1 : 0));

            public static (Tensor output, Tensor indices) max_pool2d_with_indices(Tensor input, long[] kernelSize, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false)
            {
                var kernel = Pair.Of(kernelSize, Ones);
                return MaxPool2dWithIndices(input, kernel, Pair.Of(strides, kernel), Pair.Of(padding, Zeros), Pair.Of(dilation, Ones), ceil_mode);
            }

            internal static (Tensor, Tensor) MaxPool2dWithIndices(Tensor input, Pair kernel, Pair stride, Pair padding, Pair dilation, bool ceilMode) =>
                Native.WrapPair(
                    NativeMethods.ct_max_pool2d_with_indices(
                        input.Owned, (long*)&kernel, (long*)&stride, (long*)&padding, (long*)&dilation, ceilMode ? 1 : 0, out var indices), indices);

            public static Tensor avg_pool2d(Tensor input, long kernelSize, long? stride = null, long padding = 0, bool ceil_mode = false, bool count_include_pad = true) =>
                AvgPool2d(input, Pair.Of(kernelSize), Pair.Of(stride ?? kernelSize), Pair.Of(padding), ceil_mode, count_include_pad, 0);

            public static Tensor avg_pool2d(Tensor input, (long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true) =>
                AvgPool2d(input, Pair.Of(kernelSize), Pair.Of(stride ?? kernelSize), Pair.Of(padding ?? (0, 0)), ceil_mode, count_include_pad, 0);

            public static Tensor avg_pool2d(Tensor input, long[] kernelSizes, long[]? strides = null, long[]? paddings = null, bool ceil_mode = false, bool count_include_pad = true)
            {
                var kernel = Pair.Of(kernelSizes, Ones);
                return AvgPool2d(input, kernel, Pair.Of(strides, kernel), Pair.Of(paddings, Zeros), ceil_mode, count_include_pad, 0);
            }

            internal static Tensor AvgPool2d(Tensor input, Pair kernel, Pair stride, Pair padding, bool ceilMode, bool countIncludePad, long divisor) =>
                Native.Wrap(NativeMethods.ct_avg_pool2d(
                    input.Owned, (long*)&kernel, (long*)&stride, (long*)&padding, ceilMode ? 1 : 0, countIncludePad ? 1 : 0, divisor));

            public static Tensor adaptive_avg_pool2d(Tensor input, long output_size) => AdaptiveAvgPool2d(input, Pair.Of(output_size));
            public static Tensor adaptive_avg_pool2d(Tensor input, (long, long) output_size) => AdaptiveAvgPool2d(input, Pair.Of(output_size));
            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => AdaptiveAvgPool2d(input, Pair.Of(output_size, Ones));
            internal static Tensor AdaptiveAvgPool2d(Tensor input, Pair size) => Native.Wrap(NativeMethods.ct_adaptive_avg_pool2d(input.Owned, (long*)&size));

            public static Tensor adaptive_max_pool2d(Tensor x, long[] outputSize) => AdaptiveMaxPool2d(x, Pair.Of(outputSize, Ones));
            internal static Tensor AdaptiveMaxPool2d(Tensor input, Pair size) => Native.Wrap(NativeMethods.ct_adaptive_max_pool2d(input.Owned, (long*)&size));

            /// <param name="pad">Two numbers (before, after) per dimension, the last dimension first.</param>
            public static Tensor pad(Tensor input, ReadOnlySpan<long> pad, PaddingModes mode = PaddingModes.Constant, double value = 0)
            {
                var code = mode is PaddingModes.Constant or PaddingModes.Zeros ? 0 : (int)mode;
                fixed (long* amounts = pad) return Native.Wrap(NativeMethods.ct_pad(input.Owned, amounts, pad.Length, code, value));
            }

            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, (ReadOnlySpan<long>)pad, mode, value);
            public static Tensor pad(Tensor input, (long, long, long, long) pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                functional.pad(input, [pad.Item1, pad.Item2, pad.Item3, pad.Item4], mode, value);

            /// <summary>Zeroes elements with probability p and scales the rest by 1 / (1 - p), with the default generator.</summary>
            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false)
            {
                if (!inplace) return Native.Wrap(NativeMethods.ct_dropout(input.Owned, p, training ? 1 : 0));
                Native.Check(NativeMethods.ct_dropout_(input.Owned, p, training ? 1 : 0));
                return input.alias();
            }

            /// <summary>Cross-entropy of logits [N, C, ...] with classes [N, ...] (int64) or probabilities [N, C, ...], in nats.</summary>
            /// <param name="weight">[C].</param>
            /// <param name="ignore_index">Samples of this class count for nothing.</param>
            public static Tensor cross_entropy(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean, double label_smoothing = 0) =>
                Native.Wrap(NativeMethods.ct_cross_entropy(input.Owned, target.Owned, Optional(weight), ignore_index, (long)reduction, label_smoothing));

            /// <summary>Negative log-likelihood of log-probabilities [N, C, ...].</summary>
            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
                Native.Wrap(NativeMethods.ct_nll_loss(input.Owned, target.Owned, Optional(weight), (long)reduction));

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);
            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);

            /// <summary>Normalisation over <paramref name="size"/> neighbouring channels (Krizhevsky et al. 2012, section 3.3).</summary>
            public static Tensor local_response_norm(Tensor input, long size, double alpha = 0.0001, double beta = 0.75, double k = 1.0) =>
                Native.Wrap(NativeMethods.ct_local_response_norm(input.Owned, size, alpha, beta, k));

            private static TensorHandle Optional(Tensor? tensor) => tensor is null ? TensorHandle.None : tensor.Owned;
        }
    }
}
