// Proves every kernel table this processor runs against plain loops in double precision: awkward sizes, outputs filled
// with NaN, canaries on both sides of every output, and error bounds derived from the length of the sum.
#include <algorithm>
#include <array>
#include <atomic>
#include <cfloat>
#include <climits>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernels.hpp"
#include "openblas.hpp"
#include "places.hpp"
#include "program.hpp"

using namespace backblas;

// In the place of memory.cpp: memory that may be lacking.
bool no_memory = false;
float* backblas::strips_of_thread() {
    static const std::unique_ptr<float, decltype(&std::free)> strips(
        static_cast<float*>(std::aligned_alloc(kCacheLine, kStripsOfThread * sizeof(float))), std::free);
    return no_memory ? nullptr : strips.get();
}

namespace {

int checks = 0, failures = 0;

#define CHECK(condition, ...)                                      \
    do {                                                           \
        checks++;                                                  \
        if (!(condition) && ++failures <= 20) {                    \
            std::printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            std::printf(__VA_ARGS__);                              \
            std::printf("\n");                                     \
        }                                                          \
    } while (0)

constexpr int kActivations = int(Activation::kSoftplus) + 1;

uint32_t state = 1;
float uniform() {  // in [-1, 1)
    state = state * 1664525u + 1013904223u;
    return float(int32_t(state)) * (1.0f / 2147483648.0f);
}

// Random floats that start on no vector's boundary and end where their memory ends.
class Input {
   public:
    explicit Input(size_t n) : memory_(n + 1) {
        for (size_t i = 0; i < n; i++) data()[i] = uniform();
    }
    float* data() { return memory_.data() + 1; }
    const float* data() const { return memory_.data() + 1; }
    float& operator[](size_t i) { return data()[i]; }
    float operator[](size_t i) const { return data()[i]; }
    size_t size() const { return memory_.size() - 1; }

   private:
    std::vector<float> memory_;
};

Ahead nothing;  // is brought near meanwhile

// An output with a guard on each side; filled with NaN unless the kernel also reads it.
class Output {
   public:
    explicit Output(size_t n) : n_(n), memory_(n + 2 * kGuard, kCanary) {
        for (size_t i = 0; i < n; i++) data()[i] = NAN;
    }
    float* data() { return memory_.data() + kGuard; }
    bool intact() const {
        for (size_t i = 0; i < kGuard; i++)
            if (memory_[i] != kCanary || memory_[kGuard + n_ + i] != kCanary) return false;
        return true;
    }

   private:
    static constexpr size_t kGuard = 33;
    static constexpr float kCanary = -12345.678f;
    size_t n_;
    std::vector<float> memory_;
};

double phi(Activation activation, double z) {
    switch (activation) {
        case Activation::kSigmoid: return 1 / (1 + std::exp(-z));
        case Activation::kTanh: return std::tanh(z);
        case Activation::kRelu: return z > 0 ? z : 0;
        case Activation::kLeakyRelu: return z > 0 ? z : kLeakySlope * z;
        case Activation::kGelu: return z * 0.5 * std::erfc(-z / std::sqrt(2.0));
        case Activation::kSilu: return z / (1 + std::exp(-z));
        case Activation::kElu: return z > 0 ? z : std::expm1(z);
        case Activation::kSoftplus: return std::fmax(z, 0.0) + std::log1p(std::exp(-std::fabs(z)));
        default: return z;
    }
}

// Written in a; for GELU and SiLU in a = z.
double phi_prime(Activation activation, double a) {
    switch (activation) {
        case Activation::kSigmoid: return a * (1 - a);
        case Activation::kTanh: return 1 - a * a;
        case Activation::kRelu: return a > 0;
        case Activation::kLeakyRelu: return a > 0 ? 1 : kLeakySlope;
        case Activation::kGelu: return 0.5 * std::erfc(-a / std::sqrt(2.0)) + a * std::exp(-a * a / 2) / std::sqrt(2 * M_PI);
        case Activation::kSilu: return phi(Activation::kSigmoid, a) * (1 + a * phi(Activation::kSigmoid, -a));
        case Activation::kElu: return a > 0 ? 1 : a + 1;
        case Activation::kSoftplus: return -std::expm1(-a);
        default: return 1;
    }
}

// |fl(Σ xᵢyᵢ) − Σ xᵢyᵢ| ≤ γₙ Σ|xᵢyᵢ| with γₙ = n u / (1 − n u), whatever the order of summation (Higham, §3.1);
// two terms more for the bias and the scaling, 12 ulp for φ (GELU's), whose φ' is at most 1.13.
double bound(int n, double magnitude, double value) {
    const double u = FLT_EPSILON / 2;
    return (n + 2) * u / (1 - (n + 2) * u) * 1.13 * magnitude + 12 * FLT_EPSILON * std::fabs(value) + 1e-37;
}

const Activation kElementwise[] = {Activation::kIdentity, Activation::kSigmoid, Activation::kTanh, Activation::kRelu,
                                   Activation::kLeakyRelu, Activation::kGelu, Activation::kSilu, Activation::kElu,
                                   Activation::kSoftplus};

void test_affine(const Kernels& k, int in, int out, int m, Activation activation, bool with_bias) {
    const Input w(size_t(in) * out), b(out), a(size_t(in) * m);
    Output next(size_t(out) * m);
    const int seam = activation == Activation::kSoftmax || (in + m) % 3 > 0 ? 0 : out / 3;  // in one tile or in two
    for (int from : {0, seam})
        k.affine(in, out, m, from, from < seam ? seam : out, w.data(), with_bias ? b.data() : nullptr, a.data(), activation,
                 next.data(), nothing);
    CHECK(next.intact(), "%s affine %dx%dx%d wrote outside its output", k.isa, in, out, m);
    for (int j = 0; j < m; j++) {
        std::vector<double> z(out);
        double magnitude = 0, top = -INFINITY, total = 0;
        for (int o = 0; o < out; o++) {
            double sum = with_bias ? b[o] : 0, size = std::fabs(sum);
            for (int i = 0; i < in; i++) {
                sum += double(w[size_t(o) * in + i]) * a[size_t(j) * in + i];
                size += std::fabs(double(w[size_t(o) * in + i]) * a[size_t(j) * in + i]);
            }
            z[o] = sum;
            magnitude = std::fmax(magnitude, size);
            top = std::fmax(top, sum);
        }
        for (double v : z) total += std::exp(v - top);
        for (int o = 0; o < out; o++) {
            const bool softmax = activation == Activation::kSoftmax;
            const double want = softmax ? std::exp(z[o] - top) / total : phi(activation, z[o]);
            const double got = next.data()[size_t(j) * out + o];
            // softmax moves by at most 2 p times the largest change of its z, and sums `out` terms
            const double allowed = softmax ? 2 * want * bound(in, magnitude, top) + (out + 8) * FLT_EPSILON * want + 1e-37
                                           : bound(in, magnitude, want);
            CHECK(std::fabs(got - want) <= allowed, "%s affine %dx%dx%d phi %d: %g, expected %g +- %g", k.isa, in, out, m,
                  int(activation), got, want, allowed);
        }
    }
}

void test_input_gradient(const Kernels& k, int in, int out, int m, Activation activation) {
    const Input w(size_t(in) * out), delta(size_t(out) * m);
    Input a(size_t(in) * m);
    if (activation == Activation::kSoftplus)
        for (size_t i = 0; i < a.size(); i++) a[i] = std::fabs(a[i]);  // there is no other A
    if (activation == Activation::kRelu)
        for (size_t i = 0; i < a.size(); i += 3) a[i] = 0;  // φ'(0) = 0
    Output previous(size_t(in) * m);
    const int seam = (in + m) % 3 > 0 ? 0 : in / 3;
    for (int from : {0, seam})
        k.input_gradient(in, out, m, from, from < seam ? seam : in, w.data(), delta.data(), activation,
                         activation == Activation::kIdentity ? nullptr : a.data(), previous.data(), nothing);
    CHECK(previous.intact(), "%s inputGradient %dx%dx%d wrote outside its output", k.isa, in, out, m);
    for (int j = 0; j < m; j++)
        for (int i = 0; i < in; i++) {
            double sum = 0, size = 0;
            for (int o = 0; o < out; o++) {
                sum += double(w[size_t(o) * in + i]) * delta[size_t(j) * out + o];
                size += std::fabs(double(w[size_t(o) * in + i]) * delta[size_t(j) * out + o]);
            }
            const double slope = phi_prime(activation, a[size_t(j) * in + i]);
            const double got = previous.data()[size_t(j) * in + i];
            CHECK(std::fabs(got - sum * slope) <= bound(out, size * std::fmax(1, std::fabs(slope)), sum * slope) +
                                                          5e-7 * std::fabs(sum),
                  "%s inputGradient %dx%dx%d phi %d: %g, expected %g", k.isa, in, out, m, int(activation), got,
                  sum * slope);
        }
}

void test_weight_gradient(const Kernels& k, int in, int out, int m, int from, int to, float alpha, float beta,
                          float gamma) {
    const Input a(size_t(in) * m), delta(size_t(out) * m);
    const Input c0(size_t(in) * out), bias0(out);
    Output c(size_t(in) * out), bias(out);
    if (beta != 0) std::memcpy(c.data(), c0.data(), c0.size() * sizeof(float));
    if (gamma != 0) std::memcpy(bias.data(), bias0.data(), bias0.size() * sizeof(float));
    k.weight_gradient(in, out, m, from, to, alpha, a.data(), delta.data(), beta, c.data(), gamma, bias.data(), nothing);
    CHECK(c.intact() && bias.intact(), "%s weightGradient %dx%dx%d wrote outside its output", k.isa, in, out, m);
    for (int o = 0; o < out; o++) {
        const bool inside = from <= o && o < to;
        double bias_sum = 0, bias_size = 0;
        for (int j = 0; j < m; j++) {
            bias_sum += delta[size_t(j) * out + o];
            bias_size += std::fabs(delta[size_t(j) * out + o]);
        }
        double want = alpha * bias_sum + gamma * bias0[o];
        double got = bias.data()[o];
        if (inside)
            CHECK(std::fabs(got - want) <= bound(m, std::fabs(alpha) * bias_size + std::fabs(gamma * bias0[o]), want),
                  "%s weightGradient %dx%dx%d bias: %g, expected %g", k.isa, in, out, m, got, want);
        else
            CHECK(gamma == 0 ? std::isnan(got) : got == bias0[o], "%s: bias outside the tile changed", k.isa);
        for (int i = 0; i < in; i++) {
            double sum = 0, size = 0;
            for (int j = 0; j < m; j++) {
                sum += double(a[size_t(j) * in + i]) * delta[size_t(j) * out + o];
                size += std::fabs(double(a[size_t(j) * in + i]) * delta[size_t(j) * out + o]);
            }
            const float before = c0[size_t(o) * in + i];
            want = alpha * sum + beta * before;
            got = c.data()[size_t(o) * in + i];
            if (inside)
                CHECK(std::fabs(got - want) <= bound(m, std::fabs(alpha) * size + std::fabs(beta * before), want),
                      "%s weightGradient %dx%dx%d: %g, expected %g", k.isa, in, out, m, got, want);
            else
                CHECK(beta == 0 ? std::isnan(got) : got == before, "%s: weights outside the tile changed", k.isa);
        }
    }
}

// The distance in units of the last place of `want`.
double ulps(double got, double want) {
    int exponent;
    std::frexp(want, &exponent);
    return std::fabs(got - want) / std::ldexp(1.0, std::max(exponent, FLT_MIN_EXP) - FLT_MANT_DIG);
}

// φ alone: a 1×1 identity product hands z to it unchanged.
void test_accuracy(const Kernels& k) {
    const int n = 4096;
    std::vector<float> z(n), one(1, 1.0f), out(n);
    double worst_sigmoid = 0, worst_tanh = 0;
    for (int exponent = -40; exponent <= 6; exponent++)
        for (int sign : {-1, 1}) {
            for (int i = 0; i < n; i++) z[i] = sign * std::ldexp(1.0f + float(i) / n, exponent);
            k.affine(1, 1, n, 0, 1, one.data(), nullptr, z.data(), Activation::kSigmoid, out.data(), nothing);
            for (int i = 0; i < n; i++)
                if (std::fabs(z[i]) <= 87)
                    worst_sigmoid = std::fmax(worst_sigmoid, ulps(out[i], 1 / (1 + std::exp(-double(z[i])))));
            k.affine(1, 1, n, 0, 1, one.data(), nullptr, z.data(), Activation::kTanh, out.data(), nothing);
            for (int i = 0; i < n; i++) worst_tanh = std::fmax(worst_tanh, ulps(out[i], std::tanh(double(z[i]))));
        }
    std::printf("%-8s  sigmoid within %.2f ulp, tanh within %.2f ulp\n", k.isa, worst_sigmoid, worst_tanh);
    CHECK(worst_sigmoid <= 3, "%s: sigmoid is %g ulp off", k.isa, worst_sigmoid);
    CHECK(worst_tanh <= 4, "%s: tanh is %g ulp off", k.isa, worst_tanh);

    double worst[kActivations] = {};
    for (int exponent = -40; exponent <= 6; exponent++)
        for (int sign : {-1, 1}) {
            for (int i = 0; i < n; i++) z[i] = sign * std::ldexp(1.0f + float(i) / n, exponent);
            for (Activation activation : {Activation::kGelu, Activation::kSilu, Activation::kElu, Activation::kSoftplus}) {
                const float least = activation == Activation::kGelu ? -12 : -87;  // beyond, it is as good as 0
                k.activate(n, activation, z.data(), out.data());
                for (int i = 0; i < n; i++)
                    if (z[i] >= least)
                        worst[int(activation)] = std::fmax(worst[int(activation)], ulps(out[i], phi(activation, z[i])));
                    else
                        CHECK(std::fabs(out[i] - phi(activation, z[i])) < 1e-31, "%s: phi %d of %g is %g", k.isa,
                              int(activation), z[i], out[i]);
            }
        }
    std::printf("%-8s  GELU within %.2f ulp, SiLU %.2f, ELU %.2f, softplus %.2f\n", k.isa, worst[int(Activation::kGelu)],
                worst[int(Activation::kSilu)], worst[int(Activation::kElu)], worst[int(Activation::kSoftplus)]);
    CHECK(worst[int(Activation::kGelu)] <= 12, "%s: GELU", k.isa);
    CHECK(worst[int(Activation::kSilu)] <= 5, "%s: SiLU", k.isa);
    CHECK(worst[int(Activation::kElu)] <= 4, "%s: ELU", k.isa);
    CHECK(worst[int(Activation::kSoftplus)] <= 4, "%s: softplus", k.isa);

    std::vector<float> extremes = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-42f,
                                   88, -88, 1000, -1000};
    const int count = int(extremes.size());
    for (Activation activation : kElementwise) {
        out.assign(count, 7);
        k.affine(1, 1, count, 0, 1, one.data(), nullptr, extremes.data(), activation, out.data(), nothing);
        for (int i = 0; i < count; i++) {
            const float x = extremes[i];
            double want = phi(activation, x);
            if (std::isinf(x) && std::isnan(want)) want = 0;  // z Φ(z) and z σ(z) at −∞
            CHECK(std::isnan(x) ? std::isnan(out[i])
                                : want == out[i] || std::fabs(out[i] - want) <= 1e-6 * std::fabs(want) + 1e-35,
                  "%s: phi %d of %g is %g, expected %g", k.isa, int(activation), x, out[i], want);
        }
    }
    // Softmax of one huge logit, and of minus infinity, stays a distribution
    std::vector<float> logits = {1e30f, 0, -INFINITY, -1e30f, 5}, p(5);
    k.affine(1, 5, 1, 0, 5, logits.data(), nullptr, one.data(), Activation::kSoftmax, p.data(), nothing);
    CHECK(p[0] == 1 && p[1] == 0 && p[2] == 0 && p[3] == 0 && p[4] == 0, "%s: softmax of extremes", k.isa);
}

