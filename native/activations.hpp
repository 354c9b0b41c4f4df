// φ and φ' on vectors. exp and tanh are our own: a range reduction by ln 2 and a Taylor polynomial of degree 7, whose
// truncation error on |r| ≤ ln2/2 is below 6e-9. Measured over every exponent by kernels_test: sigmoid ≤ 3 ulp on
// [-87, 87] (beyond it saturates at 1.6e-38 and 1), tanh ≤ 4 ulp everywhere. NaN stays NaN.
#pragma once

#include "kernels.hpp"
#include "simd.hpp"

namespace backblas::BACKBLAS_ISA {

inline Vec select(IntVec mask, Vec yes, Vec no) {
    return (Vec)((mask & (IntVec)yes) | (~mask & (IntVec)no));
}

// The larger and the smaller; x where it is NaN.
inline Vec maximum(Vec x, Vec y) {
#if defined(__AVX512F__)
    return _mm512_maskz_max_ps(0xffff, y, x);  // the unmasked one warns under GCC 12
#elif defined(__AVX__)
    return _mm256_max_ps(y, x);
#else
    return select(x < y, y, x);
#endif
}
inline Vec minimum(Vec x, Vec y) {
#if defined(__AVX512F__)
    return _mm512_maskz_min_ps(0xffff, y, x);
#elif defined(__AVX__)
    return _mm256_min_ps(y, x);
#else
    return select(x > y, y, x);
#endif
}

inline Vec clamp(Vec x, float low, float high) { return minimum(maximum(x, broadcast(low)), broadcast(high)); }

// x = n ln2 + r with |r| ≤ ln2/2; ln 2 in two parts (Cody and Waite), so that n·high is exact.
struct Reduced {
    Vec scale;           // 2ⁿ
    Vec expm1_remainder;  // eʳ − 1
};

constexpr float kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

inline Vec round_to_int(Vec x) {
    const float kMagic = 12582912.0f;  // 1.5·2²³: adding it leaves the nearest integer in the low bits
    return (x + kMagic) - kMagic;
}

// The polynomial in pairs (Estrin), which the processor computes side by side.
inline Reduced reduced(Vec n, Vec r) {
    const Vec square = r * r;
    const Vec p01 = r * (1.0f / 6) + 0.5f, p23 = r * (1.0f / 120) + 1.0f / 24, p45 = r * (1.0f / 5040) + 1.0f / 720;
    const Vec p = (p45 * square + p23) * square + p01;
    IntVec exponent = __builtin_convertvector(n, IntVec);
    return {(Vec)((exponent + 127) << 23), p * square + r};
}

inline Reduced reduce(Vec x) {
    const Vec n = round_to_int(x * kLog2e);
    return reduced(n, (x - n * kLn2High) - n * kLn2Low);
}

// The same of x + rest
inline Reduced reduce(Vec x, Vec rest) {
    const Vec n = round_to_int((x + rest) * kLog2e);
    return reduced(n, ((x - n * kLn2High) - n * kLn2Low) + rest);
}

// eˣ for x ≤ 87; exactly 0 below −87.
inline Vec exp(Vec x) {
    const Vec lowest = broadcast(-87.0f);
    Reduced e = reduce(clamp(x, -87, 87));
    return select(x < lowest, Vec{}, e.scale + e.scale * e.expm1_remainder);
}

inline Vec sigmoid(Vec x) {
    Reduced e = reduce(-clamp(x, -87, 87));
    return 1.0f / (1.0f + (e.scale + e.scale * e.expm1_remainder));
}

// tanh|x| = E/(E + 2) with E = e²ˣ − 1; 1 to the last bit from 9.02 on.
inline Vec tanh(Vec x) {
    const IntVec kSign = IntVec{} + INT32_MIN;
    Vec t = (Vec)((IntVec)x & ~kSign);
    t = minimum(t, broadcast(9.02f));
    Reduced e = reduce(t + t);
    Vec expm1 = e.scale * e.expm1_remainder + (e.scale - 1.0f);
    return (Vec)((IntVec)(expm1 / (expm1 + 2.0f)) | ((IntVec)x & kSign));
}

// eˣ − 1 for x ≤ 0
inline Vec expm1(Vec x) {
    Reduced e = reduce(maximum(x, broadcast(-87)));  // from −17.4 on it is −1 to the last bit
    return e.scale * e.expm1_remainder + (e.scale - 1.0f);
}

inline Vec absolute(Vec x) { return (Vec)((IntVec)x & INT32_MAX); }

// log(1 + eˣ) = max(x, 0) + log(1 + e⁻|ˣ|), and log(1 + u) = 2 artanh s with s = u/(2 + u) ≤ 1/3, a series cut below 2e-9 of it
inline Vec softplus(Vec x) {
    Vec u = exp(-absolute(x)), s = u / (2.0f + u), t = s * s;
    Vec p = broadcast(2.0f / 17);
    p = p * t + 2.0f / 15;
    p = p * t + 2.0f / 13;
    p = p * t + 2.0f / 11;
    p = p * t + 2.0f / 9;
    p = p * t + 2.0f / 7;
    p = p * t + 2.0f / 5;
    p = p * t + 2.0f / 3;
    return select(x < Vec{}, Vec{}, x) + (s * 2.0f + s * (t * p));
}

// Φ(x) = ½ erfc(−x/√2), with erfc(z) = t exp(−z² + P(t)), t = 1/(1 + z/2) for z ≥ 0: Press et al., "Numerical Recipes in C",
// 1992, §6.2, whose fractional error is below 1.2e-7.
inline Vec normal(Vec x) {
    Vec y = clamp(absolute(x), 0, 13), t = 1.0f / (1.0f + y * 0.35355339f);
    Vec p = broadcast(0.17087277f);
    p = p * t - 0.82215223f;
    p = p * t + 1.48851587f;
    p = p * t - 1.13520398f;
    p = p * t + 0.27886807f;
    p = p * t - 0.18628806f;
    p = p * t + 0.09678418f;
    p = p * t + 0.37409196f;
    p = p * t + 1.00002368f;
    p = p * t - 1.26551223f;
    // y² in two parts, the first exact, so that a large one costs no digits
    Vec high = (Vec)((IntVec)y & ~0xfff);
    Reduced e = reduce(high * high * -0.5f, p - 0.5f * (y - high) * (y + high));
    Vec tail = 0.5f * t * (e.scale + e.scale * e.expm1_remainder);
    return select(x > Vec{}, 1.0f - tail, tail);
}

// φ(z), element by element. The comparisons are written so that NaN passes through.
template <Activation phi>
inline Vec apply(Vec z) {
    if constexpr (phi == Activation::kSigmoid) return sigmoid(z);
    if constexpr (phi == Activation::kTanh) return tanh(z);
    if constexpr (phi == Activation::kRelu) return select(z < Vec{}, Vec{}, z);
    if constexpr (phi == Activation::kLeakyRelu) return select(z < Vec{}, z * kLeakySlope, z);
    if constexpr (phi == Activation::kGelu) return maximum(z, broadcast(-13)) * normal(z);
    if constexpr (phi == Activation::kSilu) return maximum(z, broadcast(-88)) * sigmoid(z);
    if constexpr (phi == Activation::kElu) return select(z > Vec{}, z, expm1(z));
    if constexpr (phi == Activation::kSoftplus) return softplus(z);
    return z;
}

// φ'(z) written in a = φ(z), for GELU and SiLU in a = z; φ'(0) = 0 for ReLU.
template <Activation phi>
inline Vec derivative(Vec a) {
    if constexpr (phi == Activation::kSigmoid) return a * (1.0f - a);
    if constexpr (phi == Activation::kTanh) return 1.0f - a * a;
    if constexpr (phi == Activation::kRelu) return select(a > Vec{}, broadcast(1), Vec{});
    if constexpr (phi == Activation::kLeakyRelu) return select(a > Vec{}, broadcast(1), broadcast(kLeakySlope));
    if constexpr (phi == Activation::kGelu) {
        Vec z = clamp(a, -13, 13);
        return normal(a) + z * (0.3989422804f * exp(z * z * -0.5f));
    }
    if constexpr (phi == Activation::kSilu) {
        Vec s = sigmoid(a);
        return s * (1.0f + clamp(a, -88, 88) * (1.0f - s));
    }
    if constexpr (phi == Activation::kElu) return select(a > Vec{}, broadcast(1), a + 1.0f);
    if constexpr (phi == Activation::kSoftplus) return -expm1(-a);
    return broadcast(1);
}

// Chooses the template instance for φ once per call, outside the loops. By reference: a copy of the body would be read back as a
// whole before the stores that wrote it are done, and those of the tile before them.
template <class Body>
inline void with_activation(Activation phi, const Body& body) {
    switch (phi) {
        case Activation::kSigmoid: return body.template operator()<Activation::kSigmoid>();
        case Activation::kTanh: return body.template operator()<Activation::kTanh>();
        case Activation::kRelu: return body.template operator()<Activation::kRelu>();
        case Activation::kLeakyRelu: return body.template operator()<Activation::kLeakyRelu>();
        case Activation::kGelu: return body.template operator()<Activation::kGelu>();
        case Activation::kSilu: return body.template operator()<Activation::kSilu>();
        case Activation::kElu: return body.template operator()<Activation::kElu>();
        case Activation::kSoftplus: return body.template operator()<Activation::kSoftplus>();
        default: return body.template operator()<Activation::kIdentity>();
    }
}

}  // namespace backblas::BACKBLAS_ISA
