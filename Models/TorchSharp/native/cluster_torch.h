// What every translation unit of the shim shares: the export macro, the guard that keeps C++ exceptions inside,
// and the blittable structs that cross the border. A tensor handle is a heap-allocated at::Tensor: one reference.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <exception>
#include <string>

#define CT_EXPORT extern "C" __attribute__((visibility("default")))

namespace cluster_torch {

using Handle = at::Tensor*;

/// A number with its kind: 0 = float64, 1 = int64, 2 = bool. Mirrors TorchSharp.Scalar's native form.
struct ScalarValue {
    int64_t kind;
    double real;
    int64_t integer;

    at::Scalar scalar() const {
        if (kind == 0) return at::Scalar(real);
        if (kind == 2) return at::Scalar(integer != 0);
        return at::Scalar(integer);
    }
};

/// Where and as what a new tensor is made. Codes are c10's own.
struct Options {
    int32_t dtype;
    int32_t device_type;
    int32_t device_index;
    int32_t requires_grad;

    at::Device device() const {
        return at::Device(static_cast<at::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index));
    }
    at::TensorOptions options() const {
        return at::TensorOptions().dtype(static_cast<at::ScalarType>(dtype)).device(device());
    }
    at::Tensor finish(at::Tensor tensor) const {
        if (requires_grad) tensor.set_requires_grad(true);
        return tensor;
    }
};

/// Keeps the message for ct_last_error of this thread.
void remember_error(const char* message) noexcept;

template <class Action>
bool guard(Action&& action) noexcept {
    try {
        action();
        return true;
    } catch (const c10::Error& error) {
        remember_error(error.what_without_backtrace());
    } catch (const std::exception& error) {
        remember_error(error.what());
    } catch (...) {
        remember_error("libtorch threw something that is not a std::exception");
    }
    return false;
}

/// Runs `make`, hands its tensor out; null means an error (or, where documented, an undefined tensor).
template <class Make>
Handle tensor_of(Make&& make) noexcept {
    Handle result = nullptr;
    guard([&] {
        at::Tensor tensor = make();
        if (tensor.defined()) result = new at::Tensor(std::move(tensor));
    });
    return result;
}

/// 0 = done, -1 = see ct_last_error.
template <class Action>
int32_t status_of(Action&& action) noexcept {
    return guard(action) ? 0 : -1;
}

inline at::IntArrayRef ints(const int64_t* values, int32_t count) { return at::IntArrayRef(values, static_cast<size_t>(count)); }

/// An absent tensor is an undefined one: libtorch reads both the same way.
inline at::Tensor optional(Handle tensor) { return tensor == nullptr ? at::Tensor() : *tensor; }

/// The one given, else the device's default one.
at::Generator generator_for(at::Generator* given, at::Device device);

}  // namespace cluster_torch
