// One vector of floats, as wide as the instruction set this file is compiled for. Everything lives in a namespace
// of that instruction set, so that the linker can never hand AVX-512 code to a plain x86-64 machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#ifndef BACKBLAS_ISA
#error "compile with -DBACKBLAS_ISA=<name>, see CMakeLists.txt"
#endif

namespace backblas::BACKBLAS_ISA {

#if defined(__AVX512F__)
constexpr int kWidth = 16;
#elif defined(__AVX__)
constexpr int kWidth = 8;
#else
constexpr int kWidth = 4;
#endif

typedef float Vec __attribute__((vector_size(kWidth * sizeof(float))));
typedef int32_t IntVec __attribute__((vector_size(kWidth * sizeof(int32_t))));
typedef double Doubles __attribute__((vector_size(kWidth * sizeof(double))));

inline Vec broadcast(float x) { return x - Vec{}; }  // +, by contrast, is an instruction: −0 + 0 is 0

inline IntVec lane_numbers() {
    IntVec v;
    for (int i = 0; i < kWidth; i++) v[i] = i;
    return v;
}

inline Vec load(const float* p) {
    Vec v;
    std::memcpy(&v, p, sizeof v);
    return v;
}

inline void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }

// What so many multiply-adds share, in a register. GCC would rather load it for each of two or three, but where vectors lie
// across cache lines it is loads that take the time: on 2 and 3 samples up to 1.6 times as long (kernels_bench 128x128x{2,3}
// 512x512x{2,3}, Zen 5). With 16 registers three leave none for it.
template <int uses>
inline Vec shared(Vec x) {
#if defined(__x86_64__)
    if constexpr (uses == 2 || (uses == 3 && kWidth == 16)) asm("" : "+v"(x));
#endif
    return x;
}

// How many floats p lies behind the start of a vector that is in one cache line
inline int skew_of(const float* p) { return int(reinterpret_cast<uintptr_t>(p) % sizeof(Vec) / sizeof(float)); }

// 1 ≤ n ≤ 4 floats without a mask, so that each load finds its bytes in one store before it; lanes beyond n read as zero.
constexpr int kFew = 4;
typedef float Four __attribute__((vector_size(4 * sizeof(float))));

inline Vec load_few(const float* p, int n) {
    Four x;
    switch (n) {
        case 1: x = Four{p[0]}; break;
        case 2: x = Four{p[0], p[1]}; break;
        case 3: x = Four{p[0], p[1], p[2]}; break;
        default: std::memcpy(&x, p, sizeof x);
    }
#if defined(__AVX512F__)
    return (Vec)_mm512_maskz_broadcast_f32x4(0xf, (__m128)x);
#elif defined(__AVX__)
    return (Vec)_mm256_insertf128_ps(_mm256_setzero_ps(), (__m128)x, 0);
#else
    return x;
#endif
}

template <class Vector>
inline void store_few(float* p, Vector v, int n) {
    Four x;
    std::memcpy(&x, &v, sizeof x);
    switch (n) {
        case 1: p[0] = x[0]; break;
        case 2: std::memcpy(p, &x, 2 * sizeof(float)); break;
        case 3:
            std::memcpy(p, &x, 2 * sizeof(float));
            p[2] = x[2];
            break;
        default: std::memcpy(p, &x, sizeof x);
    }
}

// The last n floats of a row, 1 ≤ n ≤ kWidth (by AVX 0, too, are loaded): lanes beyond n read as zero and are not written.
// load_from: lanes before n < kWidth read as zero, and what is there is not touched.
#if defined(__AVX512F__)
inline Vec load(const float* p, int n) { return _mm512_maskz_loadu_ps(__mmask16((1u << n) - 1), p); }
inline Vec load_from(const float* p, int n) { return _mm512_maskz_loadu_ps(__mmask16(0xffffu << n), p); }
inline void store(float* p, Vec v, int n) { _mm512_mask_storeu_ps(p, __mmask16((1u << n) - 1), v); }
#elif defined(__AVX__)
inline __m256i lanes(int n) {
    alignas(32) static const int32_t kLanes[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kLanes + 8 - n));
}
inline Vec load(const float* p, int n) { return _mm256_maskload_ps(p, lanes(n)); }
inline Vec load_from(const float* p, int n) { return _mm256_maskload_ps(p, ~lanes(n)); }
inline void store(float* p, Vec v, int n) {  // in pieces: a masked store takes several times as long (Zen 5)
    const __m128 low = _mm256_castps256_ps128(v), high = _mm256_extractf128_ps(v, 1);
    if (n <= kFew) return store_few(p, low, n);
    store_few(p, low, kFew);
    store_few(p + kFew, high, n - kFew);
}
#else
inline Vec load(const float* p, int n) { return load_few(p, n); }
inline Vec load_from(const float* p, int n) {
    Vec v{};
    for (int i = n; i < kWidth; i++) v[i] = p[i];
    return v;
}
inline void store(float* p, Vec v, int n) { store_few(p, v, n); }
#endif

