#include "program.hpp"

#include <cmath>
#include <limits>

#include "kernels.hpp"

namespace backblas {
namespace {

// An operand that lies elsewhere in the next repetition
struct Moving {
    void** x;
    int64_t bytes;
};

int64_t size_of(int array) { return array == kProgramBytes ? 1 : sizeof(float); }

double affine(const Operation& o) {
    const Call& c = *o.call;
    kernels().affine(c.in, c.out, c.m, c.from, c.to, o[0], o[1], o[2], Activation(c.phi), o[3], *o.ahead);
    return 0;
}

double input_gradient(const Operation& o) {
    const Call& c = *o.call;
    kernels().input_gradient(c.in, c.out, c.m, c.from, c.to, o[0], o[1], Activation(c.phi), o[2], o[3], *o.ahead);
    return 0;
}

double weight_gradient(const Operation& o) {
    const Call& c = *o.call;
    kernels().weight_gradient(c.in, c.out, c.m, c.from, c.to, c.alpha, o[0], o[1], c.beta, o[2], c.gamma, o[3], *o.ahead);
    return 0;
}

double update(const Operation& o) {
    kernels().update(UpdateRule(o.call->phi), o.call->from, o.call->to, o[0], o[1], o[2], o[3], o[4]);
    return 0;
}

double activate(const Operation& o) {
    kernels().activate(o.call->in, Activation(o.call->phi), o[0], o[1]);
    return 0;
}

double dropout(const Operation& o) {
    kernels().dropout(o.call->in, o.call->alpha, o.call->from, o[0], o[1], o[2]);
    return 0;
}

double cost(const Operation& o) {
    return kernels().cost(Cost(o.call->phi), o.call->in, o.call->m, o[0], o[1], o[2], o[3]);
}

double backward(const Operation& o) {
    kernels().backward(o.call->in, o.call->m, Activation(o.call->phi), o[0], o[1]);
    return 0;
}

double finite(const Operation& o) {
    return kernels().all_finite(o.call->in, o[0]) ? 0 : std::numeric_limits<double>::quiet_NaN();
}

// A column of less is there as soon as it is asked for.
constexpr int64_t kWide = 512;

int64_t column_bytes(const Call& c) {
    return c.kernel == Call::kGatherFloats ? c.in * int64_t(sizeof(float)) : c.kernel == Call::kGatherBytes ? c.in : 0;
}

// The products are told what the next repetition gathers. Returns how many numbers of columns the gather itself should look at,
// to bring near what is not.
int look_ahead(const Operation& o) {
    const int *columns = o.columns(1), *end = o.columns(3);
    const int m = o.call->m;
    if (o.step == 0) return int(end - columns);
    Ahead& ahead = *o.ahead;
    const bool near = ahead.end == columns + m && ahead.next == ahead.end && ahead.line == ahead.last;
    const int64_t left = end - columns - o.step;
    if (left > 0) {
        const int* next = columns + o.step;
        ahead = {static_cast<const char*>(o.x[0]), column_bytes(*o.call), next, left < m ? end : next + m, nullptr, nullptr};
    }
    return near ? 0 : int(end - columns);
}

double gather_floats(const Operation& o) {
    const Call& c = *o.call;
    kernels().gather_floats(c.in, o[0], o.columns(1), c.m, look_ahead(o), o[2]);
    return 0;
}

double gather_bytes(const Operation& o) {
    const Call& c = *o.call;
    kernels().gather_bytes(c.in, static_cast<const uint8_t*>(o.x[0]), c.alpha, o.columns(1), c.m, look_ahead(o), o[2]);
    return 0;
}

// In the order of Call::Kernel
Operation::Run* const kRuns[] = {affine, input_gradient, weight_gradient, update, activate, dropout, cost, backward, finite,
                                 gather_floats, gather_bytes};

// A narrow column that is gathered alone is stored twice: in X, by a masked store, and here, as whole vectors, from which the
// calls after it read. A processor hands what a whole store wrote to the next load at once, but not what a masked one did (Zen 5:
// without this, an epoch of 13-3-1, one sample a step, took a fifth longer).
struct Single {
    alignas(kCacheLine) float vectors[kMostNarrow];
    const void* x;  // where it is in X,
    int n;          // so many values
};
constexpr int kMostSingles = 2;  // X and Y

// Which operand holds the samples, in×m, and is only read; −1 for none
int samples_of(const Call& c) {
    switch (c.kernel) {
        case Call::kAffine: return 2;
        case Call::kWeightGradient: return 0;
        case Call::kCost: return 1;
        case Call::kFinite: return 0;
        default: return -1;
    }
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
    Operation operations[kMostCalls];
    Moving moving[5 * kMostCalls];
    int moves = 0;
    Ahead ahead;
    Operation* widest = nullptr;  // of the gathers; the others' columns are there soon
    int64_t most = kWide - 1;
    Single singles[kMostSingles], *single = singles;
    for (int c = 0; c < count; c++) {
        const Call& call = calls[c];
        Operation& operation = operations[c];
        Operation::Run* narrow = kernels().narrow(call);
        operation.run = narrow != nullptr ? narrow : kRuns[call.kernel];
        operation.call = &call;
        operation.ahead = &ahead;
        for (int i = 0; i < 5; i++) {
            const auto [array, offset] = call.operand[i];
            void*& x = operation.x[i];
            x = nullptr;
            if (array < 0) continue;
            const auto [by, step] = shifts[array];
            x = static_cast<char*>(arrays[array]) + size_of(array) * (offset + by + int64_t(first) * step);
            if (step != 0) moving[moves++] = {&x, size_of(array) * step};
        }
        if (const int i = samples_of(call); i >= 0)  // X is written, so it is not shifted: what is redirected does not move
            for (Single* s = singles; s < single; s++)
                if (operation.x[i] == s->x && call.in * call.m == s->n) operation.x[i] = s->vectors;
        operation.step = 0;
        if (const int64_t bytes = column_bytes(call); bytes > 0) {
            operation.x[3] = static_cast<int*>(arrays[kProgramColumns]) + call.to;  // the end of the columns
            if (bytes > most) {
                most = bytes;
                widest = &operation;
            }
            if (narrow != nullptr && call.m == 1 && call.from == 0 && single < singles + kMostSingles) {
                single->x = operation.x[2];
                single->n = call.in;
                operation.x[4] = single++->vectors;
            }
        }
    }
    if (widest != nullptr) widest->step = shifts[kProgramColumns].step;
    Outcome outcome = {before, 0};
    for (; outcome.done < times; outcome.done++) {
        double sum = 0;
        for (int c = 0; c < count && std::isfinite(sum); c++) sum += operations[c].run(operations[c]);
        outcome.cost += sum;
        if (!std::isfinite(outcome.cost)) break;
        for (int i = 0; i < moves; i++) *moving[i].x = static_cast<char*>(*moving[i].x) + moving[i].bytes;
    }
    return outcome;
}

}  // namespace backblas
