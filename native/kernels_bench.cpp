// How near the kernels come to bare sgemm and to the processor's peak, one thread; every figure is the median of slices of
// time, and contenders take turns; floor and step give the mean of one.
//
//   kernels_bench                             the workloads and their layers: sgemm and every kernel table;
//                                             once more by the kernels of narrow layers, where those take it
//   kernels_bench W1 784x128x128 …            these workloads, and these layers, in x out x m
//   kernels_bench floor W1 [seconds]          samples/s of the bare sgemm calls of one step: what a perfect caller would get
//   kernels_bench step W1 [seconds] [avx2]    samples/s of our kernels chained, of the best table or of the one named
//   kernels_bench gather [13]                 what bringing in a sample costs: columns of so many floats, in random order
//   kernels_bench peak                        GFLOP/s of fused multiply-adds on registers, the widest instruction set
//
// BACKBLAS_OPENBLAS names another OpenBLAS than the one linked in.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kernels.hpp"
#include "openblas.hpp"
#include "program.hpp"

using namespace backblas;

namespace {

double seconds_now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Random floats that start where a Java array's do: 16 bytes after a multiple of 64.
class Matrix {
   public:
    Matrix(int64_t rows, int64_t columns, float size) : memory_(rows * columns + kLine + kHeader) {
        const uintptr_t address = reinterpret_cast<uintptr_t>(memory_.data()) / sizeof(float);
        data_ = memory_.data() + (kLine - address % kLine) % kLine + kHeader;
        for (int64_t i = 0; i < rows * columns; i++) {
            state_ = state_ * 1664525u + 1013904223u;
            data_[i] = float(int32_t(state_)) * (size / 2147483648.0f);
        }
    }
    operator float*() { return data_; }
    operator void*() { return data_; }

   private:
    static constexpr int kLine = 64 / sizeof(float), kHeader = 16 / sizeof(float);
    static uint32_t state_;
    std::vector<float> memory_;
    float* data_;
};
uint32_t Matrix::state_ = 1;

Ahead nothing;  // is brought near meanwhile

struct Contender {
    std::string name;
    std::function<void()> run;
};

// The time of one run, over a slice of so many seconds
double time_of(const std::function<void()>& run, double slice) {
    const double start = seconds_now();
    double elapsed;
    int64_t runs = 0, burst = 1;
    do {  // bursts grow, so that reading the clock costs nothing
        for (int64_t i = 0; i < burst; i++) run();
        runs += burst;
        elapsed = seconds_now() - start;
        if (elapsed < slice / 16) burst *= 2;
    } while (elapsed < slice);
    return elapsed / double(runs);
}

constexpr int kSlices = 15;  // of the time of a contender, after one more to warm up; the median is reported
constexpr int kWarmUp = 15;  // such a part of the time of a single figure comes before it

// The median time of one run of each contender; they take turns, a slice each.
std::vector<double> medians(const std::vector<Contender>& contenders, double seconds) {
    const double slice = seconds / kSlices / double(contenders.size());
    std::vector<std::vector<double>> times(contenders.size());
    for (int s = -1; s < kSlices; s++)  // the first warms up
        for (size_t c = 0; c < contenders.size(); c++) {
            const double time = time_of(contenders[c].run, slice);
            if (s >= 0) times[c].push_back(time);
        }
    std::vector<double> result;
    for (auto& t : times) {
        std::nth_element(t.begin(), t.begin() + kSlices / 2, t.end());
        result.push_back(t[kSlices / 2]);
    }
    return result;
}

struct Workload {
    const char* name;
    std::vector<int> sizes;
    int m;
    bool training;
    Activation hidden, output;
    bool canonical;  // δᴸ = A − Y
};

const Workload kWorkloads[] = {
    {"W1", {784, 128, 10}, 128, true, Activation::kRelu, Activation::kSoftmax, true},
    {"W2", {784, 1024, 1024, 10}, 256, true, Activation::kRelu, Activation::kSoftmax, true},
    {"W3", {784, 30, 10}, 10, true, Activation::kSigmoid, Activation::kSigmoid, false},
    {"W4", {13, 3, 1}, 32, true, Activation::kSigmoid, Activation::kIdentity, true},
    {"W5", {13, 3, 1}, 1, true, Activation::kSigmoid, Activation::kIdentity, true},
    {"W6", {64, 256, 256, 256, 256, 256, 256, 1}, 64, true, Activation::kRelu, Activation::kSigmoid, true},
    {"I1", {784, 128, 10}, 1, false, Activation::kRelu, Activation::kSoftmax, true},
    {"I2", {784, 1024, 1024, 10}, 1024, false, Activation::kRelu, Activation::kSoftmax, true},
};

const Workload* find_workload(const char* name) {
    for (const Workload& w : kWorkloads)
        if (name == std::string(w.name)) return &w;
    return nullptr;
}

// A network with its batch in memory; the rate is so small that the weights stay what they are.
class Network {
   public:
    explicit Network(const Workload& workload) : workload_(workload), layers_(int(workload.sizes.size()) - 1) {
        for (int l = 0; l <= layers_; l++) {
            const int n = workload.sizes[l];
            a_.emplace_back(n, workload.m, 1.0f);
            delta_.emplace_back(n, workload.m, 1.0f);
            if (l == layers_) break;
            w_.emplace_back(n, workload.sizes[l + 1], 1 / std::sqrt(float(n)));
            b_.emplace_back(workload.sizes[l + 1], 1, 0.1f);
        }
    }

