// Calls of kernels as Java writes them down (dev.backblas.backend.Program), run one after the other.
#pragma once

#include <cstdint>

namespace backblas {

constexpr int kProgramArrays = 8;
constexpr int kMostCalls = 64;  // of one crossing

// An operand: the number of its array (−1 for none) and its offset there.
struct Operand {
    int32_t array, offset;
};

struct Call {
    enum Kernel : int32_t { kAffine, kInputGradient, kWeightGradient, kUpdate, kActivate, kDropout, kCost, kBackward, kFinite };
    Kernel kernel;
    int32_t in, out, m, from, to, phi;  // phi: of an update, its rule; of a cost, which
    float alpha, beta, gamma;
    Operand operand[5];
};
static_assert(sizeof(Call) == 20 * sizeof(int32_t), "Program.STRIDE");

// Whether one of these calls may enter OpenBLAS or stay long.
bool needs_place(const Call* calls, int count);

// Returns the sum of the costs; where it is not finite, or values are not, the calls after that are not run.
// arrays: kProgramArrays pointers; those that no call names may be null
double run(const Call* calls, int count, float* const* arrays);

}  // namespace backblas
