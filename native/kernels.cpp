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

namespace {

// A column tile of the batch whose outputs, together with bias and φ, stay in the level-2 cache.
constexpr int64_t kTileFloats = 128 * 1024;
constexpr int kSmallestTile = 64;

int column_tile(int rows) {
    const int64_t columns = kTileFloats / rows;
    return columns < kSmallestTile ? kSmallestTile : int(columns);
}

// How dots() and multiply() divide the shapes between them, and what is left to OpenBLAS, is measured by kernels_bench on
// its default layers and on 784x128x{1,4,16,32}, 1024x1024x{1,4,16,32,1024}, by AVX2 and AVX-512 against OpenBLAS's kernels
// of the same width.

// Up to this many samples W is read in place; from there on packing it pays.
constexpr int kDotSamples = 32;

// Up to this many samples our products beat OpenBLAS whatever the size of W.
constexpr int kManySamples = kWidth == 16 ? 32 : kFewSamples;

// From so many weights on (1 MB) OpenBLAS is as fast or faster, if its kernels are as wide as ours. The baseline's are
// no match for it, so there only what is small remains.
constexpr int kLargeWeights = kWidth == 4 ? 1024 : 256 * 1024;

bool is_large(int in, int out) { return int64_t(in) * out >= kLargeWeights && openblas_width() >= kWidth; }

// A leading dimension of a multiple of 1 KB puts the columns of A into few sets of the level-1 cache: where this many
// columns of C share the copy, it pays.
constexpr int kPackedColumns = 192;
constexpr int kCollision = 256;

Rows rows_of(const float* a, int rows, int columns) {
    return {a, rows, rows % kCollision == 0 && columns >= kPackedColumns};
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

// c ← α δ 1 + γ c
void bias_gradient(int out, int m, float alpha, const float* delta, int64_t step, float gamma, float* c) {
    for_each_vector(out, [&](int64_t k, auto load, auto store) {
        Vec total{};
        for (int j = 0; j < m; j++) total += load(delta + j * step + k);
        total *= alpha;
        store(c + k, gamma == 0 ? total : total + load(c + k) * gamma);
    });
}

void affine(int in, int out, int m, const float* w, const float* b, const float* a, Activation phi, float* a_next) {
    const int tile = column_tile(out);
    for (int j = 0; j < m; j += tile) {
        const int columns = m - j < tile ? m - j : tile;
        const float* x = a + int64_t(j) * in;
        float* z = a_next + int64_t(j) * out;
        // Z = WᵀA
        if (columns <= kDotSamples || out < kStripRows)
            dots(in, out, columns, w, x, z);
        else if (is_large(in, out))
            sgemm(Trans::kYes, Trans::kNo, out, columns, in, 1, w, in, x, in, 0, z, out);
        else
            multiply<Along::kDepth>(out, columns, in, 1, Columns{w, in}, x, in, 0, z, out);
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
        // δ' = Wδ
        if (columns > kManySamples && is_large(in, out))
            sgemm(Trans::kNo, Trans::kNo, in, columns, out, 1, w, in, d, out, 0, y, in);
        else
            multiply<Along::kDepth>(in, columns, out, 1, rows_of(w, in, columns), d, out, 0, y, in);
        derivative_tail(int64_t(columns) * in, phi, a == nullptr ? a : a + int64_t(j) * in, y);
    }
}

void weight_gradient(int in, int out, int m, int from, int to, float alpha, const float* a, const float* delta,
                     float beta, float* c, float gamma, float* c_bias) {
    const float* d = delta + from;
    c += int64_t(from) * in;
    // C = αAδᵀ + βC
    if (m > kManySamples && is_large(in, to - from))
        sgemm(Trans::kNo, Trans::kYes, in, to - from, m, alpha, a, in, d, out, beta, c, in);
    else
        multiply<Along::kColumns>(in, to - from, m, alpha, rows_of(a, in, to - from), d, out, beta, c, in);
    if (c_bias != nullptr) bias_gradient(to - from, m, alpha, d, out, gamma, c_bias + from);
}

}  // namespace

#define BACKBLAS_TEXT(x) #x
#define BACKBLAS_NAME(x) BACKBLAS_TEXT(x)

extern const Kernels table;
const Kernels table = {BACKBLAS_NAME(BACKBLAS_ISA), affine, input_gradient, weight_gradient,
                       update, activate, dropout, sum_of_squares, gather_floats, gather_bytes, all_finite};

}  // namespace backblas::BACKBLAS_ISA
