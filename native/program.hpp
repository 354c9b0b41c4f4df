// Calls of kernels as Java writes them down (dev.backblas.backend.Program), run one after the other, and all of them again.
#pragma once

#include <cstdint>

#include "kernels.hpp"

namespace backblas {

constexpr int kProgramFloats = 8;                  // arrays of floats, 0 to 7
constexpr int kProgramBytes = kProgramFloats;      // one of bytes
constexpr int kProgramColumns = kProgramBytes + 1;  // one of whole numbers
constexpr int kProgramArrays = kProgramColumns + 1;
constexpr int kMostCalls = 64;  // of one crossing

// An operand: the number of its array (−1 for none) and its offset there.
struct Operand {
    int32_t array, offset;
};

struct Call {
    enum Kernel : int32_t {
        kAffine, kInputGradient, kWeightGradient, kUpdate, kActivate, kDropout, kCost, kBackward, kFinite, kGatherFloats,
        kGatherBytes, kSum
    };
    Kernel kernel;
    // phi: of an update, its rule; of a cost, which. Of a gather, from: 0 where only gathers come before, later calls read all of
    // its X if any, and none writes to its S or X; to: how many numbers of columns there are. Of a sum, out: its terms
    int32_t in, out, m, from, to, phi;
    float alpha, beta, gamma;
    Operand operand[5];
};
static_assert(sizeof(Call) == 20 * sizeof(int32_t), "Program.STRIDE");

constexpr int kMostNarrow = 32;    // the most values of a column that narrow.cpp gathers,
constexpr int kNarrowAhead = 128;  // and so many columns before it is gathered it is on its way
constexpr int kTogether = 16;      // bytes of so many single columns become floats at once

// A call whose operands are where they lie, in the repetition at hand
struct Operation {
    using Run = double(const Operation&);  // returns what the call adds to the sum
    Run* run;
    const Call* call;
    void* x[5];  // of a gather, [3]: the end of the columns; [4]: where a narrow one puts its columns instead of X, kMostNarrow
                 // from one to the next, or null
    Ahead* ahead;         // what a gather says comes next
    int step;             // of that gather, to the columns of the next repetition; 0 where no product brings them near
    bool leaves_missing;  // and whether the product that reads X gathers it itself
    float* operator[](int i) const { return static_cast<float*>(x[i]); }
    const int* columns(int i) const { return static_cast<const int*>(x[i]); }
};

// In repetition r, what lies in the array begins r · step elements after `by`.
struct Shift {
    int32_t by, step;
};

// Whether these calls, so many times, may enter OpenBLAS or stay long.
bool needs_place(const Call* calls, int count, int times);

struct Outcome {
    double cost;  // the sum, each repetition's added to it as a whole
    int done;    // repetitions, before it or a value was not finite; the calls after that were not run
};

// The repetitions first … first + times − 1, one at least, after others whose costs are `before`.
// shifts, arrays: one for each of kProgramArrays; the pointers of those that no call names may be null
Outcome run(const Call* calls, int count, int first, int times, double before, const Shift* shifts, void* const* arrays);

}  // namespace backblas
