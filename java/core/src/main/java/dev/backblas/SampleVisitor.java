package dev.backblas;

import java.io.IOException;
import java.util.Arrays;

/** Sees the samples that an estimator is to learn from, one after the other, before the training. */
@FunctionalInterface
interface SampleVisitor {

    /** Samples of a stream that are read together. */
    int AT_A_TIME = 256;

    /** Sees one sample: inputs and targets from their offsets. */
    void sample(long row, float[] x, int xOffset, float[] y, int yOffset, float weight);

    /**
     * Visits all samples.
     *
     * @throws IllegalArgumentException if there is none, none counts, or a value or a weight is not what it should be, with its
     *                                  row and column
     */
    default void visit(String operation, Dataset data) {
        final float[] x = new float[data.inputs()], y = new float[data.outputs()];
        double total = 0;
        for (int i = 0; i < data.size(); i++) {
            data.copy(i, x, 0, y, 0);
            total += visit(operation, i, x, 0, x.length, y, 0, y.length, data.weight(i));
        }
        requireSamples(operation, data.size(), total);
    }

    /** As {@link #visit(String, Dataset)}. */
    default void visit(String operation, SampleStream stream) throws IOException {
        final int in = stream.inputs(), out = stream.outputs();
        final float[] x = new float[Backpropagation.matrix(in, AT_A_TIME)], y = new float[Backpropagation.matrix(out, AT_A_TIME)];
        final float[] weights = new float[AT_A_TIME];
        long row = 0;
        double total = 0;
        try (SampleStream.Cursor cursor = stream.open()) {
            while (true) {
                Arrays.fill(weights, 1);
                final int m = cursor.read(x, y, weights, 0, AT_A_TIME);
                if (m == 0) break;
                for (int j = 0; j < m; j++) total += visit(operation, row++, x, j * in, in, y, j * out, out, weights[j]);
            }
        }
        requireSamples(operation, row, total);
    }

    private float visit(String operation, long row, float[] x, int xOffset, int in, float[] y, int yOffset, int out,
                        float weight) {
        Samples.requireFinite(operation, "x", x, xOffset, 1, in, row);
        Samples.requireFinite(operation, "y", y, yOffset, 1, out, row);
        if (!(weight >= 0) || !Float.isFinite(weight))
            throw new IllegalArgumentException(
                operation + ": the weight of row " + row + " is " + weight + "; expected a finite number, 0 or more");
        sample(row, x, xOffset, y, yOffset, weight);
        return weight;
    }

    private static void requireSamples(String operation, long samples, double weights) {
        if (samples < 1) throw new IllegalArgumentException(operation + ": there is no sample; expected 1 or more");
        if (weights == 0)
            throw new IllegalArgumentException(operation + ": every sample has the weight 0; expected one above 0 at least");
    }
}
