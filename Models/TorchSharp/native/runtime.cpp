// The process around the tensors: threads, modes, devices, versions, generators, bulk copies.
#include "cluster_torch.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

using namespace cluster_torch;

namespace {
template <class Function>
Function symbol(const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

// libtorch renamed this query: the overload that compiles is taken, the first where both do.
template <class Hooks>
auto gpu_count(const Hooks& hooks, int) -> decltype(static_cast<int32_t>(hooks.getNumGPUs())) {
    return static_cast<int32_t>(hooks.getNumGPUs());
}
template <class Hooks>
auto gpu_count(const Hooks& hooks, long) -> decltype(static_cast<int32_t>(hooks.deviceCount())) {
    return static_cast<int32_t>(hooks.deviceCount());
}

/// Length of the text; at most capacity - 1 bytes and a zero are written.
int64_t hand_out(const std::string& text, char* out, int64_t capacity) {
    if (capacity > 0) {
        const auto length = std::min<int64_t>(static_cast<int64_t>(text.size()), capacity - 1);
        std::memcpy(out, text.data(), static_cast<size_t>(length));
        out[length] = 0;
    }
    return static_cast<int64_t>(text.size());
}
}  // namespace

at::Generator cluster_torch::generator_for(at::Generator* given, at::Device device) {
    return given != nullptr ? *given : at::globalContext().defaultGenerator(device);
}

// Threads.
/// libtorch's intra-op threads and the BLAS's, for the calling thread. Under OpenMP the first is a property of the thread.
CT_EXPORT int32_t ct_set_threads(int32_t count, int32_t with_blas) {
    return status_of([&] {
        // A thread's first question initialises it with the count that was set last in the process, by whichever
        // thread: asked now, so that it cannot overwrite this thread's own count later.
        at::get_num_threads();
        at::set_num_threads(count);
        if (!with_blas) return;
        if (auto set = symbol<void (*)(int)>("omp_set_num_threads")) set(count);
        if (auto set = symbol<void (*)(int)>("openblas_set_num_threads")) set(count);
        if (auto set = symbol<int (*)(int)>("MKL_Set_Num_Threads_Local")) set(count);
    });
}
CT_EXPORT int32_t ct_get_threads() {
    int32_t count = -1;
    guard([&] { count = at::get_num_threads(); });
    return count;
}
/// -1 when the BLAS does not say.
CT_EXPORT int32_t ct_get_blas_threads() {
    const auto get = symbol<int (*)()>("openblas_get_num_threads");
    return get == nullptr ? -1 : get();
}
CT_EXPORT int32_t ct_set_interop_threads(int32_t count) { return status_of([&] { at::set_num_interop_threads(count); }); }
CT_EXPORT int32_t ct_get_interop_threads() {
    int32_t count = -1;
    guard([&] { count = at::get_num_interop_threads(); });
    return count;
}

// Modes of the calling thread.
CT_EXPORT int32_t ct_grad_enabled() { return c10::GradMode::is_enabled(); }
CT_EXPORT void ct_set_grad_enabled(int32_t on) { c10::GradMode::set_enabled(on != 0); }
CT_EXPORT c10::InferenceMode* ct_inference_mode_enter(int32_t on) {
    c10::InferenceMode* mode = nullptr;
    guard([&] { mode = new c10::InferenceMode(on != 0); });
    return mode;
}
CT_EXPORT void ct_inference_mode_leave(c10::InferenceMode* mode) { delete mode; }

// Process-wide settings.
CT_EXPORT int32_t ct_deterministic(int32_t on, int32_t warn_only) {
    return status_of([&] { at::globalContext().setDeterministicAlgorithms(on != 0, warn_only != 0); });
}
CT_EXPORT int32_t ct_is_deterministic() { return at::globalContext().deterministicAlgorithms(); }
CT_EXPORT int32_t ct_exact_cuda() {
    return status_of([&] {
        auto& context = at::globalContext();
        context.setAllowTF32CuBLAS(false);
        context.setAllowTF32CuDNN(false);
        context.setBenchmarkCuDNN(false);
        context.setDeterministicCuDNN(true);
        // cuBLAS reads it at its first use; managed code cannot set the environment that native code sees.
        setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    });
}
CT_EXPORT int32_t ct_get_tf32_cublas() {
    bool allowed = false;
    return guard([&] { allowed = at::globalContext().allowTF32CuBLAS(); }) ? allowed : -1;
}
CT_EXPORT int32_t ct_set_tf32_cublas(int32_t on) { return status_of([&] { at::globalContext().setAllowTF32CuBLAS(on != 0); }); }
CT_EXPORT int32_t ct_get_tf32_cudnn() {
    bool allowed = false;
    return guard([&] { allowed = at::globalContext().allowTF32CuDNN(); }) ? allowed : -1;
}
CT_EXPORT int32_t ct_set_tf32_cudnn(int32_t on) { return status_of([&] { at::globalContext().setAllowTF32CuDNN(on != 0); }); }
CT_EXPORT int32_t ct_cuda_is_available() {
    bool available = false;
    guard([&] { available = at::hasCUDA(); });
    return available;
}
CT_EXPORT int32_t ct_cuda_device_count() {
    int32_t count = 0;
    guard([&] { count = at::hasCUDA() ? gpu_count(at::detail::getCUDAHooks(), 0) : 0; });
    return count;
}
CT_EXPORT int32_t ct_cudnn_is_available() {
    bool available = false;
    guard([&] { available = at::hasCUDA() && at::detail::getCUDAHooks().hasCuDNN(); });
    return available;
}

// Names that tell two hosts' arithmetic apart.
CT_EXPORT int64_t ct_version(char* out, int64_t capacity) { return hand_out(TORCH_VERSION, out, capacity); }
CT_EXPORT int64_t ct_build_configuration(char* out, int64_t capacity) {
    std::string text;
    guard([&] { text = at::show_config(); });
    return hand_out(text, out, capacity);
}
/// Empty when the BLAS does not say (the reference BLAS and MKL have no such function).
CT_EXPORT int64_t ct_blas_configuration(char* out, int64_t capacity) {
    std::string text;
    if (auto get = symbol<char* (*)()>("openblas_get_config")) text = get();
    if (auto get = symbol<char* (*)()>("openblas_get_corename")) text += std::string(" core=") + get();
    return hand_out(text, out, capacity);
}

// Generators.
CT_EXPORT int32_t ct_manual_seed(uint64_t seed) { return status_of([&] { at::manual_seed(seed); }); }
CT_EXPORT at::Generator* ct_generator_new(uint64_t seed, int32_t device_type, int32_t device_index) {
    at::Generator* result = nullptr;
    guard([&] {
        if (device_type == 0) {
            result = new at::Generator(at::make_generator<at::CPUGeneratorImpl>(seed));
        } else {
            auto fresh = at::globalContext().defaultGenerator(at::Device(static_cast<at::DeviceType>(device_type), static_cast<c10::DeviceIndex>(device_index))).clone();
            fresh.set_current_seed(seed);
            result = new at::Generator(fresh);
        }
    });
    return result;
}
CT_EXPORT at::Generator* ct_generator_default() {
    at::Generator* result = nullptr;
    guard([&] { result = new at::Generator(at::globalContext().defaultGenerator(at::kCPU)); });
    return result;
}
CT_EXPORT void ct_generator_free(at::Generator* g) { delete g; }
CT_EXPORT int32_t ct_generator_set_seed(at::Generator* g, uint64_t seed) {
    return status_of([&] {
        std::lock_guard<std::mutex> lock(g->mutex());
        g->set_current_seed(seed);
    });
}
CT_EXPORT uint64_t ct_generator_seed(at::Generator* g) { return g->current_seed(); }
CT_EXPORT Handle ct_generator_state(at::Generator* g) {
    return tensor_of([&] {
        std::lock_guard<std::mutex> lock(g->mutex());
        return g->get_state();
    });
}
CT_EXPORT int32_t ct_generator_set_state(at::Generator* g, Handle state) {
    return status_of([&] {
        std::lock_guard<std::mutex> lock(g->mutex());
        g->set_state(*state);
    });
}

// Bulk copies between one span of floats and many tensors.
/// Writes tensor i (or its gradient; zeros where there is none) to out[offsets[i] ...], as contiguous float32.
CT_EXPORT int32_t ct_flat_gather(Handle const* tensors, const int64_t* offsets, int32_t count, int32_t gradients, float* out, int64_t length) {
    return status_of([&] {
        c10::NoGradGuard no_grad;
        for (int32_t i = 0; i < count; i++) {
            const auto elements = tensors[i]->numel();
            TORCH_CHECK(offsets[i] + elements <= length, "tensor ", i, " ends at ", offsets[i] + elements, ", the span at ", length);
            const at::Tensor& source = gradients ? tensors[i]->grad() : *tensors[i];
            float* const to = out + offsets[i];
            if (!source.defined()) {
                std::memset(to, 0, static_cast<size_t>(elements) * sizeof(float));
            } else if (source.is_cpu() && source.scalar_type() == at::kFloat && source.is_contiguous()) {
                std::memcpy(to, source.data_ptr<float>(), static_cast<size_t>(elements) * sizeof(float));
            } else {
                at::from_blob(to, source.sizes(), at::TensorOptions().dtype(at::kFloat)).copy_(source);
            }
        }
    });
}
/// The reverse: tensor i takes data[offsets[i] ...], converted to its own type, layout and device.
CT_EXPORT int32_t ct_flat_scatter(Handle const* tensors, const int64_t* offsets, int32_t count, const float* data, int64_t length) {
    return status_of([&] {
        c10::NoGradGuard no_grad;
        for (int32_t i = 0; i < count; i++) {
            const at::Tensor& target = *tensors[i];
            const auto elements = target.numel();
            TORCH_CHECK(offsets[i] + elements <= length, "tensor ", i, " ends at ", offsets[i] + elements, ", the span at ", length);
            const float* const from = data + offsets[i];
            if (target.is_cpu() && target.scalar_type() == at::kFloat && target.is_contiguous()) {
                std::memcpy(target.data_ptr<float>(), from, static_cast<size_t>(elements) * sizeof(float));
            } else {
                target.copy_(at::from_blob(const_cast<float*>(from), target.sizes(), at::TensorOptions().dtype(at::kFloat)));
            }
        }
    });
}
