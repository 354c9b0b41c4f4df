// Compiled once for each instruction set (see CMakeLists.txt); dispatch.cpp chooses among them at load.
#include "kernels.hpp"

#include "activations.hpp"
#include "openblas.hpp"

namespace backblas::BACKBLAS_ISA {

// batch.cpp
void gather_floats(int n, const float* source, const int* columns, int count, int known, float* x);
void gather_bytes(int n, const uint8_t* source, float scale, const int* columns, int count, int known, float* x);
bool all_finite(int n, const float* x);

namespace {

// A column tile of the batch whose outputs, together with bias and φ, stay in the level-2 cache.
constexpr int64_t kTileFloats = 128 * 1024;
constexpr int kSmallestTile = 64;

int column_tile(int rows) {
    const int64_t columns = kTileFloats / rows;
    return columns < kSmallestTile ? kSmallestTile : int(columns);
}

// Chooses the template instance for φ once per call, outside the loops.
template <class Body>
void with_activation(Activation phi, Body body) {
    switch (phi) {
        case Activation::kSigmoid: return body.template operator()<Activation::kSigmoid>();
        case Activation::kTanh: return body.template operator()<Activation::kTanh>();
        case Activation::kRelu: return body.template operator()<Activation::kRelu>();
        case Activation::kLeakyRelu: return body.template operator()<Activation::kLeakyRelu>();
        default: return body.template operator()<Activation::kIdentity>();
    }
}

// z ← φ(z + b) on one column
template <Activation phi>
void bias_and_activate(int64_t out, const float* b, float* z) {
    if (b == nullptr)
        for_each_vector(out, [&](int64_t k, auto load, auto store) { store(z + k, apply<phi>(load(z + k))); });
    else
        for_each_vector(out,
                        [&](int64_t k, auto load, auto store) { store(z + k, apply<phi>(load(z + k) + load(b + k))); });
}

// z ← exp(z − max z) / Σ exp(z − max z) on one column
void softmax(int out, float* z) {
    float top = z[0];
    for (int k = 1; k < out; k++) top = z[k] > top ? z[k] : top;
    for_each_vector(out, [&](int64_t k, auto load, auto store) { store(z + k, exp(load(z + k) - top)); });
    float total = 0;
    for (int k = 0; k < out; k++) total += z[k];
    const float scale = 1.0f / total;
    for_each_vector(out, [&](int64_t k, auto load, auto store) { store(z + k, load(z + k) * scale); });
}

struct AffineTail {
    int out, m;
    const float* b;
    float* z;
    template <Activation phi>
    void operator()() const {
        if (out >= kWidth) {
            for (int j = 0; j < m; j++) bias_and_activate<phi>(out, b, z + int64_t(j) * out);
            return;
        }
        // Columns narrower than a vector lie side by side: φ takes several at once
        if (b != nullptr)
            for (int j = 0; j < m; j++)
                for (int k = 0; k < out; k++) z[int64_t(j) * out + k] += b[k];
        bias_and_activate<phi>(int64_t(out) * m, nullptr, z);
    }
};

void affine_tail(int out, int m, const float* b, Activation phi, float* z) {
    with_activation(phi, AffineTail{out, m, b, z});
    if (phi == Activation::kSoftmax)
        for (int j = 0; j < m; j++) softmax(out, z + int64_t(j) * out);
}

struct DerivativeTail {
    int64_t n;
    const float* a;
    float* delta;
    template <Activation phi>
    void operator()() const {
        for_each_vector(n, [this](int64_t i, auto load, auto store) {
            store(delta + i, load(delta + i) * derivative<phi>(load(a + i)));
        });
    }
};

void derivative_tail(int64_t n, Activation phi, const float* a, float* delta) {
    if (phi != Activation::kIdentity) with_activation(phi, DerivativeTail{n, a, delta});
}

// z = Wᵀa for one sample: `units` dot products at a time share each load of a.
template <int units>
void dots(int in, const float* w, const float* a, float* z) {
    Vec total[units] = {};
    for_each_vector(in, [&](int64_t i, auto load, auto) {
        const Vec x = load(a + i);
        for (int u = 0; u < units; u++) total[u] += load(w + int64_t(u) * in + i) * x;
    });
    for (int u = 0; u < units; u++) z[u] = sum(total[u]);
}

void transposed_product_of_one(int in, int out, const float* w, const float* a, float* z) {
    int k = 0;
    for (; k + 8 <= out; k += 8) dots<8>(in, w + int64_t(k) * in, a, z + k);
    for (; k < out; k++) dots<1>(in, w + int64_t(k) * in, a, z + k);
}

// y = Wδ for one sample: a sum of the columns of W, four vectors of y in registers at a time.
void product_of_one(int in, int out, const float* w, const float* delta, float* y) {
    constexpr int kBlock = 4 * kWidth;
    int i = 0;
    for (; i + kBlock <= in; i += kBlock) {
        Vec total[4] = {};
        for (int k = 0; k < out; k++)
            for (int v = 0; v < 4; v++) total[v] += load(w + int64_t(k) * in + i + v * kWidth) * delta[k];
        for (int v = 0; v < 4; v++) store(y + i + v * kWidth, total[v]);
    }
    for_each_vector(in - i, [&](int64_t r, auto load, auto store) {
        Vec total{};
        for (int k = 0; k < out; k++) total += load(w + int64_t(k) * in + i + r) * delta[k];
        store(y + i + r, total);
    });
}

// C ← α a δᵀ + β C for one sample, units [from, to); with β = 0, C is not read.
void outer_product_of_one(int in, int from, int to, float alpha, const float* a, const float* delta, float beta,
                          float* c) {
    for (int k = from; k < to; k++) {
        float* column = c + int64_t(k) * in;
        const float factor = alpha * delta[k];
        if (beta == 0)
            for_each_vector(in, [&](int64_t i, auto load, auto store) { store(column + i, load(a + i) * factor); });
        else
            for_each_vector(in, [&](int64_t i, auto load, auto store) {
                store(column + i, load(column + i) * beta + load(a + i) * factor);
            });
    }
}

void affine(int in, int out, int m, const float* w, const float* b, const float* a, Activation phi, float* a_next) {
    const int tile = column_tile(out);
    for (int j = 0; j < m; j += tile) {
        const int columns = m - j < tile ? m - j : tile;
        const float* x = a + int64_t(j) * in;
        float* z = a_next + int64_t(j) * out;
        if (columns <= kFewSamples)
            for (int s = 0; s < columns; s++)
                transposed_product_of_one(in, out, w, x + int64_t(s) * in, z + int64_t(s) * out);
        else
            sgemm(Trans::kYes, Trans::kNo, out, columns, in, 1, w, in, x, in, 0, z, out);  // Z = WᵀA
        affine_tail(out, columns, b, phi, z);
    }
}

void input_gradient(int in, int out, int m, const float* w, const float* delta, Activation phi, const float* a,
                    float* delta_previous) {
    const int tile = column_tile(in);
    for (int j = 0; j < m; j += tile) {
        const int columns = m - j < tile ? m - j : tile;
        const float* d = delta + int64_t(j) * out;
        float* y = delta_previous + int64_t(j) * in;
        if (columns <= kFewSamples)
            for (int s = 0; s < columns; s++)
                product_of_one(in, out, w, d + int64_t(s) * out, y + int64_t(s) * in);
        else
            sgemm(Trans::kNo, Trans::kNo, in, columns, out, 1, w, in, d, out, 0, y, in);  // δ' = Wδ
        derivative_tail(int64_t(columns) * in, phi, a == nullptr ? a : a + int64_t(j) * in, y);
    }
}

void weight_gradient(int in, int out, int m, int from, int to, float alpha, const float* a, const float* delta,
                     float beta, float* c, float gamma, float* c_bias) {
    if (m <= kFewSamples)
        for (int s = 0; s < m; s++)
            outer_product_of_one(in, from, to, alpha, a + int64_t(s) * in, delta + int64_t(s) * out,
                                 s == 0 ? beta : 1, c);
    else
        sgemm(Trans::kNo, Trans::kYes, in, to - from, m, alpha, a, in, delta + from, out, beta,
              c + int64_t(from) * in, in);  // C = αAδᵀ + βC
    if (c_bias == nullptr) return;
    for_each_vector(to - from, [&](int64_t k, auto load, auto store) {
        Vec total{};
        for (int j = 0; j < m; j++) total += load(delta + int64_t(j) * out + from + k);
        total *= alpha;
        store(c_bias + from + k, gamma == 0 ? total : total + load(c_bias + from + k) * gamma);
    });
}

}  // namespace

#define BACKBLAS_TEXT(x) #x
#define BACKBLAS_NAME(x) BACKBLAS_TEXT(x)

extern const Kernels table;
const Kernels table = {BACKBLAS_NAME(BACKBLAS_ISA), affine, input_gradient, weight_gradient, gather_floats, gather_bytes, all_finite};

}  // namespace backblas::BACKBLAS_ISA
