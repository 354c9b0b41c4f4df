package dev.backblas.benchmarks;

import dev.backblas.Dataset;
import dev.backblas.Trainer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** Epochs over shuffled mini-batches; the row {@code epoch:samples} is samples per second. */
public class EpochBenchmark extends BackendBenchmark {

    @Param("W4")
    public Shape shape;

    @Param({"1024", "2048", "4096", "20000"})
    public int size;

    /** The most threads that are at work; for a narrow network two: one takes the steps, and one brings the samples. */
    @Param({"1", "2"})
    public int threads;

    private Problem problem;
    private Dataset data;
    private Trainer trainer;

    @Setup(Level.Trial)
    public void setup() {
        problem = new Problem(Workload.valueOf(shape.name()));
        data = shape.samples(size);
        trainer = Trainer.of(problem.network(backend()), shape.loss()).rate(Problem.RATE).batch(shape.batch()).threads(threads)
            .build();
        trainer.step(problem.x(), problem.y(), shape.batch());
        problem.checkStep(trainer.network()::weights, trainer.network()::biases);
    }

    /** Every iteration trains the same network. */
    @Setup(Level.Iteration)
    public void reset() {
        problem.reset(trainer.network());
    }

    @Benchmark
    public double epoch(Counter counter) {
        counter.samples += size;
        return trainer.epoch(data);
    }

    @TearDown
    public void close() {
        trainer.close();
    }
}
