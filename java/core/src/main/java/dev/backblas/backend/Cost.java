package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/**
 * The costs C of a sample that a {@link Program} computes where its products are. Each is a sum over the outputs of the sample.
 *
 * <p>Cross-entropies are computed from Z in the stable forms: log-sum-exp and softplus, never the logarithm of a saturated a. The
 * order is that of {@code Cost} in {@code native/kernels.hpp}.
 */
public enum Cost {
    /** C = ½ Σ (a − y)². */
    SQUARED_ERROR,
    /** C = Σ |a − y|, whose slope at 0 is taken as 0. */
    ABSOLUTE_ERROR,
    /** C = Σ (a − y log a), each y 0 or more. */
    POISSON,
    /** C = Σ [log(1 + eᶻ) − y z], each y in [0, 1]; a = σ(z). */
    BINARY_CROSS_ENTROPY,
    /** C = Σ y (log Σ eᶻ − z), each y 0 or more and their sum 1; a = softmax(z). */
    CROSS_ENTROPY;

    /** A rate of 0 cannot have caused anything; as one this small it can, and 1/a stays finite. */
    private static final float SMALLEST_RATE = 1e-30f;

    /** How far the targets of {@link #CROSS_ENTROPY} may be from a sum of 1. */
    private static final double ROUNDING = 1e-3;

    /** {@return whether it is given Z instead of A = φ(Z), and the slopes are ∂C/∂z} */
    public boolean takesZ() {
        return this == BINARY_CROSS_ENTROPY || this == CROSS_ENTROPY;
    }

    /** What a value costs, as {@link Loops#work} counts it. */
    long loopWork() {
        return switch (this) {
            case SQUARED_ERROR, ABSOLUTE_ERROR -> 2;
            default -> 16;
        };
    }

    /**
     * Computes the costs of m samples and their gradient, each sample's times its weight.
     *
     * @param n             the outputs
     * @param m             the samples
     * @param a             A, or Z where it {@link #takesZ()}: n × m; only read
     * @param aOffset       where A begins
     * @param y             Y: n × m; only read
     * @param yOffset       where Y begins
     * @param weights       m; only read. Null where each is 1
     * @param weightsOffset where they begin
     * @param delta         ∂C/∂A or ∂C/∂Z: n × m; written
     * @param deltaOffset   where it begins
     * @return the sum of C; NaN where a target is out of range, which {@link #requireTargets} explains
     */
    public double apply(int n, int m, float[] a, int aOffset, float[] y, int yOffset, float @Nullable [] weights,
                        int weightsOffset, float[] delta, int deltaOffset) {
        if (weights == null && this != CROSS_ENTROPY) return sum(n * m, a, aOffset, y, yOffset, delta, deltaOffset);
        double sum = 0;
        for (int j = 0, at = 0; j < m; j++, at += n) {
            final double c = sum(n, a, aOffset + at, y, yOffset + at, delta, deltaOffset + at);
            if (weights == null) {
                sum += c;
                continue;
            }
            final float weight = weights[weightsOffset + j];
            sum += weight * c;
            for (int k = 0; k < n; k++) delta[deltaOffset + at + k] *= weight;
        }
        return sum;
    }

    private double sum(int n, float[] a, int aOffset, float[] y, int yOffset, float[] delta, int deltaOffset) {
        return switch (this) {
            case SQUARED_ERROR -> squaredError(n, a, aOffset, y, yOffset, delta, deltaOffset);
            case ABSOLUTE_ERROR -> absoluteError(n, a, aOffset, y, yOffset, delta, deltaOffset);
            case POISSON -> poisson(n, a, aOffset, y, yOffset, delta, deltaOffset);
            case BINARY_CROSS_ENTROPY -> binaryCrossEntropy(n, a, aOffset, y, yOffset, delta, deltaOffset);
            case CROSS_ENTROPY -> crossEntropy(n, a, aOffset, y, yOffset, delta, deltaOffset);
        };
    }

