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

// Of so many samples, 1 MB, dots() takes unit after unit.
constexpr int kTileFloats = 256 * 1024;
constexpr int kSmallestTile = 64;

int sample_tile(int in, int m) {
    if (int64_t(in) * m <= kTileFloats) return m;
    return in >= kTileFloats / kSmallestTile ? kSmallestTile : kTileFloats / in;
}

// How dots() and multiply() divide the shapes between them, and what is left to OpenBLAS, is measured by kernels_bench on
// its default layers, on 784x128x{1,4,16,32}, 1024x1024x{1,4,16,32,64,128,512,1024}, 2048x2048x{64,128,512}, 4096x4096x{128,512},
// by AVX2 and AVX-512 against OpenBLAS's kernels of the same width.

// Up to so many samples W is read in place. Packing it pays from there on; of short columns sooner, since what a sum costs in the
// end, where lanes are added up, is much of it: from a quarter of the inputs as samples on (13x64x32 30x100x32 60x100x{8,16,32}
// 128x64x32: up to 4 times as fast where columns are short), by AVX2 an eighth (32x32x16 64x64x{16,32} 64x32x32 128x{64,128}x32
// 30x100x8: up to 1.8 times as fast; 784x128x{16,32}: up to 1.3 times as fast in place). By AVX2 twice as many where half of a
// second strip would be empty, four times for less than one (60x20x{8,12} 100x20x16 100x10x32: up to 1.3 times as fast in place;
// 30x10x{16,32,64}: up to 1.4 times as fast packed).
constexpr int kDotSamples = 32;
constexpr int kLeastPacked = kWidth == 16 ? 16 : kWidth == 8 ? 9 : kStripRows;
constexpr int kInputsASample = kWidth == 8 ? 8 : kWidth / 4;

bool packing_pays(int in, int units, int m) {
    if (units < kLeastPacked || m <= kFewSamples) return false;
    const int samples = in / kInputsASample;
    if (units < kStripRows) return m / (kWidth == 8 ? 4 : 2) > samples;
    const bool half_empty = kWidth == 8 && units > kStripRows && units < kStripRows + kWidth;
    return m > kDotSamples || m > (half_empty ? 2 * samples : samples);
}

// From so many weights on OpenBLAS is as fast or faster, if its kernels are as wide as ours: from 1 MB, but ours is no slower
// at WᵀA of any size (AVX-512: by 1 to 23 %, AVX2: by 5 to 20 % up to 256 samples), and with AVX-512 no slower at Wδ up to 8
// MB. The baseline's are no match for it, so there only what is small remains.
constexpr int kLargeWeights = kWidth == 4 ? 1024 : 256 * 1024;
constexpr int64_t kLargeForward = kWidth >= 8 ? INT64_MAX : kLargeWeights;
constexpr int64_t kLargeBackward = kWidth == 16 ? 2 * 1024 * 1024 : kLargeWeights;

// Of fewer samples than these our products are the faster ones whatever the size of W.
constexpr int kManyForward = kDotSamples + 1;
constexpr int kManyBackward = kWidth == 16 ? 129 : kFewSamples + 1;
constexpr int kManySummed = kWidth == 16 ? 17 : kFewSamples + 1;

// Where a processor computes vectors of 16 by halves (Zen 4), OpenBLAS's AVX2 kernels are the fastest for the Wδ and dW of a W of
// 8 MB, as its columns lie far apart (2048x2048x{4,8,16,48,256}), and from 1 MB on for the dW of a batch between these two
// (512x512, 1024x1024 and 2048x2048 x{4,8,16}, 1000x1000x{100,192,300} 1024x1024x{40,64,256,512}).
constexpr int kManySummedByHalves = 12, kPackedByHalves = 192;

// By AVX2 the dW of fewer weights too, 64 KB, if units are so many, of what scaling_pays() and laying_out_pays() leave
// (kernels_bench 784x128x{32,128} 256x256x{16,64} 128x128x32, before δ was laid out: 1.0 to 1.3 times as fast as tiles; those are
// the faster ones of 64x64x64, Zen 3).
constexpr int kManyUnits = 64, kSummedWeights = 16 * 1024;
constexpr int kLeastToOpenBlas = kWidth == 8 ? kSummedWeights : kLargeWeights;

