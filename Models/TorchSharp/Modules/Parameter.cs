namespace TorchSharp.Modules;

/// <summary>A leaf tensor that is trained. https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html</summary>
public sealed class Parameter : torch.Tensor
{
    /// <param name="data">Taken over: the object given is disposed from then on.</param>
    public Parameter(torch.Tensor data, bool requires_grad = true) : base(data) => this.requires_grad = requires_grad;
}
