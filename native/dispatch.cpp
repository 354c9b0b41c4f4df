// Chooses, once, the widest instruction set that was compiled in and that this processor runs.
#include "kernels.hpp"

#if defined(BACKBLAS_X86)
#include <cpuid.h>
#endif

namespace backblas {

#if defined(BACKBLAS_X86)
namespace avx512 { extern const Kernels table; }
namespace avx2 { extern const Kernels table; }
#endif
namespace baseline { extern const Kernels table; }

namespace {

struct Supported {
    const Kernels* tables[4] = {};  // widest first, then null
    Supported() {
        int n = 0;
#if defined(BACKBLAS_X86)
        __builtin_cpu_init();
        const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512vl"))
            tables[n++] = &avx512::table;
        if (avx2) tables[n++] = &avx2::table;
#endif
        tables[n] = &baseline::table;
    }
};

const Supported supported;

// The family, if the processor is one of AMD's, else 0
unsigned amd_family() {
#if defined(BACKBLAS_X86)
    __builtin_cpu_init();  // OpenBLAS's constructor may ask before ours has run
    unsigned signature, b, c, d;
    if (__builtin_cpu_is("amd") && __get_cpuid(1, &signature, &b, &c, &d))
        return (signature >> 8 & 0xf) + (signature >> 20 & 0xff);
#endif
    return 0;
}

constexpr unsigned kZen4 = 0x19, kZen5 = 0x1a;  // of those that know vectors of 512 bits

}  // namespace

bool& halves_vectors() {
    static bool halves = amd_family() == kZen4;
    return halves;
}
bool& reads_in_place() {
    static bool in_place = amd_family() >= kZen5;
    return in_place;
}
const Kernels& kernels() { return *supported.tables[0]; }
const Kernels* const* supported_kernels() { return supported.tables; }

}  // namespace backblas
