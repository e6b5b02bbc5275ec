using TorchSharp.Modules;

namespace TorchSharp;

/// <summary>Conversions of tensors of one element; they wait for the device.</summary>
public static class TensorExtensionMethods
{
    public static float ToSingle(this torch.Tensor value) => (float)value.ItemValue().AsDouble;
    public static double ToDouble(this torch.Tensor value) => value.ItemValue().AsDouble;
    public static long ToInt64(this torch.Tensor value) => value.ItemValue().AsInt64;
    public static int ToInt32(this torch.Tensor value) => checked((int)value.ItemValue().AsInt64);
    public static bool ToBoolean(this torch.Tensor value) => value.ItemValue().AsBoolean;

    /// <summary>The tensor as a trainable parameter; the tensor itself is taken over.</summary>
    public static Parameter AsParameter(this torch.Tensor tensor) => new(tensor);
}
