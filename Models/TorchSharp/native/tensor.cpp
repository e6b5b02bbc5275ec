// Tensors as objects: life, shape and memory, creation, conversion, autograd state.
#include "cluster_torch.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cstring>
#include <vector>

using namespace cluster_torch;

namespace {
thread_local std::string last_error;

}  // namespace

void cluster_torch::remember_error(const char* message) noexcept {
    try {
        last_error = message;
    } catch (...) {
        last_error.clear();
    }
}

/// The message of the last failed call on this thread, then forgets it; null when there is none. Valid until the next failure.
CT_EXPORT const char* ct_last_error() {
    static thread_local std::string handed_out;
    handed_out.swap(last_error);
    last_error.clear();
    return handed_out.empty() ? nullptr : handed_out.c_str();
}

CT_EXPORT void ct_tensor_free(Handle t) { delete t; }
CT_EXPORT Handle ct_alias(Handle t) { return tensor_of([&] { return *t; }); }

// Metadata. These cannot throw on a defined tensor.
CT_EXPORT int64_t ct_dim(Handle t) { return t->dim(); }
CT_EXPORT int64_t ct_numel(Handle t) { return t->numel(); }
CT_EXPORT int32_t ct_dtype(Handle t) { return static_cast<int32_t>(t->scalar_type()); }
CT_EXPORT int64_t ct_element_size(Handle t) { return static_cast<int64_t>(t->element_size()); }
CT_EXPORT int32_t ct_device_type(Handle t) { return static_cast<int32_t>(t->device().type()); }
CT_EXPORT int32_t ct_device_index(Handle t) { return t->device().index(); }
CT_EXPORT int32_t ct_is_contiguous(Handle t) { return t->is_contiguous(); }
CT_EXPORT int32_t ct_is_channels_last(Handle t) { return t->is_contiguous(at::MemoryFormat::ChannelsLast); }
CT_EXPORT int32_t ct_is_leaf(Handle t) { return t->is_leaf(); }
CT_EXPORT int32_t ct_requires_grad(Handle t) { return t->requires_grad(); }
CT_EXPORT int64_t ct_storage_offset(Handle t) { return t->storage_offset(); }
CT_EXPORT void ct_sizes(Handle t, int64_t* out) { std::copy(t->sizes().begin(), t->sizes().end(), out); }
CT_EXPORT void ct_strides(Handle t, int64_t* out) { std::copy(t->strides().begin(), t->strides().end(), out); }
CT_EXPORT void* ct_data_ptr(Handle t) {
    void* pointer = nullptr;
    guard([&] { pointer = t->data_ptr(); });
    return pointer;
}
CT_EXPORT int32_t ct_is_pinned(Handle t) {
    bool pinned = false;
    guard([&] { pinned = t->is_pinned(); });
    return pinned;
}

// Creation.
CT_EXPORT Handle ct_empty(const int64_t* sizes, int32_t count, Options o) {
    return tensor_of([&] { return o.finish(at::empty(ints(sizes, count), o.options())); });
}
CT_EXPORT Handle ct_empty_pinned(const int64_t* sizes, int32_t count, Options o) {
    return tensor_of([&] { return o.finish(at::empty(ints(sizes, count), o.options().pinned_memory(true))); });
}
CT_EXPORT Handle ct_zeros(const int64_t* sizes, int32_t count, Options o) {
    return tensor_of([&] { return o.finish(at::zeros(ints(sizes, count), o.options())); });
}
CT_EXPORT Handle ct_ones(const int64_t* sizes, int32_t count, Options o) {
    return tensor_of([&] { return o.finish(at::ones(ints(sizes, count), o.options())); });
}
CT_EXPORT Handle ct_full(const int64_t* sizes, int32_t count, ScalarValue value, Options o) {
    return tensor_of([&] { return o.finish(at::full(ints(sizes, count), value.scalar(), o.options())); });
}
CT_EXPORT Handle ct_arange(ScalarValue start, ScalarValue end, ScalarValue step, Options o) {
    return tensor_of([&] { return o.finish(at::arange(start.scalar(), end.scalar(), step.scalar(), o.options())); });
}
CT_EXPORT Handle ct_rand(const int64_t* sizes, int32_t count, at::Generator* g, Options o) {
    return tensor_of([&] { return o.finish(at::rand(ints(sizes, count), generator_for(g, o.device()), o.options())); });
}
CT_EXPORT Handle ct_randn(const int64_t* sizes, int32_t count, at::Generator* g, Options o) {
    return tensor_of([&] { return o.finish(at::randn(ints(sizes, count), generator_for(g, o.device()), o.options())); });
}
CT_EXPORT Handle ct_randint(int64_t low, int64_t high, const int64_t* sizes, int32_t count, at::Generator* g, Options o) {
    return tensor_of([&] { return o.finish(at::randint(low, high, ints(sizes, count), generator_for(g, o.device()), o.options())); });
}
CT_EXPORT Handle ct_randperm(int64_t n, at::Generator* g, Options o) {
    return tensor_of([&] { return o.finish(at::randperm(n, generator_for(g, o.device()), o.options())); });
}
/// Copies `byte_count` bytes of host memory of type `source_dtype` into a new tensor, then converts to `o`.
CT_EXPORT Handle ct_from_memory(const void* data, int64_t byte_count, int32_t source_dtype, const int64_t* sizes, int32_t count, Options o) {
    return tensor_of([&] {
        auto host = at::empty(ints(sizes, count), at::TensorOptions().dtype(static_cast<at::ScalarType>(source_dtype)));
        TORCH_CHECK(static_cast<int64_t>(host.nbytes()) == byte_count, "the shape ", host.sizes(), " holds ", host.nbytes(),
                    " bytes, but the data has ", byte_count);
        if (byte_count > 0) std::memcpy(host.data_ptr(), data, static_cast<size_t>(byte_count));
        return o.finish(host.to(o.options()));
    });
}

