package dev.backblas.backend;

import java.lang.ref.WeakReference;
import java.util.function.Supplier;

/** Memory that each thread has for itself. Held weakly: a thread that lives on must not keep a class loader alive. */
final class ThreadScratch<T> {

    private final ThreadLocal<WeakReference<T>> references = new ThreadLocal<>();
    private final Supplier<T> make;

    ThreadScratch(Supplier<T> make) {
        this.make = make;
    }

    /** The calling thread's own; what it holds is left from the last time. */
    T get() {
        final WeakReference<T> reference = references.get();
        T scratch = reference == null ? null : reference.get();
        if (scratch == null) references.set(new WeakReference<>(scratch = make.get()));
        return scratch;
    }
}