// Every path of gemm.hpp and every remainder of its tiles, and what goes to OpenBLAS.
void test_tiles(const Kernels& k) {
    for (int columns = 1; columns <= 26; columns++)  // every width of a panel, with whole and broken strips of rows
        for (int rows : {1, 15, 16, 17, 32, 47, 70, 127, 128, 145}) {
            for (int out : {3, 5}) test_input_gradient(k, rows, out, columns, Activation::kTanh);
            test_weight_gradient(k, rows, columns, 5, 0, columns, 0.5f, 0, 0);
            test_weight_gradient(k, rows, columns, 2, 0, columns, 0.5f, -0.5f, 1);
            test_affine(k, rows, 33, 32 + columns, Activation::kIdentity, columns % 2 == 0);  // W packed, and transposed
            test_affine(k, 37, columns, 7, Activation::kSoftmax, true);
        }
    for (int out : {32, 40, 64, 65})  // strips on the stack, and deeper ones
        for (int in : {256, 257, 600}) test_affine(k, in, out, 45, Activation::kSigmoid, true);
    // A packed by samples in place of W, on the stack and elsewhere
    for (int m : {14, 15, 16, 30, 32, 46, 49, 63, 64, 95, 96, 126, 128})
        for (int out : {1, 3, 8, 10, 17, 24, 25, 31, 47, 64, 73, 100})
            for (int in : {1, 7, 30, 129, 300})
                test_affine(k, in, out, m, m % 2 == 0 ? Activation::kSoftmax : Activation::kRelu, in % 2 == 0);
    for (int m : {16, 64, 128})
        for (int in : {1023, 1024, 1025, 4097}) test_affine(k, in, in / 14 + 1, m, Activation::kSigmoid, true);
    for (bool with_bias : {false, true}) {
        for (int out : {1, 2, 3, 4, 23, 60})  // a single sample, whose W is near, or far
            for (int in : {255, 256, 257, 264, 272, 287, 784, 4096, 4097, 4160})
                test_affine(k, in, out, 1, Activation::kRelu, with_bias);
        for (int in : {7, 8, 16, 24, 25}) test_affine(k, in, 1543, 1, Activation::kRelu, with_bias);  // short, but far
    }
    test_input_gradient(k, 65, 700, 9, Activation::kRelu);
    test_weight_gradient(k, 65, 9, 700, 0, 9, 1, 0, 0);
    test_input_gradient(k, 20000, 37, 3, Activation::kSigmoid);  // the least depth of a block
    test_input_gradient(k, 256, 300, 200, Activation::kTanh);    // packed where it would collide in the cache
    test_weight_gradient(k, 256, 200, 300, 0, 200, 0.01f, 0, 0);
    test_weight_gradient(k, 256, 200, 300, 3, 199, 0.01f, 0.9f, 0.5f);
    test_weight_gradient(k, 1280, 200, 40, 2, 198, 0.01f, 0.9f, 0.5f);  // in groups of strips, before a large C
    for (int rows : {245, 250, 256})  // packed by the tiles of the first panel, all strips but a broken one
        for (int columns : {16, 17, 32, 45})
            for (int depth : {71, 140}) {
                test_input_gradient(k, rows, depth, columns, Activation::kRelu);
                test_weight_gradient(k, rows, columns, depth, columns / 16, columns, 0.01f, 0.9f, 0.5f);
            }
    for (int m : {9, 17, 32, 75, 193})  // δ laid out before
        for (auto [in, units] : {std::array<int, 2>{128, 120}, {145, 131}, {256, 60}, {301, 50}, {301, 131}, {2200, 7}}) {
            test_weight_gradient(k, in, units, m, 0, units, 0.01f, m % 2, 1);
            test_weight_gradient(k, in, units, m, 1, units - 1, 0.01f, 0.9f, 0.5f);
        }
    test_weight_gradient(k, 128, 700, 150, 3, 690, 0.01f, 0.9f, 0.5f);  // some units at once
    test_weight_gradient(k, 100, 20, 200, 0, 20, 1, 1, 1);              // read where it is, for few inputs
    test_input_gradient(k, 40, 1500, 20, Activation::kTanh);  // and the depth in blocks
    test_weight_gradient(k, 40, 20, 1500, 0, 20, 0.01f, 0.9f, 0.5f);
    test_affine(k, 100, 40, 300, Activation::kRelu, true);  // some samples at once
    test_affine(k, 100, 40, 700, Activation::kSoftmax, true);
    test_affine(k, 600, 145, 230, Activation::kRelu, true);  // strips in groups
    test_affine(k, 1500, 70, 100, Activation::kSoftmax, true);   // and the depth in blocks
    test_input_gradient(k, 512, 1500, 100, Activation::kTanh);
    test_weight_gradient(k, 256, 100, 1500, 1, 99, 0.01f, 0.9f, 0.5f);
    test_weight_gradient(k, 530, 1024, 260, 0, 1024, 0.01f, 0, 0);  // δ copied where its columns would collide
    test_weight_gradient(k, 80, 2048, 300, 3, 1111, 0.01f, 0.9f, 0.5f);
    test_affine(k, 4200, 5, 200, Activation::kSigmoid, true);  // more than one tile of samples
    test_affine(k, 5, 4200, 200, Activation::kSigmoid, true);
    test_input_gradient(k, 4200, 5, 200, Activation::kTanh);
    test_input_gradient(k, 4200, 5, 200, Activation::kIdentity);
    test_affine(k, 515, 513, 35, Activation::kRelu, true);  // large
    test_input_gradient(k, 515, 513, 35, Activation::kRelu);
    test_weight_gradient(k, 515, 513, 35, 0, 513, 0.1f, 0, 0);
    test_affine(k, 515, 513, 260, Activation::kRelu, true);  // and many
    test_input_gradient(k, 515, 513, 260, Activation::kRelu);
}