bool is_large(int in, int out, int64_t least) {
    return int64_t(in) * out >= least && openblas_width() >= (by_halves() ? kWidth / 2 : kWidth);
}

bool is_large_forward(int in, int out, int m) {
    return m >= kManyForward && is_large(in, out, kLargeForward);
}

bool is_large_backward(int in, int out, int m) {
    return m >= (by_halves() ? kFewSamples + 1 : kManyBackward) && is_large(in, out, kLargeBackward);
}

bool is_large_sum(int in, int units, int m) {
    if (!by_halves())
        return m >= kManySummed && is_large(in, units, kWidth == 8 && units >= kManyUnits ? kSummedWeights : kLargeWeights);
    return m >= kManySummedByHalves && is_large(in, units, m < kPackedByHalves ? kLargeWeights : kLargeBackward);
}

// A leading dimension of a multiple of 1 KB puts the columns of A into few sets of the level-1 cache: where so many columns of C
// share the copy, it pays (and half as many, where no level-2 cache holds A), unless there are so few columns of A that they
// fit in all the same.
constexpr int kPackedColumns = 192;
constexpr int kCollision = 256;
constexpr int kLargeA = 512 * 1024;  // 2 MB

// By tall strips it pays whatever the leading dimension, if B is large too, and for fewer columns if A takes 1 MB; for a small B,
// never (Wδ of 1024x1024x{40,64} 1000x1000x{100,192}, dW of 256x256x{32,64,128,256} 512x256x128 768x256x128 1024x200x128).
bool tall_strips_pay(int64_t size, int columns, int depth) {
    return size >= kLargeWeights ? columns > kDotSamples : columns >= kPackedColumns && int64_t(columns) * depth > kLargeB;
}

// Packed by the tiles themselves it pays sooner: by AVX2 from 64 KB on (kernels_bench 784x128x{16,32,128} 256x256x{16,64}
// 64x256x64 128x128x{32,128} 64x64x{32,64} 784x30x{32,128}), by AVX-512, where at all, from 128 KB on (128x128x32 300x300x16).
constexpr int kLeastA = kWidth == 16 ? 32 * 1024 : 16 * 1024, kLeastShared = 2 * kWidth, kLeastSum = 64;

// Of a matrix whose columns lie `step` apart, the first of its rows
Rows rows_of(const float* a, int step, int columns, int depth) {
    const int64_t size = int64_t(step) * depth;
    const int shared_by = size > kLargeA ? kPackedColumns / 2 : kPackedColumns;
    const bool pays = by_halves()    ? tall_strips_pay(size, columns, depth)
                      : packs_soon() ? size >= kLeastA && columns >= kLeastShared && depth >= kLeastSum
                                     : step % kCollision == 0 && columns >= shared_by;
    return {a, step, pays && depth > kLeastDepth};
}

// z ← φ(z + b) on one column
template <Activation phi>
void bias_and_activate(int64_t out, const float* b, float* z) {
    const auto value = [b, z](int64_t k, auto load) {
        return apply<phi>(b == nullptr ? load(z + k) : load(z + k) + load(b + k));
    };
    for_each_vector_overlapping(out, value, z);
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

// But for softmax, which wants all units
void affine_tail(int out, int m, int step, const float* b, Activation phi, float* z) {
    if (b != nullptr || (phi != Activation::kIdentity && phi != Activation::kSoftmax))
        with_activation(phi, AffineTail{out, m, step, b, z});
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
        const auto value = [a, delta](int64_t i, auto load) { return load(delta + i) * derivative<phi>(load(a + i)); };
        for_each_vector_overlapping(n, value, delta);
    }
};

void derivative_tail(int in, int m, int step, Activation phi, const float* a, float* delta) {
    if (phi != Activation::kIdentity) with_activation(phi, DerivativeTail{in, m, step, a, delta});
}

