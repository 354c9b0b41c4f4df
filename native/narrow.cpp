// The calls of narrow layers, such as 13-3-1 has: the inputs fit one vector or two, so that a column of W is loaded whole. For
// one sample nothing goes to memory between a product and its tail; for more, the gradient is summed in several chains. On such
// a layer the general kernels spend most of their time on choosing among their tiles, and on waiting for one sum to end before
// the next begins (bench --workloads W4,W5). Compiled once for each instruction set, as kernels.cpp is.
//
// A step on one sample is a chain of calls, each waiting for the one before. What one store has written a processor hands on to
// a load at once; but if the store is masked, loads of any of the bytes that it might have written wait until it is done, which
// takes as long as a call does (Zen 5). So up to four values are stored in pieces (with AVX2 all ends of rows, simd.hpp), a
// single column is gathered without a store (program.cpp), and what is masked is loaded before a store that it might have to
// wait for.
#include <algorithm>

#include "activations.hpp"
#include "kernels.hpp"
#include "program.hpp"
#include "simd.hpp"

namespace backblas::BACKBLAS_ISA {

// kernels.cpp
void bias_gradient(int out, int m, float alpha, const float* delta, int64_t step, float gamma, float* c);

// few_units.cpp
Operation::Run* of_few_units(const Call& c);
bool bias_gradient_of_few_units(const Call& c, const float* delta, float* bias);

namespace {

constexpr int kMostVectors = 2;
static_assert(kMostVectors * kWidth <= kMostNarrow, "program.hpp");

// More units than these fill vectors of their own, on which φ costs no more than on the four that are summed together.
constexpr int kMostUnits = 16;

// The gradients of so many columns keep the chains of their sums in the registers; of more, the general tiles have chains enough
// (kernels_bench 13x{1,2,3,4}x{2,8,32}: 1.1 to 2.4 times as fast).
constexpr int kFewColumns = 3;

// n values in so many vectors, the last of which may be shorter
template <int vectors>
struct Values {
    static constexpr int kVectors = vectors;
    int rest;  // in the last
    explicit Values(int n) : rest(n - (vectors - 1) * kWidth) {}
    template <class Value>
    Vec load(const Value* p, int v) const {
        return v + 1 < vectors ? BACKBLAS_ISA::load(p + v * kWidth) : BACKBLAS_ISA::load(p + v * kWidth, rest);
    }
    void store(float* p, int v, Vec x) const {
        if (v + 1 < vectors) BACKBLAS_ISA::store(p + v * kWidth, x);
        else BACKBLAS_ISA::store(p + v * kWidth, x, rest);
    }
    static Vec sum(Vec x) { return fold<1>(x); }
};

// A few of them, in pieces: all of one sample on the narrowest layers
struct Few {
    static constexpr int kVectors = 1;
    int n;
    explicit Few(int n) : n(n) {}
    Vec load(const float* p, int) const { return load_few(p, n); }
    void store(float* p, int, Vec x) const { store_few(p, x, n); }
    static Vec sum(Vec x) { return broadcast(x[0] + x[2] + (x[1] + x[3])); }  // in the order of fold<1>() and sum_four()
};

// a' = φ(Wᵀa + b)              W: in×out   b: out or null   a: in   a': out
template <Activation phi, class Inputs>
double affine(const Operation& o) {
    constexpr int vectors = Inputs::kVectors;
    const Call& c = *o.call;
    const Inputs inputs(c.in);
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
        case 1: store_few(next + k, apply<phi>(Inputs::sum(dot(k))), 1); break;
        case 2: store_few(next + k, apply<phi>(sum_four(dot(k), dot(k + 1), Vec{}, Vec{})), 2); break;
        case 3: store_few(next + k, apply<phi>(sum_four(dot(k), dot(k + 1), dot(k + 2), Vec{})), 3); break;
    }
    return 0;
}

// δ' = (W δ) ⊙ φ'(a)           W: in×out   δ: out   a: in (unread for the identity)   δ': in
template <Activation phi, class Rows>
double input_gradient(const Operation& o) {
    constexpr int vectors = Rows::kVectors;
    const Call& c = *o.call;
    const Rows rows(c.to - c.from);
    const float *w = o[0] + c.from, *delta = o[1], *a = o[2];
    Vec sum[vectors] = {};
    for (int k = 0; k < c.out; k++)
        for (int v = 0; v < vectors; v++) sum[v] += rows.load(w + k * c.in, v) * broadcast(delta[k]);
    for (int v = 0; v < vectors; v++) {
        if constexpr (phi != Activation::kIdentity) sum[v] *= derivative<phi>(rows.load(a + c.from, v));
        rows.store(o[3] + c.from, v, sum[v]);
    }
    return 0;
}

// A vector of a column of C ← α (the product) + β C
template <class Inputs>
Vec updated(const Inputs& inputs, int v, Vec product, const Call& c, const float* column) {
    return c.beta == 0 ? product * c.alpha : product * c.alpha + inputs.load(column, v) * c.beta;
}

// c ← α δ + γ c on some units
void single_bias_gradient(int units, const Call& c, const float* delta, float* bias) {
    const auto step = [&](int64_t k, auto load, auto store) {
        const Vec sum = load(delta + k) * c.alpha;
        store(bias + k, c.gamma == 0 ? sum : sum + load(bias + k) * c.gamma);
    };
    if (units > kFew) return for_each_vector(units, step);
    step(0, [units](const float* p) { return load_few(p, units); }, [units](float* p, Vec x) { store_few(p, x, units); });
}

// C ← α a δᵀ + β C,  c ← α δ + γ c          a: in   δ: out   C: in×out   c: out or null
template <class Inputs>
double single_weight_gradient(const Operation& o) {
    constexpr int vectors = Inputs::kVectors;
    const Call& c = *o.call;
    const Inputs inputs(c.in);
    const float* delta = o[1];
    if (o[3] != nullptr) single_bias_gradient(c.to - c.from, c, delta + c.from, o[3] + c.from);
    Vec a[vectors], next[vectors];
    for (int v = 0; v < vectors; v++) a[v] = inputs.load(o[0], v);
    const auto compute_next = [&](int k) {
        for (int v = 0; v < vectors; v++) next[v] = updated(inputs, v, a[v] * broadcast(delta[k]), c, o[2] + k * c.in);
    };
    compute_next(c.from);
    for (int k = c.from; k < c.to; k++) {
        Vec column[vectors];
        for (int v = 0; v < vectors; v++) column[v] = next[v];
        if (k + 1 < c.to) compute_next(k + 1);  // loaded before this one is stored
        for (int v = 0; v < vectors; v++) inputs.store(o[2] + k * c.in, v, column[v]);
    }
    return 0;
}

// C ← α A δᵀ + β C on some columns          A: in×m   δ: out×m   C: in×out
template <int vectors, int columns>
void gradient_columns(const Call& c, const float* a, const float* delta, float* column) {
    constexpr int kChains = 4 / vectors;
    const Values<vectors> inputs(c.in);
    Vec sum[kChains][columns][vectors] = {};
    const auto add = [&](int n) {
        Vec row[vectors];
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) row[v] = inputs.load(a + n * c.in, v);
#pragma GCC unroll 3
        for (int k = 0; k < columns; k++)
#pragma GCC unroll 2
            for (int v = 0; v < vectors; v++) sum[n][k][v] += row[v] * broadcast(delta[n * c.out + k]);
    };
    int j = 0;
    for (; j + kChains <= c.m; j += kChains, a += kChains * c.in, delta += kChains * c.out)
#pragma GCC unroll 4
        for (int n = 0; n < kChains; n++) add(n);
#pragma GCC unroll 4
    for (int n = 0; n < kChains - 1; n++)
        if (j + n < c.m) add(n);
    Vec total[columns][vectors];  // all of them before the first store, which a load might have to wait for
#pragma GCC unroll 3
    for (int k = 0; k < columns; k++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) {
            total[k][v] = sum[0][k][v] + sum[1][k][v];
            if constexpr (kChains == 4) total[k][v] += sum[2][k][v] + sum[3][k][v];
            total[k][v] = updated(inputs, v, total[k][v], c, column + k * c.in);
        }
#pragma GCC unroll 3
    for (int k = 0; k < columns; k++)
#pragma GCC unroll 2
        for (int v = 0; v < vectors; v++) inputs.store(column + k * c.in, v, total[k][v]);
}

