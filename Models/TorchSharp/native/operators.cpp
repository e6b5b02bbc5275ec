// Operators on tensors: arithmetic, comparison, reduction, shape. One export per libtorch call.
#include "cluster_torch.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/rsub.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <vector>

using namespace cluster_torch;

#define CT_UNARY(name, expression) \
    CT_EXPORT Handle ct_##name(Handle t) { \
        return tensor_of([&] { return expression; }); \
    }
#define CT_BINARY(name, expression) \
    CT_EXPORT Handle ct_##name(Handle t, Handle other) { \
        return tensor_of([&] { return expression; }); \
    }
#define CT_SCALAR(name, expression) \
    CT_EXPORT Handle ct_##name(Handle t, ScalarValue value) { \
        return tensor_of([&] { return expression; }); \
    }
// In place: the tensor itself is the result, so only the status goes back.
#define CT_UNARY_IN_PLACE(name, expression) \
    CT_EXPORT int32_t ct_##name(Handle t) { \
        return status_of([&] { expression; }); \
    }
#define CT_BINARY_IN_PLACE(name, expression) \
    CT_EXPORT int32_t ct_##name(Handle t, Handle other) { \
        return status_of([&] { expression; }); \
    }
#define CT_SCALAR_IN_PLACE(name, expression) \
    CT_EXPORT int32_t ct_##name(Handle t, ScalarValue value) { \
        return status_of([&] { expression; }); \
    }

CT_UNARY(relu, t->relu())
CT_UNARY(neg, t->neg())
CT_UNARY(abs, t->abs())
CT_UNARY(exp, t->exp())
CT_UNARY(log, t->log())
CT_UNARY(sqrt, t->sqrt())
CT_UNARY(square, t->square())
CT_UNARY(sigmoid, t->sigmoid())
CT_UNARY(tanh, t->tanh())
CT_UNARY(isfinite, t->isfinite())
CT_UNARY(isnan, t->isnan())
CT_UNARY(isinf, t->isinf())
CT_UNARY(logical_not, t->logical_not())
CT_UNARY(mean, t->mean())
CT_UNARY(max, t->max())
CT_UNARY(min, t->min())
CT_UNARY(argmax, t->argmax())
CT_UNARY(all, t->all())
CT_UNARY(any, t->any())
CT_UNARY(transpose_2d, t->t())
CT_UNARY_IN_PLACE(relu_, t->relu_())
CT_UNARY_IN_PLACE(zero_, t->zero_())
CT_UNARY_IN_PLACE(neg_, t->neg_())
CT_UNARY_IN_PLACE(sqrt_, t->sqrt_())

CT_BINARY(sub, t->sub(*other))
CT_BINARY(mul, t->mul(*other))
CT_BINARY(eq, t->eq(*other))
CT_BINARY(ne, t->ne(*other))
CT_BINARY(lt, t->lt(*other))
CT_BINARY(le, t->le(*other))
CT_BINARY(gt, t->gt(*other))
CT_BINARY(ge, t->ge(*other))
CT_BINARY(maximum, t->maximum(*other))
CT_BINARY(minimum, t->minimum(*other))
CT_BINARY(matmul, t->matmul(*other))
CT_BINARY(mm, t->mm(*other))
CT_BINARY(logical_and, t->logical_and(*other))
CT_BINARY(logical_or, t->logical_or(*other))
CT_BINARY_IN_PLACE(sub_, t->sub_(*other))
CT_BINARY_IN_PLACE(mul_, t->mul_(*other))
namespace {
/// rounding: 0 = none, 1 = trunc, 2 = floor.
const char* rounding_name(int32_t rounding) { return rounding == 1 ? "trunc" : "floor"; }
}  // namespace
CT_EXPORT Handle ct_div(Handle t, Handle other, int32_t rounding) {
    return tensor_of([&] { return rounding == 0 ? t->div(*other) : t->div(*other, rounding_name(rounding)); });
}
CT_EXPORT int32_t ct_div_(Handle t, Handle other, int32_t rounding) {
    return status_of([&] { rounding == 0 ? t->div_(*other) : t->div_(*other, rounding_name(rounding)); });
}
CT_EXPORT Handle ct_div_scalar(Handle t, ScalarValue value, int32_t rounding) {
    return tensor_of([&] { return rounding == 0 ? t->div(value.scalar()) : t->div(value.scalar(), rounding_name(rounding)); });
}
CT_EXPORT int32_t ct_div_scalar_(Handle t, ScalarValue value, int32_t rounding) {
    return status_of([&] { rounding == 0 ? t->div_(value.scalar()) : t->div_(value.scalar(), rounding_name(rounding)); });
}
CT_EXPORT Handle ct_add(Handle t, Handle other, ScalarValue alpha) {
    return tensor_of([&] { return t->add(*other, alpha.scalar()); });
}
CT_EXPORT int32_t ct_add_(Handle t, Handle other, ScalarValue alpha) {
    return status_of([&] { t->add_(*other, alpha.scalar()); });
}