// As AffineTail, of Zᵀ, whose rows are kSamplesOfGroup apart
struct TransposedTail {
    int units, m;
    int64_t step;
    const float *b, *zt;
    float* z;
    template <Activation phi>
    void operator()() const {
        for (int k = 0; k < units; k += kWidth) {
            const int some = units - k < kWidth ? units - k : kWidth;
            const Vec bias = b == nullptr ? Vec{} : some == kWidth ? load(b + k) : load(b + k, some);
            for (int j = 0; j < m; j += kWidth) {
                Vec x[kWidth];
                load_transposed(zt + k * kSamplesOfGroup + j, kSamplesOfGroup, x);
                float* to = z + j * step + k;
                if (some == kWidth && m - j >= kWidth)
#pragma GCC unroll 16
                    for (int n = 0; n < kWidth; n++, to += step) store(to, apply<phi>(x[n] + bias));
                else
                    for (int n = 0; n < kWidth && j + n < m; n++, to += step) store(to, apply<phi>(x[n] + bias), some);
            }
        }
    }
};

// Where tiles_alone(), A is packed in place of W if at most a group of samples fill their strips but for two; and units are so
// many that to transpose A is little beside the product, and of more than kDotSamples so many that to transpose W is more, or
// such that strips of them would not be full (kernels_bench 256x{20,64,256}x{16,32,64} 784x{64,100,128}x{16,32,64}
// 1024x1024x{16,32,48,64} 64x{10,20,32,64}x{16,32,48} 30x10x{14,16,32,64}, Zen 3: 1.05 to 1.5 times as fast; 256x16x32
// 784x32x{32,64} 256x256x128: up to 1.2 times as fast the other ways; AVX-512, Zen 5: 784x{128,256}x{32,64} 512x128x64
// 256x256x{32,64,128} 1024x1024x{32,64,128}: 1.04 to 1.4 times; 784x64x128, left to W: 0.94). Of fewer units than lanes φ
// would be taken of emptiness.
constexpr int kMostEmpty = 2, kInputsAUnit = 14, kUnitsWorthIt = 64;

bool by_samples_pays(int in, int units, int m) {
    const int full = (m + kMostEmpty) / kStripRows * kStripRows;
    if (!tiles_alone() || full == 0 || m > kSamplesOfGroup || m - full > 0) return false;
    if (in > kMostDepth || units < kWidth || int64_t(kInputsAUnit) * units < in) return false;
    if (m > kDotSamples && (units < kUnitsWorthIt || units < m) && units % kStripRows == 0) return false;
    return in * full <= kSamplesOnStack || strips_of_thread() != nullptr;
}

// By AVX2 no more samples share a packed W: A is then read from a nearer cache (kernels_bench 784x1024x1024, Zen 3: 1.03 times as
// fast as all at once).
constexpr int kSamplesAtOnce = kWidth == 8 ? 256 : INT32_MAX;

void affine(int in, int out, int m, int from, int to, const float* w, const float* b, const float* a, Activation phi,
            float* a_next, Ahead& ahead) {
    const int units = to - from;
    w += int64_t(from) * in;
    if (b != nullptr) b += from;
    a_next += from;
    if (is_large_forward(in, out, m)) {
        sgemm(Trans::kYes, Trans::kNo, units, m, in, 1, w, in, a, in, 0, a_next, out);  // Z = WᵀA
        affine_tail(units, m, out, b, phi, a_next);
    } else if (by_samples_pays(in, units, m)) {
        const auto tail = [=](int k, int some, const float* zt) {
            with_activation(phi, TransposedTail{some, m, out, b == nullptr ? b : b + k, zt, a_next + k});
        };
        multiply_by_samples(in, units, m, w, a, ahead, tail);
    } else if (!packing_pays(in, units, m)) {
        for (int n = parts(m, sample_tile(in, m)), t = 0; t < n; t++) {
            const int j = part(m, t, n), columns = part(m, t + 1, n) - j;
            float* z = a_next + int64_t(j) * out;
            dots(in, units, columns, w, b, a + int64_t(j) * in, z, out, ahead);  // Z = WᵀA + b 1ᵀ
            affine_tail(units, columns, out, nullptr, phi, z);
        }
    } else {
        const int n = ahead.missing == nullptr ? parts(m, kSamplesAtOnce) : 1;
        for (int t = 0; t < n; t++) {
            const int first = part(m, t, n);
            float* z = a_next + int64_t(first) * out;
            const auto tail = [=](int k, int j, int some, int columns) {
                affine_tail(some, columns, out, b == nullptr ? b : b + k, phi, z + int64_t(j) * out + k);
            };
            multiply<Along::kDepth>(units, part(m, t + 1, n) - first, in, 1, Columns{w, in, units},
                                    {a + int64_t(first) * in, in}, 0, {z, out}, {z, out}, ahead, tail);  // Z = WᵀA
        }
    }
    if (phi == Activation::kSoftmax)
        for (int j = 0; j < m; j++) softmax(out, a_next + int64_t(j) * out);
}

