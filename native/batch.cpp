// What a mini-batch asks for before it is trained on: to be gathered, and to be free of NaN. Compiled once for each instruction
// set, as kernels.cpp is.
#include "kernels.hpp"
#include "simd.hpp"

namespace backblas::BACKBLAS_ISA {
namespace {

constexpr int kBytesAhead = 8192;  // so much at least is on its way while a column is read,
constexpr int kMostAhead = 512;    // but no more columns

// The columns of a batch lie anywhere in memory, so those that come next are prefetched, beyond the batch too: those of the next
// come while this one is trained on (and a prefetch of a wrong address does nothing). It takes 54 to 75 ns instead of
// 150 to 174 for 784 bytes out of 47 MB, 135 to 162 instead of 240 to 280 for as many floats (Zen 5, one thread).
template <class Value, class Copy>
void gather(int n, const Value* source, const int* columns, int count, int known, float* x, Copy copy) {
    const int64_t bytes = int64_t(n) * int64_t(sizeof(Value));
    int ahead = 1;
    while (ahead < kMostAhead && ahead * bytes < kBytesAhead) ahead *= 2;  // quicker than a division
    for (int j = 0; j < count; j++) {
        if (j + ahead < known) {
            const char* next = reinterpret_cast<const char*>(source + int64_t(columns[j + ahead]) * n);
            for (int64_t i = 0; i < bytes; i += kCacheLine) __builtin_prefetch(next + i);
        }
        copy(source + int64_t(columns[j]) * n, x + int64_t(j) * n);
    }
}

// x ← n values, kWidth or more, of(i) being the vector from the i-th on. But for the first and the last, which overlap those
// between, every vector of x is stored into one cache line: into two it takes twice as long.
template <class Of>
void copy(int n, float* x, Of of) {
    store(x, of(0));
    for (int i = kWidth - skew_of(x); i <= n - kWidth; i += kWidth)
        store(x + i, of(i));
    store(x + n - kWidth, of(n - kWidth));
}

}  // namespace

void gather_floats(int n, const float* source, const int* columns, int count, int known, float* x) {
    gather(n, source, columns, count, known, x, [n](const float* from, float* to) {
        if (n < kWidth) return store(to, load(from, n), n);
        copy(n, to, [from](int i) { return load(from + i); });
    });
}

void gather_bytes(int n, const uint8_t* source, float scale, const int* columns, int count, int known, float* x) {
    gather(n, source, columns, count, known, x, [n, scale](const uint8_t* from, float* to) {
        if (n < kWidth) return store(to, load(from, n) * scale, n);
        copy(n, to, [=](int i) { return load(from + i) * scale; });
    });
}

// Σ 0·xᵢ is 0 where all are finite, else NaN; four chains of additions hide their latency.
bool all_finite(int n, const float* x) {
    constexpr int kChains = 4, kStep = kChains * kWidth;
    Vec zero[kChains] = {};
    int i = 0;
    for (; n - i >= kStep; i += kStep)
#pragma GCC unroll 4
        for (int c = 0; c < kChains; c++) zero[c] += load(x + i + c * kWidth) * 0.0f;
    for_each_vector(n - i, [&](int64_t k, auto load, auto) { zero[0] += load(x + i + k) * 0.0f; });
    const Vec all = zero[0] + zero[1] + (zero[2] + zero[3]);
    return !any(all != all);
}

}  // namespace backblas::BACKBLAS_ISA