CT_SCALAR(add_scalar, t->add(value.scalar()))
CT_SCALAR(sub_scalar, t->sub(value.scalar()))
CT_SCALAR(rsub_scalar, at::rsub(*t, value.scalar()))
CT_SCALAR(mul_scalar, t->mul(value.scalar()))
CT_SCALAR(rdiv_scalar, t->reciprocal().mul(value.scalar()))
CT_SCALAR(pow_scalar, t->pow(value.scalar()))
CT_SCALAR(eq_scalar, t->eq(value.scalar()))
CT_SCALAR(ne_scalar, t->ne(value.scalar()))
CT_SCALAR(lt_scalar, t->lt(value.scalar()))
CT_SCALAR(le_scalar, t->le(value.scalar()))
CT_SCALAR(gt_scalar, t->gt(value.scalar()))
CT_SCALAR(ge_scalar, t->ge(value.scalar()))
CT_SCALAR_IN_PLACE(add_scalar_, t->add_(value.scalar()))
CT_SCALAR_IN_PLACE(sub_scalar_, t->sub_(value.scalar()))
CT_SCALAR_IN_PLACE(mul_scalar_, t->mul_(value.scalar()))
CT_SCALAR_IN_PLACE(fill_, t->fill_(value.scalar()))
/// A missing bound is given as such: `bounds` bit 0 = min, bit 1 = max.
CT_EXPORT Handle ct_clamp(Handle t, ScalarValue min, ScalarValue max, int32_t bounds) {
    return tensor_of([&] {
        if (bounds == 3) return t->clamp(min.scalar(), max.scalar());
        return bounds == 1 ? t->clamp_min(min.scalar()) : t->clamp_max(max.scalar());
    });
}

// Reductions along dimensions. dtype -1 = the operator's own choice.
CT_EXPORT Handle ct_sum(Handle t, int32_t dtype) {
    return tensor_of([&] { return dtype < 0 ? t->sum() : t->sum(static_cast<at::ScalarType>(dtype)); });
}
CT_EXPORT Handle ct_sum_dims(Handle t, const int64_t* dims, int32_t count, int32_t keepdim, int32_t dtype) {
    return tensor_of([&] {
        return dtype < 0 ? t->sum(ints(dims, count), keepdim != 0) : t->sum(ints(dims, count), keepdim != 0, static_cast<at::ScalarType>(dtype));
    });
}
CT_EXPORT Handle ct_mean_dims(Handle t, const int64_t* dims, int32_t count, int32_t keepdim, int32_t dtype) {
    return tensor_of([&] {
        return dtype < 0 ? t->mean(ints(dims, count), keepdim != 0) : t->mean(ints(dims, count), keepdim != 0, static_cast<at::ScalarType>(dtype));
    });
}
CT_EXPORT Handle ct_var_dims(Handle t, const int64_t* dims, int32_t count, int32_t unbiased, int32_t keepdim) {
    return tensor_of([&] { return t->var(ints(dims, count), unbiased != 0, keepdim != 0); });
}
CT_EXPORT Handle ct_argmax_dim(Handle t, int64_t dim, int32_t keepdim) { return tensor_of([&] { return t->argmax(dim, keepdim != 0); }); }
CT_EXPORT Handle ct_all_dim(Handle t, int64_t dim, int32_t keepdim) { return tensor_of([&] { return t->all(dim, keepdim != 0); }); }
CT_EXPORT Handle ct_any_dim(Handle t, int64_t dim, int32_t keepdim) { return tensor_of([&] { return t->any(dim, keepdim != 0); }); }
CT_EXPORT Handle ct_max_dim(Handle t, int64_t dim, int32_t keepdim, Handle* indices) {
    return tensor_of([&] {
        auto both = t->max(dim, keepdim != 0);
        *indices = new at::Tensor(std::get<1>(both));
        return std::get<0>(both);
    });
}
CT_EXPORT Handle ct_min_dim(Handle t, int64_t dim, int32_t keepdim, Handle* indices) {
    return tensor_of([&] {
        auto both = t->min(dim, keepdim != 0);
        *indices = new at::Tensor(std::get<1>(both));
        return std::get<0>(both);
    });
}
CT_EXPORT Handle ct_topk(Handle t, int32_t k, int64_t dim, int32_t largest, int32_t sorted, Handle* indices) {
    return tensor_of([&] {
        auto both = t->topk(k, dim, largest != 0, sorted != 0);
        *indices = new at::Tensor(std::get<1>(both));
        return std::get<0>(both);
    });
}
CT_EXPORT Handle ct_norm(Handle t, double p) { return tensor_of([&] { return t->norm(p); }); }
CT_EXPORT Handle ct_norm_dim(Handle t, double p, int64_t dim, int32_t keepdim) {
    return tensor_of([&] { return t->norm(at::Scalar(p), at::IntArrayRef(dim), keepdim != 0); });
}
CT_EXPORT Handle ct_softmax(Handle t, int64_t dim, int32_t dtype) {
    return tensor_of([&] { return dtype < 0 ? t->softmax(dim) : t->softmax(dim, static_cast<at::ScalarType>(dtype)); });
}
CT_EXPORT Handle ct_log_softmax(Handle t, int64_t dim, int32_t dtype) {
    return tensor_of([&] { return dtype < 0 ? t->log_softmax(dim) : t->log_softmax(dim, static_cast<at::ScalarType>(dtype)); });
}
/// 1 = equal, 0 = not, -1 = see ct_last_error.
CT_EXPORT int32_t ct_equal(Handle t, Handle other) {
    int32_t result = -1;
    guard([&] { result = t->equal(*other); });
    return result;
}
CT_EXPORT int32_t ct_allclose(Handle t, Handle other, double rtol, double atol, int32_t equal_nan) {
    int32_t result = -1;
    guard([&] { result = t->allclose(*other, rtol, atol, equal_nan != 0); });
    return result;
}