// Of so few outputs, and a W near by, a product is soon done, and its tail takes as long: φ' is taken before it is stored
// (kernels_bench 13x{1,4}x64 64x{1,3}x32 100x{1,4}x32 784x4x128: 1.1 to 2.5 times as fast).
constexpr int kFewOutputs = 4;

// δ' = (W δ) ⊙ φ'(A)           W: in×out   δ: out×m   A: in×m (unread for the identity)   δ': in×m; its first `rows`
struct InputGradientOfFew {
    int in, out, m, rows;
    const float *w, *delta, *a;
    float* previous;
    template <Activation phi>
    void operator()() const {
        switch (out) {
            case 1: return columns<phi, 1>();
            case 2: return columns<phi, 2>();
            case 3: return columns<phi, 3>();
            case kFewOutputs: return columns<phi, kFewOutputs>();
        }
    }
    template <Activation phi, int outputs>
    void columns() const {
        for (int j = 0; j < m; j++) {
            const int64_t first = int64_t(j) * in;
            Vec d[outputs];
            for (int k = 0; k < outputs; k++) d[k] = broadcast(delta[int64_t(j) * outputs + k]);
            const auto value = [&](int64_t i, auto load) {
                Vec sum{};
                for (int k = 0; k < outputs; k++) sum += load(w + int64_t(k) * in + i) * d[k];
                if constexpr (phi != Activation::kIdentity) sum *= derivative<phi>(load(a + first + i));
                return sum;
            };
            for_each_vector_overlapping(rows, value, previous + first);
        }
    }
};

bool reads_by_panels(int in, int out, int m, int from, int to) {
    const int units = to - from;
    return units >= kLeastStrips * kStripRows && packing_pays(in, units, m) && !by_samples_pays(in, units, m) &&
           !is_large_forward(in, out, m);
}

// Where vectors of 16 are computed whole, what comes from memory meanwhile costs a product at least as much time as it does a
// gather that waits for it (Zen 5, 190 ns from memory, one thread, `bench epochs`, by turns with this and without: beyond steps
// on a batch at hand 784-30-10 costs 28 % on floats and 3 % on bytes with it, 22 and -1 without; 784-128-10 14.9 and 7.1, 14.4
// and 6.5).
bool bring_near() { return kWidth < 16 || halves_vectors(); }

void input_gradient(int in, int out, int m, int from, int to, const float* w, const float* delta, Activation phi,
                    const float* a, float* delta_previous, Ahead& ahead) {
    const int rows = to - from;
    w += from;
    delta_previous += from;
    if (phi != Activation::kIdentity) a += from;
    if (is_large_backward(in, out, m)) {
        sgemm(Trans::kNo, Trans::kNo, rows, m, out, 1, w, in, delta, out, 0, delta_previous, in);  // δ' = Wδ
        return derivative_tail(rows, m, in, phi, a, delta_previous);
    }
    if (out <= kFewOutputs && int64_t(in) * out <= kNearWeights)
        return with_activation(phi, InputGradientOfFew{in, out, m, rows, w, delta, a, delta_previous});
    const auto tail = [=](int i, int j, int some, int columns) {
        const int64_t at = int64_t(j) * in + i;
        derivative_tail(some, columns, in, phi, a == nullptr ? a : a + at, delta_previous + at);
    };
    const Part last = {phi == Activation::kIdentity ? delta_previous : a, in};
    multiply<Along::kDepth>(rows, m, out, 1, rows_of(w, in, m, out), {delta, out}, 0, {delta_previous, in}, last, ahead,
                            tail);  // δ' = Wδ
}

