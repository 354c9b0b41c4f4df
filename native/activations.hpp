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

// x = n ln2 + r with |r| ≤ ln2/2; ln 2 in two parts (Cody and Waite), so that n·high is exact.
struct Reduced {
    Vec scale;           // 2ⁿ
    Vec expm1_remainder;  // eʳ − 1
};

inline Reduced reduce(Vec x) {
    const float kLog2e = 1.44269504f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
    const float kRoundToInt = 12582912.0f;  // 1.5·2²³: adding it leaves the nearest integer in the low bits
    Vec n = (x * kLog2e + kRoundToInt) - kRoundToInt;
    Vec r = (x - n * kLn2High) - n * kLn2Low;
    Vec p = broadcast(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * (r * r) + r;
    IntVec exponent = __builtin_convertvector(n, IntVec);
    return {(Vec)((exponent + 127) << 23), p};
}

// eˣ for x ≤ 87; exactly 0 below −87.
inline Vec exp(Vec x) {
    const Vec lowest = broadcast(-87.0f), highest = broadcast(87.0f);
    Reduced e = reduce(select(x > highest, highest, select(x < lowest, lowest, x)));
    return select(x < lowest, Vec{}, e.scale + e.scale * e.expm1_remainder);
}

inline Vec sigmoid(Vec x) {
    const Vec highest = broadcast(87.0f);
    Reduced e = reduce(select(x < -highest, highest, select(x > highest, -highest, -x)));
    return 1.0f / (1.0f + (e.scale + e.scale * e.expm1_remainder));
}

// tanh|x| = E/(E + 2) with E = e²ˣ − 1; 1 to the last bit from 9.02 on.
inline Vec tanh(Vec x) {
    const IntVec kSign = IntVec{} + INT32_MIN;
    Vec t = (Vec)((IntVec)x & ~kSign);
    t = select(t > broadcast(9.02f), broadcast(9.02f), t);
    Reduced e = reduce(t + t);
    Vec expm1 = e.scale * e.expm1_remainder + (e.scale - 1.0f);
    return (Vec)((IntVec)(expm1 / (expm1 + 2.0f)) | ((IntVec)x & kSign));
}

// φ(z), element by element. The comparisons are written so that NaN passes through.
template <Activation phi>
inline Vec apply(Vec z) {
    if constexpr (phi == Activation::kSigmoid) return sigmoid(z);
    if constexpr (phi == Activation::kTanh) return tanh(z);
    if constexpr (phi == Activation::kRelu) return select(z < Vec{}, Vec{}, z);
    if constexpr (phi == Activation::kLeakyRelu) return select(z < Vec{}, z * kLeakySlope, z);
    return z;
}

// φ'(z) written in a = φ(z); φ'(0) = 0 for ReLU.
template <Activation phi>
inline Vec derivative(Vec a) {
    if constexpr (phi == Activation::kSigmoid) return a * (1.0f - a);
    if constexpr (phi == Activation::kTanh) return 1.0f - a * a;
    if constexpr (phi == Activation::kRelu) return select(a > Vec{}, broadcast(1), Vec{});
    if constexpr (phi == Activation::kLeakyRelu) return select(a > Vec{}, broadcast(1), broadcast(kLeakySlope));
    return broadcast(1);
}

}  // namespace backblas::BACKBLAS_ISA
