#include "program.hpp"

#include "kernels.hpp"

namespace backblas {

bool needs_place(const Call* calls, int count) {
    for (int i = 0; i < count; i++)
        if (calls[i].m > kFewSamples || int64_t(calls[i].in) * calls[i].out > 1 << 18) return true;
    return false;
}

void run(const Call* calls, int count, float* const* arrays) {
    const Kernels& k = kernels();
    for (const Call* c = calls; c < calls + count; c++) {
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
        }
    }
}

}  // namespace backblas
