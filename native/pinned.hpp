// A Java array pinned for the length of a scope, without a copy. While one lives, no other JNI call may be made.
#pragma once

#include <jni.h>

template <class Value>
class Pinned {
   public:
    // A null array stays a null pointer.
    Pinned(JNIEnv* env, jarray array, bool written) : env_(env), array_(array), mode_(written ? 0 : JNI_ABORT) {
        if (array != nullptr) start_ = static_cast<Value*>(env->GetPrimitiveArrayCritical(array, nullptr));
    }

    ~Pinned() {
        if (start_ != nullptr) env_->ReleasePrimitiveArrayCritical(array_, start_, mode_);
    }

    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

    // A virtual machine that has to copy may find no memory for it; the kernel must then not run.
    bool failed() const { return array_ != nullptr && start_ == nullptr; }

    operator Value*() const { return start_; }

   private:
    JNIEnv* env_;
    jarray array_;
    jint mode_;
    Value* start_ = nullptr;
};

using PinnedFloats = Pinned<float>;
