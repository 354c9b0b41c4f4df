// So many threads may be inside at once; the others wait outside, in no order.
#pragma once

#include <pthread.h>

#include <atomic>

namespace backblas {

class Places {
 public:
    // To be called while nobody is inside.
    void limit(int places) { free_ = places; }

    void enter() {
        if (take()) return;
        pthread_mutex_lock(&mutex_);
        waiting_++;  // before it looks again: who leaves frees a place first, and looks for somebody waiting then
        while (!take()) pthread_cond_wait(&left_, &mutex_);
        waiting_--;
        pthread_mutex_unlock(&mutex_);
    }

    void leave() {
        free_++;
        if (waiting_ == 0) return;
        pthread_mutex_lock(&mutex_);
        pthread_cond_signal(&left_);
        pthread_mutex_unlock(&mutex_);
    }

 private:
    bool take() {
        int n = free_;
        while (n > 0)
            if (free_.compare_exchange_weak(n, n - 1)) return true;
        return false;
    }

    std::atomic<int> free_{1};
    std::atomic<int> waiting_{0};
    // Not std::condition_variable: its destructor, at the end of the process, would wait for those who wait here.
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t left_ = PTHREAD_COND_INITIALIZER;
};

// A place for the length of a scope, if one is needed.
class Place {
 public:
    Place(Places& places, bool needed) : places_(needed ? &places : nullptr) {
        if (places_ != nullptr) places_->enter();
    }
    ~Place() {
        if (places_ != nullptr) places_->leave();
    }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;

 private:
    Places* places_;
};

}  // namespace backblas
