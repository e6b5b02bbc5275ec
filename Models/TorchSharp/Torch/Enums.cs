namespace TorchSharp;

/// <summary>Kinds of devices, with c10's own codes. https://pytorch.org/docs/stable/tensor_attributes.html#torch.device</summary>
public enum DeviceType
{
    CPU = 0,
    CUDA = 1,
    META = 14,
}

/// <summary>How a convolution pads, beside explicit numbers: not at all, or so that the output keeps the input's size.</summary>
public enum Padding
{
    Valid = 0,
    Same = 1,
}

/// <summary>What is padded with. https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html</summary>
public enum PaddingModes
{
    Zeros = 0,
    Reflect = 1,
    Replicate = 2,
    Circular = 3,
    Constant = 4,
}

/// <summary>How <see cref="torch.Tensor.ToString()"/> writes a tensor.</summary>
public enum TensorStringStyle
{
    Metadata,
    Julia,
    Numpy,
    Default,
}

public static partial class torch
{
    /// <summary>Element types, with c10's own codes. https://pytorch.org/docs/stable/tensor_attributes.html#torch.dtype</summary>
#pragma warning disable CA1028 // TorchSharp's own underlying type
    public enum ScalarType : sbyte
    {
        Byte = 0,
        Int8 = 1,
        Int16 = 2,
        Int32 = 3,
        Int64 = 4,
        Float16 = 5,
        Float32 = 6,
        Float64 = 7,
        ComplexFloat32 = 9,
        ComplexFloat64 = 10,
        Bool = 11,
        BFloat16 = 15,
    }
#pragma warning restore CA1028

    public const ScalarType uint8 = ScalarType.Byte;
    public const ScalarType int8 = ScalarType.Int8;
    public const ScalarType int16 = ScalarType.Int16;
    public const ScalarType int32 = ScalarType.Int32;
    public const ScalarType int64 = ScalarType.Int64;
    public const ScalarType @long = ScalarType.Int64;
    public const ScalarType float16 = ScalarType.Float16;
    public const ScalarType half = ScalarType.Float16;
    public const ScalarType float32 = ScalarType.Float32;
    public const ScalarType @float = ScalarType.Float32;
    public const ScalarType float64 = ScalarType.Float64;
    public const ScalarType @double = ScalarType.Float64;
    public const ScalarType bfloat16 = ScalarType.BFloat16;
    public const ScalarType @bool = ScalarType.Bool;

    public static partial class nn
    {
#pragma warning disable CA1028 // TorchSharp's own underlying type
        /// <summary>How the losses of a batch become one number.</summary>
        public enum Reduction : long
        {
            None = 0,
            Mean = 1,
            Sum = 2,
        }
#pragma warning restore CA1028
    }
}
