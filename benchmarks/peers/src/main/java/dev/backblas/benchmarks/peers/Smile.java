package dev.backblas.benchmarks.peers;

import dev.backblas.Layer;
import dev.backblas.benchmarks.Contender;
import dev.backblas.benchmarks.Problem;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import smile.base.mlp.ActivationFunction;
import smile.base.mlp.Cost;
import smile.base.mlp.HiddenLayer;
import smile.base.mlp.LayerBuilder;
import smile.base.mlp.OutputFunction;
import smile.base.mlp.OutputLayer;
import smile.classification.MLP;
import smile.math.TimeFunction;
import smile.math.matrix.Matrix;

/** Smile: it computes in double, a sample at a time, and trains a single output or one of several classes. */
public final class Smile implements Contender {

    private final Problem problem;
    private final double[][] x; // sample after sample
    private final double[] y;
    private final double[][] a; // as predicted
    private final Matrix[] w; // w[l]: out × in
    private final double[][] b;
    private final smile.regression.MLP regression; // to train
    private final MLP classifier; // to predict

    public Smile(Problem problem, int threads) { // of its own it takes one
        this.problem = problem;
        final int L = problem.depth(), outputs = problem.layer(L).out();
        x = rows(problem.x(), problem.layer(1).in());
        y = doubles(problem.y());
        a = new double[problem.m()][outputs];
        w = new Matrix[L + 1];
        b = new double[L + 1][];
        for (int l = 1; l <= L; l++) {
            final Layer layer = problem.layer(l);
            w[l] = Matrix.of(rows(problem.weights(l), layer.in()));
            b[l] = doubles(problem.biases(l));
        }
        final LayerBuilder[] layers = Stream.concat(
            Stream.of(smile.base.mlp.Layer.input(problem.layer(1).in())),
            IntStream.rangeClosed(1, L).mapToObj(this::layer)).toArray(LayerBuilder[]::new);
        regression = problem.training() ? new smile.regression.MLP(layers) : null;
        classifier = problem.training() ? null : new MLP(layers);
        if (regression != null) regression.setLearningRate(TimeFunction.constant(Problem.RATE));
    }

    /** A layer of the problem's first weights. */
    private LayerBuilder layer(int l) {
        final Layer layer = problem.layer(l);
        return new LayerBuilder(layer.out(), 0) {
            @Override
            public smile.base.mlp.Layer build(int inputs) {
                return l == problem.depth() ? new Output(l, layer) : new Hidden(l, layer);
            }
        };
    }

    private final class Hidden extends HiddenLayer {
        private static final long serialVersionUID = 1;

        Hidden(int l, Layer layer) {
            super(layer.out(), layer.in(), 0, switch (layer.activation()) {
                case RELU -> ActivationFunction.rectifier();
                case SIGMOID -> ActivationFunction.sigmoid();
                default -> throw new IllegalArgumentException("no " + layer.activation() + " here");
            });
            weight = w[l];
            bias = b[l];
        }
    }

    private final class Output extends OutputLayer {
        private static final long serialVersionUID = 1;

        Output(int l, Layer layer) {
            super(layer.out(), layer.in(), switch (layer.activation()) {
                case IDENTITY -> OutputFunction.LINEAR;
                case SOFTMAX -> OutputFunction.SOFTMAX;
                default -> throw new IllegalArgumentException("no " + layer.activation() + " here");
            }, problem.training() ? Cost.MEAN_SQUARED_ERROR : Cost.LIKELIHOOD);
            weight = w[l];
            bias = b[l];
        }
    }

    @Override
    public String description() {
        return "Smile " + Matrix.class.getPackage().getImplementationVersion();
    }

    @Override
    public void run() {
        if (regression != null) regression.update(x, y);
        else for (int j = 0; j < x.length; j++) classifier.predict(x[j], a[j]);
    }

    @Override
    public float[] weights(int l) {
        final float[] flat = new float[w[l].nrow() * w[l].ncol()];
        for (int i = 0; i < flat.length; i++) flat[i] = (float) w[l].get(i / w[l].ncol(), i % w[l].ncol());
        return flat;
    }

    @Override
    public float[] biases(int l) {
        return floats(b[l]);
    }

    @Override
    public float[] outputs() {
        return floats(Stream.of(a).flatMapToDouble(Arrays::stream).toArray());
    }

    private static double[][] rows(float[] flat, int columns) {
        final double[][] rows = new double[flat.length / columns][];
        for (int j = 0; j < rows.length; j++) rows[j] = doubles(Arrays.copyOfRange(flat, j * columns, (j + 1) * columns));
        return rows;
    }

    private static double[] doubles(float[] floats) {
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }

    private static float[] floats(double[] doubles) {
        final float[] floats = new float[doubles.length];
        for (int i = 0; i < floats.length; i++) floats[i] = (float) doubles[i];
        return floats;
    }
}