// Shape.
CT_EXPORT Handle ct_view(Handle t, const int64_t* sizes, int32_t count) { return tensor_of([&] { return t->view(ints(sizes, count)); }); }
CT_EXPORT Handle ct_reshape(Handle t, const int64_t* sizes, int32_t count) { return tensor_of([&] { return t->reshape(ints(sizes, count)); }); }
CT_EXPORT Handle ct_expand(Handle t, const int64_t* sizes, int32_t count, int32_t is_implicit) {
    return tensor_of([&] { return t->expand(ints(sizes, count), is_implicit != 0); });
}
CT_EXPORT Handle ct_permute(Handle t, const int64_t* dims, int32_t count) { return tensor_of([&] { return t->permute(ints(dims, count)); }); }
CT_EXPORT Handle ct_flip(Handle t, const int64_t* dims, int32_t count) { return tensor_of([&] { return t->flip(ints(dims, count)); }); }
CT_EXPORT Handle ct_flatten(Handle t, int64_t start, int64_t end) { return tensor_of([&] { return t->flatten(start, end); }); }
CT_EXPORT Handle ct_transpose(Handle t, int64_t a, int64_t b) { return tensor_of([&] { return t->transpose(a, b); }); }
CT_EXPORT Handle ct_narrow(Handle t, int64_t dim, int64_t start, int64_t length) { return tensor_of([&] { return t->narrow(dim, start, length); }); }
CT_EXPORT Handle ct_slice(Handle t, int64_t dim, int64_t start, int64_t end, int64_t step) {
    return tensor_of([&] { return t->slice(dim, start, end, step); });
}
CT_EXPORT Handle ct_select(Handle t, int64_t dim, int64_t index) { return tensor_of([&] { return t->select(dim, index); }); }
CT_EXPORT Handle ct_unsqueeze(Handle t, int64_t dim) { return tensor_of([&] { return t->unsqueeze(dim); }); }
CT_EXPORT Handle ct_squeeze(Handle t) { return tensor_of([&] { return t->squeeze(); }); }
CT_EXPORT Handle ct_squeeze_dim(Handle t, int64_t dim) { return tensor_of([&] { return t->squeeze(dim); }); }
CT_EXPORT Handle ct_gather(Handle t, int64_t dim, Handle index) { return tensor_of([&] { return t->gather(dim, *index); }); }
CT_EXPORT Handle ct_index_select(Handle t, int64_t dim, Handle index) { return tensor_of([&] { return t->index_select(dim, *index); }); }
CT_EXPORT Handle ct_masked_fill(Handle t, Handle mask, ScalarValue value) { return tensor_of([&] { return t->masked_fill(*mask, value.scalar()); }); }
CT_EXPORT Handle ct_where(Handle condition, Handle x, Handle y) { return tensor_of([&] { return at::where(*condition, *x, *y); }); }

namespace {
std::vector<at::Tensor> list(Handle const* tensors, int32_t count) {
    std::vector<at::Tensor> result;
    result.reserve(static_cast<size_t>(count));
    for (int32_t i = 0; i < count; i++) result.push_back(*tensors[i]);
    return result;
}
}  // namespace

CT_EXPORT Handle ct_cat(Handle const* tensors, int32_t count, int64_t dim) { return tensor_of([&] { return at::cat(list(tensors, count), dim); }); }
CT_EXPORT Handle ct_stack(Handle const* tensors, int32_t count, int64_t dim) { return tensor_of([&] { return at::stack(list(tensors, count), dim); }); }
CT_EXPORT int32_t ct_split(Handle t, int64_t size, int64_t dim, Handle* out, int32_t capacity) {
    return status_of([&] {
        const auto parts = t->split(size, dim);
        TORCH_CHECK(static_cast<int32_t>(parts.size()) == capacity, "split gave ", parts.size(), " parts, ", capacity, " were expected");
        for (size_t i = 0; i < parts.size(); i++) out[i] = new at::Tensor(parts[i]);
    });
}

// Random fills.
CT_EXPORT int32_t ct_uniform_(Handle t, double from, double to, at::Generator* g) {
    return status_of([&] { t->uniform_(from, to, generator_for(g, t->device())); });
}
CT_EXPORT int32_t ct_normal_(Handle t, double mean, double std, at::Generator* g) {
    return status_of([&] { t->normal_(mean, std, generator_for(g, t->device())); });
}
