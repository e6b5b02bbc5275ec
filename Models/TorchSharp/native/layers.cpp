// torch.nn.functional: what a layer calls.
#include "cluster_torch.h"

#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/nll_loss.h>
#include <ATen/ops/nll_loss_nd.h>
#include <ATen/ops/pad.h>

using namespace cluster_torch;

namespace {
at::IntArrayRef pair(const int64_t* values) { return at::IntArrayRef(values, 2); }
}  // namespace

CT_EXPORT Handle ct_conv2d(Handle input, Handle weight, Handle bias, const int64_t* stride, const int64_t* padding, const int64_t* dilation,
                           int64_t groups) {
    return tensor_of([&] { return at::conv2d(*input, *weight, optional(bias), pair(stride), pair(padding), pair(dilation), groups); });
}
CT_EXPORT Handle ct_conv2d_same(Handle input, Handle weight, Handle bias, const int64_t* stride, const int64_t* dilation, int64_t groups) {
    return tensor_of([&] { return at::conv2d(*input, *weight, optional(bias), pair(stride), "same", pair(dilation), groups); });
}
CT_EXPORT Handle ct_linear(Handle input, Handle weight, Handle bias) {
    return tensor_of([&] { return at::linear(*input, *weight, optional(bias)); });
}
CT_EXPORT Handle ct_batch_norm(Handle input, Handle weight, Handle bias, Handle running_mean, Handle running_var, int32_t training, double momentum,
                               double eps) {
    return tensor_of([&] {
        return at::batch_norm(*input, optional(weight), optional(bias), optional(running_mean), optional(running_var), training != 0, momentum, eps,
                              /*cudnn_enabled=*/true);
    });
}
CT_EXPORT Handle ct_max_pool2d(Handle input, const int64_t* kernel, const int64_t* stride, const int64_t* padding, const int64_t* dilation,
                               int32_t ceil_mode) {
    return tensor_of([&] { return at::max_pool2d(*input, pair(kernel), pair(stride), pair(padding), pair(dilation), ceil_mode != 0); });
}
CT_EXPORT Handle ct_max_pool2d_with_indices(Handle input, const int64_t* kernel, const int64_t* stride, const int64_t* padding,
                                            const int64_t* dilation, int32_t ceil_mode, Handle* indices) {
    return tensor_of([&] {
        auto both = at::max_pool2d_with_indices(*input, pair(kernel), pair(stride), pair(padding), pair(dilation), ceil_mode != 0);
        *indices = new at::Tensor(std::get<1>(both));
        return std::get<0>(both);
    });
}
/// divisor 0 = the window's own size.
CT_EXPORT Handle ct_avg_pool2d(Handle input, const int64_t* kernel, const int64_t* stride, const int64_t* padding, int32_t ceil_mode,
                               int32_t count_include_pad, int64_t divisor) {
    return tensor_of([&] {
        return divisor == 0 ? at::avg_pool2d(*input, pair(kernel), pair(stride), pair(padding), ceil_mode != 0, count_include_pad != 0)
                            : at::avg_pool2d(*input, pair(kernel), pair(stride), pair(padding), ceil_mode != 0, count_include_pad != 0, divisor);
    });
}
CT_EXPORT Handle ct_adaptive_avg_pool2d(Handle input, const int64_t* size) {
    return tensor_of([&] { return at::adaptive_avg_pool2d(*input, pair(size)); });
}
CT_EXPORT Handle ct_adaptive_max_pool2d(Handle input, const int64_t* size) {
    return tensor_of([&] { return std::get<0>(at::adaptive_max_pool2d(*input, pair(size))); });
}
/// mode: 0 = constant, 1 = reflect, 2 = replicate, 3 = circular.
CT_EXPORT Handle ct_pad(Handle input, const int64_t* amounts, int32_t count, int32_t mode, double value) {
    static const char* const modes[] = {"constant", "reflect", "replicate", "circular"};
    return tensor_of([&] {
        return mode == 0 ? at::pad(*input, ints(amounts, count), modes[0], value) : at::pad(*input, ints(amounts, count), modes[mode]);
    });
}
CT_EXPORT Handle ct_dropout(Handle input, double p, int32_t training) { return tensor_of([&] { return at::dropout(*input, p, training != 0); }); }
CT_EXPORT int32_t ct_dropout_(Handle input, double p, int32_t training) { return status_of([&] { at::dropout_(*input, p, training != 0); }); }
CT_EXPORT Handle ct_cross_entropy(Handle input, Handle target, Handle weight, int64_t ignore_index, int64_t reduction, double label_smoothing) {
    return tensor_of([&] { return at::cross_entropy_loss(*input, *target, optional(weight), reduction, ignore_index, label_smoothing); });
}
CT_EXPORT Handle ct_nll_loss(Handle input, Handle target, Handle weight, int64_t reduction) {
    return tensor_of([&] { return at::nll_loss_nd(*input, *target, optional(weight), reduction); });
}
/// https://pytorch.org/docs/stable/generated/torch.nn.functional.local_response_norm.html, composed as PyTorch composes it.
CT_EXPORT Handle ct_local_response_norm(Handle input, int64_t size, double alpha, double beta, double k) {
    return tensor_of([&] {
        const at::Tensor& x = *input;
        TORCH_CHECK(x.dim() >= 3, "local_response_norm wants an input of 3 or more dimensions, not ", x.dim());
        at::Tensor div = x.mul(x);
        if (x.dim() == 3) {
            const int64_t amounts[] = {0, 0, size / 2, (size - 1) / 2}, window[] = {size, 1};
            div = at::avg_pool2d(at::pad(div.unsqueeze(1), ints(amounts, 4), "constant", 0.0), pair(window), 1).squeeze(1);
        } else {
            const int64_t amounts[] = {0, 0, 0, 0, size / 2, (size - 1) / 2}, window[] = {size, 1, 1};
            const int64_t shape[] = {x.size(0), 1, x.size(1), x.size(2), -1};
            div = at::avg_pool3d(at::pad(div.view(ints(shape, 5)), ints(amounts, 6), "constant", 0.0), ints(window, 3), 1).squeeze(1).view(x.sizes());
        }
        return x.div(div.mul(alpha).add(k).pow(beta));
    });
}
