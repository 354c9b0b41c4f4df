// The costs of a batch and their slopes. Compiled once for each instruction set, as kernels.cpp is.
#include <cmath>
#include <limits>

#include "activations.hpp"
#include "kernels.hpp"

namespace backblas::BACKBLAS_ISA {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// Loaded as a row is, it tells the lanes that are there (1) from those beyond its end (0).
alignas(64) constexpr float kThere[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

// C and its slope of one vector of outputs; the lanes whose targets are out of range are marked in `wrong`.
template <Cost cost>
Doubles of_vector(Vec a, Vec y, Vec there, Vec& slope, IntVec& wrong) {
    if constexpr (cost == Cost::kSquaredError) {
        slope = a - y;  // ∇_A C = A − Y
        return 0.5 * widen(slope) * widen(slope);
    }
    if constexpr (cost == Cost::kAbsoluteError) {
        const Vec difference = a - y;
        slope = select(difference > Vec{}, broadcast(1), select(difference < Vec{}, broadcast(-1), Vec{}));
        return widen(absolute(difference));
    }
    // binary cross-entropy: C = softplus(z) − y z = max(z, 0) − y z + softplus(−|z|), δ = A − Y with a = σ(z)
    wrong |= ~((y >= Vec{}) & (y <= broadcast(1)));
    const Vec z = a, e = exp(-absolute(z));
    slope = select(z < Vec{}, e, broadcast(1)) / (1.0f + e) - y;
    return widen(select(z < Vec{}, Vec{}, z)) - widen(y) * widen(z) + widen(there * softplus(-absolute(z)));
}

template <Cost cost>
double separable(int64_t n, const float* a, const float* y, float* delta) {
    Doubles total{};
    IntVec wrong{};
    for_each_vector(n, [&](int64_t k, auto load, auto store) {
        Vec slope;
        total += of_vector<cost>(load(a + k), load(y + k), load(kThere), slope, wrong);
        store(delta + k, slope);
    });
    return any(wrong) ? kNaN : sum(total);
}

double poisson(int64_t n, const float* a, const float* y, float* delta) {
    constexpr float kSmallestRate = 1e-30f;  // as Cost.java says
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        const float rate = a[k] < kSmallestRate ? kSmallestRate : a[k];
        if (!(y[k] >= 0)) return kNaN;
        delta[k] = 1 - y[k] / rate;
        sum += rate - y[k] * std::log(double(rate));
    }
    return sum;
}

// C = Σ y (log Σ eᶻ − z), δ = A − Y with a = softmax(z), of one sample
double cross_entropy(int n, const float* z, const float* y, float* delta, IntVec& wrong) {
    const Vec lowest = broadcast(-std::numeric_limits<float>::infinity());
    Vec most = lowest;
    for_each_vector(n, [&](int64_t k, auto load, auto) {
        most = maximum(most, select(load(kThere) > Vec{}, load(z + k), lowest));
    });
    const float top = fold<1>(most, maximum)[0];
    Vec total{}, yz{}, ys{};
    for_each_vector(n, [&](int64_t k, auto load, auto store) {
        const Vec above = load(z + k) - top, yk = load(y + k), e = exp(above);
        total += select(load(kThere) > Vec{}, e, Vec{});
        yz += select(yk == Vec{}, Vec{}, yk * above);  // 0 · −∞ would be NaN
        ys += yk;
        wrong |= ~(yk >= Vec{});
        store(delta + k, e);
    });
    const Vec sums = sum_four(total, yz, ys, Vec{});
    const double rounding = double(sums[2]) - 1;
    if (!(rounding > -1e-3 && rounding < 1e-3)) return kNaN;
    const float scale = 1 / sums[0];
    for_each_vector(n, [&](int64_t k, auto load, auto store) { store(delta + k, load(delta + k) * scale - load(y + k)); });
    return double(sums[2]) * std::log(double(sums[0])) - double(sums[1]);
}

double of_samples(Cost cost, int n, int m, const float* a, const float* y, float* delta) {
    const int64_t size = int64_t(n) * m;
    switch (cost) {
        case Cost::kSquaredError: return separable<Cost::kSquaredError>(size, a, y, delta);
        case Cost::kAbsoluteError: return separable<Cost::kAbsoluteError>(size, a, y, delta);
        case Cost::kPoisson: return poisson(size, a, y, delta);
        case Cost::kBinaryCrossEntropy: return separable<Cost::kBinaryCrossEntropy>(size, a, y, delta);
        case Cost::kCrossEntropy: break;
    }
    double sum = 0;
    IntVec wrong{};
    for (int64_t j = 0; j < size; j += n) sum += cross_entropy(n, a + j, y + j, delta + j, wrong);
    return any(wrong) ? kNaN : sum;
}

}  // namespace

double cost(Cost cost, int n, int m, const float* a, const float* y, const float* weights, float* delta) {
    if (weights == nullptr) return of_samples(cost, n, m, a, y, delta);
    double sum = 0;
    for (int j = 0; j < m; j++, a += n, y += n, delta += n) {
        const float weight = weights[j];
        sum += weight * of_samples(cost, n, 1, a, y, delta);
        for_each_vector(n, [&](int64_t k, auto load, auto store) { store(delta + k, load(delta + k) * weight); });
    }
    return sum;
}

}  // namespace backblas::BACKBLAS_ISA
