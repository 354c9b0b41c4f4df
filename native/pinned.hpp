// A Java float[] pinned for the length of a scope, without a copy. While one lives, no other JNI call may be made.
#pragma once

#include <jni.h>

class Pinned {
   public:
    enum Access : jint { kRead = JNI_ABORT, kWrite = 0 };

    // A null array stays a null pointer: an absent bias.
    Pinned(JNIEnv* env, jfloatArray array, jint offset, Access access)
        : env_(env), array_(array), offset_(offset), access_(access) {
        if (array != nullptr) start_ = static_cast<float*>(env->GetPrimitiveArrayCritical(array, nullptr));
    }

    ~Pinned() {
        if (start_ != nullptr) env_->ReleasePrimitiveArrayCritical(array_, start_, access_);
    }

    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

    // A virtual machine that has to copy may find no memory for it; the kernel must then not run.
    bool failed() const { return array_ != nullptr && start_ == nullptr; }

    operator float*() const { return start_ == nullptr ? nullptr : start_ + offset_; }

   private:
    JNIEnv* env_;
    jfloatArray array_;
    jint offset_;
    Access access_;
    float* start_ = nullptr;
};
