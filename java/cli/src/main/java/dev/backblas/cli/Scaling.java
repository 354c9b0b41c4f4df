package dev.backblas.cli;

import dev.backblas.Network;
import java.util.Arrays;

/**
 * x' = (x − mean) / deviation, column by column, learned from the training rows.
 *
 * <p>A trained network takes it over ({@link #foldIntoInputs}, {@link #foldIntoOutputs}): the model that is written works on
 * the numbers as they stand in the file.
 */
record Scaling(double[] mean, double[] deviation) {

    /** Mean 0 and deviation 1 for each column; one that never changes, up to the rounding of a float, becomes 0. */
    static Scaling standardizing(float[] x, int columns) {
        final int rows = x.length / columns;
        final double[] mean = new double[columns], deviation = new double[columns];
        for (int i = 0; i < x.length; i++) mean[i % columns] += x[i] / (double) rows;
        for (int i = 0; i < x.length; i++) deviation[i % columns] += Math.pow(x[i] - mean[i % columns], 2) / rows;
        for (int c = 0; c < columns; c++) {
            deviation[c] = Math.sqrt(deviation[c]);
            if (!(deviation[c] > 1e-6 * Math.abs(mean[c]))) deviation[c] = Double.POSITIVE_INFINITY;
            else if (!(deviation[c] > 1e-30 && deviation[c] < 1e30))
                throw new IllegalArgumentException(
                    "column " + c + " varies by " + deviation[c] + "; expected 1e-30 to 1e30: change its unit");
        }
        return new Scaling(mean, deviation);
    }

    /** x' = x / unit for every column. */
    static Scaling by(double unit, int columns) {
        final double[] deviation = new double[columns];
        Arrays.fill(deviation, unit);
        return new Scaling(new double[columns], deviation);
    }

    float[] apply(float[] x) {
        final int columns = mean.length;
        final float[] scaled = new float[x.length];
        for (int i = 0; i < x.length; i++) scaled[i] = (float) ((x[i] - mean[i % columns]) / deviation[i % columns]);
        return scaled;
    }

    /** Wᵀx' + b = (W/d)ᵀx + (b − (W/d)ᵀmean), in the first layer. */
    void foldIntoInputs(Network network) {
        final float[] theta = network.parameters();
        final int in = network.inputs(), w = network.weightsOffset(1), b = network.biasesOffset(1);
        for (int k = 0; k < network.layer(1).out(); k++) {
            double shift = 0;
            for (int i = 0; i < in; i++) {
                final double scaled = theta[w + k * in + i] / deviation[i];
                shift += scaled * mean[i];
                theta[w + k * in + i] = (float) scaled;
            }
            theta[b + k] -= (float) shift;
        }
    }

    /** y = d (Wᵀa + b) + mean, in the last layer, whose activation must be the identity. */
    void foldIntoOutputs(Network network) {
        final float[] theta = network.parameters();
        final int L = network.depth(), in = network.layer(L).in(), w = network.weightsOffset(L), b = network.biasesOffset(L);
        for (int k = 0; k < network.outputs(); k++) {
            for (int i = 0; i < in; i++) theta[w + k * in + i] *= (float) deviation[k];
            theta[b + k] = (float) (theta[b + k] * deviation[k] + mean[k]);
        }
    }
}
