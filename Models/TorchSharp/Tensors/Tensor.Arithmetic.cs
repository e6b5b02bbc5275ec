using TorchSharp.Interop;

namespace TorchSharp;

public static partial class torch
{
    // Elementwise arithmetic and comparison, with broadcasting; a trailing _ works in place and returns this.
    // https://pytorch.org/docs/stable/torch.html#pointwise-ops
    public partial class Tensor
    {
        private static readonly ScalarValue One = new(1, 0, 1);

        public Tensor add(Tensor target) => Wrap(NativeMethods.ct_add(Owned, target.Owned, One));
        /// <summary>this + alpha * target.</summary>
        public Tensor add(Tensor target, Scalar alpha) => Wrap(NativeMethods.ct_add(Owned, target.Owned, alpha.Value));
        public Tensor add(Scalar scalar) => Wrap(NativeMethods.ct_add_scalar(Owned, scalar.Value));
        public Tensor add_(Tensor target) => InPlace(NativeMethods.ct_add_(Owned, target.Owned, One));
        public Tensor add_(Tensor target, Scalar alpha) => InPlace(NativeMethods.ct_add_(Owned, target.Owned, alpha.Value));
        public Tensor add_(Scalar scalar) => InPlace(NativeMethods.ct_add_scalar_(Owned, scalar.Value));

        public Tensor sub(Tensor target) => Wrap(NativeMethods.ct_sub(Owned, target.Owned));
        public Tensor sub(Scalar target) => Wrap(NativeMethods.ct_sub_scalar(Owned, target.Value));
        public Tensor sub_(Tensor target) => InPlace(NativeMethods.ct_sub_(Owned, target.Owned));
        public Tensor sub_(Scalar target) => InPlace(NativeMethods.ct_sub_scalar_(Owned, target.Value));

        public Tensor mul(Tensor target) => Wrap(NativeMethods.ct_mul(Owned, target.Owned));
        public Tensor mul(Scalar target) => Wrap(NativeMethods.ct_mul_scalar(Owned, target.Value));
        public Tensor mul_(Tensor target) => InPlace(NativeMethods.ct_mul_(Owned, target.Owned));
        public Tensor mul_(Scalar target) => InPlace(NativeMethods.ct_mul_scalar_(Owned, target.Value));

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            Wrap(NativeMethods.ct_div(Owned, target.Owned, (int)rounding_mode));
        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            Wrap(NativeMethods.ct_div_scalar(Owned, target.Value, (int)rounding_mode));
        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            InPlace(NativeMethods.ct_div_(Owned, target.Owned, (int)rounding_mode));
        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            InPlace(NativeMethods.ct_div_scalar_(Owned, target.Value, (int)rounding_mode));

        public Tensor pow(Scalar exponent) => Wrap(NativeMethods.ct_pow_scalar(Owned, exponent.Value));
        public Tensor neg() => Wrap(NativeMethods.ct_neg(Owned));
        public Tensor neg_() => InPlace(NativeMethods.ct_neg_(Owned));
        public Tensor abs() => Wrap(NativeMethods.ct_abs(Owned));
        public Tensor exp() => Wrap(NativeMethods.ct_exp(Owned));
        public Tensor log() => Wrap(NativeMethods.ct_log(Owned));
        public Tensor sqrt() => Wrap(NativeMethods.ct_sqrt(Owned));
        public Tensor sqrt_() => InPlace(NativeMethods.ct_sqrt_(Owned));
        public Tensor square() => Wrap(NativeMethods.ct_square(Owned));
        public Tensor sigmoid() => Wrap(NativeMethods.ct_sigmoid(Owned));
        public Tensor tanh() => Wrap(NativeMethods.ct_tanh(Owned));
        public Tensor relu() => Wrap(NativeMethods.ct_relu(Owned));
        public Tensor relu_() => InPlace(NativeMethods.ct_relu_(Owned));
        public Tensor zero_() => InPlace(NativeMethods.ct_zero_(Owned));
        public Tensor fill_(Scalar value) => InPlace(NativeMethods.ct_fill_(Owned, value.Value));
        public Tensor maximum(Tensor other) => Wrap(NativeMethods.ct_maximum(Owned, other.Owned));
        public Tensor minimum(Tensor other) => Wrap(NativeMethods.ct_minimum(Owned, other.Owned));