// The same bits wherever in a cache line W and a single sample begin, whatever lies beside them: Java's arrays move.
void test_alignment(const Kernels& k) {
    constexpr size_t kLine = 16;
    for (int in : {8, 24, 256, 264, 272, 300, 784, 4096})
        for (int out : {37, in < 256 ? 1030 : 130}) {  // near or not, and far
            const Input w(size_t(in) * out), b(out), x(in);
            std::vector<float> first;
            for (size_t place = 0; place < kLine; place++)
                for (size_t at : {place, (place + 5) % kLine}) {
                    std::vector<float> weights(w.size() + 2 * kLine, NAN), sample(in + 2 * kLine, NAN), z(out);
                    std::copy_n(w.data(), w.size(), weights.begin() + place + 1);
                    std::copy_n(x.data(), in, sample.begin() + at + 1);
                    k.affine(in, out, 1, 0, out, weights.data() + place + 1, b.data(), sample.data() + at + 1,
                             Activation::kIdentity, z.data(), nothing);
                    if (first.empty()) first = z;
                    CHECK(z == first, "%s: affine %dx%dx1 depends on where W (%d) and x (%d) lie", k.isa, in, out, int(place),
                          int(at));
                }
        }
}

// The same bits when it is done again, and when columns and units are divided among callers
void test_division(const Kernels& k) {
    const int in = 131, out = 67, m = 41;
    const Input w(in * out), b(out), a(in * m), delta(out * m);
    std::vector<float> whole(in * m), divided(in * m);
    k.input_gradient(in, out, m, 0, in, w.data(), delta.data(), Activation::kRelu, a.data(), whole.data(), nothing);
    k.input_gradient(in, out, m, 0, in, w.data(), delta.data(), Activation::kRelu, a.data(), divided.data(), nothing);
    CHECK(whole == divided, "%s: inputGradient does not repeat its bits", k.isa);
    if (k.isa == std::string("baseline")) return;  // its products are OpenBLAS's from a few samples on
    for (int split : {1, 12, 17, 40}) {
        k.input_gradient(in, out, split, 0, in, w.data(), delta.data(), Activation::kRelu, a.data(), divided.data(), nothing);
        k.input_gradient(in, out, m - split, 0, in, w.data(), delta.data() + split * out, Activation::kRelu,
                         a.data() + split * in, divided.data() + split * in, nothing);
        CHECK(whole == divided, "%s: inputGradient of %d + %d columns differs from %d", k.isa, split, m - split, m);
    }
    const int few = 3, tall = 37;  // whose tail is taken before it is stored
    k.input_gradient(tall, few, m, 0, tall, w.data(), delta.data(), Activation::kRelu, a.data(), whole.data(), nothing);
    for (int split : {5, 32, 36}) {
        for (int from : {0, split})
            k.input_gradient(tall, few, m, from, from == 0 ? split : tall, w.data(), delta.data(), Activation::kRelu, a.data(),
                             divided.data(), nothing);
        CHECK(std::equal(whole.begin(), whole.begin() + tall * m, divided.begin()),
              "%s: inputGradient of %d + %d rows differs from %d", k.isa, split, tall - split, tall);
    }
    const int short_in = 13, some = 20;  // packed though it is short
    std::vector<float> at_once(some * m), by_parts(some * m);
    k.affine(short_in, some, m, 0, some, w.data(), b.data(), a.data(), Activation::kRelu, at_once.data(), nothing);
    k.affine(short_in, some, 17, 0, some, w.data(), b.data(), a.data(), Activation::kRelu, by_parts.data(), nothing);
    k.affine(short_in, some, m - 17, 0, some, w.data(), b.data(), a.data() + 17 * short_in, Activation::kRelu,
             by_parts.data() + 17 * some, nothing);
    CHECK(at_once == by_parts, "%s: affine of 17 + %d short columns differs from %d", k.isa, m - 17, m);
    std::vector<float> c(in * out), tiles(in * out), bias(out);
    k.weight_gradient(in, out, m, 0, out, 1, a.data(), delta.data(), 0, c.data(), 0, bias.data(), nothing);
    for (int split : {1, 12, 33, 66}) {
        k.weight_gradient(in, out, m, 0, split, 1, a.data(), delta.data(), 0, tiles.data(), 0, bias.data(), nothing);
        k.weight_gradient(in, out, m, split, out, 1, a.data(), delta.data(), 0, tiles.data(), 0, bias.data(), nothing);
        CHECK(c == tiles, "%s: weightGradient of %d + %d units differs from %d", k.isa, split, out - split, out);
    }
    const Input before(301 * 60), more(301 * 32);
    for (float beta : {0.0f, 1.0f, 0.999f})  // of few samples, and of a few more and few units, δ is multiplied by α before
        for (auto [n, units, samples] :
             {std::array<int, 3>{131, 67, 10}, {301, 60, 30}, {301, 60, 32}, {256, 40, 8}, {256, 40, 9}}) {
            std::vector<float> sum(before.data(), before.data() + n * units), parts = sum;
            k.weight_gradient(n, units, samples, 0, units, -0.1f, more.data(), delta.data(), beta, sum.data(), 0, nullptr,
                              nothing);
            for (int from : {0, 33})
                k.weight_gradient(n, units, samples, from, from == 0 ? 33 : units, -0.1f, more.data(), delta.data(), beta,
                                  parts.data(), 0, nullptr, nothing);
            CHECK(sum == parts, "%s: weightGradient %dx%dx%d: parts of the units differ", k.isa, n, units, samples);
        }
    const int deep = 300, wide = 90, many = 60;  // more than a strip
    const Input u(deep * wide), bias_of_u(wide), samples(deep * many);
    std::vector<float> next(wide * many), pieces(wide * many);
    k.affine(deep, wide, many, 0, wide, u.data(), bias_of_u.data(), samples.data(), Activation::kRelu, next.data(), nothing);
    for (int split : {33, 50}) {
        for (int from : {0, split})
            k.affine(deep, wide, many, from, from == 0 ? split : wide, u.data(), bias_of_u.data(), samples.data(),
                     Activation::kRelu, pieces.data(), nothing);
        CHECK(next == pieces, "%s: affine of %d + %d units differs from %d", k.isa, split, wide - split, wide);
        k.affine(deep, wide, split, 0, wide, u.data(), bias_of_u.data(), samples.data(), Activation::kRelu, pieces.data(),
                 nothing);
        CHECK(std::equal(pieces.begin(), pieces.begin() + split * wide, next.begin()),
              "%s: affine of %d columns beside that of %d", k.isa, split, many);
    }
    const int units = 40;  // of one sample: a W that is read by cache lines or along memory, and parts of it, side by side
    for (int inputs : {264, 301, 304}) {
        const Input v(inputs * units), bias_of_v(units), x(inputs);
        std::vector<float> z(units), parts(units);
        k.affine(inputs, units, 1, 0, units, v.data(), bias_of_v.data(), x.data(), Activation::kIdentity, z.data(), nothing);
        for (int split : {1, 6, 20, 39}) {
            for (int from : {0, split})
                k.affine(inputs, units, 1, from, from == 0 ? split : units, v.data(), bias_of_v.data(), x.data(),
                         Activation::kIdentity, parts.data(), nothing);
            CHECK(z == parts, "%s: affine of %d + %d units differs from %d", k.isa, split, units - split, units);
        }
    }
}

