// The three products of backpropagation, each with its elementwise tail, and what a step needs beside them. Matrices are
// column-major, one sample a column; Java has checked every length and alias before a pointer comes here.
#pragma once

#include <cstdint>

namespace backblas {

// The order is that of dev.backblas.backend.Activation.
enum class Activation : int { kIdentity, kSigmoid, kTanh, kRelu, kLeakyRelu, kSoftmax, kGelu, kSilu, kElu, kSoftplus };

// The order is that of dev.backblas.backend.UpdateRule.
enum class UpdateRule : int { kDescent, kMomentum, kNesterov, kRmsProp, kAdam };

// The order is that of dev.backblas.backend.Cost.
enum class Cost : int { kSquaredError, kAbsoluteError, kPoisson, kBinaryCrossEntropy, kCrossEntropy };

struct Call;  // program.hpp
struct Operation;

constexpr int kCacheLine = 64;

// Columns of a matrix that are gathered next. Where that pays, products bring them near meanwhile, a few cache lines at a time.
struct Ahead {
    const char* source = nullptr;
    int64_t bytes = 0;                            // of a column
    const int *next = nullptr, *end = nullptr;    // the numbers of those to come
    const char *line = nullptr, *last = nullptr;  // what is left of the one at hand
    const Operation* missing = nullptr;           // the gather of what the next product reads, where that is to gather it itself
};

// Gathers so many of the columns of X, from one on; `known` as below (program.cpp).
void gather_columns(const Operation& gather, int first, int count, int known = 0);

constexpr int kWidestPanel = 12;  // the most columns that are gathered so

constexpr float kLeakySlope = 0.01f;

// Up to this many samples no kernel calls OpenBLAS, which packs W first: reading W once is 1.9 to 6 times as fast for one
// sample, and from four on it depends on the processor (kernels_bench 784x128x1 1024x1024x1 1024x1024x2 1024x1024x4).
constexpr int kFewSamples = 2;

// Where a thread packs what is too large for its stack, from its first time on to its end: so many floats, 560 KB, aligned to a
// cache line; null if there is no memory for it (memory.cpp).
constexpr int kStripsOfThread = 140 * 1024;
float* strips_of_thread();

// No size is 0, and no tile [from, to) empty.
struct Kernels {
    const char* isa;
    int large_weights;  // a product of a smaller W, or of kFewSamples, never enters OpenBLAS

    // A' = φ(WᵀA + b 1ᵀ), for the units (rows of A') [from, to); all of them for softmax
    //                            W: in×out   b: out or null   A: in×m   A': out×m
    void (*affine)(int in, int out, int m, int from, int to, const float* w, const float* b, const float* a,
                   Activation phi, float* a_next, Ahead& ahead);

    // Whether it reads A at first a panel of columns after the other, so slowly that what is missing of it is near in time
    bool (*reads_by_panels)(int in, int out, int m, int from, int to);

    // Whether products, while they run, bring near what is gathered next
    bool (*bring_near)();

    // δ' = (W δ) ⊙ φ'(A), for the rows of δ' [from, to)
    //                            W: in×out   δ: out×m   A: in×m (unread for the identity)   δ': in×m
    void (*input_gradient)(int in, int out, int m, int from, int to, const float* w, const float* delta,
                           Activation phi, const float* a, float* delta_previous, Ahead& ahead);

    // C ← α A δᵀ + β C,  c ← α δ 1 + γ c, for the units (columns of C) [from, to)
    //                            A: in×m   δ: out×m   C: in×out   c: out or null; with β = 0 (γ = 0) C (c) is unread
    void (*weight_gradient)(int in, int out, int m, int from, int to, float alpha, const float* a, const float* delta,
                            float beta, float* c, float gamma, float* c_bias, Ahead& ahead);

    // One step of an optimizer on the parameters [from, to)
    //                            θ, g, m, v: at the same indices   numbers: η, κ, s, λ₂, λ₁, β₁, β₂, ε
    void (*update)(UpdateRule rule, int from, int to, float* theta, const float* gradient, float* m, float* v,
                   const float* numbers);

    // A = φ(Z)                   n values; not softmax
    void (*activate)(int n, Activation phi, const float* z, float* a);

    // The sum of the costs of m samples, each times its weight; NaN where a target is out of range
    //                            A: n×m, or Z for cross-entropies   Y: n×m   weights: m or null   δ: n×m, ∂C/∂A or ∂C/∂Z
    double (*cost)(Cost cost, int n, int m, const float* a, const float* y, const float* weights, float* delta);

    // δ ← (∂A/∂Z)ᵀ δ             A, or Z for GELU and SiLU: n×m   δ: n×m
    void (*backward)(int n, int m, Activation phi, const float* a, float* delta);

    // δ ← (X₁ + … + Xₜ) ⊙ φ'(A), of their rows [from, to)
    //                            X: n×m, each `step` behind the one before   A: n×m (unread for the identity)   δ: (to−from)×m
    void (*sum)(int n, int m, int terms, int from, int to, const float* x, int64_t step, Activation phi, const float* a,
                float* delta);

    // Each value becomes 0 with probability p, else itself / (1 − p); which ones, the key and their numbers say
    //                            x, out: n, may be one   first: the number of the first   key: two whole numbers below 2²⁴
    void (*dropout)(int n, float p, int first, const float* x, float* out, const float* key);

    // Σ x²
    double (*sum_of_squares)(int n, const float* x);

    // X ← columns of a larger n-row matrix S; bytes become floats times scale
    //                            X: n×count   columns: their numbers, and of more, of which `known` are to be looked at ahead
    void (*gather_floats)(int n, const float* source, const int* columns, int count, int known, float* x);
    void (*gather_bytes)(int n, const uint8_t* source, float scale, const int* columns, int count, int known, float* x);

    // Whether no value is NaN or infinite
    bool (*all_finite)(int n, const float* x);

    // What runs this call of a narrow layer faster than the kernels above; null for most
    double (*(*narrow)(const Call& call))(const Operation& operation);
};

// Whether the processor computes with vectors of 512 bits by halves, as Zen 4 does. Tests change it.
bool& halves_vectors();

// Whether a matrix is multiplied about as fast where it lies as packed, as by Zen 5, to which it matters less than to others that
// Java's arrays do not begin with a cache line. Asked where vectors are of 512 bits and computed whole; tests change it.
bool& reads_in_place();

// The best table this processor can run; supported_kernels() ends with a null.
const Kernels& kernels();
const Kernels* const* supported_kernels();

}  // namespace backblas