        /// <exception cref="ArgumentException">Neither bound is given.</exception>
        public Tensor clamp(Scalar? min = null, Scalar? max = null)
        {
            if (min is null && max is null) throw new ArgumentException("clamp needs min, max or both", nameof(min));
            return Wrap(NativeMethods.ct_clamp(Owned, min?.Value ?? default, max?.Value ?? default, (min is null ? 0 : 1) | (max is null ? 0 : 2)));
        }

        public Tensor isfinite() => Wrap(NativeMethods.ct_isfinite(Owned));
        public Tensor isnan() => Wrap(NativeMethods.ct_isnan(Owned));
        public Tensor isinf() => Wrap(NativeMethods.ct_isinf(Owned));
        public Tensor logical_not() => Wrap(NativeMethods.ct_logical_not(Owned));
        public Tensor logical_and(Tensor other) => Wrap(NativeMethods.ct_logical_and(Owned, other.Owned));
        public Tensor logical_or(Tensor other) => Wrap(NativeMethods.ct_logical_or(Owned, other.Owned));

        public Tensor eq(Tensor target) => Wrap(NativeMethods.ct_eq(Owned, target.Owned));
        public Tensor eq(Scalar target) => Wrap(NativeMethods.ct_eq_scalar(Owned, target.Value));
        public Tensor ne(Tensor target) => Wrap(NativeMethods.ct_ne(Owned, target.Owned));
        public Tensor ne(Scalar target) => Wrap(NativeMethods.ct_ne_scalar(Owned, target.Value));
        public Tensor lt(Tensor target) => Wrap(NativeMethods.ct_lt(Owned, target.Owned));
        public Tensor lt(Scalar target) => Wrap(NativeMethods.ct_lt_scalar(Owned, target.Value));
        public Tensor le(Tensor target) => Wrap(NativeMethods.ct_le(Owned, target.Owned));
        public Tensor le(Scalar target) => Wrap(NativeMethods.ct_le_scalar(Owned, target.Value));
        public Tensor gt(Tensor target) => Wrap(NativeMethods.ct_gt(Owned, target.Owned));
        public Tensor gt(Scalar target) => Wrap(NativeMethods.ct_gt_scalar(Owned, target.Value));
        public Tensor ge(Tensor target) => Wrap(NativeMethods.ct_ge(Owned, target.Owned));
        public Tensor ge(Scalar target) => Wrap(NativeMethods.ct_ge_scalar(Owned, target.Value));

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false)
        {
            var answer = NativeMethods.ct_allclose(Owned, target.Owned, rtol, atol, equal_nan ? 1 : 0);
            Native.Check(answer);
            return answer == 1;
        }

        public static Tensor operator +(Tensor left, Tensor right) => left.add(right);
        public static Tensor operator +(Tensor left, Scalar right) => left.add(right);
        public static Tensor operator +(Scalar left, Tensor right) => right.add(left);
        public static Tensor operator -(Tensor left, Tensor right) => left.sub(right);
        public static Tensor operator -(Tensor left, Scalar right) => left.sub(right);
        public static Tensor operator -(Scalar left, Tensor right) => Wrap(NativeMethods.ct_rsub_scalar(right.Owned, left.Value));
        public static Tensor operator *(Tensor left, Tensor right) => left.mul(right);
        public static Tensor operator *(Tensor left, Scalar right) => left.mul(right);
        public static Tensor operator *(Scalar left, Tensor right) => right.mul(left);
        public static Tensor operator /(Tensor left, Tensor right) => left.div(right);
        public static Tensor operator /(Tensor left, Scalar right) => left.div(right);
        public static Tensor operator /(Scalar left, Tensor right) => Wrap(NativeMethods.ct_rdiv_scalar(right.Owned, left.Value));
        public static Tensor operator -(Tensor tensor) => tensor.neg();
    }

    /// <summary>How a quotient is rounded.</summary>
    public enum RoundingMode
    {
        None,
        trunc,
        floor,
    }
}
