package dev.backblas.benchmarks;

import dev.backblas.Trainer;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What the benchmarks of training share: a trainer, whose first step is compared with the reference. */
public abstract class TrainingBenchmark extends BackendBenchmark {

    Problem problem;
    Trainer trainer;

    final void begin(Shape shape, int threads) {
        problem = new Problem(Workload.valueOf(shape.name()));
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

    @TearDown
    public void close() {
        trainer.close();
    }
}
