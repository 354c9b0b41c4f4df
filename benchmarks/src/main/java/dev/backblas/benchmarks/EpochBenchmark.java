package dev.backblas.benchmarks;

import dev.backblas.Dataset;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** Epochs over shuffled mini-batches; the row {@code epoch:samples} is samples per second. */
public class EpochBenchmark extends TrainingBenchmark {

    @Param("W4")
    public Shape shape;

    @Param({"1024", "2048", "4096", "20000"})
    public int size;

    /** The most threads that are at work; for a narrow network two: one takes the steps, and one brings the samples. */
    @Param({"1", "2"})
    public int threads;

    private Dataset data;

    @Setup(Level.Trial)
    public void setup() {
        begin(shape, threads);
        data = shape.samples(size);
    }

    @Benchmark
    public double epoch(Counter counter) {
        counter.samples += size;
        return trainer.epoch(data);
    }
}
