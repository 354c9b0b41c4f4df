package dev.backblas.benchmarks;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** Steps of training on a batch that stays in memory; the row {@code step:samples} is samples per second. */
public class StepBenchmark extends TrainingBenchmark {

    @Param
    public Shape shape;

    /** The most threads that take a step together; small steps take fewer. */
    @Param("1")
    public int threads;

    @Setup(Level.Trial)
    public void setup() {
        begin(shape, threads);
        if (trainer.threads() < threads) tell(trainer.threads() + " thread, as the step is small");
    }

    @Benchmark
    public double step(Counter counter) {
        counter.samples += problem.m();
        return step();
    }
}
