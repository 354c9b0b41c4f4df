// The calls of one sample on a narrow layer, such as 13-3-1 has: its inputs fit one vector or two, so that a column of W is loaded
// whole, and nothing goes to memory between a product and its tail. On such a layer the general kernels spend most of their time
// on choosing among their tiles. What is summed, and in which order, is as there. Compiled once for each instruction set, as
// kernels.cpp is.
#include "activations.hpp"
#include "kernels.hpp"
#include "program.hpp"
#include "simd.hpp"

namespace backblas::BACKBLAS_ISA {
namespace {

constexpr int kMostVectors = 2;

// More units than these fill vectors of their own, on which φ costs no more than on the four that are summed together.
constexpr int kMostUnits = 16;

// n values in so many vectors, the last of which may be shorter
template <int vectors>
struct Values {
    int rest;  // in the last
    explicit Values(int n) : rest(n - (vectors - 1) * kWidth) {}
    Vec load(const float* p, int v) const {
        return v + 1 < vectors ? BACKBLAS_ISA::load(p + v * kWidth) : BACKBLAS_ISA::load(p + v * kWidth, rest);
    }
    void store(float* p, int v, Vec x) const {
        if (v + 1 < vectors) BACKBLAS_ISA::store(p + v * kWidth, x);
        else BACKBLAS_ISA::store(p + v * kWidth, x, rest);
    }
};

// a' = φ(Wᵀa + b)              W: in×out   b: out or null   a: in   a': out
template <Activation phi, int vectors>
double affine(const Operation& o) {
    const Call& c = *o.call;
    const Values<vectors> inputs(c.in);
    const float *w = o[0] + c.from * c.in, *b = o[1] == nullptr ? nullptr : o[1] + c.from;
    float* next = o[3] + c.from;
    Vec a[vectors];
    for (int v = 0; v < vectors; v++) a[v] = inputs.load(o[2], v);
    const auto start = [b](int k) { return b == nullptr ? Vec{} : Vec{b[k]}; };
    const auto dot = [&](int k) {
        Vec sum = start(k);
        for (int v = 0; v < vectors; v++) sum += a[v] * inputs.load(w + k * c.in, v);
        return sum;
    };
    int k = 0;
    const int out = c.to - c.from;
    for (; k + 4 <= out; k += 4) store_four(next + k, apply<phi>(sum_four(dot(k), dot(k + 1), dot(k + 2), dot(k + 3))));
    switch (out - k) {
        case 1: store(next + k, apply<phi>(fold<1>(dot(k))), 1); break;
        case 2: store(next + k, apply<phi>(sum_four(dot(k), dot(k + 1), Vec{}, Vec{})), 2); break;
        case 3: store(next + k, apply<phi>(sum_four(dot(k), dot(k + 1), dot(k + 2), Vec{})), 3); break;
    }
    return 0;
}

// δ' = (W δ) ⊙ φ'(a)           W: in×out   δ: out   a: in (unread for the identity)   δ': in
template <Activation phi, int vectors>
double input_gradient(const Operation& o) {
    const Call& c = *o.call;
    const Values<vectors> rows(c.to - c.from);
    const float* w = o[0] + c.from;
    Vec sum[vectors] = {};
    for (int k = 0; k < c.out; k++) {
        const Vec delta = broadcast(o[1][k]);
        for (int v = 0; v < vectors; v++) sum[v] += rows.load(w + k * c.in, v) * delta;
    }
    for (int v = 0; v < vectors; v++) {
        if constexpr (phi != Activation::kIdentity) sum[v] *= derivative<phi>(rows.load(o[2] + c.from, v));
        rows.store(o[3] + c.from, v, sum[v]);
    }
    return 0;
}

// C ← α a δᵀ + β C,  c ← α δ + γ c          a: in   δ: out   C: in×out   c: out or null
template <int vectors>
double weight_gradient(const Operation& o) {
    const Call& c = *o.call;
    const Values<vectors> inputs(c.in);
    const float* delta = o[1];
    Vec a[vectors];
    for (int v = 0; v < vectors; v++) a[v] = inputs.load(o[0], v);
    for (int k = c.from; k < c.to; k++) {
        float* column = o[2] + k * c.in;
        const Vec d = broadcast(delta[k]);
        for (int v = 0; v < vectors; v++) {
            const Vec product = a[v] * d;
            inputs.store(column, v, c.beta == 0 ? product * c.alpha : product * c.alpha + inputs.load(column, v) * c.beta);
        }
    }
    if (float* bias = o[3]; bias != nullptr)
        for_each_vector(c.to - c.from, [&](int64_t i, auto load, auto store) {
            const int64_t k = c.from + i;
            const Vec sum = load(delta + k) * c.alpha;
            store(bias + k, c.gamma == 0 ? sum : sum + load(bias + k) * c.gamma);
        });
    return 0;
}

// C = ½ (a − y)²,  δ = a − y               of a single output
double squared_error(const Operation& o) {
    const float slope = *o[0] - *o[1];
    *o[3] = slope;
    return 0.5 * (double(slope) * slope);
}

struct ChooseAffine {
    int in;
    Operation::Run*& chosen;
    template <Activation phi>
    void operator()() const { chosen = in <= kWidth ? affine<phi, 1> : affine<phi, kMostVectors>; }
};

struct ChooseInputGradient {
    int rows;
    Operation::Run*& chosen;
    template <Activation phi>
    void operator()() const { chosen = rows <= kWidth ? input_gradient<phi, 1> : input_gradient<phi, kMostVectors>; }
};

}  // namespace

Operation::Run* single(const Call& c) {
    if (c.m != 1 || c.in > kMostVectors * kWidth) return nullptr;
    const auto phi = Activation(c.phi);
    Operation::Run* chosen = nullptr;
    switch (c.kernel) {
        case Call::kAffine:
            if (c.out <= kMostUnits && phi != Activation::kSoftmax) with_activation(phi, ChooseAffine{c.in, chosen});
            return chosen;
        case Call::kInputGradient:
            with_activation(phi, ChooseInputGradient{c.to - c.from, chosen});
            return chosen;
        case Call::kWeightGradient: return c.in <= kWidth ? weight_gradient<1> : weight_gradient<kMostVectors>;
        case Call::kCost:
            return c.in == 1 && Cost(c.phi) == Cost::kSquaredError && c.operand[2].array < 0 ? squared_error : nullptr;
        default: return nullptr;
    }
}

}  // namespace backblas::BACKBLAS_ISA
