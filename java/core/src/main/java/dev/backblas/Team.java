package dev.backblas;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A fixed set of threads that works on one task together, meeting at barriers; the caller is one of them. */
final class Team implements AutoCloseable {

    private final int size;
    private final Barrier gate; // between tasks
    private final Barrier step; // inside a task
    private volatile @Nullable IntConsumer task; // null ends the threads
    private volatile @Nullable Throwable failure;

    /** {@code size} threads, the caller counted; the others are daemons and start now. */
    Team(int size) {
        this.size = size;
        gate = new Barrier(size);
        step = new Barrier(size);
        for (int t = 1; t < size; t++) {
            final int index = t;
            final Thread thread = new Thread(() -> work(index), "backblas-" + t);
            thread.setDaemon(true);
            try {
                thread.start();
            } catch (OutOfMemoryError noMoreThreads) {
                gate.breakUp(); // those that run already end
                throw noMoreThreads;
            }
        }
    }

    int size() {
        return size;
    }

    /** Runs {@code task} with 0 … size − 1, one on each thread; returns when all are done, and throws what one of them threw. */
    void run(IntConsumer task) {
        if (size == 1) {
            task.accept(0);
            return;
        }
        this.task = task;
        gate.await(0);
        attempt(task, 0);
        gate.await(0);
        final Throwable thrown = failure;
        if (thrown == null) return;
        failure = null;
        step.reset();
        if (thrown instanceof RuntimeException e) throw e;
        if (thrown instanceof Error e) throw e;
        throw new IllegalStateException(thrown); // cannot be: a task declares no checked exception
    }

    /** For use inside a task, by thread t: waits until every thread is here. What each wrote before is then seen by all. */
    void barrier(int t) {
        if (size > 1 && !step.await(t)) throw new Abandoned();
    }

    /** Ends the threads. */
    @Override
    public void close() {
        task = null;
        if (size > 1) gate.await(0);
    }

    private void work(int t) {
        while (gate.await(t)) {
            final IntConsumer task = this.task;
            if (task == null) return;
            attempt(task, t);
            gate.await(t);
        }
    }

    private void attempt(IntConsumer task, int t) {
        try {
            task.accept(t);
        } catch (Abandoned another) {
            // the thread that failed has left its own exception
        } catch (Throwable e) {
            failure = e;
            step.breakUp();
        }
    }

    /** Leaves a task in which another thread has failed. */
    private static final class Abandoned extends RuntimeException {
        private static final long serialVersionUID = 1;

        Abandoned() {
            super(null, null, false, false);
        }
    }

    /**
     * Whoever waits here spins briefly, then yields, then parks. A training step lasts tens of microseconds: to park at every
     * barrier would cost more than the step; to spin only would stall when another process takes a core.
     */
    private static final class Barrier {

        /** 1 to 10 µs. */
        private static final int SPINS = 200;
        private static final int YIELDS = 50;

        private final int size;
        private final AtomicInteger arrived = new AtomicInteger();
        private final AtomicReferenceArray<@Nullable Thread> sleepers;
        private volatile int generation;
        private volatile boolean broken;

        Barrier(int size) {
            this.size = size;
            sleepers = new AtomicReferenceArray<>(size);
        }

        /** Returns false if the barrier broke before all were here. */
        boolean await(int t) {
            final int mine = generation;
            if (arrived.incrementAndGet() == size) {
                arrived.set(0);
                generation = mine + 1;
                wakeAll();
                return true;
            }
            for (int turns = 0; generation == mine && !broken; turns++) {
                if (turns < SPINS) Thread.onSpinWait();
                else if (turns < SPINS + YIELDS) Thread.yield();
                else {
                    sleepers.set(t, Thread.currentThread());
                    if (generation == mine && !broken) LockSupport.park(this);
                    sleepers.set(t, null);
                }
            }
            return generation != mine;
        }

        void breakUp() {
            broken = true;
            wakeAll();
        }

        /** To be called when nobody is inside. */
        void reset() {
            broken = false;
            arrived.set(0);
        }

        private void wakeAll() {
            for (int t = 0; t < size; t++) {
                final Thread sleeper = sleepers.get(t);
                if (sleeper != null) LockSupport.unpark(sleeper);
            }
        }
    }
}