    private static double squaredError(int n, float[] a, int aOffset, float[] y, int yOffset, float[] delta, int deltaOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float difference = a[aOffset + k] - y[yOffset + k];
            delta[deltaOffset + k] = difference; // ∇_A C = A − Y
            sum += 0.5 * difference * difference;
        }
        return sum;
    }

    private static double absoluteError(int n, float[] a, int aOffset, float[] y, int yOffset, float[] delta, int deltaOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float difference = a[aOffset + k] - y[yOffset + k];
            delta[deltaOffset + k] = Math.signum(difference);
            sum += Math.abs(difference);
        }
        return sum;
    }

    private static double poisson(int n, float[] a, int aOffset, float[] y, int yOffset, float[] delta, int deltaOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float rate = Math.max(a[aOffset + k], SMALLEST_RATE), count = y[yOffset + k];
            if (!(count >= 0)) return Double.NaN;
            delta[deltaOffset + k] = 1 - count / rate;
            sum += rate - count * Math.log(rate);
        }
        return sum;
    }

    private static double binaryCrossEntropy(int n, float[] z, int zOffset, float[] y, int yOffset, float[] delta,
                                             int deltaOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float zk = z[zOffset + k], yk = y[yOffset + k];
            if (!(yk >= 0 && yk <= 1)) return Double.NaN;
            final float e = FastMath.exp(-Math.abs(zk));
            sum += Math.max(zk, 0) + Math.log(1.0 + e) - (double) yk * zk; // C = softplus(z) − y z
            delta[deltaOffset + k] = (zk >= 0 ? 1 : e) / (1 + e) - yk; // δ = A − Y, a = σ(z)
        }
        return sum;
    }

    private static double crossEntropy(int n, float[] z, int zOffset, float[] y, int yOffset, float[] delta, int deltaOffset) {
        float top = z[zOffset];
        for (int k = 1; k < n; k++) top = Math.max(top, z[zOffset + k]);
        double total = 0, yz = 0, ys = 0;
        for (int k = 0; k < n; k++) {
            final float yk = y[yOffset + k];
            if (!(yk >= 0)) return Double.NaN;
            final float above = z[zOffset + k] - top;
            final float e = FastMath.exp(above);
            if (yk != 0) yz += (double) yk * above; // else 0 · −∞ would be NaN
            ys += yk;
            total += e;
            delta[deltaOffset + k] = e;
        }
        if (!(Math.abs(ys - 1) < ROUNDING)) return Double.NaN;
        final float scale = (float) (1 / total);
        for (int k = 0; k < n; k++) // δ = A − Y, a = softmax(z)
            delta[deltaOffset + k] = delta[deltaOffset + k] * scale - y[yOffset + k];
        return ys * Math.log(total) - yz; // C = Σ y (log Σ eᶻ − z)
    }

    /**
     * Looks for what the cost is not defined on.
     *
     * @param n       the outputs
     * @param m       the samples
     * @param y       Y: n × m
     * @param yOffset where Y begins
     * @throws IllegalArgumentException naming the first target that is out of range
     */
    public void requireTargets(int n, int m, float[] y, int yOffset) {
        for (int j = 0; j < m; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++) {
                final float target = y[yOffset + j * n + k];
                sum += target;
                if (this == POISSON && !(target >= 0))
                    throw new IllegalArgumentException("poisson: a target is " + target + "; expected every y 0 or more");
                if (this == BINARY_CROSS_ENTROPY && !(target >= 0 && target <= 1))
                    throw new IllegalArgumentException(
                        "binary cross-entropy: a target is " + target + "; expected every y in [0, 1]");
                if (this == CROSS_ENTROPY && !(target >= 0))
                    throw new IllegalArgumentException("cross-entropy: a target is " + target + "; expected every y in [0, 1]");
            }
            if (this == CROSS_ENTROPY && !(Math.abs(sum - 1) < ROUNDING))
                throw new IllegalArgumentException(
                    "cross-entropy: the targets of a sample sum to " + sum + "; expected 1 (one-hot or probabilities)");
        }
    }
}
