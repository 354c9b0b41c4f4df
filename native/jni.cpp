// The whole border between Java and C++: dev.backblas.backend.OpenBlas on the one side, kernels.hpp and program.hpp on the other.
#include <algorithm>
#include <string>

#include "dev_backblas_backend_OpenBlas.h"
#include "kernels.hpp"
#include "openblas.hpp"
#include "pinned.hpp"
#include "places.hpp"
#include "program.hpp"

using namespace backblas;

namespace {

// A place is taken before anything is pinned: one for each processor, as more threads would only take turns inside, and
// before JDK 22 G1 waits for every one of them. Beside 120 threads on 2 processors an allocation took up to 1.6 s
// without this limit, and 40 ms with it. It costs 18 ns; a call without sgemm that is soon out does not need one.
Places places;

// Called with nothing pinned any more.
void throw_out_of_memory(JNIEnv* env) {
    env->ThrowNew(env->FindClass("java/lang/OutOfMemoryError"), "the virtual machine could not pin an array");
}

}  // namespace

extern "C" {

// When the class loader is gone; at the end of the process others may still be inside, and this is not called.
JNIEXPORT void JNICALL JNI_OnUnload(JavaVM*, void*) { close_openblas(); }

JNIEXPORT jstring JNICALL Java_dev_backblas_backend_OpenBlas_open(JNIEnv* env, jclass, jbyteArray path,
                                                                  jint processors) {
    std::string file(path == nullptr ? 0 : env->GetArrayLength(path), '\0');
    if (path != nullptr) env->GetByteArrayRegion(path, 0, jsize(file.size()), reinterpret_cast<jbyte*>(file.data()));
    const char* error = open_openblas(path == nullptr ? nullptr : file.c_str());
    places.limit(std::min(processors, jint(openblas_most_callers())));
    return error == nullptr ? nullptr : env->NewStringUTF(error);
}

JNIEXPORT jboolean JNICALL Java_dev_backblas_backend_OpenBlas_isLinkedIn(JNIEnv*, jclass) {
    return openblas_is_linked_in();
}

JNIEXPORT jstring JNICALL Java_dev_backblas_backend_OpenBlas_config(JNIEnv* env, jclass) {
    return env->NewStringUTF(openblas_config());
}

JNIEXPORT jstring JNICALL Java_dev_backblas_backend_OpenBlas_core(JNIEnv* env, jclass) {
    return env->NewStringUTF(openblas_core());
}

JNIEXPORT jstring JNICALL Java_dev_backblas_backend_OpenBlas_instructionSet(JNIEnv* env, jclass) {
    const std::string isa = kernels().isa;
    return env->NewStringUTF((isa == "avx512" && halves_vectors() ? isa + " by halves" : isa).c_str());
}

JNIEXPORT jboolean JNICALL Java_dev_backblas_backend_OpenBlas_pinsWithoutCopy(JNIEnv* env, jclass,
                                                                              jfloatArray array) {
    const PinnedFloats first(env, array, false), second(env, array, false);
    return static_cast<float*>(first) == static_cast<float*>(second);
}

JNIEXPORT jint JNICALL Java_dev_backblas_backend_OpenBlas_firstCacheLine(JNIEnv* env, jclass, jfloatArray array) {
    const PinnedFloats pinned(env, array, false);
    const auto address = reinterpret_cast<uintptr_t>(static_cast<float*>(pinned));
    return jint(-address % kCacheLine / sizeof(float));
}

JNIEXPORT jdouble JNICALL Java_dev_backblas_backend_OpenBlas_run(JNIEnv* env, jclass, jintArray code, jint from, jint to,
                                                                 jint first, jint times, jdouble before,
                                                                 jintArray shifts_, jint written, jfloatArray array0,
                                                                 jfloatArray array1, jfloatArray array2,
                                                                 jfloatArray array3, jfloatArray array4,
                                                                 jfloatArray array5, jfloatArray array6,
                                                                 jfloatArray array7, jbyteArray bytes_,
                                                                 jintArray columns_) {
    constexpr jsize kShiftInts = sizeof(Shift) / sizeof(jint) * kProgramArrays;
    Call calls[kMostCalls];
    Shift shifts[kProgramArrays];
    env->GetIntArrayRegion(code, from, to - from, reinterpret_cast<jint*>(calls));
    env->GetIntArrayRegion(shifts_, 0, kShiftInts, reinterpret_cast<jint*>(shifts));
    const int count = int((to - from) * sizeof(jint) / sizeof(Call));
    Outcome outcome = {before, -1};
    {
        const Place place(places, needs_place(calls, count, times));
        const PinnedFloats a(env, array0, written & 1), b(env, array1, written & 2), c(env, array2, written & 4),
            d(env, array3, written & 8), e(env, array4, written & 16), f(env, array5, written & 32),
            g(env, array6, written & 64), h(env, array7, written & 128);
        const Pinned<uint8_t> bytes(env, bytes_, false);
        const Pinned<jint> columns(env, columns_, false);
        void* const arrays[kProgramArrays] = {a, b, c, d, e, f, g, h, bytes, columns};
        if (!a.failed() && !b.failed() && !c.failed() && !d.failed() && !e.failed() && !f.failed() && !g.failed() &&
            !h.failed() && !bytes.failed() && !columns.failed())
            outcome = run(calls, count, first, times, before, shifts, arrays);
    }
    if (outcome.done < 0) throw_out_of_memory(env);
    else if (outcome.done < times) env->SetIntArrayRegion(shifts_, kShiftInts, 1, &outcome.done);
    return outcome.cost;
}

JNIEXPORT jdouble JNICALL Java_dev_backblas_backend_OpenBlas_sumOfSquares(JNIEnv* env, jclass, jint n, jfloatArray x_,
                                                                          jint x_offset) {
    {
        const PinnedFloats x(env, x_, false);
        if (!x.failed()) return kernels().sum_of_squares(n, x + x_offset);
    }
    throw_out_of_memory(env);
    return 0;
}

JNIEXPORT jboolean JNICALL Java_dev_backblas_backend_OpenBlas_allFinite(JNIEnv* env, jclass, jint n, jfloatArray x_,
                                                                        jint x_offset) {
    {
        const PinnedFloats x(env, x_, false);
        if (!x.failed()) return kernels().all_finite(n, x + x_offset);
    }
    throw_out_of_memory(env);
    return false;
}

}  // extern "C"
