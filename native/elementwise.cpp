// What a step of training does value by value, apart from its products: φ where Z is kept, dropout, and the update of an
// optimizer, one pass over memory of 12 bytes a parameter for plain descent and 28 for Adam. Compiled once for each instruction
// set, as kernels.cpp is.
#include <cmath>

#include "activations.hpp"
#include "kernels.hpp"

namespace backblas::BACKBLAS_ISA {
namespace {

Vec square_root(Vec x) {
#if defined(__AVX512F__)
    return _mm512_maskz_sqrt_ps(0xffff, x);  // the unmasked one warns under GCC 12
#elif defined(__AVX__)
    return _mm256_sqrt_ps(x);
#else
    for (int i = 0; i < kWidth; i++) x[i] = std::sqrt(x[i]);
    return x;
#endif
}

// Between −1 and 1 for |t| < 1e-38.
Vec sign(Vec t) {
    const Vec one = broadcast(1), s = t * 1e38f;
    return select(s > one, one, select(s < -one, -one, s));
}

struct Numbers {
    float eta, keep, scale, l2, l1, beta1, beta2, epsilon;
};

template <UpdateRule rule>
void step(int64_t n, float* theta, const float* gradient, float* m, float* v, const Numbers& k) {
    const float rest1 = 1 - k.beta1, rest2 = 1 - k.beta2;
    for_each_vector(n, [&](int64_t i, auto load, auto store) {
        const Vec t = load(theta + i), g = k.scale * load(gradient + i) + k.l2 * t + k.l1 * sign(t);
        Vec direction = g;
        if constexpr (rule == UpdateRule::kMomentum || rule == UpdateRule::kNesterov) {
            direction = k.beta1 * load(m + i) + g;
            store(m + i, direction);
            if constexpr (rule == UpdateRule::kNesterov) direction = g + k.beta1 * direction;
        }
        if constexpr (rule == UpdateRule::kRmsProp) {
            const Vec squares = k.beta2 * load(m + i) + rest2 * (g * g);
            store(m + i, squares);
            direction = g / (square_root(squares) + k.epsilon);
        }
        if constexpr (rule == UpdateRule::kAdam) {
            const Vec mean = k.beta1 * load(m + i) + rest1 * g, squares = k.beta2 * load(v + i) + rest2 * (g * g);
            store(m + i, mean);
            store(v + i, squares);
            direction = mean / (square_root(squares) + k.epsilon);
        }
        store(theta + i, k.keep * t - k.eta * direction);
    });
}

struct Activate {
    int64_t n;
    const float* z;
    float* a;
    template <Activation phi>
    void operator()() const {
        for_each_vector(n, [this](int64_t i, auto load, auto store) { store(a + i, apply<phi>(load(z + i))); });
    }
};

typedef uint32_t Bits __attribute__((vector_size(kWidth * sizeof(uint32_t))));

}  // namespace

void update(UpdateRule rule, int from, int to, float* theta, const float* gradient, float* m, float* v,
            const float* numbers) {
    const Numbers k = {numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6], numbers[7]};
    const int64_t n = int64_t(to) - from;
    theta += from;
    gradient += from;
    if (m != nullptr) m += from;
    if (v != nullptr) v += from;
    switch (rule) {
        case UpdateRule::kDescent: return step<UpdateRule::kDescent>(n, theta, gradient, m, v, k);
        case UpdateRule::kMomentum: return step<UpdateRule::kMomentum>(n, theta, gradient, m, v, k);
        case UpdateRule::kNesterov: return step<UpdateRule::kNesterov>(n, theta, gradient, m, v, k);
        case UpdateRule::kRmsProp: return step<UpdateRule::kRmsProp>(n, theta, gradient, m, v, k);
        case UpdateRule::kAdam: return step<UpdateRule::kAdam>(n, theta, gradient, m, v, k);
    }
}

void activate(int n, Activation phi, const float* z, float* a) { with_activation(phi, Activate{n, z, a}); }

void dropout(int n, float p, int first, const float* x, float* out, const float* key) {
    const uint32_t key0 = uint32_t(key[0]) * 0x9E3779B1u, key1 = uint32_t(key[1]) * 0x85EBCA6Bu;
    const Bits threshold = Bits{} + uint32_t(p * 0x1p24f);
    const float scale = 1 / (1 - p);
    Bits lanes{};
    for (int i = 0; i < kWidth; i++) lanes[i] = uint32_t(i);
    for_each_vector(n, [&](int64_t i, auto load, auto store) {
        Bits h = (lanes + uint32_t(first + i)) ^ key0;
        h = (h ^ h >> 16) * 0x7FEB352Du + key1;
        h = (h ^ h >> 15) * 0x846CA68Bu;
        h ^= h >> 16;
        store(out + i, select(IntVec((h >> 8) < threshold), Vec{}, load(x + i) * scale));
    });
}

double sum_of_squares(int n, const float* x) {
    Doubles total{};
    for_each_vector(n, [&](int64_t i, auto load, auto) {
        const Doubles values = widen(load(x + i));
        total += values * values;
    });
    return sum(total);
}

}  // namespace backblas::BACKBLAS_ISA
