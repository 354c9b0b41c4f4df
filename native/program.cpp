#include "program.hpp"

#include <cmath>
#include <limits>

#include "kernels.hpp"

namespace backblas {

bool needs_place(const Call* calls, int count) {
    constexpr int64_t kLong = 1 << 21;  // multiplications: 20 µs or more
    int64_t work = 0;
    for (const Call* c = calls; c < calls + count; c++) {
        const int64_t weights = int64_t(c->in) * c->out;
        if (weights >= kernels().large_weights) return true;
        work += weights * c->m;
    }
    return work > kLong;
}

double run(const Call* calls, int count, float* const* arrays) {
    const Kernels& k = kernels();
    double sum = 0;
    for (const Call* c = calls; c < calls + count && std::isfinite(sum); c++) {
        float* x[5];
        for (int i = 0; i < 5; i++)
            x[i] = c->operand[i].array < 0 ? nullptr : arrays[c->operand[i].array] + c->operand[i].offset;
        switch (c->kernel) {
            case Call::kAffine:
                k.affine(c->in, c->out, c->m, c->from, c->to, x[0], x[1], x[2], Activation(c->phi), x[3]);
                break;
            case Call::kInputGradient:
                k.input_gradient(c->in, c->out, c->m, c->from, c->to, x[0], x[1], Activation(c->phi), x[2], x[3]);
                break;
            case Call::kWeightGradient:
                k.weight_gradient(c->in, c->out, c->m, c->from, c->to, c->alpha, x[0], x[1], c->beta, x[2], c->gamma, x[3]);
                break;
            case Call::kUpdate:
                k.update(UpdateRule(c->phi), c->from, c->to, x[0], x[1], x[2], x[3], x[4]);
                break;
            case Call::kActivate:
                k.activate(c->in, Activation(c->phi), x[0], x[1]);
                break;
            case Call::kDropout:
                k.dropout(c->in, c->alpha, c->from, x[0], x[1], x[2]);
                break;
            case Call::kCost:
                sum += k.cost(Cost(c->phi), c->in, c->m, x[0], x[1], x[2], x[3]);
                break;
            case Call::kBackward:
                k.backward(c->in, c->m, Activation(c->phi), x[0], x[1]);
                break;
            case Call::kFinite:
                if (!k.all_finite(c->in, x[0])) sum = std::numeric_limits<double>::quiet_NaN();
                break;
        }
    }
    return sum;
}

}  // namespace backblas
