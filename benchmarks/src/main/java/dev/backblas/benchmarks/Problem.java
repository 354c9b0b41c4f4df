package dev.backblas.benchmarks;

import dev.backblas.Layer;
import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.backend.Backend;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.function.IntFunction;

/** A batch of a shape and its first weights, the same for every contender. */
public final class Problem {

    /** η: so low that no shape diverges while it is measured. */
    public static final float RATE = 0.01f;

    private final Shape shape;
    private final int m;
    private final boolean training;
    private final Network first;
    private final Reference reference;
    private final float[] x; // inputs × m
    private final float[] y; // outputs × m

    public Problem(Workload workload) {
        this(workload.shape(), workload.batch(), workload.training());
    }

    /**
     * A problem that is no workload's.
     *
     * @param m        the samples of the batch
     * @param training whether a step is to be taken on them; else they are predicted
     */
    Problem(Shape shape, int m, boolean training) {
        this.shape = shape;
        this.m = m;
        this.training = training;
        first = shape.network(Backend.pureJava());
        reference = new Reference(first);
        x = new float[first.inputs() * m];
        y = new float[first.outputs() * m];
        final Random random = new Random(1);
        for (int j = 0; j < m; j++) {
            do shape.drawInput(random, x, j);
            while (reference.isAtKink(x, j));
            shape.drawTarget(random, y, j);
        }
    }

    Shape shape() {
        return shape;
    }

    /** Whether it is to be trained; else to be predicted. */
    public boolean training() {
        return training;
    }

    /** The samples of the batch. */
    public int m() {
        return m;
    }

    /** X, inputs × m: sample after sample. */
    public float[] x() {
        return x;
    }

    /** Y, outputs × m. */
    public float[] y() {
        return y;
    }

    /** To be taken as the mean over the batch. */
    public Loss loss() {
        return shape.loss();
    }

    /** L, the number of layers that have weights. */
    public int depth() {
        return first.depth();
    }

    /** Layer l of 1 … L. */
    public Layer layer(int l) {
        return first.layer(l);
    }

    /** Wˡ at first, in × out: the weights into a unit side by side. A copy. */
    public float[] weights(int l) {
        return array(first.weights(l));
    }

    /** bˡ at first. A copy. */
    public float[] biases(int l) {
        return array(first.biases(l));
    }

    static float[] array(FloatBuffer view) {
        final float[] copy = new float[view.remaining()];
        view.get(copy);
        return copy;
    }

    /** A fresh network of the first weights. */
    Network network(Backend backend) {
        return shape.network(backend);
    }

    /** Sets a network of this shape back to the first weights. */
    void reset(Network network) {
        System.arraycopy(first.parameters(), 0, network.parameters(), 0, first.parameters().length);
    }

    /** Lets a contender that has not run yet run once, and asserts that it did what the equations say. */
    public void check(Contender contender) {
        contender.run();
        if (training)
            checkStep(l -> FloatBuffer.wrap(contender.weights(l)), l -> FloatBuffer.wrap(contender.biases(l)));
        else reference.checkPrediction(x, m, contender.outputs());
    }

    /** Asserts that these are W and b after the first step. */
    void checkStep(IntFunction<FloatBuffer> weights, IntFunction<FloatBuffer> biases) {
        reference.checkStep(loss(), RATE, x, y, m, weights, biases);
    }
}
