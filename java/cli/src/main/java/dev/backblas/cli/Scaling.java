package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.Network;
import dev.backblas.Scaler;
import java.util.Arrays;

/** x' = (x − mean) / deviation, column by column, learned from the training rows; the deviation of a constant is infinite. */
record Scaling(double[] mean, double[] deviation) {

    /** What is learned of columns, sample after sample, by B. P. Welford's recurrence. */
    private static final class Learner {
        private final double[] mean, squares;
        private long samples;

        Learner(int columns) {
            mean = new double[columns];
            squares = new double[columns];
        }

        void add(float[] values) {
            samples++;
            for (int c = 0; c < mean.length; c++) {
                final double distance = values[c] - mean[c];
                mean[c] += distance / samples;
                squares[c] += distance * (values[c] - mean[c]);
            }
        }

        /** A column that never changes, up to the rounding of a float, becomes 0. */
        Scaling scaling() {
            final double[] deviation = new double[mean.length];
            for (int c = 0; c < mean.length; c++) {
                deviation[c] = Math.sqrt(squares[c] / samples);
                if (!(deviation[c] > 1e-6 * Math.abs(mean[c]))) deviation[c] = Double.POSITIVE_INFINITY;
                else if (!(deviation[c] > 1e-30 && deviation[c] < 1e30))
                    throw new IllegalArgumentException(
                        "column " + c + " varies by " + deviation[c] + "; expected 1e-30 to 1e30: change its unit");
            }
            return new Scaling(mean, deviation);
        }
    }

    /** Of inputs and of targets: mean 0 and deviation 1 for each column. */
    static Scaling[] standardizing(Dataset data) {
        final Learner inputs = new Learner(data.inputs()), targets = new Learner(data.outputs());
        final float[] x = new float[data.inputs()], y = new float[data.outputs()];
        for (int i = 0; i < data.size(); i++) {
            data.copy(i, x, 0, y, 0);
            inputs.add(x);
            targets.add(y);
        }
        return new Scaling[] {inputs.scaling(), targets.scaling()};
    }

    /** x' = x / unit for every column. */
    static Scaling by(double unit, int columns) {
        final double[] deviation = new double[columns];
        Arrays.fill(deviation, unit);
        return new Scaling(new double[columns], deviation);
    }

    boolean isConstant() {
        return Arrays.stream(deviation).allMatch(Double::isInfinite);
    }

    void apply(float[] x, int offset) {
        for (int c = 0; c < mean.length; c++) x[offset + c] = (float) ((x[offset + c] - mean[c]) / deviation[c]);
    }

    /** The same, as a model keeps it. */
    Scaler scaler() {
        final float[] centre = new float[mean.length], spread = new float[mean.length];
        for (int c = 0; c < mean.length; c++) {
            centre[c] = (float) mean[c];
            spread[c] = (float) deviation[c];
        }
        return Scaler.of(centre, spread);
    }

    /** Wᵀx' + b = (W/d)ᵀx + (b − (W/d)ᵀmean), in the first layer: the network then takes x. */
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
}
