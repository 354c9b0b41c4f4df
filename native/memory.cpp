// All that native code ever allocates.
#include <memory>
#include <new>

#include "kernels.hpp"

namespace backblas {

float* strips_of_thread() {
    struct alignas(64) Strips {
        float data[kStripsOfThread];
    };
    thread_local const std::unique_ptr<Strips> strips(new (std::nothrow) Strips);
    return strips == nullptr ? nullptr : strips->data;
}

}  // namespace backblas
