package dev.backblas.benchmarks;

import dev.backblas.Trainer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** Steps of training on a batch that stays in memory; the row {@code step:samples} is samples per second. */
public class StepBenchmark extends BackendBenchmark {

    @Param
    public Shape shape;

    /** The most threads that take a step together; small steps take fewer. */
    @Param("1")
    public int threads;

    private Problem problem;
    private Trainer trainer;

    @Setup(Level.Trial)
    public void setup() {
        problem = new Problem(Workload.valueOf(shape.name()));
        trainer = Trainer.of(problem.network(backend()), shape.loss()).rate(Problem.RATE).batch(shape.batch()).threads(threads)
            .build();
        if (trainer.threads() < threads) tell(trainer.threads() + " thread, as the step is small");
        trainer.step(problem.x(), problem.y(), shape.batch());
        problem.checkStep(trainer.network()::weights, trainer.network()::biases);
    }

    /** Every iteration trains the same network on the same samples. */
    @Setup(Level.Iteration)
    public void reset() {
        problem.reset(trainer.network());
    }

    @Benchmark
    public double step(Counter counter) {
        counter.samples += shape.batch();
        return trainer.step(problem.x(), problem.y(), shape.batch());
    }

    @TearDown
    public void close() {
        trainer.close();
    }
}
