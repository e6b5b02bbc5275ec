namespace Cluster.Workers.Data.Png;

/// <summary>The bytes are not a PNG file of the kind that <see cref="PngReader"/> reads; the message says where and why.</summary>
internal sealed class PngFormatException : Exception
{
    public PngFormatException(string message) : base(message) { }
    public PngFormatException(string message, Exception inner) : base(message, inner) { }
    public PngFormatException() { }
}
