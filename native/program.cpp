#include "program.hpp"

#include <cmath>
#include <limits>

#include "kernels.hpp"

namespace backblas {
namespace {

// The operands of a call, wherever they lie in the repetition at hand
struct Operands {
    void* x[5];
    float* operator[](int i) const { return static_cast<float*>(x[i]); }
    const int* columns(int i) const { return static_cast<const int*>(x[i]); }
};

// One that lies elsewhere in the next repetition
struct Moving {
    void** x;
    int64_t bytes;
};

int64_t size_of(int array) { return array == kProgramBytes ? 1 : sizeof(float); }

// Returns what the call adds to the sum.
inline double run(const Kernels& k, const Call& c, const Operands& x, const int* columns) {
    switch (c.kernel) {
        case Call::kAffine:
            k.affine(c.in, c.out, c.m, c.from, c.to, x[0], x[1], x[2], Activation(c.phi), x[3]);
            break;
        case Call::kInputGradient:
            k.input_gradient(c.in, c.out, c.m, c.from, c.to, x[0], x[1], Activation(c.phi), x[2], x[3]);
            break;
        case Call::kWeightGradient:
            k.weight_gradient(c.in, c.out, c.m, c.from, c.to, c.alpha, x[0], x[1], c.beta, x[2], c.gamma, x[3]);
            break;
        case Call::kUpdate:
            k.update(UpdateRule(c.phi), c.from, c.to, x[0], x[1], x[2], x[3], x[4]);
            break;
        case Call::kActivate:
            k.activate(c.in, Activation(c.phi), x[0], x[1]);
            break;
        case Call::kDropout:
            k.dropout(c.in, c.alpha, c.from, x[0], x[1], x[2]);
            break;
        case Call::kCost:
            return k.cost(Cost(c.phi), c.in, c.m, x[0], x[1], x[2], x[3]);
        case Call::kBackward:
            k.backward(c.in, c.m, Activation(c.phi), x[0], x[1]);
            break;
        case Call::kFinite:
            return k.all_finite(c.in, x[0]) ? 0 : std::numeric_limits<double>::quiet_NaN();
        case Call::kGatherFloats:
            k.gather_floats(c.in, x[0], x.columns(1), c.m, int(columns + c.to - x.columns(1)), x[2]);
            break;
        case Call::kGatherBytes:
            k.gather_bytes(c.in, static_cast<const uint8_t*>(x.x[0]), c.alpha, x.columns(1), c.m,
                           int(columns + c.to - x.columns(1)), x[2]);
            break;
    }
    return 0;
}

}  // namespace

bool needs_place(const Call* calls, int count, int times) {
    constexpr int64_t kLong = 1 << 21;  // multiplications: 20 µs or more
    int64_t work = 0;
    for (const Call* c = calls; c < calls + count; c++) {
        const int64_t weights = int64_t(c->in) * c->out;
        if (weights >= kernels().large_weights) return true;
        work += weights * c->m;
    }
    return work * times > kLong;
}

Outcome run(const Call* calls, int count, int first, int times, double before, const Shift* shifts, void* const* arrays) {
    Operands operands[kMostCalls];
    Moving moving[5 * kMostCalls];
    int moves = 0;
    for (int c = 0; c < count; c++)
        for (int i = 0; i < 5; i++) {
            const auto [array, offset] = calls[c].operand[i];
            void*& x = operands[c].x[i];
            x = nullptr;
            if (array < 0) continue;
            const auto [by, step] = shifts[array];
            x = static_cast<char*>(arrays[array]) + size_of(array) * (offset + by + int64_t(first) * step);
            if (step != 0) moving[moves++] = {&x, size_of(array) * step};
        }
    const int* columns = static_cast<const int*>(arrays[kProgramColumns]);
    const Kernels& k = kernels();
    Outcome outcome = {before, 0};
    for (; outcome.done < times; outcome.done++) {
        double sum = 0;
        for (int c = 0; c < count && std::isfinite(sum); c++) sum += run(k, calls[c], operands[c], columns);
        outcome.cost += sum;
        if (!std::isfinite(outcome.cost)) break;
        for (int i = 0; i < moves; i++) *moving[i].x = static_cast<char*>(*moving[i].x) + moving[i].bytes;
    }
    return outcome;
}

}  // namespace backblas
