package dev.backblas.benchmarks;

import dev.backblas.Trainer;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** What the benchmarks of training share: a trainer, whose first step is compared with the reference. */
public abstract class TrainingBenchmark extends BackendBenchmark {

    /** The samples of a step; 0: as many as the shape is measured with elsewhere. */
    @Param("0")
    public int batch;

    Problem problem;
    Trainer trainer;

    final void begin(Shape shape, int threads) {
        problem = new Problem(shape, batch > 0 ? batch : shape.batch(), true);
        trainer = Trainer.of(problem.network(backend()), shape.loss()).rate(Problem.RATE).batch(problem.m()).threads(threads)
            .build();
        step();
        problem.checkStep(trainer.network()::weights, trainer.network()::biases);
    }

    final double step() {
        return trainer.step(problem.x(), problem.y(), problem.m());
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
