namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        /// <summary>Something that can be called with one input.</summary>
        public interface IModule<T, TResult>
        {
            TResult call(T input1);
        }

        /// <summary>Where TorchSharp keeps its hooks, which this binding does not offer.</summary>
        public abstract class HookableModule<TPreHook, TPostHook> : Module
        {
            protected HookableModule(string name) : base(name) { }
        }

        /// <summary>A module of one input.</summary>
        public abstract class Module<T, TResult> : HookableModule<Func<Module<T, TResult>, T, T>, Func<Module<T, TResult>, T, TResult, TResult>>, IModule<T, TResult>
        {
            protected Module(string name) : base(name) { }

            /// <summary>What the module computes. The result is a new object that the caller, or the dispose scope, disposes.</summary>
            public abstract TResult forward(T input);

            public TResult call(T input) => forward(input);
        }

        /// <summary>A module of two inputs.</summary>
        public abstract class Module<T1, T2, TResult> : HookableModule<Func<Module<T1, T2, TResult>, T1, T2, (T1, T2)?>, Func<Module<T1, T2, TResult>, T1, T2, TResult, TResult>>
        {
            protected Module(string name) : base(name) { }

            public abstract TResult forward(T1 input1, T2 input2);

            public TResult call(T1 input1, T2 input2) => forward(input1, input2);
        }
    }
}

/// <summary>A module that compares a prediction with a target.</summary>
public abstract class Loss<T1, T2, TResult> : torch.nn.Module<T1, T2, TResult>
{
    protected Loss(torch.nn.Reduction reduction = torch.nn.Reduction.Mean) : base(nameof(Loss<T1, T2, TResult>)) => this.reduction = reduction;

    public torch.nn.Reduction reduction { get; }
}

/// <summary>A loss with a weight per class.</summary>
public abstract class WeightedLoss<T1, T2, TResult> : Loss<T1, T2, TResult>
{
    protected WeightedLoss(torch.Tensor? weight = null, torch.nn.Reduction reduction = torch.nn.Reduction.Mean) : base(reduction) => this.weight = weight;

    public torch.Tensor? weight { get; }
}

/// <summary>Moves modules between devices and types, in place; each returns its module.</summary>
public static class ModuleExtensionMethods
{
    public static T to<T>(this T module, torch.Device device) where T : torch.nn.Module => Converted(module, device, null);
    public static T to<T>(this T module, string device) where T : torch.nn.Module => Converted(module, new torch.Device(device), null);
    public static T to<T>(this T module, DeviceType deviceType, int deviceIndex = -1) where T : torch.nn.Module =>
        Converted(module, new torch.Device(deviceType, deviceIndex), null);
    public static T to<T>(this T module, torch.ScalarType type) where T : torch.nn.Module => Converted(module, null, type);
    public static T to<T>(this T module, torch.Device device, torch.ScalarType type) where T : torch.nn.Module => Converted(module, device, type);
    public static T cpu<T>(this T module) where T : torch.nn.Module => Converted(module, torch.CPU, null);
    public static T cuda<T>(this T module, int deviceIndex = -1) where T : torch.nn.Module =>
        Converted(module, new torch.Device(DeviceType.CUDA, deviceIndex), null);

    private static T Converted<T>(T module, torch.Device? device, torch.ScalarType? type) where T : torch.nn.Module
    {
        module.Convert(device, type);
        return module;
    }
}
