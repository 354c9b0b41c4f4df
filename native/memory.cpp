// All that the kernels ever allocate.
#include <memory>
#include <new>

#include "kernels.hpp"

namespace backblas {

float* strips_of_thread() {
    struct alignas(kCacheLine) Strips {
        float data[kStripsOfThread];
    };
    thread_local const std::unique_ptr<Strips> strips(new (std::nothrow) Strips);
    return strips == nullptr ? nullptr : strips->data;
}

}  // namespace backblas
