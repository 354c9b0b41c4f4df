package dev.backblas.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Whether what is claimed to be likely is as often true: counted by tenths of [0, 1], into which a probability falls. */
final class Calibration {

    private static final int BINS = 10;

    private final long[] samples = new long[BINS];
    private final long[] right = new long[BINS];
    private final double[] claimed = new double[BINS]; // the sum of the probabilities

    /**
     * Predictions of like probability.
     *
     * @param claimed the mean of their probabilities
     * @param right   the share that is right
     */
    record Bin(double claimed, double right, long samples) {}

    void add(double probability, boolean isRight) {
        final int bin = (int) Math.max(0, Math.min(BINS - 1, probability * BINS));
        samples[bin]++;
        claimed[bin] += probability;
        if (isRight) right[bin]++;
    }

    /** The mean distance, over all predictions, between the probability claimed and the share that was right. */
    double error() {
        double sum = 0;
        for (int bin = 0; bin < BINS; bin++) sum += Math.abs(claimed[bin] - right[bin]);
        return sum / Arrays.stream(samples).sum();
    }

    /** How many predictions each tenth has. */
    long[] samples() {
        return samples.clone();
    }

    /** Those that are not empty. */
    List<Bin> bins() {
        final List<Bin> bins = new ArrayList<>();
        for (int bin = 0; bin < BINS; bin++)
            if (samples[bin] > 0)
                bins.add(new Bin(claimed[bin] / samples[bin], (double) right[bin] / samples[bin], samples[bin]));
        return bins;
    }
}