// Conversion and copies.
CT_EXPORT Handle ct_to(Handle t, Options o, int32_t copy) {
    return tensor_of([&] { return t->to(o.device(), static_cast<at::ScalarType>(o.dtype), /*non_blocking=*/false, copy != 0); });
}
CT_EXPORT Handle ct_clone(Handle t) { return tensor_of([&] { return t->clone(); }); }
CT_EXPORT Handle ct_contiguous(Handle t) { return tensor_of([&] { return t->contiguous(); }); }
CT_EXPORT Handle ct_contiguous_channels_last(Handle t) { return tensor_of([&] { return t->contiguous(at::MemoryFormat::ChannelsLast); }); }
CT_EXPORT Handle ct_pin_memory(Handle t) { return tensor_of([&] { return t->pin_memory(); }); }
CT_EXPORT int32_t ct_copy_(Handle t, Handle source, int32_t non_blocking) { return status_of([&] { t->copy_(*source, non_blocking != 0); }); }
/// kind: 0 = floating, 1 = integral, 2 = bool.
CT_EXPORT int32_t ct_item(Handle t, ScalarValue* out) {
    return status_of([&] {
        const at::Scalar value = t->item();
        out->kind = value.isFloatingPoint() ? 0 : value.isBoolean() ? 2 : 1;
        TORCH_CHECK(!value.isComplex(), "item() of a complex tensor is not part of this binding");
        if (out->kind == 0) out->real = value.toDouble();
        else out->integer = value.isBoolean() ? value.toBool() : value.toLong();
    });
}
/// Copies between host memory and a tensor of any layout and device; the host side is contiguous, of the tensor's own type.
CT_EXPORT int32_t ct_read(Handle t, void* out, int64_t byte_count) {
    return status_of([&] {
        c10::NoGradGuard no_grad;
        TORCH_CHECK(static_cast<int64_t>(t->nbytes()) == byte_count, "the tensor holds ", t->nbytes(), " bytes, the destination ", byte_count);
        if (t->is_cpu() && t->is_contiguous()) std::memcpy(out, t->data_ptr(), static_cast<size_t>(byte_count));
        else at::from_blob(out, t->sizes(), t->options().device(at::kCPU)).copy_(*t);
    });
}
CT_EXPORT int32_t ct_write(Handle t, const void* data, int64_t byte_count) {
    return status_of([&] {
        c10::NoGradGuard no_grad;
        TORCH_CHECK(static_cast<int64_t>(t->nbytes()) == byte_count, "the tensor holds ", t->nbytes(), " bytes, the source ", byte_count);
        if (t->is_cpu() && t->is_contiguous()) std::memcpy(t->data_ptr(), data, static_cast<size_t>(byte_count));
        else t->copy_(at::from_blob(const_cast<void*>(data), t->sizes(), t->options().device(at::kCPU)));
    });
}

// Autograd.
/// Null without an error means: no gradient yet.
CT_EXPORT Handle ct_grad(Handle t) { return tensor_of([&] { return t->grad(); }); }
CT_EXPORT int32_t ct_set_grad(Handle t, Handle grad) {
    return status_of([&] {
        if (grad != nullptr) {
            // libtorch itself checks nothing here; PyTorch does, in its Python layer.
            TORCH_CHECK(grad->sizes() == t->sizes(), "a gradient of shape ", grad->sizes(), " does not fit a tensor of shape ", t->sizes());
            TORCH_CHECK(grad->scalar_type() == t->scalar_type() && grad->device() == t->device(), "a gradient of ", grad->scalar_type(), " on ",
                        grad->device(), " does not fit a tensor of ", t->scalar_type(), " on ", t->device());
        }
        t->mutable_grad() = optional(grad);
    });
}
CT_EXPORT int32_t ct_clear_grads(Handle const* tensors, int32_t count) {
    return status_of([&] {
        for (int32_t i = 0; i < count; i++) tensors[i]->mutable_grad().reset();
    });
}
CT_EXPORT int32_t ct_set_requires_grad(Handle t, int32_t on) { return status_of([&] { t->set_requires_grad(on != 0); }); }
/// The same tensor object takes other memory, type or device: PyTorch's `tensor.data = other`.
CT_EXPORT int32_t ct_set_data(Handle t, Handle other) { return status_of([&] { t->set_data(*other); }); }
CT_EXPORT int32_t ct_retain_grad(Handle t) { return status_of([&] { t->retain_grad(); }); }
CT_EXPORT Handle ct_detach(Handle t) { return tensor_of([&] { return t->detach(); }); }
CT_EXPORT int32_t ct_detach_(Handle t) { return status_of([&] { t->detach_(); }); }
CT_EXPORT int32_t ct_backward(Handle t, Handle gradient, int32_t retain_graph, int32_t create_graph, Handle const* inputs, int32_t input_count) {
    return status_of([&] {
        if (input_count == 0) return t->backward(optional(gradient), retain_graph != 0, create_graph != 0);
        std::vector<at::Tensor> wanted;
        for (int32_t i = 0; i < input_count; i++) wanted.push_back(*inputs[i]);
        t->backward(optional(gradient), retain_graph != 0, create_graph != 0, at::TensorList(wanted));
    });
}