// The same, and c ← α δ 1 + γ c            c: out or null
template <int vectors>
double weight_gradient(const Operation& o) {
    const Call& c = *o.call;
    const float *delta = o[1], *d = delta + c.from;
    float* column = o[2] + c.from * c.in;
    switch (c.to - c.from) {
        case 1: gradient_columns<vectors, 1>(c, o[0], d, column); break;
        case 2: gradient_columns<vectors, 2>(c, o[0], d, column); break;
        case kFewColumns: gradient_columns<vectors, kFewColumns>(c, o[0], d, column); break;
    }
    if (float* bias = o[3]; bias != nullptr && !bias_gradient_of_few_units(c, delta, bias))
        bias_gradient(c.to - c.from, c.m, c.alpha, d, c.out, c.gamma, bias + c.from);
    return 0;
}

// C = ½ (a − y)²,  δ = a − y               of a single output
double squared_error(const Operation& o) {
    const float slope = *o[0] - *o[1];
    *o[3] = slope;
    return 0.5 * (double(slope) * slope);
}

// X ← columns of S; bytes times a scale. Single ones go elsewhere, where that is asked for. Where the columns after it cover what
// is stored beyond a column, its vectors are stored whole: if X is in the cache of another core, that takes half as long.
//                              S: in×…   X: in×m
template <class Value, int vectors>
double gather(const Operation& o) {
    const Call& c = *o.call;
    const Values<vectors> inputs(c.in);
    const Value* source = static_cast<const Value*>(o.x[0]);
    const int *column = o.columns(1), *end = o.columns(3);
    const auto copy = [&](int count, float* x, int step, auto store) {
        for (int j = 0; j < count; j++, column++, x += step) {
            if (end - column > kNarrowAhead) __builtin_prefetch(source + int64_t(column[kNarrowAhead]) * c.in);
            for (int v = 0; v < vectors; v++) {
                Vec values = inputs.load(source + int64_t(*column) * c.in, v);
                if (sizeof(Value) == 1) values *= c.alpha;
                store(x, v, values);
            }
        }
    };
    const auto store_whole = [](float* x, int v, Vec values) { store(x + v * kWidth, values); };
    if (o[4] != nullptr) {
        copy(c.m, o[4], kMostNarrow, store_whole);
        return 0;
    }
    const int last = std::min(c.m, (vectors * kWidth - 1) / c.in), covered = c.m - last;
    copy(covered, o[2], c.in, store_whole);
    copy(last, o[2] + covered * c.in, c.in, [&inputs](float* x, int v, Vec values) { inputs.store(x, v, values); });
    return 0;
}