// Bytes become floats.
inline Vec load(const uint8_t* p) {
    IntVec v;
#if defined(__AVX512F__)
    v = (IntVec)_mm512_maskz_cvtepu8_epi32(0xffff, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
#elif defined(__AVX__)
    v = (IntVec)_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
#else
    for (int i = 0; i < kWidth; i++) v[i] = p[i];
#endif
    return __builtin_convertvector(v, Vec);
}

// The first and the last of n bytes, as many as a Half has or up to twice that, joined. (Written to memory one by one, they
// would be read back late.)
template <class Half>
inline void load_halves(const uint8_t* p, int n, uint8_t* bytes) {
    constexpr int size = sizeof(Half);
    Half first, last;
    std::memcpy(&first, p, size);
    std::memcpy(&last, p + n - size, size);
    last = n == size ? 0 : Half(last >> (8 * (2 * size - n)));  // without those that are in the first
    std::memcpy(bytes, &first, size);
    std::memcpy(bytes + size, &last, size);
}

// n ≤ kWidth of them; lanes beyond n are zero.
inline Vec load(const uint8_t* p, int n) {
    constexpr bool little_endian = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
    uint8_t bytes[16] = {};
    if (little_endian && n >= 8) load_halves<uint64_t>(p, n, bytes);
    else if (little_endian && n >= 4) load_halves<uint32_t>(p, n, bytes);
    else
        for (int i = 0; i < n; i++) bytes[i] = p[i];
    return load(bytes);
}

// Lane i of the result is lane kLane(i) of x followed by y.
template <class Lane, int... i>
inline Vec shuffle(Vec x, Vec y, Lane, std::integer_sequence<int, i...>) {
#if defined(__clang__)
    return __builtin_shufflevector(x, y, Lane::of(i)...);
#else
    return __builtin_shuffle(x, y, IntVec{Lane::of(i)...});
#endif
}
template <class Lane>
inline Vec shuffle(Vec x, Vec y, Lane lane) {
    return shuffle(x, y, lane, std::make_integer_sequence<int, kWidth>());
}

struct LowLanes {  // x₀ y₀ x₁ y₁ …
    static constexpr int of(int i) { return i / 2 + i % 2 * kWidth; }
};
struct HighLanes {
    static constexpr int of(int i) { return LowLanes::of(i) + kWidth / 2; }
};
template <int distance>
struct Rotated {
    static constexpr int of(int i) { return (i + distance) % kWidth; }
};

inline Vec interleave_low(Vec x, Vec y) { return shuffle(x, y, LowLanes()); }
inline Vec interleave_high(Vec x, Vec y) { return shuffle(x, y, HighLanes()); }

// x[i][j] ↔ x[j][i]: a perfect shuffle of the rows, log₂ kWidth times
inline void transpose(Vec (&x)[kWidth]) {
#pragma GCC unroll 4
    for (int round = 1; round < kWidth; round *= 2) {
        Vec y[kWidth];
#pragma GCC unroll 16
        for (int i = 0; i < kWidth / 2; i++) {
            y[2 * i] = interleave_low(x[i], x[i + kWidth / 2]);
            y[2 * i + 1] = interleave_high(x[i], x[i + kWidth / 2]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < kWidth; i++) x[i] = y[i];
    }
}

// Four floats from each of kWidth / 4 places that lie `step` apart
inline Vec load_fours(const float* p, [[maybe_unused]] int64_t step) {
#if defined(__AVX512F__)
    const __m256 low = _mm256_loadu2_m128(p + step, p), high = _mm256_loadu2_m128(p + 3 * step, p + 2 * step);
    return _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
#elif defined(__AVX__)
    return _mm256_loadu2_m128(p + step, p);
#else
    return load(p);
#endif
}

struct LowOfFours {  // x₀ y₀ x₁ y₁ of every four
    static constexpr int of(int i) { return i / 4 * 4 + i % 4 / 2 + i % 2 * kWidth; }
};
struct HighOfFours {
    static constexpr int of(int i) { return LowOfFours::of(i) + 2; }
};
struct LowPairs {  // x₀ x₁ y₀ y₁
    static constexpr int of(int i) { return i / 4 * 4 + i % 2 + i % 4 / 2 * kWidth; }
};
struct HighPairs {
    static constexpr int of(int i) { return LowPairs::of(i) + 2; }
};

// x[j] ← column j of kWidth rows that lie `step` apart. Fours are put in their places as they are loaded, which saves half of
// the shuffles of transpose(): 1.3 times as fast (Zen 4).
inline void load_transposed(const float* p, int64_t step, Vec (&x)[kWidth]) {
#pragma GCC unroll 4
    for (int j = 0; j < kWidth; j += 4) {
        Vec y[4];
#pragma GCC unroll 4
        for (int r = 0; r < 4; r++) y[r] = load_fours(p + j + r * step, 4 * step);
        const Vec low[] = {shuffle(y[0], y[1], LowOfFours()), shuffle(y[2], y[3], LowOfFours())};
        const Vec high[] = {shuffle(y[0], y[1], HighOfFours()), shuffle(y[2], y[3], HighOfFours())};
        x[j] = shuffle(low[0], low[1], LowPairs());
        x[j + 1] = shuffle(low[0], low[1], HighPairs());
        x[j + 2] = shuffle(high[0], high[1], LowPairs());
        x[j + 3] = shuffle(high[0], high[1], HighPairs());
    }
}

// Every lane i becomes the sum (or whatever `both` makes of two vectors) of the lanes i + n·lanes.
template <int lanes, class Both>
inline Vec fold(Vec v, Both both) {
    if constexpr (lanes < kWidth) {
        v = fold<2 * lanes>(v, both);
        return both(v, shuffle(v, v, Rotated<lanes>()));
    }
    return v;
}
template <int lanes>
inline Vec fold(Vec v) {
    return fold<lanes>(v, [](Vec x, Vec y) { return x + y; });
}

inline float sum(Vec v) { return fold<1>(v)[0]; }

inline Doubles widen(Vec x) { return __builtin_convertvector(x, Doubles); }

// Half to half, until one is left
inline double sum(Doubles v) {
#if defined(__AVX__)
#if defined(__AVX512F__)
    __m512d part[2];
    std::memcpy(part, &v, sizeof v);
    const __m512d eight = part[0] + part[1];
    const __m256d four = _mm512_maskz_extractf64x4_pd(0xff, eight, 0) + _mm512_maskz_extractf64x4_pd(0xff, eight, 1);
#else
    __m256d part[2];
    std::memcpy(part, &v, sizeof v);
    const __m256d four = part[0] + part[1];
#endif
    const __m128d two = _mm256_castpd256_pd128(four) + _mm256_extractf128_pd(four, 1);
    return two[0] + two[1];
#else
    for (int n = kWidth / 2; n >= 1; n /= 2)
        for (int i = 0; i < n; i++) v[i] += v[i + n];
    return v[0];
#endif
}

// Whether a lane of a comparison is true
inline bool any(IntVec mask) {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX__)
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#else
    int32_t found = 0;
    for (int i = 0; i < kWidth; i++) found |= mask[i];
    return found != 0;
#endif
}

// The four sums in the first four lanes
inline Vec sum_four(Vec x0, Vec x1, Vec x2, Vec x3) {
    const auto pairs = [](Vec x, Vec y) { return interleave_low(x, y) + interleave_high(x, y); };
    return fold<4>(pairs(pairs(x0, x2), pairs(x1, x3)));
}

inline void store_four(float* p, Vec v) { std::memcpy(p, &v, 4 * sizeof(float)); }

// Calls step(i, load, store) over [0, n): whole vectors first, then the remainder with the same arithmetic,
// so a value never depends on where in a row or in a tile it stands.
template <class Step>
inline void for_each_vector(int64_t n, Step step) {
    int64_t i = 0;
    for (; i + kWidth <= n; i += kWidth)
        step(i, [](const float* p) { return load(p); }, [](float* p, Vec v) { store(p, v); });
    if (i < n) {
        const int rest = int(n - i);
        step(i, [rest](const float* p) { return load(p, rest); }, [rest](float* p, Vec v) { store(p, v, rest); });
    }
}

// p[i] ← value(i, load) over [0, n), n ≥ 1: the last vector overlaps the one before, which spares a mask (gemm.hpp says why), and
// its value is taken before any is stored, lest it depend on them.
template <class Value>
inline void for_each_vector_overlapping(int64_t n, Value value, float* p) {
    if (n < kWidth) {
        const int all = int(n);
        return store(p, value(0, [all](const float* q) { return load(q, all); }), all);
    }
    const auto load_whole = [](const float* q) { return load(q); };
    const int64_t end = n - kWidth;
    const Vec last = value(end, load_whole);
    for (int64_t i = 0; i < end; i += kWidth) store(p + i, value(i, load_whole));
    store(p + end, last);
}

}  // namespace backblas::BACKBLAS_ISA
