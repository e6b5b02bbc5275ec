using TorchSharp.Interop;
using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    // How layers are made: PyTorch's constructors. https://pytorch.org/docs/stable/nn.html
    public static partial class nn
    {
        public static Parameter Parameter(Tensor data, bool requires_grad = true) => new(data, requires_grad);

        public static Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, long stride = 1, long padding = 0, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(in_channels, out_channels, Pair.Of(kernel_size), Pair.Of(stride), Pair.Of(padding), Pair.Of(dilation), false, padding_mode, groups, bias, device, dtype);

        public static Conv2d Conv2d(long in_channels, long out_channels, (long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(in_channels, out_channels, Pair.Of(kernel_size), Pair.Of(stride ?? (1, 1)), Pair.Of(padding ?? (0, 0)), Pair.Of(dilation ?? (1, 1)), false, padding_mode, groups, bias, device, dtype);

        public static Conv2d Conv2d(long in_channels, long out_channels, long kernel_size, Padding padding, long stride = 1, long dilation = 1, PaddingModes padding_mode = PaddingModes.Zeros, long groups = 1, bool bias = true, Device? device = null, ScalarType? dtype = null) =>
            new(in_channels, out_channels, Pair.Of(kernel_size), Pair.Of(stride), Pair.Of(0), Pair.Of(dilation), padding == Padding.Same, padding_mode, groups, bias, device, dtype);

        public static BatchNorm2d BatchNorm2d(long features, double eps = 1e-05, double momentum = 0.1, bool affine = true, bool track_running_stats = true, Device? device = null, ScalarType? dtype = null) =>
            new(features, eps, momentum, affine, track_running_stats, device, dtype);

        public static Linear Linear(long inputSize, long outputSize, bool hasBias = true, Device? device = null, ScalarType? dtype = null) =>
            new(inputSize, outputSize, hasBias, device, dtype);

        public static ReLU ReLU(bool inplace = false) => new(inplace);

        public static MaxPool2d MaxPool2d(long kernelSize, long? stride = null, long? padding = null, long? dilation = null, bool ceilMode = false) =>
            new(Pair.Of(kernelSize), Pair.Of(stride ?? kernelSize), Pair.Of(padding ?? 0), Pair.Of(dilation ?? 1), ceilMode);

        public static MaxPool2d MaxPool2d((long, long) kernelSize, (long, long)? stride = null, (long, long)? padding = null, (long, long)? dilation = null, bool ceilMode = false) =>
            new(Pair.Of(kernelSize), Pair.Of(stride ?? kernelSize), Pair.Of(padding ?? (0, 0)), Pair.Of(dilation ?? (1, 1)), ceilMode);

        public static AvgPool2d AvgPool2d(long kernel_size, long? stride = null, long? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
            new(Pair.Of(kernel_size), Pair.Of(stride ?? kernel_size), Pair.Of(padding ?? 0), ceil_mode, count_include_pad, divisor_override);

        public static AvgPool2d AvgPool2d((long, long) kernel_size, (long, long)? stride = null, (long, long)? padding = null, bool ceil_mode = false, bool count_include_pad = true, long? divisor_override = null) =>
            new(Pair.Of(kernel_size), Pair.Of(stride ?? kernel_size), Pair.Of(padding ?? (0, 0)), ceil_mode, count_include_pad, divisor_override);

        public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long outputSize) => new(Pair.Of(outputSize));
        public static AdaptiveAvgPool2d AdaptiveAvgPool2d((long, long) outputSize) => new(Pair.Of(outputSize));
        public static AdaptiveAvgPool2d AdaptiveAvgPool2d(long[] outputSize) => new(Pair.Of(outputSize, Pair.Of(1)));
        public static AdaptiveMaxPool2d AdaptiveMaxPool2d(long[] outputSize) => new(Pair.Of(outputSize, Pair.Of(1)));

        public static Flatten Flatten(long startDim = 1, long endDim = -1) => new(startDim, endDim);

        /// <exception cref="ArgumentOutOfRangeException">p is no probability.</exception>
        public static Dropout Dropout(double p = 0.5, bool inplace = false)
        {
            if (p is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(p), $"dropout's p is a probability from 0 to 1, not {p}");
            return new Dropout(p, inplace);
        }

        public static LocalResponseNorm LocalResponseNorm(long size, double alpha = 0.0001, double beta = 0.75, double k = 1.0) => new(size, alpha, beta, k);
        public static Identity Identity() => new();

        public static Sequential Sequential() => new([]);
        public static Sequential Sequential(params Module<Tensor, Tensor>[] modules) => Sequential((IEnumerable<Module<Tensor, Tensor>>)modules);
        public static Sequential Sequential(IEnumerable<Module<Tensor, Tensor>> modules) => new(modules.Select((module, index) => (index.ToString(), module)));
        public static Sequential Sequential(params (string name, Module<Tensor, Tensor> submodule)[] modules) => new(modules);
        public static Sequential Sequential(IEnumerable<(string name, Module<Tensor, Tensor> submodule)> modules) => new(modules);

        public static ModuleList<Module> ModuleList(params Module[] modules) => new(modules);
        public static ModuleList<T> ModuleList<T>(params T[] modules) where T : Module => new(modules);

        public static CrossEntropyLoss CrossEntropyLoss(Tensor? weight = null, long? ignore_index = null, Reduction reduction = Reduction.Mean) =>
            new(weight, ignore_index, reduction);
    }
}
