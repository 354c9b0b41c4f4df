package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.FastMath;

/** The cost C of one sample, and δᴸ = ∂C/∂Zᴸ. */
public enum Loss {
    /** C = ½ Σ (a − y)²; with any activation. */
    SQUARED_ERROR,
    /** C = −Σ [y log a + (1 − y) log(1 − a)] over the outputs, each y in [0, 1]; with sigmoid outputs. */
    BINARY_CROSS_ENTROPY,
    /** C = −Σ y log a, each y in [0, 1] and their sum 1; with a softmax output. */
    CROSS_ENTROPY;

    /** How the costs of a batch become one number J, whose gradient is followed. */
    public enum Reduction {
        /** J = Σ C / m. */
        MEAN,
        /** J = Σ C. */
        SUM
    }

    /** @throws IllegalArgumentException if this loss is not defined on outputs of that activation */
    void requireOutput(Activation phi) {
        final Activation wanted = switch (this) {
            case SQUARED_ERROR -> phi;
            case BINARY_CROSS_ENTROPY -> Activation.SIGMOID;
            case CROSS_ENTROPY -> Activation.SOFTMAX;
        };
        if (phi != wanted)
            throw new IllegalArgumentException(
                "loss: " + this + " needs a " + wanted + " output layer, but the network ends in " + phi);
    }

    /** What the last layer is to compute: its φ, or Z where this loss takes φ itself, in a form that is stable together. */
    Activation activation(Activation phi) {
        return this == SQUARED_ERROR ? phi : Activation.IDENTITY;
    }

    /**
     * Computes δᴸ and Σ C, cross-entropies from Z in the stable forms: log-sum-exp and softplus, never the logarithm of a
     * saturated a.
     *
     * @param phi   φ of the output layer
     * @param z     what {@link #activation} asked for, n × m from {@code zOffset}; A = φ(Z) on return
     * @param y     Y, n × m
     * @param delta δᴸ, n × m; written; may be the array of {@code z}
     * @return the sum of C over the m samples
     * @throws IllegalArgumentException if a y is out of range
     */
    double delta(Activation phi, float[] z, int zOffset, float[] y, int yOffset, float[] delta, int deltaOffset, int n, int m) {
        return switch (this) {
            case SQUARED_ERROR -> squaredError(phi, z, zOffset, y, yOffset, delta, deltaOffset, n, m);
            case BINARY_CROSS_ENTROPY -> binaryCrossEntropy(z, zOffset, y, yOffset, delta, deltaOffset, n * m);
            case CROSS_ENTROPY -> crossEntropy(z, zOffset, y, yOffset, delta, deltaOffset, n, m);
        };
    }

    private static double squaredError(Activation phi, float[] a, int aOffset, float[] y, int yOffset, float[] delta,
                                       int deltaOffset, int n, int m) {
        double sum = 0;
        for (int i = 0; i < n * m; i++) {
            final float difference = a[aOffset + i] - y[yOffset + i];
            delta[deltaOffset + i] = difference; // ∇_A C = A − Y
            sum += 0.5 * difference * difference;
        }
        phi.backward(a, aOffset, delta, deltaOffset, n, m); // δ = ∇_A C ⊙ φ'(Z)
        return sum;
    }

    private static double binaryCrossEntropy(float[] z, int zOffset, float[] y, int yOffset, float[] delta, int deltaOffset,
                                             int size) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            final float zi = z[zOffset + i], yi = y[yOffset + i];
            if (!(yi >= 0 && yi <= 1))
                throw new IllegalArgumentException("binary cross-entropy: a target is " + yi + "; expected every y in [0, 1]");
            final float e = FastMath.exp(-Math.abs(zi));
            sum += Math.max(zi, 0) + Math.log(1.0 + e) - (double) yi * zi; // C = softplus(z) − y z
            final float a = (zi >= 0 ? 1 : e) / (1 + e); // a = σ(z)
            z[zOffset + i] = a;
            delta[deltaOffset + i] = a - yi; // δ = A − Y
        }
        return sum;
    }

    private static double crossEntropy(float[] z, int zOffset, float[] y, int yOffset, float[] delta, int deltaOffset, int n,
                                       int m) {
        double sum = 0;
        for (int j = 0; j < m; j++) {
            final int zj = zOffset + j * n, yj = yOffset + j * n, dj = deltaOffset + j * n;
            float top = z[zj];
            for (int k = 1; k < n; k++) top = Math.max(top, z[zj + k]);
            double total = 0, yz = 0, ys = 0;
            for (int k = 0; k < n; k++) {
                final float yk = y[yj + k];
                if (!(yk >= 0))
                    throw new IllegalArgumentException("cross-entropy: a target is " + yk + "; expected every y in [0, 1]");
                final float above = z[zj + k] - top;
                final float e = FastMath.exp(above);
                if (yk != 0) yz += (double) yk * above; // else 0 · −∞ would be NaN
                ys += yk;
                total += e;
                z[zj + k] = e;
            }
            if (!(Math.abs(ys - 1) < 1e-3))
                throw new IllegalArgumentException(
                    "cross-entropy: the targets of a sample sum to " + ys + "; expected 1 (one-hot or probabilities)");
            sum += ys * Math.log(total) - yz; // C = Σ y (log Σ eᶻ − z)
            final float scale = (float) (1 / total);
            for (int k = 0; k < n; k++) {
                final float a = z[zj + k] * scale; // a = softmax(z)
                z[zj + k] = a;
                delta[dj + k] = a - y[yj + k]; // δ = A − Y
            }
        }
        return sum;
    }
}
