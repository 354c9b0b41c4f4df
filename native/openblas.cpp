#include "openblas.hpp"

#include <dlfcn.h>
#include <sys/mman.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "kernels.hpp"

#if defined(BACKBLAS_OPENBLAS_LINKED)
extern "C" {
void cblas_sgemm(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
void openblas_set_num_threads(int);
char* openblas_get_config();
char* openblas_get_corename();

// The link wraps getenv (--wrap), where OpenBLAS reads its settings, once, in a constructor that runs before anyone can
// call it. So our copy starts no thread, whatever the process's environment says, and a processor newer than this
// OpenBLAS (0.3.21 takes an Emerald Rapids for a Prescott, six times slower) gets the kernels its instructions allow; but one
// that computes vectors of 512 bits by halves those for AVX2, which are faster there (kernels_bench W1 W2 W6 I2: by 3 to 8 %).
char* __real_getenv(const char* name);
char* __wrap_getenv(const char* name) {
    static char one[] = "1";
    if (std::strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return one;
    char* value = __real_getenv(name);
#if defined(BACKBLAS_X86)
    static char skylake_x[] = "SkylakeX", haswell[] = "Haswell";
    if ((value == nullptr || *value == 0) && std::strcmp(name, "OPENBLAS_CORETYPE") == 0) {
        __builtin_cpu_init();
        if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return nullptr;
        const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl");
        return avx512 && !backblas::halves_vectors() ? skylake_x : haswell;
    }
#endif
    return value;
}

// And mmap, from which OpenBLAS has the buffer where a call packs its matrices: in the small pages of a JVM's scattered memory
// its products take 3 to 6 % longer than in those of a small process (bench --contenders floor,ours --workloads W2).
void* __real_mmap(void* address, size_t length, int protection, int flags, int file, off_t offset);
void* __wrap_mmap(void* address, size_t length, int protection, int flags, int file, off_t offset) {
    void* memory = __real_mmap(address, length, protection, flags, file, offset);
#if defined(MADV_HUGEPAGE)
    if (memory != MAP_FAILED) madvise(memory, length, MADV_HUGEPAGE);
#endif
    return memory;
}
}
#endif

namespace backblas {
namespace {

constexpr int kColumnMajor = 102;

using Sgemm = void(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                   const float* b, int ldb, float beta, float* c, int ldc);

struct {
    void* library = nullptr;  // none when OpenBLAS is linked in
    Sgemm* sgemm = nullptr;
    const char* config = "unknown";
    const char* core = "unknown";
    int width = 16;
} openblas;

char message[1024];

void set_core(const char* core) {
    openblas.core = core;
    openblas.width = 4;
    for (const char* wide : {"SkylakeX", "Cooperlake", "SapphireRapids"})
        if (std::strcmp(core, wide) == 0) openblas.width = 16;
    for (const char* wide : {"Haswell", "Zen", "Sandybridge", "Excavator", "Steamroller", "Piledriver", "Bulldozer"})
        if (std::strcmp(core, wide) == 0) openblas.width = 8;
}

template <class Function>
Function* symbol(void* library, const char* name) {
    return reinterpret_cast<Function*>(dlsym(library, name));
}

// A copy that is dlopened has started its threads in its constructor: hold it to one, then end the others.
bool hold_to_one_thread(void* library) {
    for (const char* setter : {"openblas_set_num_threads", "MKL_Set_Num_Threads", "bli_thread_set_num_threads"})
        if (auto* set_threads = symbol<void(int)>(library, setter)) {
            set_threads(1);
            if (auto* end_threads = symbol<int()>(library, "blas_thread_shutdown_")) end_threads();
            return true;
        }
    return false;
}

const char* open_file(const char* path) {
    int flags = RTLD_NOW | RTLD_LOCAL;
#if defined(RTLD_DEEPBIND) && !defined(__SANITIZE_ADDRESS__)
    flags |= RTLD_DEEPBIND;  // its own symbols before those of another OpenBLAS in the process
#endif
    void* library = openblas.library = dlopen(path, flags);
    if (library == nullptr) {
        std::snprintf(message, sizeof message, "%s", dlerror());
        return message;
    }
    auto* sgemm = symbol<Sgemm>(library, "cblas_sgemm");
    if (sgemm == nullptr) return "no function cblas_sgemm in it; it is not a BLAS library";
    if (!hold_to_one_thread(library)) return "no function to set the number of its threads";
    if (auto* config = symbol<char*()>(library, "openblas_get_config")) openblas.config = config();
    if (std::strstr(openblas.config, "USE64BITINT") != nullptr)
        return "built for 64-bit integers; expected 32-bit ones (LP64)";
    constexpr int kOpenMp = 2;
    auto* parallel = symbol<int()>(library, "openblas_get_parallel");
    if (parallel != nullptr && parallel() == kOpenMp)
        return "built with OpenMP, which is held to one thread only in the thread that asks for it; expected the pthreads build";
    openblas.sgemm = sgemm;
    if (auto* core = symbol<char*()>(library, "openblas_get_corename")) set_core(core());
    return nullptr;
}

}  // namespace

bool openblas_is_linked_in() {
#if defined(BACKBLAS_OPENBLAS_LINKED)
    return true;
#else
    return false;
#endif
}

const char* open_openblas(const char* path) {
    if (path != nullptr) return open_file(path);
#if defined(BACKBLAS_OPENBLAS_LINKED)
#if defined(BACKBLAS_X86)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("sse3")) return "this processor has no SSE3, which the OpenBLAS linked in needs";
#endif
    openblas_set_num_threads(1);
    openblas.sgemm = cblas_sgemm;
    openblas.config = openblas_get_config();
    set_core(openblas_get_corename());
    return nullptr;
#else
    return "no OpenBLAS is linked into this library";
#endif
}

void close_openblas() {
    if (openblas.library != nullptr) dlclose(openblas.library);
    openblas = {};
}

const char* openblas_config() { return openblas.config; }
const char* openblas_core() { return openblas.core; }
int openblas_width() { return openblas.width; }

// It has two buffers for each thread that it was built for, and each call takes one. With more callers 0.3.21 writes past
// its tables and 0.3.31 crashes. Built for one thread, it may not even lock them.
int openblas_most_callers() {
    if (std::strncmp(openblas.config, "OpenBLAS ", 9) != 0) return INT_MAX;
    const char* threads = std::strstr(openblas.config, "MAX_THREADS=");
    return threads == nullptr ? 1 : 2 * std::atoi(threads + std::strlen("MAX_THREADS="));
}

void sgemm(Trans trans_a, Trans trans_b, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
           int ldb, float beta, float* c, int ldc) {
    openblas.sgemm(kColumnMajor, int(trans_a), int(trans_b), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace backblas
