// The few functions of OpenBLAS that we call, from a copy of the library that is ours alone.
#pragma once

namespace backblas {

enum class Trans : int { kNo = 111, kYes = 112 };  // the values of CBLAS_TRANSPOSE

// Opens the library at `path`, or takes the one linked in when `path` is null, and holds it to one thread. Returns null, or
// why not, as text that stays valid until the next call. To be called once, before the first product.
const char* open_openblas(const char* path);

// Unloads what open_openblas has loaded. To be called after the last product.
void close_openblas();

bool openblas_is_linked_in();

// "OpenBLAS 0.3.21 … " and "SkylakeX"; "unknown" where the library is not OpenBLAS.
const char* openblas_config();
const char* openblas_core();

// How many floats a vector of its kernels holds; 16 where the library is not OpenBLAS, as it will know its machine.
int openblas_width();

// How many threads may be inside sgemm at once. It is the caller who sees to that.
int openblas_most_callers();

// C ← α op(A) op(B) + β C, column-major
void sgemm(Trans trans_a, Trans trans_b, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
           int ldb, float beta, float* c, int ldc);

}  // namespace backblas
