package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.FastMath;
import java.util.EnumSet;
import java.util.Set;

/** The losses of {@link Loss} that have no settings. */
enum BuiltInLoss implements Loss {
    SQUARED_ERROR(EnumSet.allOf(Activation.class)),
    ABSOLUTE_ERROR(EnumSet.allOf(Activation.class)),
    POISSON(EnumSet.of(Activation.SOFTPLUS, Activation.SIGMOID, Activation.SOFTMAX)),
    BINARY_CROSS_ENTROPY(EnumSet.of(Activation.SIGMOID)),
    CROSS_ENTROPY(EnumSet.of(Activation.SOFTMAX));

    /** A rate of 0 cannot have caused anything; as one this small it can, and 1/a stays finite. */
    private static final float SMALLEST_RATE = 1e-30f;

    private final Set<Activation> outputs;

    BuiltInLoss(Set<Activation> outputs) {
        this.outputs = outputs;
    }

    @Override
    public Set<Activation> outputs() {
        return outputs;
    }

    /**
     * Cross-entropies are computed from Z in the stable forms: log-sum-exp and softplus, never the logarithm of a saturated a.
     */
    @Override
    public boolean takesZ() {
        return this == BINARY_CROSS_ENTROPY || this == CROSS_ENTROPY;
    }

    @Override
    public double cost(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        return switch (this) {
            case SQUARED_ERROR -> squaredError(n, a, aOffset, y, yOffset, gradient, gradientOffset);
            case ABSOLUTE_ERROR -> absoluteError(n, a, aOffset, y, yOffset, gradient, gradientOffset);
            case POISSON -> poisson(n, a, aOffset, y, yOffset, gradient, gradientOffset);
            case BINARY_CROSS_ENTROPY -> binaryCrossEntropy(n, a, aOffset, y, yOffset, gradient, gradientOffset);
            case CROSS_ENTROPY -> crossEntropy(n, a, aOffset, y, yOffset, gradient, gradientOffset);
        };
    }

    @Override
    public double cost(int n, int m, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        if (this == CROSS_ENTROPY) return Loss.super.cost(n, m, a, aOffset, y, yOffset, gradient, gradientOffset);
        return cost(n * m, a, aOffset, y, yOffset, gradient, gradientOffset); // the others are sums over the outputs
    }

    private static double squaredError(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient,
                                       int gradientOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float difference = a[aOffset + k] - y[yOffset + k];
            gradient[gradientOffset + k] = difference; // ∇_A C = A − Y
            sum += 0.5 * difference * difference;
        }
        return sum;
    }

    private static double absoluteError(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient,
                                        int gradientOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float difference = a[aOffset + k] - y[yOffset + k];
            gradient[gradientOffset + k] = Math.signum(difference);
            sum += Math.abs(difference);
        }
        return sum;
    }

    private static double poisson(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float rate = Math.max(a[aOffset + k], SMALLEST_RATE), count = y[yOffset + k];
            if (!(count >= 0))
                throw new IllegalArgumentException("poisson: a target is " + count + "; expected every y 0 or more");
            gradient[gradientOffset + k] = 1 - count / rate;
            sum += rate - count * Math.log(rate);
        }
        return sum;
    }

    private static double binaryCrossEntropy(int n, float[] z, int zOffset, float[] y, int yOffset, float[] delta,
                                             int deltaOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float zk = z[zOffset + k], yk = y[yOffset + k];
            if (!(yk >= 0 && yk <= 1))
                throw new IllegalArgumentException("binary cross-entropy: a target is " + yk + "; expected every y in [0, 1]");
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
            if (!(yk >= 0))
                throw new IllegalArgumentException("cross-entropy: a target is " + yk + "; expected every y in [0, 1]");
            final float above = z[zOffset + k] - top;
            final float e = FastMath.exp(above);
            if (yk != 0) yz += (double) yk * above; // else 0 · −∞ would be NaN
            ys += yk;
            total += e;
            delta[deltaOffset + k] = e;
        }
        if (!(Math.abs(ys - 1) < 1e-3))
            throw new IllegalArgumentException(
                "cross-entropy: the targets of a sample sum to " + ys + "; expected 1 (one-hot or probabilities)");
        final float scale = (float) (1 / total);
        for (int k = 0; k < n; k++) // δ = A − Y, a = softmax(z)
            delta[deltaOffset + k] = delta[deltaOffset + k] * scale - y[yOffset + k];
        return ys * Math.log(total) - yz; // C = Σ y (log Σ eᶻ − z)
    }
}
