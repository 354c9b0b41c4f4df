package dev.backblas.benchmarks;

import dev.backblas.Network;
import dev.backblas.Trainer;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** Steps of training on a batch that stays in memory; the row {@code step:samples} is samples per second. */
public class StepBenchmark extends BackendBenchmark {

    /** So low that no shape diverges within an iteration. */
    private static final float RATE = 0.01f;

    @Param
    public Shape shape;

    /** The most threads that take a step together; small steps take fewer. */
    @Param("1")
    public int threads;

    private Network first;
    private Trainer trainer;
    private float[] x;
    private float[] y;

    @Setup(Level.Trial)
    public void setup() {
        first = shape.network(backend());
        final int m = shape.batch();
        x = new float[first.inputs() * m];
        y = new float[first.outputs() * m];
        final Reference reference = new Reference(first);
        final Random random = new Random(1);
        for (int j = 0; j < m; j++) {
            do shape.drawInput(random, x, j);
            while (reference.isAtKink(x, j));
            shape.drawTarget(random, y, j);
        }
        trainer = Trainer.of(first.copy(), shape.loss()).rate(RATE).batch(m).threads(threads).build();
        if (trainer.threads() < threads) tell(trainer.threads() + " thread, as the step is small");
        trainer.step(x, y, m);
        reference.checkStep(shape.loss(), RATE, x, y, m, trainer.network());
    }

    /** Every iteration trains the same network on the same samples. */
    @Setup(Level.Iteration)
    public void reset() {
        System.arraycopy(first.parameters(), 0, trainer.network().parameters(), 0, first.parameters().length);
    }

    @Benchmark
    public double step(Counter counter) {
        counter.samples += shape.batch();
        return trainer.step(x, y, shape.batch());
    }

    @TearDown
    public void close() {
        trainer.close();
    }
}
