package dev.backblas.benchmarks;

import dev.backblas.Layer;
import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.backend.Backend;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.function.IntFunction;

/** A workload's batch and first weights, the same for every contender. */
public final class Problem {

    /** η: so low that no shape diverges while it is measured. */
    public static final float RATE = 0.01f;

    private final Workload workload;
    private final Network first;
    private final Reference reference;
    private final float[] x; // inputs × m
    private final float[] y; // outputs × m

    public Problem(Workload workload) {
        this.workload = workload;
        first = workload.shape().network(Backend.pureJava());
        reference = new Reference(first);
        final int m = workload.batch();
        x = new float[first.inputs() * m];
        y = new float[first.outputs() * m];
        final Random random = new Random(1);
        for (int j = 0; j < m; j++) {
            do workload.shape().drawInput(random, x, j);
            while (reference.isAtKink(x, j));
            workload.shape().drawTarget(random, y, j);
        }
    }

    public Workload workload() {
        return workload;
    }

    /** The samples of the batch. */
    public int m() {
        return workload.batch();
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
        return workload.shape().loss();
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
        return workload.shape().network(backend);
    }

    /** Sets a network of this shape back to the first weights. */
    void reset(Network network) {
        System.arraycopy(first.parameters(), 0, network.parameters(), 0, first.parameters().length);
    }

    /** Lets a contender that has not run yet run once, and asserts that it did what the equations say. */
    public void check(Contender contender) {
        contender.run();
        if (workload.training())
            checkStep(l -> FloatBuffer.wrap(contender.weights(l)), l -> FloatBuffer.wrap(contender.biases(l)));
        else reference.checkPrediction(x, m(), contender.outputs());
    }

    /** Asserts that these are W and b after the first step. */
    void checkStep(IntFunction<FloatBuffer> weights, IntFunction<FloatBuffer> biases) {
        reference.checkStep(loss(), RATE, x, y, m(), weights, biases);
    }
}