// What comes next is brought near while a product is computed, and no more than that
void test_ahead(const Kernels& k) {
    const int in = 300, out = 40, m = 40, columns[] = {2, 0, 1, 7000000};
    const Input w(in * out), a(in * m), delta(out * m), source(3 * 301);
    std::vector<float> next(out * m), previous(in * m), c(in * out);
    const auto all = [&](const char* product, auto run) {
        Ahead ahead = {reinterpret_cast<const char*>(source.data()), 301 * sizeof(float), columns, columns + 3, nullptr, nullptr};
        run(ahead);
        CHECK(ahead.next == columns + 3 && ahead.line == ahead.last &&
                  ahead.last == reinterpret_cast<const char*>(source.data() + 2 * 301),
              "%s: %s brought %d of 3 columns", k.isa, product, int(ahead.next - columns));
    };
    const float *x = a.data(), *v = w.data(), *d = delta.data();
    all("affine", [&](Ahead& ahead) {
        k.affine(in, out, m, 0, out, v, nullptr, x, Activation::kRelu, next.data(), ahead);
    });
    all("inputGradient", [&](Ahead& ahead) {
        k.input_gradient(in, out, m, 0, in, v, d, Activation::kRelu, x, previous.data(), ahead);
    });
    for (int samples : {m, 16})
        all("weightGradient", [&](Ahead& ahead) {
            k.weight_gradient(in, out, samples, 0, out, 1, x, d, 0, c.data(), 0, nullptr, ahead);
        });
}

// The same sums, whether A is packed by samples, or W.
void test_order(const Kernels& k) {
    const int in = 300, out = 101, few = 64, many = 80;
    if (k.isa == std::string("baseline")) return;  // OpenBLAS takes both
    const Input w(in * out), b(out), a(in * many);
    std::vector<float> z(out * few), more(out * many);
    k.affine(in, out, few, 0, out, w.data(), b.data(), a.data(), Activation::kRelu, z.data(), nothing);
    k.affine(in, out, many, 0, out, w.data(), b.data(), a.data(), Activation::kRelu, more.data(), nothing);
    CHECK(std::equal(z.begin(), z.end(), more.begin()), "%s: sums depend on the samples beside", k.isa);
}

void test_all(const Kernels& k) {
    test_accuracy(k);
    const int sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100};
    for (int in : sizes)
        for (int out : {1, 2, 3, 9, 10, 16, 17, 33})
            for (int m : {1, 2, 4, 5, 10, 33}) {
                for (Activation activation : kElementwise) {
                    test_affine(k, in, out, m, activation, (in + out + m) % 2 == 0);
                    test_input_gradient(k, in, out, m, activation);
                }
                test_affine(k, in, out, m, Activation::kSoftmax, true);
                test_weight_gradient(k, in, out, m, 0, out, 1.0f / m, 0, 0);
                test_weight_gradient(k, in, out, m, out / 3, out - out / 4, -0.3f / m, 0.999f, 1);
                test_weight_gradient(k, in, out, m, 0, out, 1.0f / m, 0.01f, 0);
            }
    for (const bool lacking : {false, true}) {
        no_memory = lacking;
        test_tiles(k);
    }
    test_order(k);
    no_memory = false;
    test_division(k);
    test_alignment(k);
    if (k.isa != std::string("baseline")) test_ahead(k);  // whose products are OpenBLAS's from a few samples on
    // The shapes of the benchmarks
    for (Activation activation : {Activation::kRelu, Activation::kSoftmax}) test_affine(k, 784, 128, 128, activation, true);
    test_affine(k, 784, 30, 10, Activation::kSigmoid, true);
    test_input_gradient(k, 128, 10, 128, Activation::kRelu);
    test_weight_gradient(k, 784, 128, 128, 0, 64, -0.1f / 128, 1, 1);
    test_weight_gradient(k, 784, 30, 10, 0, 30, -0.3f, 1, 1);
    // Of as few samples, several parts of the units
    test_weight_gradient(k, 20, 300, 16, 3, 300, -0.3f, 1, 1);
    test_weight_gradient(k, 5, 2100, 2, 1, 2100, -0.3f, 1, 1);
    test_weight_gradient(k, 512, 33, 8, 0, 33, -0.3f, 1, 1);
    for (int out : {5, 6, 7, 13, 30, 63, 130})
        for (int m : {1, 8, 16, 32})
            for (float beta : {0.0f, 1.0f, 0.999f})
                test_weight_gradient(k, 16384 / out + 29, out, m, out / 3, out, -0.3f / m, beta, 1);
}

// The kernels of narrow layers, in the place of the others where there is one for the call
const Kernels* whole;
int narrows;

bool run_narrow(const Call& call, const float* x0, const float* x1, const float* x2, float* x3) {
    Operation::Run* narrow = whole->narrow(call);
    if (narrow == nullptr) return false;
    narrows++;
    Operation operation = {narrow, &call, {}, &nothing, 0, false};
    const void* x[] = {x0, x1, x2, x3};
    std::memcpy(operation.x, x, sizeof x);  // some are only read
    narrow(operation);
    return true;
}

void narrow_affine(int in, int out, int m, int from, int to, const float* w, const float* b, const float* a, Activation phi,
                   float* a_next, Ahead& ahead) {
    if (!run_narrow({Call::kAffine, in, out, m, from, to, int(phi), 0, 0, 0, {}}, w, b, a, a_next))
        whole->affine(in, out, m, from, to, w, b, a, phi, a_next, ahead);
}

void narrow_input_gradient(int in, int out, int m, int from, int to, const float* w, const float* delta, Activation phi,
                           const float* a, float* delta_previous, Ahead& ahead) {
    if (!run_narrow({Call::kInputGradient, in, out, m, from, to, int(phi), 0, 0, 0, {}}, w, delta, a, delta_previous))
        whole->input_gradient(in, out, m, from, to, w, delta, phi, a, delta_previous, ahead);
}

void narrow_weight_gradient(int in, int out, int m, int from, int to, float alpha, const float* a, const float* delta,
                            float beta, float* c, float gamma, float* c_bias, Ahead& ahead) {
    Call call = {Call::kWeightGradient, in, out, m, from, to, 0, alpha, beta, gamma, {}};
    Operation operation = {
        whole->narrow(call), &call, {const_cast<float*>(a), const_cast<float*>(delta), c, c_bias}, &ahead, 0, false};
    if (operation.run == nullptr)
        return whole->weight_gradient(in, out, m, from, to, alpha, a, delta, beta, c, gamma, c_bias, ahead);
    narrows++;
    operation.run(operation);
}

void test_narrow(const Kernels& k) {
    whole = &k;
    narrows = 0;
    Kernels table = k;
    table.affine = narrow_affine;
    table.input_gradient = narrow_input_gradient;
    table.weight_gradient = narrow_weight_gradient;
    for (int in = 1; in <= 33; in++)
        for (int out : {1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 33}) {
            for (Activation activation : kElementwise) {
                test_affine(table, in, out, 1, activation, (in + out) % 2 == 0);
                test_input_gradient(table, in, out, 1, activation);
            }
            test_affine(table, in, out, 1, Activation::kSoftmax, true);
            for (int m : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 32, 33}) {
                test_affine(table, in, out, m, m % 2 == 0 ? Activation::kTanh : Activation::kIdentity, m % 3 > 0);
                test_input_gradient(table, in, out, m, m % 2 == 0 ? Activation::kTanh : Activation::kIdentity);
                test_weight_gradient(table, in, out, m, 0, out, 0.3f, 0, 0);
                test_weight_gradient(table, in, out, m, out / 3, out - out / 4, -0.3f, 0.999f, 1);
            }
        }
    const Input source(33 * 9);
    uint8_t bytes[33 * 9];
    for (uint8_t& b : bytes) b = uint8_t(int(uniform() * 128) + 128);
    const int columns[] = {3, 8, 0, 0, 5};
    for (int in = 1; in <= 33; in++)
        for (int m : {1, 2, 5})
            for (Call::Kernel kernel : {Call::kGatherFloats, Call::kGatherBytes}) {
                const bool of_bytes = kernel == Call::kGatherBytes;
                const std::unique_ptr<uint8_t[]> exact(new uint8_t[in * 9]);  // nothing is read beyond
                std::copy(bytes, bytes + in * 9, exact.get());
                void* const from = of_bytes ? static_cast<void*>(exact.get()) : const_cast<float*>(source.data());
                Output x(size_t(in) * m);
                Call call = {kernel, in, 1, m, 0, 5, 0, 0.3f, 0, 0, {}};
                Operation::Run* gather = k.narrow(call);
                CHECK(gather != nullptr || in > 8, "%s: no narrow gather of %d", k.isa, in);  // two vectors, of 4 at least
                if (gather == nullptr) continue;
                int* const first = const_cast<int*>(columns);
                Operation operation = {gather, &call, {from, first, x.data(), first + 5}, &nothing, 0, false};
                gather(operation);
                Output whole(m * kMostNarrow);
                operation.x[4] = whole.data();
                gather(operation);
                for (int j = 0; j < m; j++)
                    CHECK(std::equal(x.data() + j * in, x.data() + j * in + in, whole.data() + j * kMostNarrow) && whole.intact(),
                          "%s: %d columns of %d are gathered to whole vectors", k.isa, m, in);
                CHECK(x.intact(), "%s: a narrow gather of %d columns of %d wrote outside its output", k.isa, m, in);
                for (int j = 0; j < m; j++)
                    for (int i = 0; i < in; i++) {
                        const int at = columns[j] * in + i;
                        CHECK(x.data()[j * in + i] == (of_bytes ? bytes[at] * 0.3f : source[at]), "%s: narrow gather %d, %d",
                              k.isa, i, j);
                    }
            }
    CHECK(narrows > 1000, "%s: only %d calls were of narrow layers", k.isa, narrows);
    const float a[] = {3}, y[] = {1};
    float delta[] = {7};
    Call cost = {Call::kCost, 1, 1, 1, 0, 1, int(Cost::kSquaredError), 0, 0, 0, {{0, 0}, {0, 0}, {-1, 0}, {0, 0}}};
    const Operation operation = {
        k.narrow(cost), &cost, {const_cast<float*>(a), const_cast<float*>(y), nullptr, delta}, &nothing, 0, false};
    CHECK(operation.run(operation) == 2 && delta[0] == 2, "%s: C and its slope, %g", k.isa, delta[0]);
    cost.operand[2].array = 0;
    CHECK(k.narrow(cost) == nullptr, "%s: weights are not seen", k.isa);
}

