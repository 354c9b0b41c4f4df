package dev.backblas.benchmarks;

import dev.backblas.Trainer;

/** The batch of a problem, several times side by side, as a training set lies in memory: several steps are taken a call. */
final class Batches {

    /**
     * 256 KB: in the level-2 cache, as some training sets are; and so many that the call costs little beside the steps (two of W3
     * a call take 1.05 times as long as eight).
     */
    private static final int FLOATS = 65536;

    private static final int MOST = 256;

    private final Trainer trainer;
    private final int m;
    private final int copies;
    private final float[] x; // inputs × m · copies
    private final float[] y; // outputs × m · copies

    Batches(Problem problem, Trainer trainer) {
        this.trainer = trainer;
        m = problem.m();
        copies = Math.max(1, Math.min(MOST, FLOATS / (problem.x().length + problem.y().length)));
        x = repeated(problem.x(), copies);
        y = repeated(problem.y(), copies);
    }

    private static float[] repeated(float[] values, int times) {
        final float[] all = new float[values.length * times];
        for (int i = 0; i < times; i++) System.arraycopy(values, 0, all, i * values.length, values.length);
        return all;
    }

    /** Takes so many steps on the batch. */
    void steps(int times) {
        for (int done = 0, count; done < times; done += count) {
            count = Math.min(copies, times - done);
            trainer.steps(x, y, count * m);
        }
    }
}
