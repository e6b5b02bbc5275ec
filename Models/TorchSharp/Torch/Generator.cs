using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A stream of random numbers with a state of its own. Not thread-safe. https://pytorch.org/docs/stable/generated/torch.Generator.html</summary>
    public class Generator : IDisposable
    {
        private readonly GeneratorHandle _handle;

        private Generator(GeneratorHandle handle, Device device)
        {
            if (handle.IsInvalid) Native.Throw();
            _handle = handle;
            this.device = device;
        }

        public Generator(ulong seed = 0, Device? device = null) : this(New(seed, device ?? CPU), device ?? CPU) { }

        /// <summary>The CPU's, which operators use when none is given.</summary>
        public static Generator Default => new(NativeMethods.ct_generator_default(), CPU);

        public nint Handle => Open.DangerousGetHandle();

        public Device device { get; }

        private GeneratorHandle Open
        {
            get
            {
                ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
                return _handle;
            }
        }

        internal static GeneratorHandle HandleOf(Generator? generator) => generator is null ? GeneratorHandle.None : generator.Open;

        public Generator manual_seed(long seed)
        {
            Native.Check(NativeMethods.ct_generator_set_seed(Open, unchecked((ulong)seed)));
            return this;
        }

        public long initial_seed() => unchecked((long)NativeMethods.ct_generator_seed(Open));

        /// <summary>The state as bytes.</summary>
        public Tensor get_state() => Native.Wrap(NativeMethods.ct_generator_state(Open));
        public void set_state(Tensor value) => Native.Check(NativeMethods.ct_generator_set_state(Open, value.Owned));

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing) => _handle.Dispose();

        private static GeneratorHandle New(ulong seed, Device device) => NativeMethods.ct_generator_new(seed, (int)device.type, device.index);
    }
}
