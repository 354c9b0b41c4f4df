// The whole border between Java and C++: dev.backblas.backend.OpenBlas on the one side, kernels.hpp on the other.
#include <algorithm>
#include <string>

#include "dev_backblas_backend_OpenBlas.h"
#include "kernels.hpp"
#include "openblas.hpp"
#include "pinned.hpp"
#include "places.hpp"

using namespace backblas;

namespace {

// A place is taken before anything is pinned: one for each processor, as more threads would only take turns inside, and
// before JDK 22 G1 waits for every one of them. Beside 120 threads on 2 processors an allocation took up to 1.6 s
// without this limit, and 40 ms with it. It costs 18 ns; a call without sgemm that is soon out does not need one.
Places places;

bool needs_place(jint in, jint out, jint m) { return m > kFewSamples || jlong(in) * out > 1 << 18; }

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
    return env->NewStringUTF(kernels().isa);
}

JNIEXPORT jboolean JNICALL Java_dev_backblas_backend_OpenBlas_pinsWithoutCopy(JNIEnv* env, jclass,
                                                                              jfloatArray array) {
    Pinned first(env, array, 0, Pinned::kRead);
    Pinned second(env, array, 0, Pinned::kRead);
    return static_cast<float*>(first) == static_cast<float*>(second);
}

JNIEXPORT void JNICALL Java_dev_backblas_backend_OpenBlas_affine(JNIEnv* env, jclass, jint in, jint out, jint m,
                                                                 jfloatArray w_, jint w_offset, jfloatArray b_,
                                                                 jint b_offset, jfloatArray a_, jint a_offset,
                                                                 jint phi, jfloatArray next_, jint next_offset) {
    {
        const Place place(places, needs_place(in, out, m));
        Pinned w(env, w_, w_offset, Pinned::kRead), b(env, b_, b_offset, Pinned::kRead),
            a(env, a_, a_offset, Pinned::kRead), next(env, next_, next_offset, Pinned::kWrite);
        if (!w.failed() && !b.failed() && !a.failed() && !next.failed())
            return kernels().affine(in, out, m, w, b, a, Activation(phi), next);
    }
    throw_out_of_memory(env);
}

JNIEXPORT void JNICALL Java_dev_backblas_backend_OpenBlas_inputGradient(JNIEnv* env, jclass, jint in, jint out, jint m,
                                                                        jfloatArray w_, jint w_offset,
                                                                        jfloatArray delta_, jint delta_offset,
                                                                        jint phi, jfloatArray a_, jint a_offset,
                                                                        jfloatArray previous_, jint previous_offset) {
    {
        const Place place(places, needs_place(in, out, m));
        Pinned w(env, w_, w_offset, Pinned::kRead), delta(env, delta_, delta_offset, Pinned::kRead),
            a(env, a_, a_offset, Pinned::kRead), previous(env, previous_, previous_offset, Pinned::kWrite);
        if (!w.failed() && !delta.failed() && !a.failed() && !previous.failed())
            return kernels().input_gradient(in, out, m, w, delta, Activation(phi), a, previous);
    }
    throw_out_of_memory(env);
}

JNIEXPORT void JNICALL Java_dev_backblas_backend_OpenBlas_weightGradient(JNIEnv* env, jclass, jint in, jint out,
                                                                         jint m, jint from, jint to, jfloat alpha,
                                                                         jfloatArray a_, jint a_offset,
                                                                         jfloatArray delta_, jint delta_offset,
                                                                         jfloat beta, jfloatArray c_, jint c_offset,
                                                                         jfloat gamma, jfloatArray c_bias_,
                                                                         jint c_bias_offset) {
    {
        const Place place(places, needs_place(in, out, m));
        Pinned a(env, a_, a_offset, Pinned::kRead), delta(env, delta_, delta_offset, Pinned::kRead),
            c(env, c_, c_offset, Pinned::kWrite), c_bias(env, c_bias_, c_bias_offset, Pinned::kWrite);
        if (!a.failed() && !delta.failed() && !c.failed() && !c_bias.failed())
            return kernels().weight_gradient(in, out, m, from, to, alpha, a, delta, beta, c, gamma, c_bias);
    }
    throw_out_of_memory(env);
}

}  // extern "C"
