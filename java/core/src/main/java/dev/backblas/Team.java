package dev.backblas;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A fixed set of threads that does one task after another together, each in as many parts as there are threads; the caller is one
 * of them.
 *
 * <p>Part t is for thread t, which has its data in its cache. But whoever is done takes what nobody has begun: the caller never
 * waits for a thread that is asleep or has lost its processor to another process, unless it lost it amid a part.
 */
final class Team implements AutoCloseable {

    /**
     * Whoever waits spins briefly, then yields, then parks. A step lasts tens of microseconds: to park between its tasks would
     * cost more than the step; to spin only would take the processor from the very thread that is waited for.
     */
    private static final int SPINS = 2000; // 5 to 50 µs
    private static final int YIELDS = 20;

    private final int size;
    private final AtomicIntegerArray taken; // the latest round in which part i was begun; APART ints from part to part
    private final AtomicInteger done = new AtomicInteger(); // parts of this round
    private final AtomicReferenceArray<@Nullable Thread> sleepers;
    private volatile int round;
    private volatile boolean closed;
    // What a round is about; written before it begins and read by who has taken a part of it, so it lasts as long as the round
    private @Nullable IntConsumer task;
    private volatile @Nullable Throwable failure;

    /** Two cache lines of ints. */
    private static final int APART = 32;

    /** {@code size} threads, the caller counted; the others are daemons and start now. */
    Team(int size) {
        this.size = size;
        taken = new AtomicIntegerArray(size * APART);
        sleepers = new AtomicReferenceArray<>(size);
        for (int t = 1; t < size; t++) {
            final int index = t;
            final Thread thread = new Thread(() -> help(index), "backblas-" + t);
            thread.setDaemon(true);
            try {
                thread.start();
            } catch (OutOfMemoryError noMoreThreads) {
                close(); // those that run already end
                throw noMoreThreads;
            }
        }
    }

    int size() {
        return size;
    }

    /**
     * Runs {@code task} with 0 … size − 1, each once; returns when all are done, and throws what one of them threw. What was
     * written before is seen by all of them, and what they wrote is seen by the caller.
     */
    void run(IntConsumer task) {
        if (size == 1) {
            task.accept(0);
            return;
        }
        start(task);
        finish();
    }

    /**
     * The first half of {@link #run}: the others begin, and the caller may do something else until it finishes, but not write
     * what the task reads.
     */
    void start(IntConsumer task) {
        this.task = task;
        done.set(0);
        round++; // only the caller writes it
        for (int t = 1; t < size; t++) wake(t);
    }

    /** The second half: the caller does what nobody has begun, and returns when all is done. */
    void finish() {
        final int now = round;
        takeParts(0, now);
        for (int turns = 0; done.get() < size; turns++) pause(0, turns, now);
        task = null; // whoever forgets to close a team keeps nothing else
        final Throwable thrown = failure;
        if (thrown == null) return;
        failure = null;
        if (thrown instanceof RuntimeException e) throw e;
        if (thrown instanceof Error e) throw e;
        throw new IllegalStateException(thrown); // cannot be: a task declares no checked exception
    }

    /** Ends the threads. */
    @Override
    public void close() {
        closed = true;
        for (int t = 1; t < size; t++) wake(t);
    }

    private void help(int t) {
        int seen = 0;
        while (true) {
            for (int turns = 0; round == seen; turns++) {
                if (closed) return;
                pause(t, turns, seen);
            }
            seen = round;
            takeParts(t, seen);
        }
    }

    /** Does part t, then every other that nobody has begun. A helper that comes too late finds all parts taken. */
    private void takeParts(int t, int now) {
        for (int i = 0; i < size; i++) {
            final int part = (t + i) % size;
            if (taken.get(part * APART) != now - 1 || !taken.compareAndSet(part * APART, now - 1, now)) continue;
            try {
                task.accept(part);
            } catch (Throwable e) {
                failure = e;
            }
            if (done.incrementAndGet() == size) wake(0);
        }
    }

    /** Waits a little; the caller of {@link #run} (t = 0) for the end of its round, the others for the next. */
    private void pause(int t, int turns, int now) {
        if (turns < SPINS) Thread.onSpinWait();
        else if (turns < SPINS + YIELDS) Thread.yield();
        else {
            sleepers.set(t, Thread.currentThread());
            if (t == 0 ? done.get() < size : round == now && !closed) LockSupport.park(this);
            sleepers.set(t, null);
        }
    }

    private void wake(int t) {
        final Thread sleeper = sleepers.get(t);
        if (sleeper != null) LockSupport.unpark(sleeper);
    }
}
