using System.Globalization;

namespace TorchSharp;

public static partial class torch
{
    public static readonly Device CPU = new(DeviceType.CPU);
    /// <summary>The current CUDA device.</summary>
    public static readonly Device CUDA = new(DeviceType.CUDA);

    /// <param name="description">"cpu", "cuda" or "cuda:1".</param>
    public static Device device(string description) => new(description);
    public static Device device(string deviceType, int index = -1) => new(deviceType, index);
    public static Device device(DeviceType deviceType, int index = -1) => new(deviceType, index);
    /// <summary>The CUDA device with this index.</summary>
    public static Device device(int index) => new(index);

    /// <summary>Where a tensor lives. https://pytorch.org/docs/stable/tensor_attributes.html#torch.device</summary>
    public class Device
    {
        public Device(DeviceType deviceType, int index = -1)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(index, -1);
            type = deviceType;
            this.index = index;
        }

        public Device(int index) : this(DeviceType.CUDA, index) { }

        public Device(string deviceType, int index = -1) : this(TypeNamed(deviceType), index) { }

        /// <exception cref="ArgumentException">Neither "cpu" nor "cuda" nor "cuda:N".</exception>
        public Device(string description)
        {
            ArgumentNullException.ThrowIfNull(description);
            var colon = description.IndexOf(':', StringComparison.Ordinal);
            type = TypeNamed(colon < 0 ? description : description[..colon]);
            index = -1;
            if (colon < 0) return;
            if (!int.TryParse(description.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                throw new ArgumentException($"'{description}' is not a device: write 'cpu', 'cuda' or 'cuda:0'", nameof(description));
            index = number;
        }

        public DeviceType type { get; }

        /// <summary>-1 = the current one of its type.</summary>
        public int index { get; }

        public static implicit operator Device(string description) => new(description);

        public override string ToString() => index < 0 ? NameOf(type) : $"{NameOf(type)}:{index}";

        private static string NameOf(DeviceType type) => type switch { DeviceType.CPU => "cpu", DeviceType.CUDA => "cuda", _ => "meta" };

        private static DeviceType TypeNamed(string name) => name switch
        {
            "cpu" => DeviceType.CPU,
            "cuda" => DeviceType.CUDA,
            "meta" => DeviceType.META,
            _ => throw new ArgumentException($"'{name}' is not a kind of device: write 'cpu', 'cuda' or 'cuda:0'", nameof(name)),
        };
    }
}
