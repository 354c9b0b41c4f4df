// Compiled once for each instruction set (see CMakeLists.txt); dispatch.cpp chooses among them at load.
#include "kernels.hpp"

#include "activations.hpp"
#include "gemm.hpp"
#include "openblas.hpp"

namespace backblas::BACKBLAS_ISA {

// batch.cpp
void gather_floats(int n, const float* source, const int* columns, int count, int known, float* x);
void gather_bytes(int n, const uint8_t* source, float scale, const int* columns, int count, int known, float* x);
bool all_finite(int n, const float* x);

// elementwise.cpp
void update(UpdateRule rule, int from, int to, float* theta, const float* gradient, float* m, float* v, const float* numbers);
void activate(int n, Activation phi, const float* z, float* a);
void dropout(int n, float p, int first, const float* x, float* out, const float* key);
double sum_of_squares(int n, const float* x);

// cost.cpp
double cost(Cost cost, int n, int m, const float* a, const float* y, const float* weights, float* delta);

// narrow.cpp
double (*narrow(const Call& call))(const Operation& operation);

// c ← α δ 1 + γ c: eight vectors of units at a time, as each row of δ is elsewhere in memory
void bias_gradient(int out, int m, float alpha, const float* delta, int64_t step, float gamma, float* c) {
    constexpr int vectors = 8, kUnits = vectors * kWidth;
    int k = 0;
    for (; k + kUnits <= out; k += kUnits) {
        Vec total[vectors] = {};
        for (int j = 0; j < m; j++)
#pragma GCC unroll 8
            for (int v = 0; v < vectors; v++) total[v] += load(delta + j * step + k + v * kWidth);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; v++) {
            float* p = c + k + v * kWidth;
            store(p, gamma == 0 ? total[v] * alpha : total[v] * alpha + load(p) * gamma);
        }
    }
    for_each_vector(out - k, [&](int64_t i, auto load, auto store) {
        constexpr int kChains = 4;
        Vec total[kChains] = {};
        const float* d = delta + k + i;
        int j = 0;
        for (; j + kChains <= m; j += kChains)
#pragma GCC unroll 4
            for (int n = 0; n < kChains; n++) total[n] += load(d + (j + n) * step);
        for (; j < m; j++) total[0] += load(d + j * step);
        const Vec sum = (total[0] + total[1] + (total[2] + total[3])) * alpha;
        store(c + k + i, gamma == 0 ? sum : sum + load(c + k + i) * gamma);
    });
}

