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
 * waits for a thread that is asleep or has lost its processor to another process, unless it lost it amid a part. Where the
 * others are held up again and again, it tries whether it is faster alone, all parts one after the other.
 */
final class Team implements AutoCloseable {

    /**
     * Whoever waits spins briefly, then yields, then parks. A step lasts tens of microseconds: to park between its tasks would
     * cost more than the step; to spin only would take the processor from the very thread that is waited for.
     */
    private static final int SPINS = 2000; // 5 to 50 µs
    private static final int YIELDS = 20;

    /** So many ns of {@link #run}, and rounds, are timed together: the rounds of a step are not equally long. */
    private static final long TIMED = 10_000_000;
    private static final int ROUNDS = 16;
    /** So often in a row others are held up before it matters: a host takes 10 to 30 ms to wake a processor that was idle. */
    private static final int AGAIN = 5;
    /**
     * The others are held up where a round takes so much longer than a part, as a share of what it would alone. (Undisturbed 0.1;
     * 64-[256×6]-1 by two threads, while another process burns one of two cores: 0.7, and 0.8 to 0.9 of the speed of one thread.)
     */
    private static final double HELD_UP = 0.25;

    private final int size;
    private final AtomicIntegerArray taken; // the latest round in which part i was begun; APART ints from part to part
    private final AtomicInteger done = new AtomicInteger(); // parts of this round
    private final AtomicReferenceArray<@Nullable Thread> sleepers;
    private volatile int round;
    private volatile boolean closed;
    // What a round is about; written before it begins and read by who has taken a part of it, so it lasts as long as the round
    private @Nullable IntConsumer task;
    private volatile @Nullable Throwable failure;
    // Whether the caller does all parts, and what it goes by
    private boolean alone;
    private final Trial trial = new Trial(); // of the others' help
    private int heldUp; // so often in a row, until now
    private int rounds; // since it was judged
    private long spent, ownPart; // in these, ns

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
        final long began = System.nanoTime();
        if (alone) {
            for (int part = 0; part < size; part++) take(task, part);
        } else {
            start(task);
            final int parts = takeParts(0, round);
            ownPart += (System.nanoTime() - began) / Math.max(1, parts);
            await();
        }
        spent += System.nanoTime() - began;
        if (++rounds >= ROUNDS && spent >= TIMED) judge();
        rethrow();
    }

    /** To the results it makes no difference who does a part. */
    private void judge() {
        if (!alone) heldUp = spent > ownPart * (1 + HELD_UP * (size - 1)) ? heldUp + 1 : 0;
        if (heldUp >= AGAIN) trial.took(!alone, (double) spent / rounds);
        alone = heldUp >= AGAIN && !trial.next();
        rounds = 0;
        spent = ownPart = 0;
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
        takeParts(0, round);
        await();
        rethrow();
    }

    private void await() {
        final int now = round;
        for (int turns = 0; done.get() < size; turns++) pause(0, turns, now);
        task = null; // whoever forgets to close a team keeps nothing else
    }

    private void rethrow() {
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

    /** Does part t, then every other that nobody has begun: how many. A helper that comes too late finds all parts taken. */
    private int takeParts(int t, int now) {
        int parts = 0;
        for (int i = 0; i < size; i++) {
            final int part = (t + i) % size;
            if (taken.get(part * APART) != now - 1 || !taken.compareAndSet(part * APART, now - 1, now)) continue;
            take(task, part);
            parts++;
            if (done.incrementAndGet() == size) wake(0);
        }
        return parts;
    }

    private void take(IntConsumer task, int part) {
        try {
            task.accept(part);
        } catch (Throwable e) {
            failure = e;
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
