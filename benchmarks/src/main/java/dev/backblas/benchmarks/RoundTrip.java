package dev.backblas.benchmarks;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * How long a cache line takes from one thread to another and back: 50 to 60 ns where their processors share a level-3 cache, 200
 * to 550 where not (Zen 5). A host may move those of a virtual machine from the one to the other; what two threads do together
 * is then up to a fifth slower.
 */
final class RoundTrip {

    private static final int TIMES = 20_000;

    private RoundTrip() {}

    /** {@return ns; NaN where there is one processor} */
    static double nanos() {
        if (Runtime.getRuntime().availableProcessors() < 2) return Double.NaN;
        final AtomicInteger line = new AtomicInteger();
        final Thread other = new Thread(() -> {
            for (int i = 0; i < TIMES; i++) pass(line, 2 * i + 1);
        });
        other.start();
        pass(line, 0); // it has begun when this comes back
        final long start = System.nanoTime();
        for (int i = 1; i < TIMES; i++) pass(line, 2 * i);
        final long end = System.nanoTime();
        try {
            other.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return (end - start) / (TIMES - 1.0);
    }

    /** Waits for its turn and gives it to the other. */
    private static void pass(AtomicInteger line, int turn) {
        while (line.get() != turn) Thread.onSpinWait();
        line.set(turn + 1);
    }
}
