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
    o.ahead->missing = nullptr;
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

double sum(const Operation& o) {
    const Call& c = *o.call;
    kernels().sum(c.in, c.m, c.out, c.from, c.to, o[0], o[1] - o[0], Activation(c.phi), o[2], o[3]);
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

// The products are told what the next repetition gathers, where they bring it near. Returns how many numbers of columns the
// gather itself should look at, to bring near what is not.
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

// The product that reads X gathers it itself, a panel of columns after the other: the panel is read soon, and where X, W and all
// that the next X is gathered of are more than the level-2 cache holds, only a panel's part of the latter needs to be there
// (Zen 4: an epoch of 784-128-10, 128 samples a step, costs a quarter less than it did beyond steps on a batch at hand). The
// first panel's columns are near when it begins; with twice as many the epoch takes 0.9 % longer.
void leave_missing(const Operation& o) {
    const int *columns = o.columns(1), *end = o.columns(3), *later = columns + kWidestPanel;
    const char* source = static_cast<const char*>(o.x[0]);
    const int64_t bytes = column_bytes(*o.call);
    if (o.ahead->end != later)
        for (const int* column = columns; column < later; column++)
            for (int64_t i = 0; i < bytes; i += kCacheLine) __builtin_prefetch(source + bytes * *column + i);
    const int* last = (o.step == o.call->m ? later : columns) + o.call->m;  // others' come next where the step is longer
    *o.ahead = {source, bytes, later, last < end ? last : end, nullptr, nullptr, &o};
}

double gather(const Operation& o) {
    if (o.leaves_missing) leave_missing(o);
    else gather_columns(o, 0, o.call->m, look_ahead(o));
    return 0;
}

// In the order of Call::Kernel
Operation::Run* const kRuns[] = {affine, input_gradient, weight_gradient, update, activate, dropout, cost, backward, finite,
                                 gather, gather, sum};

// A narrow column that is gathered alone is not stored in X, but for the last one: its readers are shown where it lies, or where
// bytes have become whole vectors, those of several repetitions at once. (Zen 5: with a copy of floats, an epoch of 13-3-1, one
// sample a step, took a fifteenth longer, and a fifth where the store was masked, narrow.cpp; with bytes one by one, 5 % longer.)
struct Single {
    Operation gather;
    int64_t bytes;              // of a column
    const int *column, *end;    // the next repetition's, and that after the last
    const float *ready, *last;  // whole vectors of the next column, and where there are no more
    void** readers[5 * kMostCalls];
    int count;
    alignas(kCacheLine) float vectors[kTogether * kMostNarrow];

    void start(int times) {
        bytes = column_bytes(*gather.call);
        column = gather.columns(1);
        end = column + times;
        ready = last = vectors;
        count = 0;
    }
    void gather_from(const int* first, int64_t columns, float* whole) const {
        Call call = *gather.call;
        call.m = int(columns);
        const Operation these = {gather.run, &call, {gather.x[0], const_cast<int*>(first), gather.x[2], gather.x[3], whole},
                                 gather.ahead, 0, false};
        these.run(these);
    }
    void show(const void* place) const {
        for (int i = 0; i < count; i++) *readers[i] = const_cast<void*>(place);
    }
    void next() {
        if (gather.call->kernel == Call::kGatherBytes) {
            if (ready == last) {
                const int64_t columns = end - column < kTogether ? end - column : kTogether;
                gather_from(column, columns, vectors);
                ready = vectors;
                last = vectors + columns * kMostNarrow;
            }
            show(ready);
            ready += kMostNarrow;
        } else {
            const char* source = static_cast<const char*>(gather.x[0]);
            show(source + bytes * *column);
            if (gather.columns(3) - column > kNarrowAhead) {
                const char* later = source + bytes * column[kNarrowAhead];
                __builtin_prefetch(later);
                __builtin_prefetch(later + bytes - 1);  // often in the next cache line
            }
        }
        column++;
    }
    void finish() const { gather_from(column - 1, 1, nullptr); }
};
constexpr int kMostSingles = 2;  // X and Y

// Batches that lie one behind the other, each so short that the processor hardly sees the next one coming, and together so long
// that they are not in the cache already (an epoch of 13-3-1 whose samples another thread brings, bench epochs, takes 8 % longer
// without)
constexpr int64_t kShort = 4096, kNear = 1 << 16;

// What the first operand that moves, X or what says where to gather it, has in a repetition, if it is worth bringing near
int64_t bytes_to_bring(const Moving* first, const Moving* end, int times) {
    return first < end && first->bytes <= kShort && first->bytes * times > kNear ? first->bytes : 0;
}

// Whether the first call that uses X is a product that can gather it itself: before it come other gathers, of anything else.
bool can_be_missing(const Operation& gather, const Operation* next, const Operation* end) {
    const Call& g = *gather.call;
    for (; next < end && column_bytes(*next->call) > 0; next++)
        if (next->x[0] == gather.x[2]) return false;
    if (next == end || g.from != 0) return false;
    const Call& c = *next->call;
    return c.kernel == Call::kAffine && next->x[2] == gather.x[2] && next->x[0] != gather.x[2] && next->x[1] != gather.x[2] &&
           c.in == g.in && c.m == g.m && c.m >= kWidestPanel &&
           kernels().reads_by_panels(c.in, c.out, c.m, c.from, c.to);
}

}  // namespace

