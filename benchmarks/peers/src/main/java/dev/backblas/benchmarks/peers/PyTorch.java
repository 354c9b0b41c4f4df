package dev.backblas.benchmarks.peers;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.loss.SigmoidBinaryCrossEntropyLoss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import dev.backblas.benchmarks.Contender;
import dev.backblas.benchmarks.Problem;
import java.util.List;

/** PyTorch through DJL; the batch stays in a tensor. */
public final class PyTorch implements Contender {

    private final Problem problem;
    private final Model model;
    private final Trainer trainer;
    private final List<Parameter> parameters; // weights and biases in turn, layer after layer
    private final NDArray x;
    private final NDArray y;
    private float[] outputs;

    public PyTorch(Problem problem, int threads) {
        this.problem = problem;
        System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads));
        System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
        model = Model.newInstance("problem", "PyTorch");
        final SequentialBlock block = block();
        model.setBlock(block);
        trainer = model.newTrainer(new DefaultTrainingConfig(loss()).optOptimizer(
            Optimizer.sgd().setLearningRateTracker(Tracker.fixed(Problem.RATE)).build()));
        final Shape shape = new Shape(problem.m(), problem.layer(1).in());
        trainer.initialize(shape);
        parameters = block.getParameters().values();
        for (int l = 1; l <= problem.depth(); l++) {
            parameters.get(2 * l - 2).getArray().set(problem.weights(l)); // out × in, row by row
            parameters.get(2 * l - 1).getArray().set(problem.biases(l));
        }
        final NDManager manager = trainer.getManager();
        x = manager.create(problem.x(), shape);
        final NDArray target = manager.create(problem.y(), new Shape(problem.m(), problem.layer(problem.depth()).out()));
        y = problem.loss() == dev.backblas.Loss.CROSS_ENTROPY ? target.argMax(1).toType(DataType.INT64, false) : target;
    }

    private SequentialBlock block() {
        final SequentialBlock block = new SequentialBlock();
        for (int l = 1; l <= problem.depth(); l++) {
            block.add(Linear.builder().setUnits(problem.layer(l).out()).build());
            final boolean inLoss = l == problem.depth() && problem.training()
                && problem.loss() != dev.backblas.Loss.SQUARED_ERROR;
            if (inLoss) continue; // the cross-entropies take Z
            switch (problem.layer(l).activation()) {
                case RELU -> block.add(Activation::relu);
                case SIGMOID -> block.add(Activation::sigmoid);
                case SOFTMAX -> block.add(a -> new NDList(a.singletonOrThrow().softmax(1)));
                case IDENTITY -> { }
                default -> throw new IllegalArgumentException("no " + problem.layer(l).activation() + " here");
            }
        }
        return block;
    }

    private Loss loss() {
        if (problem.loss() == dev.backblas.Loss.CROSS_ENTROPY) return Loss.softmaxCrossEntropyLoss();
        if (problem.loss() == dev.backblas.Loss.BINARY_CROSS_ENTROPY) return new SigmoidBinaryCrossEntropyLoss("loss", 1, false);
        // The squared error: DJL's is a mean over the outputs too, ours ½ Σ
        return Loss.l2Loss("loss", 0.5f * problem.layer(problem.depth()).out());
    }

    @Override
    public String description() {
        final Engine engine = Engine.getEngine("PyTorch");
        return "DJL " + Engine.getDjlVersion() + ", " + engine.getEngineName() + " " + engine.getVersion();
    }

    @Override
    public void run() {
        try (NDManager step = trainer.getManager().newSubManager()) {
            x.tempAttach(step);
            y.tempAttach(step);
            if (problem.training()) {
                try (GradientCollector collector = trainer.newGradientCollector()) {
                    final NDList predicted = trainer.forward(new NDList(x));
                    collector.backward(trainer.getLoss().evaluate(new NDList(y), predicted));
                }
                trainer.step();
            } else {
                outputs = trainer.evaluate(new NDList(x)).singletonOrThrow().toFloatArray();
            }
        }
    }

    @Override
    public float[] weights(int l) {
        return parameters.get(2 * l - 2).getArray().toFloatArray();
    }

    @Override
    public float[] biases(int l) {
        return parameters.get(2 * l - 1).getArray().toFloatArray();
    }

    @Override
    public float[] outputs() {
        return outputs;
    }

    @Override
    public void close() {
        trainer.close();
        model.close();
    }
}