// More threads than places, each in and out many times: never too many inside, and nobody waits for ever.
void test_places() {
    constexpr int kThreads = 16, kPlaces = 3, kTimes = 2000;
    Places places;
    places.limit(kPlaces);
    std::atomic<int> inside{0}, most{0}, times{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; t++)
        threads.emplace_back([&] {
            for (int i = 0; i < kTimes; i++) {
                const Place place(places, true);
                const int now = ++inside;
                for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {}
                if (i % 16 == 0) std::this_thread::yield();  // with the others still outside
                inside--;
                times++;
            }
        });
    for (auto& thread : threads) thread.join();
    CHECK(times == kThreads * kTimes, "%d times inside", times.load());
    CHECK(most <= kPlaces && most > 1, "%d threads were in %d places", most.load(), kPlaces);
    const Place unneeded(places, false), one(places, true), two(places, true), three(places, true);  // all are free again
}

// Gathered columns, read only where they are named, from a source that ends with its last column.
void test_batch(const Kernels& k, int n, int count) {
    constexpr int kColumns = 9;
    const Input source(size_t(n) * kColumns);
    std::vector<uint8_t> bytes(size_t(n) * kColumns);
    for (uint8_t& b : bytes) b = uint8_t(int(uniform() * 128) + 128);
    std::vector<int> columns(count + 3);  // the last three are not asked for
    for (int& c : columns) c = int((uniform() + 1) / 2 * kColumns);
    for (int shift = 0; shift < 16; shift++) {  // wherever X lies in its cache lines
        Output floats(shift + size_t(n) * count), scaled(shift + size_t(n) * count);
        float *x = floats.data() + shift, *of_bytes = scaled.data() + shift;
        k.gather_floats(n, source.data(), columns.data(), count, int(columns.size()), x);
        k.gather_bytes(n, bytes.data(), 1 / 255.0f, columns.data(), count, int(columns.size()), of_bytes);
        bool intact = floats.intact() && scaled.intact();
        for (int i = 1; i <= shift; i++) intact = intact && std::isnan(x[-i]) && std::isnan(of_bytes[-i]);
        CHECK(intact, "%s gather of %d columns of %d wrote outside its output", k.isa, count, n);
        for (int j = 0; j < count; j++)
            for (int i = 0; i < n; i++) {
                const size_t from = size_t(columns[j]) * n + i, to = size_t(j) * n + i;
                CHECK(x[to] == source[from], "%s gather %d, %d", k.isa, i, j);
                CHECK(of_bytes[to] == bytes[from] * (1 / 255.0f), "%s gather of bytes %d, %d", k.isa, i, j);
            }
    }
}

void test_all_finite(const Kernels& k, int n) {
    Input x(n);
    CHECK(k.all_finite(n, x.data()), "%s: %d finite values", k.isa, n);
    for (int i = 0; i < n; i++)
        for (float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
            const float good = x[i];
            x[i] = bad;
            CHECK(!k.all_finite(n, x.data()), "%s: %g at %d of %d", k.isa, bad, i, n);
            x[i] = good;
        }
}

// Each rule as its reference writes it, in double; a few roundings of each term.
void test_update(const Kernels& k, int n, float l2, float l1) {
    const int from = 3, to = from + n;
    for (UpdateRule rule : {UpdateRule::kDescent, UpdateRule::kMomentum, UpdateRule::kNesterov, UpdateRule::kRmsProp,
                            UpdateRule::kAdam}) {
        const Input gradient(to), theta0(to), m0(to), v0(to);
        Output theta(to), m(to), v(to);
        for (int i = 0; i < to; i++) {
            theta.data()[i] = i % 7 == 0 ? 0 : theta0.data()[i];
            m.data()[i] = rule == UpdateRule::kRmsProp ? std::fabs(m0.data()[i]) : m0.data()[i];
            v.data()[i] = std::fabs(v0.data()[i]);
        }
        const float eta = 0.1f, keep = 0.9f, scale = 0.5f, beta1 = 0.8f, beta2 = 0.95f, epsilon = 1e-3f;
        const float numbers[] = {eta, keep, scale, l2, l1, beta1, beta2, epsilon};
        k.update(rule, from, to, theta.data(), gradient.data(), m.data(), v.data(), numbers);
        CHECK(theta.intact() && m.intact() && v.intact(), "%s update %d wrote outside of its arrays", k.isa, int(rule));
        for (int i = 0; i < to; i++) {
            const double t = i % 7 == 0 ? 0 : theta0.data()[i];
            double mean = rule == UpdateRule::kRmsProp ? std::fabs(m0.data()[i]) : m0.data()[i];
            double squares = std::fabs(v0.data()[i]);
            const double g = scale * gradient.data()[i] + l2 * t + l1 * (t > 0 ? 1 : t < 0 ? -1 : 0);
            double direction = g;
            if (i >= from) switch (rule) {
                case UpdateRule::kDescent: break;
                case UpdateRule::kMomentum: direction = mean = beta1 * mean + g; break;
                case UpdateRule::kNesterov: direction = g + beta1 * (mean = beta1 * mean + g); break;
                case UpdateRule::kRmsProp:
                    mean = beta2 * mean + (1 - beta2) * g * g;
                    direction = g / (std::sqrt(mean) + epsilon);
                    break;
                case UpdateRule::kAdam:
                    mean = beta1 * mean + (1 - beta1) * g;
                    squares = beta2 * squares + (1 - beta2) * g * g;
                    direction = mean / (std::sqrt(squares) + epsilon);
                    break;
            }
            const double want = i < from ? t : keep * t - eta * direction;
            CHECK(std::fabs(theta.data()[i] - want) <= 1e-6 + 1e-5 * std::fabs(direction) * (i >= from),
                  "%s update %d of %d: theta %g, expected %g", k.isa, int(rule), n, theta.data()[i], want);
            CHECK(std::fabs(m.data()[i] - mean) <= 1e-6 && std::fabs(v.data()[i] - squares) <= 1e-6,
                  "%s update %d of %d: m or v", k.isa, int(rule), n);
        }
    }
}

// C of one output in double, and its slope; of the cross-entropy, log Σ eᶻ comes from the whole sample.
double cost(Cost which, double a, double y, double log_sum, double& slope) {
    switch (which) {
        case Cost::kSquaredError: slope = a - y; return 0.5 * slope * slope;
        case Cost::kAbsoluteError: slope = a > y ? 1 : a < y ? -1 : 0; return std::fabs(a - y);
        case Cost::kPoisson: slope = 1 - y / a; return a - y * std::log(a);
        case Cost::kBinaryCrossEntropy:
            slope = phi(Activation::kSigmoid, a) - y;
            return phi(Activation::kSoftplus, a) - y * a;
        case Cost::kCrossEntropy: break;
    }
    slope = std::exp(a - log_sum) - y;
    return y * (log_sum - a);
}