void gather_columns(const Operation& o, int first, int count, int known) {
    const Call& c = *o.call;
    const int* columns = o.columns(1) + first;
    float* x = o[2] + int64_t(first) * c.in;
    if (c.kernel == Call::kGatherFloats) kernels().gather_floats(c.in, o[0], columns, count, known, x);
    else kernels().gather_bytes(c.in, static_cast<const uint8_t*>(o.x[0]), c.alpha, columns, count, known, x);
}

bool needs_place(const Call* calls, int count, int times) {
    constexpr int64_t kLong = 1 << 21;  // multiplications: 20 µs or more
    int64_t work = 0;
    for (const Call* c = calls; c < calls + count; c++) {
        const int64_t weights = int64_t(c->in) * c->out;
        if (c->m > kFewSamples && weights >= kernels().large_weights) return true;
        work += weights * c->m;
    }
    return work * times > kLong;
}

Outcome run(const Call* calls, int count, int first, int times, double before, const Shift* shifts, void* const* arrays) {
    Operation operations[kMostCalls], *operations_end = operations;
    Single singles[kMostSingles], *singles_end = singles;
    Moving moving[5 * kMostCalls], *moving_end = moving;
    Ahead ahead;
    Operation* widest = nullptr;  // of the gathers; the others' columns are there soon
    int64_t most = kWide - 1;
    for (const Call* call = calls; call < calls + count; call++) {
        const int64_t bytes = column_bytes(*call);
        Operation::Run* narrow = kernels().narrow(*call);
        const bool follow = shifts[kProgramColumns].step == 1 && shifts[kProgramBytes].step == 0;  // one the other, of one S
        const bool single = bytes > 0 && narrow != nullptr && call->m == 1 && call->from == 0 && follow &&
                            singles_end < singles + kMostSingles;
        Operation& operation = single ? singles_end->gather : *operations_end++;
        operation = {narrow != nullptr ? narrow : kRuns[call->kernel], call, {}, &ahead, 0, false};
        for (int i = 0; i < 5; i++) {
            const auto [array, offset] = call->operand[i];
            if (array < 0) continue;
            void*& x = operation.x[i];
            const auto [by, step] = shifts[array];
            x = static_cast<char*>(arrays[array]) + size_of(array) * (offset + by + int64_t(first) * step);
            if (step != 0 && !(single && i == 1)) *moving_end++ = {&x, size_of(array) * step};
            for (Single* s = singles; s < singles_end; s++)
                if (x == s->gather.x[2]) s->readers[s->count++] = &x;
        }
        if (bytes == 0) continue;
        operation.x[3] = static_cast<int*>(arrays[kProgramColumns]) + call->to;  // the end of the columns
        if (bytes > most) {
            most = bytes;
            widest = &operation;
        }
        if (single) singles_end++->start(times);
    }
    if (widest != nullptr && kernels().bring_near()) {
        widest->step = shifts[kProgramColumns].step;
        widest->leaves_missing = can_be_missing(*widest, operations, operations_end);
    }
    const int64_t bring = bytes_to_bring(moving, moving_end, times);
    Outcome outcome = {before, 0};
    for (;;) {
        double sum = 0;
        for (Single* s = singles; s < singles_end; s++) s->next();
        for (Operation* o = operations; o < operations_end && std::isfinite(sum); o++) sum += o->run(*o);
        outcome.cost += sum;
        if (!std::isfinite(outcome.cost) || ++outcome.done == times) break;
        for (Moving* m = moving; m < moving_end; m++) *m->x = static_cast<char*>(*m->x) + m->bytes;
        if (times - outcome.done > 1)
            for (int64_t i = 0; i < bring; i += kCacheLine) __builtin_prefetch(static_cast<char*>(*moving->x) + bring + i);
    }
    for (Single* s = singles; s < singles_end; s++) s->finish();
    return outcome;
}

}  // namespace backblas
