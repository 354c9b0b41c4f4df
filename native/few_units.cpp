// The calls of layers that have few units, and inputs as a vector holds, of many samples: a lane is a sample, so no product is
// added up across lanes, and φ finds whole vectors. As samples lie one after the other in memory, they are transposed on their
// way; with AVX-512 a step of 13-3-1 on 32 samples takes two thirds of the time (bench --workloads W4). Compiled once for each
// instruction set, as kernels.cpp is.
#include "kernels.hpp"
#include "program.hpp"
#include "simd.hpp"

namespace backblas::BACKBLAS_ISA {

// kernels.cpp
void backward(int n, int m, Activation phi, const float* a, float* delta);

// elementwise.cpp
void activate(int n, Activation phi, const float* z, float* a);

namespace {

// Of so few units (kernels_bench {2,4,8}x{1,4}x{8,16,32}: 1.0 to 5 times as fast), and inputs as a vector holds: of more, the way
// through transposed samples is no shorter (13x4x{8,12,16,32}, 30x4x16).
constexpr int kFewUnits = 4;
constexpr int kMostInputs = kWidth;  // no more, or add_products() would leave some out

// Of fewer samples most lanes would be empty, and to transpose many inputs takes a few more.
constexpr int kLeastSamples = kWidth / 2, kLeastTransposed = 3 * kWidth / 4;

// All units of a layer, or none: a part of them is left to the other kernels, which add in another order.
bool is_of_few_units(const Call& c) { return c.m >= kLeastSamples && c.out <= kFewUnits; }

bool has_few_inputs(const Call& c) { return c.in <= kFewUnits || (c.in <= kMostInputs && c.m >= kLeastTransposed); }

// How many samples there are for the vector that begins with the j-th
int lanes_of(const Call& c, int j) { return c.m - j < kWidth ? c.m - j : kWidth; }

// Up to four units, sample by sample in memory: element e is unit e % units of sample e / units. Vector v of it is joined out of
// the vectors of the units, the first two, then one by one.
template <int units, int v>
struct FirstUnits {
    static constexpr int of(int i) {
        const int e = v * kWidth + i;
        return e % units == 1 ? kWidth + e / units : e / units;
    }
};
template <int units, int v, int unit>
struct NextUnit {
    static constexpr int of(int i) {
        const int e = v * kWidth + i;
        return e % units == unit ? kWidth + e / units : i;
    }
};
template <int units, int v>
Vec join(const Vec* unit) {
    if constexpr (units == 1) {
        return unit[0];
    } else {
        Vec x = shuffle(unit[0], unit[1], FirstUnits<units, v>());
        if constexpr (units > 2) x = shuffle(x, unit[2], NextUnit<units, v, 2>());
        if constexpr (units > 3) x = shuffle(x, unit[3], NextUnit<units, v, 3>());
        return x;
    }
}

// And back: a unit's vector, picked from those in memory, the first two, then one by one
template <int units, int unit>
struct FirstVectors {
    static constexpr int of(int i) { return i * units + unit < 2 * kWidth ? i * units + unit : i; }
};
template <int units, int unit, int v>
struct NextVector {
    static constexpr int of(int i) {
        const int e = i * units + unit;
        return e / kWidth == v ? kWidth + e % kWidth : i;
    }
};
template <int units, int unit>
Vec part(const Vec* x) {
    if constexpr (units == 1) {
        return x[0];
    } else {
        Vec y = shuffle(x[0], x[1], FirstVectors<units, unit>());
        if constexpr (units > 2) y = shuffle(y, x[2], NextVector<units, unit, 2>());
        if constexpr (units > 3) y = shuffle(y, x[3], NextVector<units, unit, 3>());
        return y;
    }
}

// The units of so many samples, no more than there are lanes           x: units × samples
template <int units, int... v>
void load_units(const float* x, int samples, Vec* unit, std::integer_sequence<int, v...>) {
    const int size = units * samples;
    const auto get = [=](int i) { return i + kWidth <= size ? load(x + i) : i < size ? load(x + i, size - i) : Vec{}; };
    const Vec memory[] = {get(v * kWidth)...};
    ((unit[v] = part<units, v>(memory)), ...);
}
template <int units>
void load_units(const float* x, int samples, Vec* unit) {
    load_units<units>(x, samples, unit, std::make_integer_sequence<int, units>());
}

template <int units, int... v>
void store_units(float* x, int samples, const Vec* unit, std::integer_sequence<int, v...>) {
    const int size = units * samples;
    const auto put = [=](int i, Vec value) {
        if (i + kWidth <= size) store(x + i, value);
        else if (i < size) store(x + i, value, size - i);
    };
    (put(v * kWidth, join<units, v>(unit)), ...);
}
template <int units>
void store_units(float* x, int samples, const Vec* unit) {
    store_units<units>(x, samples, unit, std::make_integer_sequence<int, units>());
}

// z[k] += Σᵢ wᵢₖ xᵢ            x: inputs × samples   in: the inputs where they are few, else 0
template <int in, int out>
void add_products(const float* w, int inputs, const float* x, int samples, Vec* z) {
    if constexpr (in > 0) {
        Vec unit[in];
        load_units<in>(x, samples, unit);
#pragma GCC unroll 4
        for (int i = 0; i < in; i++)
#pragma GCC unroll 4
            for (int k = 0; k < out; k++) z[k] += unit[i] * broadcast(w[k * in + i]);
    } else {
        Vec unit[kWidth];
#pragma GCC unroll 16
        for (int j = 0; j < kWidth; j++) unit[j] = j < samples ? load(x + j * inputs, inputs) : Vec{};
        transpose(unit);
#pragma GCC unroll 16
        for (int i = 0; i < kWidth; i++)
            if (i < inputs)
#pragma GCC unroll 4
                for (int k = 0; k < out; k++) z[k] += unit[i] * broadcast(w[k * inputs + i]);
    }
}

// A' = φ(Wᵀ A + b 1ᵀ)          W: in×out   b: out or null   A: in×m   A': out×m
template <int in, int out>
double affine(const Operation& o) {
    const Call& c = *o.call;
    const float *w = o[0], *b = o[1], *a = o[2];
    float* next = o[3];
    for (int j = 0; j < c.m; j += kWidth) {
        const int samples = lanes_of(c, j);
        Vec z[out];
        for (int k = 0; k < out; k++) z[k] = b == nullptr ? Vec{} : broadcast(b[k]);
        add_products<in, out>(w, c.in, a + j * c.in, samples, z);
        store_units<out>(next + j * out, samples, z);
    }
    if (Activation(c.phi) != Activation::kIdentity) activate(out * c.m, Activation(c.phi), next, next);
    return 0;
}

template <int... i>
Operation::Run* affine(int in, int out, std::integer_sequence<int, i...>) {
    constexpr int kIns = kFewUnits + 1;
    static constexpr Operation::Run* kSome[] = {affine<i % kIns, i / kIns + 1>...};
    return kSome[(out - 1) * kIns + (in <= kFewUnits ? in : 0)];
}

// δ' = (W δ) ⊙ φ'(A)           W: in×out   δ: out×m   A: in×m (unread for the identity)   δ': in×m
template <int in, int out>
double input_gradient(const Operation& o) {
    const Call& c = *o.call;
    const float *w = o[0], *delta = o[1];
    float* previous = o[3];
    for (int j = 0; j < c.m; j += kWidth) {
        const int samples = lanes_of(c, j);
        Vec d[out], sum[in] = {};
        load_units<out>(delta + j * out, samples, d);
#pragma GCC unroll 4
        for (int k = 0; k < out; k++)
#pragma GCC unroll 4
            for (int i = 0; i < in; i++) sum[i] += d[k] * broadcast(w[k * in + i]);
        store_units<in>(previous + j * in, samples, sum);
    }
    if (Activation(c.phi) != Activation::kIdentity) backward(in, c.m, Activation(c.phi), o[2], previous);
    return 0;
}

template <int... i>
Operation::Run* input_gradient(int in, int out, std::integer_sequence<int, i...>) {
    static constexpr Operation::Run* kSome[] = {input_gradient<i % kFewUnits + 1, i / kFewUnits + 1>...};
    return kSome[(out - 1) * kFewUnits + in - 1];
}

// c ← α δ 1 + γ c              δ: out×m   c: out
template <int out>
void bias_gradient(const Call& c, const float* delta, float* bias) {
    Vec sum[out] = {};
    for (int j = 0; j < c.m; j += kWidth) {
        Vec d[out];
        load_units<out>(delta + j * out, lanes_of(c, j), d);
#pragma GCC unroll 4
        for (int k = 0; k < out; k++) sum[k] += d[k];
    }
    for (int k = 0; k < out; k++) {
        const float total = BACKBLAS_ISA::sum(sum[k]) * c.alpha;
        bias[k] = c.gamma == 0 ? total : total + bias[k] * c.gamma;
    }
}

}  // namespace

// c ← α δ 1 + γ c of up to three units; false, with nothing done, where there are few samples, or not all units are asked for
bool bias_gradient_of_few_units(const Call& c, const float* delta, float* bias) {
    if (!is_of_few_units(c) || c.to - c.from < c.out) return false;
    switch (c.out) {
        case 1: bias_gradient<1>(c, delta, bias); break;
        case 2: bias_gradient<2>(c, delta, bias); break;
        case 3: bias_gradient<3>(c, delta, bias); break;
    }
    return true;
}

// Null for most calls
Operation::Run* of_few_units(const Call& c) {
    if (!is_of_few_units(c)) return nullptr;
    if (c.kernel == Call::kAffine && c.to - c.from == c.out && has_few_inputs(c) && Activation(c.phi) != Activation::kSoftmax)
        return affine(c.in, c.out, std::make_integer_sequence<int, (kFewUnits + 1) * kFewUnits>());
    if (c.kernel == Call::kInputGradient && c.to - c.from == c.in && c.in <= kFewUnits)
        return input_gradient(c.in, c.out, std::make_integer_sequence<int, kFewUnits * kFewUnits>());
    return nullptr;
}

}  // namespace backblas::BACKBLAS_ISA