// The same of a row                S: any   x: m
template <class Value>
double gather_row(const Operation& o) {
    const Call& c = *o.call;
    const Value* source = static_cast<const Value*>(o.x[0]);
    const int *column = o.columns(1), *end = o.columns(3);
    float* x = o[4] == nullptr ? o[2] : o[4];
    const int64_t step = o[4] == nullptr ? 1 : kMostNarrow;
    if (end - column >= c.m + kNarrowAhead)
        for (int j = 0; j < c.m; j++) __builtin_prefetch(source + column[j + kNarrowAhead]);
    for (int j = 0; j < c.m; j++) x[j * step] = sizeof(Value) == 1 ? source[column[j]] * c.alpha : source[column[j]];
    return 0;
}

template <class Value>
Operation::Run* gather(int in) {
    return in == 1 ? gather_row<Value> : in <= kWidth ? gather<Value, 1> : gather<Value, kMostVectors>;
}

struct ChooseAffine {
    int in;
    Operation::Run*& chosen;
    template <Activation phi>
    void operator()() const {
        chosen = in <= kFew ? affine<phi, Few> : in <= kWidth ? affine<phi, Values<1>> : affine<phi, Values<kMostVectors>>;
    }
};

struct ChooseInputGradient {
    int rows;
    Operation::Run*& chosen;
    template <Activation phi>
    void operator()() const {
        chosen = rows <= kFew     ? input_gradient<phi, Few>
                 : rows <= kWidth ? input_gradient<phi, Values<1>>
                                  : input_gradient<phi, Values<kMostVectors>>;
    }
};

}  // namespace

Operation::Run* narrow(const Call& c) {
    const auto phi = Activation(c.phi);
    Operation::Run* chosen = nullptr;
    if (c.in > kMostVectors * kWidth) return nullptr;
    if (Operation::Run* run = of_few_units(c); run != nullptr) return run;
    switch (c.kernel) {
        case Call::kAffine:
            if (c.m == 1 && c.out <= kMostUnits && phi != Activation::kSoftmax)
                with_activation(phi, ChooseAffine{c.in, chosen});
            return chosen;
        case Call::kInputGradient:
            if (c.m == 1) with_activation(phi, ChooseInputGradient{c.to - c.from, chosen});
            return chosen;
        case Call::kWeightGradient:
            if (c.m == 1)
                return c.in <= kFew     ? single_weight_gradient<Few>
                       : c.in <= kWidth ? single_weight_gradient<Values<1>>
                                        : single_weight_gradient<Values<kMostVectors>>;
            if (c.out <= kFewColumns) return c.in <= kWidth ? weight_gradient<1> : weight_gradient<kMostVectors>;
            return nullptr;
        case Call::kCost:
            if (c.m != 1 || c.in != 1 || c.operand[2].array >= 0 || Cost(c.phi) != Cost::kSquaredError) return nullptr;
            return squared_error;
        case Call::kGatherFloats: return gather<float>(c.in);
        case Call::kGatherBytes: return gather<uint8_t>(c.in);
        default: return nullptr;
    }
}

}  // namespace backblas::BACKBLAS_ISA