// Slopes and costs to a few roundings of their terms; of the cross-entropy, n more for the sum of n exponentials.
void test_cost(const Kernels& k, int n, int m) {
    for (Cost which : {Cost::kSquaredError, Cost::kAbsoluteError, Cost::kPoisson, Cost::kBinaryCrossEntropy,
                       Cost::kCrossEntropy}) {
        Input a(size_t(n) * m), y(size_t(n) * m), weights(m);
        for (int j = 0; j < m; j++) {
            double sum = 0;
            for (int i = j * n; i < (j + 1) * n; i++) {
                a[i] *= 5;
                if (which == Cost::kPoisson) a[i] = std::fabs(a[i]) + 0.1f;
                if (which == Cost::kPoisson) y[i] = std::floor(4 * std::fabs(y[i]));
                if (which == Cost::kBinaryCrossEntropy || which == Cost::kCrossEntropy) y[i] = std::fabs(y[i]);
                sum += y[i];
            }
            if (which == Cost::kCrossEntropy)
                for (int i = j * n; i < (j + 1) * n; i++) y[i] = float(y[i] / sum);
        }
        for (bool weighted : {false, true}) {
            Output delta(size_t(n) * m);
            const double got = k.cost(which, n, m, a.data(), y.data(), weighted ? weights.data() : nullptr, delta.data());
            CHECK(delta.intact(), "%s cost %d of %dx%d wrote outside its output", k.isa, int(which), n, m);
            double want = 0, magnitude = 0;
            for (int j = 0; j < m; j++) {
                double exps = 0;
                for (int i = j * n; i < (j + 1) * n; i++) exps += std::exp(double(a[i]));
                for (int i = j * n; i < (j + 1) * n; i++) {
                    const double weight = weighted ? weights[j] : 1;
                    double slope;
                    const double c = cost(which, a[i], y[i], std::log(exps), slope);
                    want += weight * c;
                    magnitude += std::fabs(weight) * (std::fabs(c) + (1 + std::fabs(y[i])) * (1 + std::fabs(a[i])));
                    const double terms = 1 + std::fabs(a[i]) + std::fabs(y[i]) + std::fabs(y[i] / a[i]);
                    CHECK(std::fabs(delta.data()[i] - weight * slope) <= (8 + n) * FLT_EPSILON * std::fabs(weight) * terms,
                          "%s cost %d of %dx%d: slope %g, expected %g", k.isa, int(which), n, m, delta.data()[i], weight * slope);
                }
            }
            CHECK(std::fabs(got - want) <= (8 + n) * FLT_EPSILON * magnitude, "%s cost %d of %dx%d: %g, expected %g", k.isa,
                  int(which), n, m, got, want);
        }
        for (int i = 0; i < n * m; i += 1 + n * m / 7) {
            Output delta(size_t(n) * m);
            const auto is_finite = [&] {
                return std::isfinite(k.cost(which, n, m, a.data(), y.data(), nullptr, delta.data()));
            };
            const float good_a = a[i], good_y = y[i];
            a[i] = NAN;
            CHECK(!is_finite(), "%s cost %d of %dx%d: NaN at %d", k.isa, int(which), n, m, i);
            a[i] = good_a;
            y[i] = NAN;
            CHECK(!is_finite(), "%s cost %d of %dx%d: a target of NaN at %d", k.isa, int(which), n, m, i);
            y[i] = -0.01f;
            const bool any = which == Cost::kSquaredError || which == Cost::kAbsoluteError;
            CHECK(is_finite() == any, "%s cost %d of %dx%d: a target below 0 at %d", k.isa, int(which), n, m, i);
            y[i] = 1.01f + good_y;
            CHECK(is_finite() == (any || which == Cost::kPoisson), "%s cost %d of %dx%d: a target above 1 at %d", k.isa,
                  int(which), n, m, i);
            y[i] = good_y;
        }
    }
}

void test_backward(const Kernels& k, int n, int m) {
    for (int activation = 0; activation < kActivations; activation++) {
        const bool softmax = Activation(activation) == Activation::kSoftmax;
        Input a(size_t(n) * m);
        const Input before(size_t(n) * m);
        Output delta(size_t(n) * m);
        std::copy_n(before.data(), before.size(), delta.data());
        k.backward(n, m, Activation(activation), a.data(), delta.data());
        CHECK(delta.intact(), "%s backward %d of %dx%d wrote outside its output", k.isa, activation, n, m);
        for (int j = 0; j < m; j++) {
            double dot = 0, magnitude = 0;
            for (int i = j * n; i < (j + 1) * n; i++) {
                dot += double(a[i]) * before[i];
                magnitude += std::fabs(double(a[i]) * before[i]);
            }
            for (int i = j * n; i < (j + 1) * n; i++) {
                const double want = softmax ? a[i] * (before[i] - dot) : before[i] * phi_prime(Activation(activation), a[i]);
                CHECK(std::fabs(delta.data()[i] - want) <= bound(n, softmax ? 1 + magnitude : 1, want),
                      "%s backward %d of %dx%d: %g, expected %g", k.isa, activation, n, m, delta.data()[i], want);
            }
        }
    }
}

void test_sum(const Kernels& k, int n, int m) {
    for (int terms : {1, 2, 5}) {
        const int64_t step = int64_t(n) * m + 3;
        const Input x(terms * step), a(size_t(n) * m);
        for (int activation = 0; activation < kActivations; activation++) {
            const Activation phi = Activation(activation);
            if (phi == Activation::kSoftmax) continue;
            for (int from : {0, n / 3})
                for (int to : {from + 1, n}) {
                    const int rows = to - from;
                    Output delta(size_t(rows) * m);
                    k.sum(n, m, terms, from, to, x.data(), step, phi, phi == Activation::kIdentity ? nullptr : a.data(),
                          delta.data());
                    CHECK(delta.intact(), "%s sum of %d %dx%d wrote outside its output", k.isa, terms, n, m);
                    for (int j = 0; j < m; j++)
                        for (int i = from; i < to; i++) {
                            double sum = 0, magnitude = 0;
                            for (int t = 0; t < terms; t++) {
                                sum += x[t * step + j * n + i];
                                magnitude += std::fabs(x[t * step + j * n + i]);
                            }
                            const double want = phi == Activation::kIdentity ? sum : sum * phi_prime(phi, a[j * n + i]);
                            const double got = delta.data()[j * rows + i - from];
                            CHECK(std::fabs(got - want) <= bound(terms, 1 + magnitude, want),
                                  "%s sum of %d %dx%d, rows %d to %d: %g, expected %g", k.isa, terms, n, m, from, to, got, want);
                        }
                }
        }
    }
}

// The same values drop out under every instruction set, there and back, and the rest keeps the mean.
void test_dropout(const Kernels& k, int n) {
    const Input x(n);
    const float key[] = {123456, 0xabcdef};
    for (float p : {0.0f, 0.2f, 0.9f}) {
        Output out(n), reference(n);
        k.dropout(n, p, 77, x.data(), out.data(), key);
        supported_kernels()[0]->dropout(n, p, 77, x.data(), reference.data(), key);
        CHECK(out.intact(), "%s dropout of %d wrote outside its output", k.isa, n);
        int dropped = 0;
        for (int i = 0; i < n; i++) {
            CHECK(out.data()[i] == reference.data()[i], "%s dropout of %d differs at %d", k.isa, n, i);
            if (out.data()[i] == 0) dropped++;
            else CHECK(std::fabs(out.data()[i] - x.data()[i] / (1.0 - p)) <= 2e-7 / (1 - p), "%s dropout scales", k.isa);
        }
        CHECK(std::fabs(dropped - double(p) * n) <= 5 * std::sqrt(n * double(p) * (1 - p)), "%s: %d of %d drop out", k.isa,
              dropped, n);
    }
}

void test_sum_of_squares(const Kernels& k, int n) {
    const Input x(n);
    double want = 0;
    for (int i = 0; i < n; i++) want += double(x.data()[i]) * x.data()[i];
    CHECK(std::fabs(k.sum_of_squares(n, x.data()) - want) <= 1e-13 * want, "%s sum of squares of %d", k.isa, n);
}

// The calls of a program reach the kernels with every operand where it belongs.
void test_program() {
    const int in = 40, out = 3, m = 4;  // not narrow
    std::vector<float> theta(in * out + out), memory(2 * (in + out) * m);
    for (std::vector<float>* x : {&theta, &memory}) std::generate(x->begin(), x->end(), uniform);
    const int next = in * m, delta = next + out * m, previous = delta + out * m;
    auto want_theta = theta, want = memory;
    const Kernels& k = kernels();
    k.affine(in, out, m, 0, out, &theta[0], &theta[in * out], &want[0], Activation::kTanh, &want[next], nothing);
    k.input_gradient(in, out, m, 0, in, &theta[0], &want[delta], Activation::kTanh, &want[0], &want[previous], nothing);
    k.weight_gradient(in, out, m, 1, 3, 0.5f, &want[0], &want[delta], 0.9f, &want_theta[0], 1, &want_theta[in * out], nothing);
    k.weight_gradient(in, out, m, 0, 1, 0.5f, &want[0], &want[delta], 0.9f, &want_theta[0], 1, nullptr, nothing);
    const int tanh = int(Activation::kTanh);
    const Call calls[] = {
        {Call::kAffine, in, out, m, 0, out, tanh, 0, 0, 0, {{1, 0}, {1, in * out}, {4, 0}, {4, next}}},
        {Call::kInputGradient, in, out, m, 0, in, tanh, 0, 0, 0, {{1, 0}, {4, delta}, {4, 0}, {4, previous}}},
        {Call::kWeightGradient, in, out, m, 1, 3, 0, 0.5f, 0.9f, 1, {{4, 0}, {4, delta}, {1, 0}, {1, in * out}}},
        {Call::kWeightGradient, in, out, m, 0, 1, 0, 0.5f, 0.9f, 1, {{4, 0}, {4, delta}, {1, 0}, {-1, 0}}}};
    void* const arrays[kProgramArrays] = {nullptr, theta.data(), nullptr, nullptr, memory.data()};
    const Shift still[kProgramArrays] = {};
    run(calls, 4, 0, 1, 0, still, arrays);
    CHECK(memory == want && theta == want_theta, "a program is not what its calls are");
}