// Where packing pays soon αδ is laid out before, panel by panel, and the first panel's tiles pack A: of up to so many samples,
// or units, since A is packed for each part of αδ that finds a place (kernels_bench 256x256x{9,16,32,64,128,192}
// 784x128x{17,32,64,128,256,512} 784x30x{33,64,128} {512x512,784x1024,1024x1024}x{17,32,64,128} 2048x2048x64
// 4096x4096x{32,128}, Zen 3: 1.0 to 1.6 times as fast as OpenBLAS, most where C comes from afar; 1024x1024x{256,512}: 0.9
// times; 64x{64,256}x64 128x10x128: up to 1.3 times as fast by tiles alone). By AVX-512 of more weights (an Emerald Rapids,
// 128x128x32: 0.89 times as fast), and not of what OpenBLAS has else, with which it was not compared.
constexpr int kLaidWeights = kWidth == 16 ? 32 * 1024 : 15000, kLaidInputs = 128, kLaidSamples = 192, kLaidUnits = 128;

bool laying_out_pays(int in, int units, int m) {
    return packs_soon() && in >= kLaidInputs && int64_t(in) * units >= kLaidWeights && units > kTileColumns &&
           (m <= kLaidSamples || (units <= kLaidUnits && m <= kLaidFloats / kLaidUnits)) && strips_of_thread() != nullptr;
}

// C ← A (αδ)ᵀ + βC
void multiply_by_laid_out(int in, int units, int m, float alpha, const float* a, const float* delta, int64_t step, float beta,
                          float* c, Ahead& ahead) {
    const auto no_tail = [](int, int, int, int) {};
    float* const panels = strips_of_thread() + kStripFloats;
    for (int n = parts(units, kLaidFloats / m), p = 0; p < n; p++) {
        const int first = part(units, p, n), some = part(units, p + 1, n) - first;
        const Target part_of_c = {c + int64_t(first) * in, in};
        lay_out(some, m, alpha, {delta + first, step}, panels);
        multiply<Along::kPanels>(in, some, m, 1, Rows{a, in, true}, {panels, 0}, beta, part_of_c, {part_of_c.data, in}, ahead,
                                 no_tail);
    }
}

// C ← α A δᵀ + β C                A: in×m   δ: units×m, its columns `step` apart   C: in×units
void multiply_by_delta(int in, int units, int m, float alpha, const float* a, const float* delta, int64_t step, float beta,
                       float* c, Ahead& ahead) {
    const auto no_tail = [](int, int, int, int) {};
    multiply<Along::kColumns>(in, units, m, alpha, rows_of(a, in, units, m), {delta, step}, beta, {c, in}, {c, in}, ahead,
                              no_tail);
}

// Where tiles_alone(), αδ is laid out panel by panel before, of at most 16 samples, of 32 where units are few and W takes 64
// KB to 1 MB; where the columns of A, as of C, lie a multiple of 1 KB apart, by AVX2 of 8, by AVX-512 of none (kernels_bench
// 784x30x{4,10,16,24,32} 784x128x{4,10,16} 256x256x8 64x64x12 300x300x16 784x1024x{4,8,16} 1000x1000x{4,8,12,16}, Zen 3: 1.05
// to 1.4 times as fast as tiles or OpenBLAS; 1024x1024x{4,8} 2048x2048x{4,8} 4096x4096x{4,8}: 1.2 to 2 times; AVX-512, Zen 5:
// 784x30x{4,10,32} 1000x1000x{8,16}: 1.04 to 1.15 times, 1024x1024x{4,8} 2048x2048x4: 0.83 to 0.9). Not of fewer weights
// (13x50x10).
constexpr int kScaledWeights = 4096, kScaledSamples = 16, kScaledInOneSet = 8, kScaledOfFewUnits = 32;