    // The products of one step, and nothing else
    void bare_step() {
        const int m = workload_.m;
        for (int l = 0; l < layers_; l++)  // Z = WᵀA
            sgemm(Trans::kYes, Trans::kNo, n(l + 1), m, n(l), 1, w_[l], n(l), a_[l], n(l), 0, a_[l + 1], n(l + 1));
        if (!workload_.training) return;
        for (int l = layers_ - 1; l > 0; l--)  // δ' = Wδ
            sgemm(Trans::kNo, Trans::kNo, n(l), m, n(l + 1), 1, w_[l], n(l), delta_[l + 1], n(l + 1), 0, delta_[l], n(l));
        for (int l = 0; l < layers_; l++)  // W ← W + αAδᵀ
            sgemm(Trans::kNo, Trans::kYes, n(l), n(l + 1), m, kAlpha, a_[l], n(l), delta_[l + 1], n(l + 1), 1, w_[l], n(l));
    }

    // The whole step but for C: products, bias, φ, δᴸ, φ' and update
    void step(const Kernels& k) {
        const int m = workload_.m;
        for (int l = 0; l < layers_; l++)
            k.affine(n(l), n(l + 1), m, 0, n(l + 1), w_[l], b_[l], a_[l],
                     l + 1 < layers_ ? workload_.hidden : workload_.output, a_[l + 1], nothing);
        if (!workload_.training) return;
        output_delta();
        for (int l = layers_ - 1; l > 0; l--)
            k.input_gradient(n(l), n(l + 1), m, 0, n(l), w_[l], delta_[l + 1], workload_.hidden, a_[l], delta_[l], nothing);
        for (int l = 0; l < layers_; l++)
            k.weight_gradient(n(l), n(l + 1), m, 0, n(l + 1), kAlpha, a_[l], delta_[l + 1], 1, w_[l], 1, b_[l], nothing);
    }

   private:
    static constexpr float kAlpha = -1e-9f, kTarget = 0.5f;

    int n(int layer) const { return workload_.sizes[layer]; }

    void output_delta() {
        const float* a = a_[layers_];
        float* delta = delta_[layers_];
        for (int64_t i = 0; i < int64_t(n(layers_)) * workload_.m; i++)
            delta[i] = workload_.canonical ? a[i] - kTarget : (a[i] - kTarget) * a[i] * (1 - a[i]);
    }