namespace {

// A column tile of the batch: what it reads and writes stays in the caches, and is wide enough to be worth packing W.
constexpr int kTileFloats = 256 * 1024;
constexpr int kSmallestTile = 64;

int column_tile(int in, int out, int m) {
    const int rows = in > out ? in : out;
    if (int64_t(rows) * m <= kTileFloats) return m;
    return rows >= kTileFloats / kSmallestTile ? kSmallestTile : kTileFloats / rows;
}

// How dots() and multiply() divide the shapes between them, and what is left to OpenBLAS, is measured by kernels_bench on
// its default layers and on 784x128x{1,4,16,32}, 1024x1024x{1,4,16,32,1024}, by AVX2 and AVX-512 against OpenBLAS's kernels
// of the same width.

// Up to this many samples W is read in place; from there on packing it pays.
constexpr int kDotSamples = 32;

// Up to this many samples our products beat OpenBLAS whatever the size of W; the gradient's, along the samples, sooner lose.
constexpr int kManySamples = kWidth == 16 ? 128 : kFewSamples;
constexpr int kManySummed = kWidth == 16 ? 16 : kFewSamples;

// From so many weights on (1 MB) OpenBLAS is as fast or faster, if its kernels are as wide as ours. The baseline's are
// no match for it, so there only what is small remains.
constexpr int kLargeWeights = kWidth == 4 ? 1024 : 256 * 1024;

bool is_large(int in, int out) { return int64_t(in) * out >= kLargeWeights && openblas_width() >= kWidth; }

// A leading dimension of a multiple of 1 KB puts the columns of A into few sets of the level-1 cache: where this many
// columns of C share the copy, it pays, unless there are so few columns of A that they fit in all the same.
constexpr int kPackedColumns = 192;
constexpr int kCollision = 256;

// Of a matrix whose columns lie `step` apart, the first of its rows
Rows rows_of(const float* a, int step, int columns, int depth) {
    return {a, step, step % kCollision == 0 && columns >= kPackedColumns && depth > kLeastDepth};
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

// On m columns that lie `step` apart
struct AffineTail {
    int out, m, step;
    const float* b;
    float* z;
    template <Activation phi>
    void operator()() const {
        if (b == nullptr && out == step) return bias_and_activate<phi>(int64_t(out) * m, nullptr, z);
        for (int j = 0; j < m; j++) bias_and_activate<phi>(out, b, z + int64_t(j) * step);
    }
};

void affine_tail(int out, int m, int step, const float* b, Activation phi, float* z) {
    const bool softly = phi == Activation::kSoftmax;
    if (b != nullptr || (phi != Activation::kIdentity && !softly)) with_activation(phi, AffineTail{out, m, step, b, z});
    if (softly)
        for (int j = 0; j < m; j++) softmax(out, z + int64_t(j) * step);
}

struct DerivativeTail {
    int in, m, step;
    const float* a;
    float* delta;
    template <Activation phi>
    void operator()() const {
        if (in == step) return columns<phi>(int64_t(in) * m, a, delta);
        for (int j = 0; j < m; j++) columns<phi>(in, a + int64_t(j) * step, delta + int64_t(j) * step);
    }
    template <Activation phi>
    static void columns(int64_t n, const float* a, float* delta) {
        for_each_vector(n, [a, delta](int64_t i, auto load, auto store) {
            store(delta + i, load(delta + i) * derivative<phi>(load(a + i)));
        });
    }
};

void derivative_tail(int in, int m, int step, Activation phi, const float* a, float* delta) {
    if (phi != Activation::kIdentity) with_activation(phi, DerivativeTail{in, m, step, a, delta});
}

void affine(int in, int out, int m, int from, int to, const float* w, const float* b, const float* a, Activation phi,
            float* a_next) {
    const int units = to - from;
    w += int64_t(from) * in;
    if (b != nullptr) b += from;
    a_next += from;
    if (m > kDotSamples && m > kManySamples && is_large(in, out)) {
        sgemm(Trans::kYes, Trans::kNo, units, m, in, 1, w, in, a, in, 0, a_next, out);  // Z = WᵀA
        return affine_tail(units, m, out, b, phi, a_next);
    }
    const int tile = column_tile(in, units, m);
    for (int j = 0; j < m; j += tile) {
        const int columns = m - j < tile ? m - j : tile;
        const float* x = a + int64_t(j) * in;
        float* z = a_next + int64_t(j) * out;
        if (columns <= kDotSamples || units < kStripRows) {
            dots(in, units, columns, w, b, x, z, out);  // Z = WᵀA + b 1ᵀ
            affine_tail(units, columns, out, nullptr, phi, z);
        } else {
            multiply<Along::kDepth>(units, columns, in, 1, Columns{w, in}, x, in, 0, z, out);  // Z = WᵀA
            affine_tail(units, columns, out, b, phi, z);
        }
    }
}

void input_gradient(int in, int out, int m, int from, int to, const float* w, const float* delta, Activation phi,
                    const float* a, float* delta_previous) {
    const int rows = to - from;
    w += from;
    delta_previous += from;
    if (phi != Activation::kIdentity) a += from;
    if (m > kManySamples && is_large(in, out)) {
        sgemm(Trans::kNo, Trans::kNo, rows, m, out, 1, w, in, delta, out, 0, delta_previous, in);  // δ' = Wδ
        return derivative_tail(rows, m, in, phi, a, delta_previous);
    }
    const int tile = column_tile(rows, out, m);
    for (int j = 0; j < m; j += tile) {
        const int columns = m - j < tile ? m - j : tile;
        float* y = delta_previous + int64_t(j) * in;
        const float* d = delta + int64_t(j) * out;
        multiply<Along::kDepth>(rows, columns, out, 1, rows_of(w, in, columns, out), d, out, 0, y, in);  // δ' = Wδ
        derivative_tail(rows, columns, in, phi, a == nullptr ? a : a + int64_t(j) * in, y);
    }
}

void weight_gradient(int in, int out, int m, int from, int to, float alpha, const float* a, const float* delta,
                     float beta, float* c, float gamma, float* c_bias) {
    const float* d = delta + from;
    c += int64_t(from) * in;
    const int units = to - from;
    if (m > kManySummed && is_large(in, units))
        sgemm(Trans::kNo, Trans::kYes, in, units, m, alpha, a, in, d, out, beta, c, in);  // C = αAδᵀ + βC
    else
        multiply<Along::kColumns>(in, units, m, alpha, rows_of(a, in, units, m), d, out, beta, c, in);  // C = αAδᵀ + βC
    if (c_bias != nullptr) bias_gradient(units, m, alpha, d, out, gamma, c_bias + from);
}

void backward(int n, int m, Activation phi, const float* a, float* delta) {
    if (phi != Activation::kSoftmax) return derivative_tail(n, m, n, phi, a, delta);
    for (int64_t j = 0, end = int64_t(n) * m; j < end; j += n) {  // δ ← a ⊙ (δ − aᵀδ)
        Vec dot{};
        for_each_vector(n, [&](int64_t k, auto load, auto) { dot += load(a + j + k) * load(delta + j + k); });
        const float both = sum(dot);
        for_each_vector(n, [&](int64_t k, auto load, auto store) {
            store(delta + j + k, load(a + j + k) * (load(delta + j + k) - both));
        });
    }
}

}  // namespace

#define BACKBLAS_TEXT(x) #x
#define BACKBLAS_NAME(x) BACKBLAS_TEXT(x)

extern const Kernels table;
const Kernels table = {BACKBLAS_NAME(BACKBLAS_ISA), kLargeWeights, affine, input_gradient, weight_gradient,
                       update, activate, cost, backward, dropout, sum_of_squares, gather_floats, gather_bytes, all_finite,
                       narrow};

}  // namespace backblas::BACKBLAS_ISA
