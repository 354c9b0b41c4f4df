package dev.backblas;

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
    /** After so many, it looks for parts that nobody has begun: the others are about to, and to look earlier would delay them. */
    private static final int PATIENCE = 100;

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
    // The latest round in which part t was begun, and done, each in a cache line of its own: it takes up to half a microsecond
    // until one processor sees what another has written, and longer if that has to get the line back first
    private final AtomicIntegerArray begun, done;
    private final AtomicReferenceArray<@Nullable Thread> sleepers;
    private final Pace pace;
    // What a round is about; written before it begins and read by who has begun a part of it, so it lasts as long as the round
    private volatile int round;
    private @Nullable IntConsumer task;
    private volatile boolean closed;
    private volatile @Nullable Throwable failure;

    /** Two cache lines of ints. */
    private static final int APART = 32;

    /** Whether the caller does all parts, and what it goes by. */
    private static final class Pace {
        boolean alone;
        private final Trial trial = new Trial(); // of the others' help
        private int heldUp; // so often in a row, until now
        private int rounds; // since it was judged
        private long spent, parts; // in these, ns; and in the caller's parts

        /** A round took so many ns, and the caller's first part. To the results it makes no difference who does a part. */
        void took(int size, long round, long part) {
            spent += round;
            parts += part;
            if (++rounds < ROUNDS || spent < TIMED) return;
            if (!alone) heldUp = spent > parts * (1 + HELD_UP * (size - 1)) ? heldUp + 1 : 0;
            if (heldUp >= AGAIN) trial.took(!alone, (double) spent / rounds);
            alone = heldUp >= AGAIN && !trial.next();
            rounds = 0;
            spent = parts = 0;
        }
    }

    /** {@code size} threads, the caller counted; the others are daemons and start now. */
    Team(int size) {
        this.size = size;
        begun = new AtomicIntegerArray(at(size));
        done = new AtomicIntegerArray(at(size));
        sleepers = new AtomicReferenceArray<>(size);
        pace = new Pace();
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
        final long before = System.nanoTime();
        long after = before; // the first part
        if (pace.alone) {
            for (int part = 0; part < size; part++) take(task, part);
        } else {
            begun.setPlain(at(0), round + 1); // nobody else can begin it yet
            start(task);
            take(task, 0);
            done.setRelease(at(0), round);
            after = System.nanoTime();
            await();
        }
        pace.took(size, System.nanoTime() - before, after - before);
        rethrow();
    }

    /**
     * The first half of {@link #run}: the others begin, and the caller may do something else until it finishes, but not write
     * what the task reads.
     */
    void start(IntConsumer task) {
        this.task = task;
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
        for (int turns = 0; !isDone(now); turns++) pause(0, turns, now);
        task = null; // whoever forgets to close a team keeps nothing else
    }

    private boolean isDone(int now) {
        for (int part = 0; part < size; part++) if (done.get(at(part)) != now) return false;
        return true;
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
            takePart(t, seen);
        }
    }

    /** Does every part that nobody has begun. */
    private void takeParts(int t, int now) {
        for (int i = 0; i < size; i++) takePart((t + i) % size, now);
    }

    /** Does the part, if nobody has begun it. A helper that comes too late finds that somebody has. */
    private void takePart(int part, int now) {
        if (begun.get(at(part)) != now - 1 || !begun.compareAndSet(at(part), now - 1, now)) return;
        take(task, part);
        done.set(at(part), now);
        wake(0);
    }

    private static int at(int part) {
        return (part + 1) * APART; // what begins the array, its length, stays apart
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
        if (turns == PATIENCE) takeParts(t, now);
        else if (turns < SPINS) Thread.onSpinWait();
        else if (turns < SPINS + YIELDS) Thread.yield();
        else {
            sleepers.set(t, Thread.currentThread());
            if (t == 0 ? !isDone(now) : round == now && !closed) LockSupport.park(this);
            sleepers.set(t, null);
        }
    }

    private void wake(int t) {
        final Thread sleeper = sleepers.get(t);
        if (sleeper != null) LockSupport.unpark(sleeper);
    }
}