    const Workload& workload_;
    int layers_;
    std::vector<Matrix> w_, b_, a_, delta_;
};

// --- The peak: independent fused multiply-adds, twelve chains of them, which hides their latency -------------------------
constexpr int kChains = 12;
volatile float kFactor = 0.999f;

#define DEFINE_PEAK(name, width, attribute)                                                     \
    attribute double name() {                                                                   \
        typedef float Vec __attribute__((vector_size(4 * (width))));                            \
        Vec chain[kChains], factor = Vec{} + kFactor, term = Vec{} + 0.001f;                    \
        for (int c = 0; c < kChains; c++) chain[c] = Vec{} + float(c) * kFactor;                \
        constexpr int64_t kTimes = 20000000;                                                    \
        const double start = seconds_now();                                                     \
        for (int64_t i = 0; i < kTimes; i++) {                                                  \
            _Pragma("GCC unroll 12") for (Vec& c : chain) c = c * factor + term;                \
        }                                                                                       \
        const double seconds = seconds_now() - start;                                           \
        volatile float sink = 0;                                                                \
        for (Vec& c : chain) sink = sink + c[0];                                                \
        return 2e-9 * (width) * kChains * kTimes / seconds;                                     \
    }

DEFINE_PEAK(peak_baseline, 4, )
#if defined(BACKBLAS_X86)
DEFINE_PEAK(peak_avx2, 8, __attribute__((target("avx2,fma"))))
DEFINE_PEAK(peak_avx512, 16, __attribute__((target("avx512f,fma"))))
#endif

double peak(const Kernels& k) {
    double (*run)() = peak_baseline;
#if defined(BACKBLAS_X86)
    if (k.isa == std::string("avx2")) run = peak_avx2;
    if (k.isa == std::string("avx512")) run = peak_avx512;
#endif
    std::vector<double> gflops;
    for (int i = 0; i < 5; i++) gflops.push_back(run());
    std::sort(gflops.begin(), gflops.end());
    return gflops[gflops.size() / 2];
}

std::vector<const Kernels*> tables() {
    std::vector<const Kernels*> result;
    for (const Kernels* const* k = supported_kernels(); *k != nullptr; k++) result.push_back(*k);
    return result;
}

// --- The tables -----------------------------------------------------------------------------------------------------
constexpr double kSecondsEach = 0.25;  // for one contender

void print_header(const char* first, const char* unit) {
    std::printf("\n| %s | sgemm, %s |", first, unit);
    for (const Kernels* k : tables()) std::printf(" %s | ratio |", k->isa);
    std::printf("\n|---|---:|");
    for (size_t i = 0; i < tables().size(); i++) std::printf("---:|---:|");
    std::printf("\n");
}

void print_row(const std::string& name, const std::vector<Contender>& contenders, double work) {
    const std::vector<double> times = medians(contenders, kSecondsEach * double(contenders.size()));
    std::printf("| %s | %.4g |", name.c_str(), work / times[0]);
    for (size_t c = 1; c < times.size(); c++) std::printf(" %.4g | %.2f |", work / times[c], times[0] / times[c]);
    std::printf("\n");
    std::fflush(stdout);
}

void compare_workload(const Workload& workload) {
    Network network(workload);
    std::vector<Contender> contenders = {{"sgemm", [&] { network.bare_step(); }}};
    for (const Kernels* k : tables()) contenders.push_back({k->isa, [&network, k] { network.step(*k); }});
    print_row(workload.name, contenders, workload.m);
}

// One of the three products, and once more by the kernels of narrow layers where those would take it
void compare_product(const std::string& name, const Call& call, const std::vector<void*>& operands, std::function<void()> bare,
                     const std::function<void(const Kernels&)>& general) {
    std::vector<Contender> contenders = {{"sgemm", std::move(bare)}}, narrow = contenders;
    bool is_narrow = false;
    for (const Kernels* k : tables()) {
        contenders.push_back({k->isa, [&general, k] { general(*k); }});
        narrow.push_back(contenders.back());
        Operation operation = {k->narrow(call), &call, {}, &nothing, 0, false};
        if (operation.run == nullptr) continue;
        is_narrow = true;
        std::copy(operands.begin(), operands.end(), operation.x);
        narrow.back().run = [operation] { operation.run(operation); };
    }
    const double gflop = 2e-9 * call.in * call.out * call.m;
    const std::string shape =
        " " + std::to_string(call.in) + "x" + std::to_string(call.out) + "x" + std::to_string(call.m);
    print_row(name + shape, contenders, gflop);
    if (is_narrow) print_row("narrow " + name + shape, narrow, gflop);
}

void compare_layer(int in, int out, int m) {
    Matrix w(in, out, 1), b(out, 1, 1), a(in, m, 1), delta(out, m, 1), next(out, m, 1), previous(in, m, 1);
    const float alpha = -1e-9f;
    const Activation relu = Activation::kRelu;
    compare_product(
        "affine", {Call::kAffine, in, out, m, 0, out, int(relu), 0, 0, 0, {}}, {w, b, a, next},
        [&] { sgemm(Trans::kYes, Trans::kNo, out, m, in, 1, w, in, a, in, 0, next, out); },
        [&](const Kernels& k) { k.affine(in, out, m, 0, out, w, b, a, relu, next, nothing); });
    compare_product(
        "inputGradient", {Call::kInputGradient, in, out, m, 0, in, int(relu), 0, 0, 0, {}}, {w, delta, a, previous},
        [&] { sgemm(Trans::kNo, Trans::kNo, in, m, out, 1, w, in, delta, out, 0, previous, in); },
        [&](const Kernels& k) { k.input_gradient(in, out, m, 0, in, w, delta, relu, a, previous, nothing); });
    compare_product(
        "weightGradient", {Call::kWeightGradient, in, out, m, 0, out, 0, alpha, 1, 1, {}}, {a, delta, w, b},
        [&] { sgemm(Trans::kNo, Trans::kYes, in, out, m, alpha, a, in, delta, out, 1, w, in); },
        [&](const Kernels& k) { k.weight_gradient(in, out, m, 0, out, alpha, a, delta, 1, w, 1, b, nothing); });
}

void print_peaks() {
    for (const Kernels* k : tables()) std::printf("%s peak %.0f GFLOP/s, ", k->isa, peak(*k));
    std::printf("%s, kernels %s\n", openblas_config(), openblas_core());
}

int compare(int argc, char** argv) {
    print_peaks();
    if (argc == 1) {
        print_header("workload", "samples/s");
        for (const Workload& workload : kWorkloads) compare_workload(workload);
    }
    for (int i = 1; i < argc; i++) {
        int in, out, m;
        if (const Workload* workload = find_workload(argv[i])) {
            if (i == 1) print_header("workload", "samples/s");
            compare_workload(*workload);
        } else if (std::sscanf(argv[i], "%dx%dx%d", &in, &out, &m) == 3 && in > 0 && out > 0 && m > 0) {
            if (i == 1 || find_workload(argv[i - 1])) print_header("layer, in x out x m", "GFLOP/s");
            compare_layer(in, out, m);
        } else {
            std::fprintf(stderr, "'%s' is no workload and no layer: expected W1 or in x out x m, as 784x128x128\n", argv[i]);
            return 2;
        }
    }
    if (argc > 1) return 0;
    print_header("layer, in x out x m", "GFLOP/s");
    std::vector<std::vector<int>> seen;
    for (const Workload& workload : kWorkloads)
        for (size_t l = 0; l + 1 < workload.sizes.size(); l++) {
            std::vector<int> layer = {workload.sizes[l], workload.sizes[l + 1], workload.m};
            if (std::find(seen.begin(), seen.end(), layer) != seen.end()) continue;
            seen.push_back(layer);
            compare_layer(layer[0], layer[1], layer[2]);
        }
    return 0;
}

int one_figure(bool floor, int argc, char** argv) {
    const Workload* workload = argc > 2 ? find_workload(argv[2]) : nullptr;
    const double seconds = argc > 3 ? std::atof(argv[3]) : 1;
    const Kernels* k = &kernels();
    if (argc > 4) {
        k = nullptr;
        for (const Kernels* table : tables())
            if (argv[4] == std::string(table->isa)) k = table;
    }
    if (workload == nullptr || !(seconds > 0) || k == nullptr) {
        std::fprintf(stderr, "usage: kernels_bench (floor|step) (W1|...|W6|I1|I2) [seconds] [avx512|avx2|baseline]\n");
        return 2;
    }
    Network network(*workload);
    const auto step = [&] { floor ? network.bare_step() : network.step(*k); };
    time_of(step, seconds / kWarmUp);  // as every contender of the comparison does
    std::printf("%.0f\n", workload->m / time_of(step, seconds));
    return 0;
}

// An epoch's way through a training set, batch after batch, against one value of each of its cache lines, which is less than
// any step could do.
int gather(int argc, char** argv) {
    constexpr int kSamples = 20000, kBatch = 32;
    const int n = argc > 2 ? std::atoi(argv[2]) : 13;
    if (n < 1 || n > 4096) {
        std::fprintf(stderr, "usage: kernels_bench gather [1..4096]\n");
        return 2;
    }
    Matrix samples(n, kSamples, 1.0f), x(n, kBatch, 1.0f);
    std::vector<int> columns(kSamples);
    std::iota(columns.begin(), columns.end(), 0);
    std::shuffle(columns.begin(), columns.end(), std::minstd_rand());
    void* arrays[kProgramArrays] = {samples, x};
    arrays[kProgramColumns] = columns.data();
    Shift shifts[kProgramArrays] = {};
    shifts[kProgramColumns].step = kBatch;
    const Call call = {Call::kGatherFloats, n, 1, kBatch, 1, kSamples, 0, 0, 0, 0,
                       {{0, 0}, {kProgramColumns, 0}, {1, 0}, {-1, 0}, {-1, 0}}};
    volatile float seen;
    const auto look = [&] {
        uint32_t all = 0;
        for (int column : columns) {
            const uint32_t* values = reinterpret_cast<const uint32_t*>(samples + int64_t(column) * n);
            for (int i = 0; i < n - 1; i += kCacheLine / int(sizeof(float))) all ^= values[i];
            all ^= values[n - 1];
        }
        seen = float(all);
    };
    const auto bring_in = [&] { run(&call, 1, 0, kSamples / kBatch, 0, shifts, arrays); };
    const auto times = medians({{"", look}, {"", bring_in}}, 2);
    std::printf("of %d columns of %d floats in random order: %.2f ns to look at the cache lines of one, %.2f to gather it\n",
                kSamples, n, times[0] / kSamples * 1e9, times[1] / kSamples * 1e9);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (const char* error = open_openblas(std::getenv("BACKBLAS_OPENBLAS"))) {
        std::fprintf(stderr, "OpenBLAS: %s\n", error);
        return 1;
    }
    const std::string mode = argc > 1 ? argv[1] : "";
    if (mode == "floor" || mode == "step") return one_figure(mode == "floor", argc, argv);
    if (mode == "gather") return gather(argc, argv);
    if (mode == "peak") return std::printf("%.1f\n", peak(kernels())) < 0;
    return compare(argc, argv);
}