// It returns what its costs are, and ends where they or the values looked at are not finite.
void test_sum_of_program() {
    float a[] = {1, 2, 3, 4}, y[] = {1, 1, 1, 1}, delta[4] = {}, weights[] = {2, 1};
    void* const arrays[kProgramArrays] = {a, y, delta, weights};
    const Shift still[kProgramArrays] = {};
    const int squared = int(Cost::kSquaredError), relu = int(Activation::kRelu);
    const Call calls[] = {
        {Call::kFinite, 2, 1, 1, 0, 1, 0, 0, 0, 0, {{0, 0}}},
        {Call::kCost, 2, 1, 1, 0, 1, squared, 0, 0, 0, {{0, 0}, {1, 0}, {-1, 0}, {2, 0}}},
        {Call::kCost, 1, 1, 2, 0, 1, squared, 0, 0, 0, {{0, 2}, {1, 2}, {3, 0}, {2, 2}}},
        {Call::kBackward, 4, 1, 1, 0, 1, relu, 0, 0, 0, {{0, 0}, {2, 0}}},
        {Call::kActivate, 1, 1, 1, 0, 1, relu, 0, 0, 0, {{0, 3}, {2, 0}}}};
    CHECK(run(calls, 5, 0, 1, 0, still, arrays).cost == 0.5 + 2 * 2 + 4.5, "the sum of a program");
    CHECK(delta[0] == 4 && delta[1] == 1 && delta[2] == 4 && delta[3] == 3, "its slopes");
    for (int bad : {1, 3}) {
        const float good = a[bad];
        a[bad] = NAN;
        std::fill_n(delta, 4, 7.0f);
        CHECK(!std::isfinite(run(calls, 5, 0, 1, 0, still, arrays).cost), "NaN at %d is not noticed", bad);
        CHECK(delta[0] != 4 && (bad == 3 || delta[0] == 7), "a program goes on after NaN at %d", bad);
        a[bad] = good;
    }
}

// Each repetition reads on where its arrays are shifted to, gathers what it is told to, and the first that fails is the last.
void test_repetitions() {
    const int n = 3, m = 2, size = 6, times = 3;
    std::vector<float> source(n * size), x(n * m), y(m * size), delta(m), weights(m * times), memory(n * m);
    std::vector<uint8_t> bytes(n * size);
    std::vector<int> columns = {99, 5, 0, 3, 3, 1, 4};  // the first is no column
    for (std::vector<float>* v : {&source, &y, &weights}) std::generate(v->begin(), v->end(), uniform);
    for (size_t i = 0; i < bytes.size(); i++) bytes[i] = uint8_t(37 * i);
    void* const arrays[kProgramArrays] = {source.data(), x.data(), y.data(), delta.data(), weights.data(), memory.data(),
                                          nullptr, nullptr, bytes.data(), columns.data()};
    Shift shifts[kProgramArrays] = {};
    shifts[2] = {m, m};
    shifts[4] = {0, m};
    shifts[kProgramColumns] = {1, m};
    const int squared = int(Cost::kSquaredError);
    const Call calls[] = {
        {Call::kGatherFloats, n, 1, m, 0, 7, 0, 0, 0, 0, {{0, 0}, {kProgramColumns, 0}, {1, 0}, {-1, 0}, {-1, 0}}},
        {Call::kGatherBytes, n, 1, m, 0, 7, 0, 0.5f, 0, 0, {{kProgramBytes, 0}, {kProgramColumns, 0}, {5, 0}, {-1, 0}, {-1, 0}}},
        {Call::kCost, 1, 1, m, 0, 1, squared, 0, 0, 0, {{4, 0}, {2, 0}, {-1, 0}, {3, 0}}},
        {Call::kFinite, n * m, 1, 1, 0, 1, 0, 0, 0, 0, {{1, 0}}}};
    for (int last = 1; last < times; last++) {
        double want = 1;
        for (int r = 1; r <= last; r++) {
            double cost = 0;
            for (int j = r * m; j < (r + 1) * m; j++) cost += 0.5 * std::pow(double(weights[j] - y[m + j]), 2);
            want += cost;
        }
        const Outcome outcome = run(calls, 4, 1, last, 1, shifts, arrays);
        CHECK(outcome.done == last && std::fabs(outcome.cost - want) <= 1e-6, "%d repetitions cost %g, want %g", last,
              outcome.cost, want);
        for (int j = 0; j < m; j++)
            for (int i = 0; i < n; i++) {
                const int at = columns[1 + last * m + j] * n + i;
                CHECK(x[j * n + i] == source[at] && memory[j * n + i] == 0.5f * bytes[at], "repetition %d gathers", last);
            }
    }
    source[4 * n] = NAN;  // that of the last column
    const Outcome outcome = run(calls, 4, 0, times, 0, shifts, arrays);
    CHECK(outcome.done == 2 && std::isnan(outcome.cost), "%d repetitions before NaN, %g", outcome.done, outcome.cost);
}

// Columns so wide that the products bring the next ones near: of two sources, of one for both, and the last ones.
void test_wide_gathers() {
    const int n = 600, m = 3, out = 8, size = 9, times = 4;
    const Input source(n * size), other(n * size), w(n * out);
    std::vector<float> x(n * m), y(n * m), z(out * m), want(out * m);
    std::vector<int> columns(m * times);
    for (int i = 0; i < m * times; i++) columns[i] = 5 * i % size;
    for (const Input* second : {&other, &source})
        for (const int each : {times, 1}) {
            void* const arrays[kProgramArrays] = {const_cast<float*>(source.data()), const_cast<float*>(second->data()),
                                                  x.data(), y.data(), const_cast<float*>(w.data()), z.data(), nullptr, nullptr,
                                                  nullptr, columns.data()};
            Shift shifts[kProgramArrays] = {};
            shifts[kProgramColumns].step = m;
            const Call calls[] = {
                {Call::kGatherFloats, n, 1, m, 0, m * times, 0, 0, 0, 0, {{0, 0}, {kProgramColumns, 0}, {2, 0}}},
                {Call::kGatherFloats, n, 1, m, 0, m * times, 0, 0, 0, 0, {{1, 0}, {kProgramColumns, 0}, {3, 0}}},
                {Call::kAffine, n, out, m, 0, out, int(Activation::kTanh), 0, 0, 0, {{4, 0}, {-1, 0}, {2, 0}, {5, 0}}}};
            for (int first = 0; first < times; first += each) {
                const Outcome outcome = run(calls, 3, first, each, 0, shifts, arrays);
                const int* last = columns.data() + (first + each - 1) * m;
                CHECK(outcome.done == each, "%d repetitions from %d on", outcome.done, first);
                for (int j = 0; j < m; j++)
                    for (int i = 0; i < n; i++)
                        CHECK(x[j * n + i] == source[last[j] * n + i] && y[j * n + i] == (*second)[last[j] * n + i],
                              "a wide gather, %d, %d", i, j);
                kernels().affine(n, out, m, 0, out, w.data(), nullptr, x.data(), Activation::kTanh, want.data(), nothing);
                CHECK(z == want, "a product beside gathers");
            }
        }
}

// A batch so large that the product which reads it gathers it itself, unless another call uses it before, or writes to it.
void test_missing_columns() {
    const int n = 800, m = 100, out = 130, size = m, times = 3, relu = int(Activation::kRelu);
    const Input source(n * size), w(n * out);
    std::vector<uint8_t> bytes(n * size);
    for (size_t i = 0; i < bytes.size(); i++) bytes[i] = uint8_t(37 * i);
    std::vector<int> columns(m * times);
    for (int i = 0; i < m * times; i++) columns[i] = (5 * i + i / m) % size;
    CHECK(kernels().isa == std::string("baseline") || kernels().reads_by_panels(n, out, m, 0, out), "%s reads no panels",
          kernels().isa);
    const Call affine = {Call::kAffine, n, out, m, 0, out, relu, 0, 0, 0, {{1, 0}, {-1, 0}, {2, 0}, {3, 0}}};
    const Call finite = {Call::kFinite, n * m, 1, 1, 0, 1, 0, 0, 0, 0, {{2, 0}}};
    for (bool of_bytes : {false, true})
        for (int first = 0; first < times; first++)
            for (const char* use : {"product", "before", "of X", "same X"}) {
                const std::string used = use;
                std::vector<float> x(n * m), z(out * m), want(out * m), other(n * m);
                void* arrays[kProgramArrays] = {const_cast<float*>(source.data()), const_cast<float*>(w.data()), x.data(),
                                                z.data(), other.data()};
                arrays[kProgramBytes] = bytes.data();
                arrays[kProgramColumns] = columns.data();
                Shift shifts[kProgramArrays] = {};
                shifts[kProgramColumns].step = m;
                const Call gather = {of_bytes ? Call::kGatherBytes : Call::kGatherFloats, n, 1, m, used == "same X" ? 1 : 0,
                                     m * times, 0, 0.5f, 0, 0,
                                     {{of_bytes ? kProgramBytes : 0, 0}, {kProgramColumns, 0}, {2, 0}, {-1, 0}, {-1, 0}}};
                Call second = {Call::kGatherFloats, n, 1, 2, 0, m * times, 0, 0, 0, 0,
                               {{used == "of X" ? 2 : 1, 0}, {kProgramColumns, 0}, {used == "same X" ? 2 : 4, 0}}};
                std::vector<Call> calls = {gather, affine};
                if (used == "before") calls = {gather, finite, affine};
                if (used == "of X" || used == "same X") calls = {gather, second, affine};
                const Outcome outcome = run(calls.data(), int(calls.size()), first, times - first, 0, shifts, arrays);
                CHECK(outcome.done == times - first && outcome.cost == 0, "a program whose X is missing");
                const int* last = columns.data() + (times - 1) * m;
                for (int j = 0; j < m; j++)
                    for (int i = 0; i < n; i++) {
                        const int at = last[j] * n + i;
                        const float value = used == "same X" && j < 2 ? w[at] : of_bytes ? 0.5f * bytes[at] : source[at];
                        CHECK(x[j * n + i] == value, "%s: X %d, %d is missing", use, i, j);
                        if (used == "of X" && j < 2)
                            CHECK(other[j * n + i] == x[last[j] * n + i], "gathered of what is missing: %d, %d", i, j);
                    }
                kernels().affine(n, out, m, 0, out, w.data(), nullptr, x.data(), Activation::kRelu, want.data(), nothing);
                CHECK(z == want, "%s: a product of what was missing", use);
            }
}