bool scaling_pays(int in, int out, int m) {
    if (!tiles_alone() || int64_t(in) * out < kScaledWeights) return false;
    if (in % kCollision == 0) return kWidth == 8 && m <= kScaledInOneSet;
    const bool few_units = out < kManyUnits && int64_t(in) * out >= kSummedWeights && !is_large(in, out, kLargeWeights);
    return m <= (few_units ? kScaledOfFewUnits : kScaledSamples);
}

// C ← A (αδ)ᵀ + βC               A: in×m   δ: units×m, its columns `step` apart   C: in×units
__attribute__((noinline))  // or its array would lie beneath OpenBLAS's
void sum_scaled(int in, int units, int m, float alpha, const float* a, const float* delta, int64_t step, float beta, float* c,
                Ahead& ahead) {
    float scaled[kScaledOfFewUnits * kTileColumns + kWidth];  // m rows of a panel of αδᵀ, and room for a whole vector
    Near near = {{}, {}, ahead};
    for (int n = parts(units, kTileColumns), p = 0; p < n; p++) {
        const int k = part(units, p, n), columns = part(units, p + 1, n) - k;
        lay_out(columns, m, alpha, {delta + k, step}, scaled);
        panel_of<Along::kColumns>(columns)(in, m, {a, in}, {scaled, columns}, 1, beta, {c + int64_t(k) * in, in}, near);
    }
}

void weight_gradient(int in, int out, int m, int from, int to, float alpha, const float* a, const float* delta,
                     float beta, float* c, float gamma, float* c_bias, Ahead& ahead) {
    const float* d = delta + from;
    c += int64_t(from) * in;
    const int units = to - from;
    if (scaling_pays(in, out, m))
        sum_scaled(in, units, m, alpha, a, d, out, beta, c, ahead);
    else if (laying_out_pays(in, units, m) && !(kWidth == 16 && is_large_sum(in, units, m)))
        multiply_by_laid_out(in, units, m, alpha, a, d, out, beta, c, ahead);
    else if (is_large_sum(in, units, m))
        sgemm(Trans::kNo, Trans::kYes, in, units, m, alpha, a, in, d, out, beta, c, in);  // C = αAδᵀ + βC
    else
        multiply_by_delta(in, units, m, alpha, a, d, out, beta, c, ahead);
    if (c_bias != nullptr) bias_gradient(units, m, alpha, d, out, gamma, c_bias + from);
}

}  // namespace

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

namespace {

struct Sum {
    int n, m, terms, from, to;
    const float* x;
    int64_t step;
    const float* a;
    float* delta;
    template <Activation phi>
    void operator()() const {
        for (int j = 0; j < m; j++) {
            const int64_t first = int64_t(j) * n + from;
            const auto value = [&](int64_t i, auto load) {
                Vec sum = load(x + first + i);
                for (int t = 1; t < terms; t++) sum += load(x + t * step + first + i);
                if constexpr (phi != Activation::kIdentity) sum *= derivative<phi>(load(a + first + i));
                return sum;
            };
            for_each_vector_overlapping(to - from, value, delta + int64_t(j) * (to - from));
        }
    }
};

}  // namespace

void sum(int n, int m, int terms, int from, int to, const float* x, int64_t step, Activation phi, const float* a, float* delta) {
    with_activation(phi, Sum{n, m, terms, from, to, x, step, a, delta});
}

#define BACKBLAS_TEXT(x) #x
#define BACKBLAS_NAME(x) BACKBLAS_TEXT(x)

extern const Kernels table;
const Kernels table = {BACKBLAS_NAME(BACKBLAS_ISA), kLeastToOpenBlas, affine, reads_by_panels, bring_near, input_gradient,
                       weight_gradient, update, activate, cost, backward, sum, dropout, sum_of_squares, gather_floats,
                       gather_bytes, all_finite, narrow};

}  // namespace backblas::BACKBLAS_ISA