// Whoever reads a column that is gathered alone finds what X holds: also where X is read before, or more of it, or written to.
void test_single_columns() {
    const int out = 3, size = 2 * kTogether + 5, times = size, relu = int(Activation::kRelu), squared = int(Cost::kSquaredError);
    for (int n : {1, 7, 8, 13, 16, 17, 32, 33})
        for (bool of_bytes : {false, true}) {
            const Input source(n * size), w(2 * n * out);
            std::vector<uint8_t> bytes(n * size);
            for (size_t i = 0; i < bytes.size(); i++) bytes[i] = uint8_t(37 * i);
            std::vector<int> columns(size);
            for (int i = 0; i < size; i++) columns[i] = 5 * i % (size - 1);  // one comes twice
            std::vector<float> x(2 * n), z(4 * out), delta(n);
            void* const arrays[kProgramArrays] = {const_cast<float*>(source.data()), const_cast<float*>(w.data()), x.data(),
                                                  z.data(), delta.data(), nullptr, nullptr, nullptr, bytes.data(),
                                                  columns.data()};
            Shift shifts[kProgramArrays] = {};
            shifts[kProgramColumns].step = 1;
            const auto gathers = [&](bool only_whole) {
                return Call{of_bytes ? Call::kGatherBytes : Call::kGatherFloats, n, 1, 1, only_whole ? 0 : 1, size, 0, 0.5f, 0, 0,
                            {{of_bytes ? kProgramBytes : 0, 0}, {kProgramColumns, 0}, {2, 0}, {-1, 0}, {-1, 0}}};
            };
            const auto affine = [&](int in, int to) {
                return Call{Call::kAffine, in, out, 1, 0, out, relu, 0, 0, 0, {{1, 0}, {-1, 0}, {2, 0}, {3, to}}};
            };
            const Call whole[] = {gathers(true), affine(n, 0),
                                  {Call::kCost, n, 1, 1, 0, 1, squared, 0, 0, 0, {{1, 0}, {2, 0}, {-1, 0}, {4, 0}}}};
            const Call mixed[] = {affine(n, 0), gathers(false), affine(n, out), affine(2 * n, 2 * out),
                                  {Call::kActivate, 1, 1, 1, 0, 1, relu, 0, 0, 0, {{1, 0}, {2, 0}}}, affine(n, 3 * out)};
            std::vector<float> now(2 * n, 1.0f), before, want(4 * out);
            const auto gather = [&](int r) {
                for (int i = 0; i < n; i++) {
                    const int at = columns[r] * n + i;
                    now[i] = of_bytes ? 0.5f * bytes[at] : source[at];
                }
            };
            const auto expect = [&](int in, int to) {
                kernels().affine(in, out, 1, 0, out, w.data(), nullptr, now.data(), Activation::kRelu, &want[to], nothing);
            };
            const auto require = [&](int count) {  // narrow kernels sum in an order of their own
                for (int i = 0; i < count; i++)
                    CHECK(std::fabs(z[i] - want[i]) <= bound(2 * n, 2 * n * 128, want[i]),
                          "z %d of a single column of %d: %g, want %g", i, n, z[i], want[i]);
            };
            x = now;
            run(whole, 3, 0, times, 0, shifts, arrays);
            gather(times - 1);
            expect(n, 0);
            require(out);
            CHECK(x == now, "a single column of %d is not in X", n);
            for (int i = 0; i < n; i++) CHECK(delta[i] == w[i] - now[i], "the cost of a single column, %d of %d", i, n);
            for (int bad : {0, kTogether - 1, kTogether, 2 * kTogether + 2}) {  // a repetition that fails is the last
                std::vector<float> y(n * times);
                y[n * bad] = NAN;
                void* fails[kProgramArrays];
                std::copy(arrays, arrays + kProgramArrays, fails);
                fails[5] = y.data();
                shifts[5].step = n;
                const Call calls[] = {
                    gathers(true), {Call::kCost, n, 1, 1, 0, 1, squared, 0, 0, 0, {{2, 0}, {5, 0}, {-1, 0}, {4, 0}}}};
                CHECK(run(calls, 2, 0, times, 0, shifts, fails).done == bad, "single columns of %d end at %d", n, bad);
                gather(bad);
                CHECK(x == now, "the single column of %d that failed is in X", n);
            }
            Call of_y = gathers(true);  // beside Y, which is single, too
            if (of_bytes) of_y.kernel = Call::kGatherFloats;
            of_y.operand[0] = {0, 0};
            of_y.operand[2] = {5, 0};
            std::vector<float> y(n);
            void* with_y[kProgramArrays];
            std::copy(arrays, arrays + kProgramArrays, with_y);
            with_y[5] = y.data();
            shifts[5] = {};
            const Call both[] = {
                gathers(true), of_y, {Call::kCost, n, 1, 1, 0, 1, squared, 0, 0, 0, {{2, 0}, {5, 0}, {-1, 0}, {4, 0}}}};
            run(both, 3, 0, times - 1, 0, shifts, with_y);
            gather(times - 2);
            for (int i = 0; i < n; i++) {
                const float target = source[columns[times - 2] * n + i];
                CHECK(x[i] == now[i] && y[i] == target, "X and Y of single columns, %d of %d", i, n);
                CHECK(delta[i] == now[i] - target, "the cost of single X and Y, %d of %d", i, n);
            }
            run(whole, 3, 3, kTogether + 2, 0, shifts, arrays);  // from a later repetition on
            gather(kTogether + 4);
            expect(n, 0);
            require(out);
            CHECK(x == now, "a later single column of %d is not in X", n);
            for (int step : {0, 2}) {  // the columns do not follow one another
                shifts[kProgramColumns].step = step;
                run(whole, 3, 1, 4, 0, shifts, arrays);
                gather(4 * step);
                expect(n, 0);
                require(out);
                CHECK(x == now, "a single column of %d, %d on, is not in X", n, step);
            }
            shifts[kProgramColumns].step = 1;
            run(mixed, 6, 0, times, 0, shifts, arrays);
            gather(times - 2);
            now[0] = std::fmax(w[0], 0.0f);
            expect(n, 0);
            gather(times - 1);
            expect(n, out);
            expect(2 * n, 2 * out);
            now[0] = std::fmax(w[0], 0.0f);
            expect(n, 3 * out);
            require(4 * out);
            CHECK(x == now, "a call does not write to a single column");
        }
}

// As every processor goes that has these instructions
void test_all_ways(const Kernels& k) {
    const bool halves = halves_vectors(), in_place = reads_in_place();
    test_all(k);
    if (k.isa == std::string("avx512"))
        for (auto [zen_4, zen_5] : {std::array<bool, 2>{false, false}, {false, true}, {true, false}}) {
            if (zen_4 == halves && zen_5 == in_place) continue;
            halves_vectors() = zen_4;
            reads_in_place() = zen_5;
            test_all(k);
        }
    halves_vectors() = halves;
    reads_in_place() = in_place;
}

}  // namespace

int main(int argc, char** argv) {
    if (const char* error = open_openblas(argc > 1 ? argv[1] : nullptr)) {
        std::printf("OpenBLAS: %s\n", error);
        return 1;
    }
    std::printf("%s, kernels %s\n", openblas_config(), openblas_core());
    CHECK(std::strstr(open_openblas("/nonexistent/libopenblas.so"), "/nonexistent"), "a missing library is named");
    test_places();
    test_program();
    test_sum_of_program();
    test_repetitions();
    for (int i = 0; i < 2; i++) {  // where products bring near what is gathered next, and where not
        test_wide_gathers();
        test_missing_columns();
        halves_vectors() = !halves_vectors();
    }
    test_single_columns();
    for (const Kernels* const* k = supported_kernels(); *k != nullptr; k++) {
        test_all_ways(**k);
        test_narrow(**k);
        for (int n : {1, 7, 16, 100, 784}) {
            for (int count : {0, 1, 5, 40}) test_batch(**k, n, count);
            test_all_finite(**k, n);
            test_update(**k, n, 0, 0);
            test_update(**k, n, 0.3f, 0.2f);
            test_dropout(**k, n);
            test_sum_of_squares(**k, n);
            for (int m : {1, 3, 32}) {
                test_cost(**k, n, m);
                test_backward(**k, n, m);
                test_sum(**k, n, m);
            }
        }
    }
    std::printf("%d checks, %d failed\n", checks, failures);
    return failures == 0 ? 0 : 1;
}
