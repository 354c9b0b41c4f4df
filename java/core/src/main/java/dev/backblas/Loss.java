package dev.backblas;

import dev.backblas.backend.Activation;

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

    /**
     * Computes δᴸ and Σ C from Z, in the stable forms: log-sum-exp and softplus, never the logarithm of a saturated a.
     *
     * @param phi   φ of the output layer
     * @param z     Zᴸ, n × m from {@code offset}; A = φ(Z) on return
     * @param y     Y, n × m from the same offset
     * @param delta δᴸ, n × m from the same offset; written
     * @return the sum of C over the m samples
     * @throws IllegalArgumentException if a y is out of range
     */
    double delta(Activation phi, float[] z, float[] y, float[] delta, int offset, int n, int m) {
        return switch (this) {
            case SQUARED_ERROR -> squaredError(phi, z, y, delta, offset, n, m);
            case BINARY_CROSS_ENTROPY -> binaryCrossEntropy(z, y, delta, offset, n * m);
            case CROSS_ENTROPY -> crossEntropy(z, y, delta, offset, n, m);
        };
    }

    private static double squaredError(Activation phi, float[] z, float[] y, float[] delta, int offset, int n, int m) {
        phi.apply(z, offset, n, m); // A = φ(Z)
        double sum = 0;
        for (int i = offset; i < offset + n * m; i++) {
            final float difference = z[i] - y[i];
            delta[i] = difference; // ∇_A C = A − Y
            sum += 0.5 * difference * difference;
        }
        phi.backward(z, offset, delta, offset, n, m); // δ = ∇_A C ⊙ φ'(Z)
        return sum;
    }

    private static double binaryCrossEntropy(float[] z, float[] y, float[] delta, int offset, int size) {
        double sum = 0;
        for (int i = offset; i < offset + size; i++) {
            if (!(y[i] >= 0 && y[i] <= 1))
                throw new IllegalArgumentException(
                    "binary cross-entropy: a target is " + y[i] + "; expected every y in [0, 1]");
            final double e = Math.exp(-Math.abs(z[i]));
            sum += Math.max(z[i], 0) + Math.log(1 + e) - (double) y[i] * z[i]; // C = softplus(z) − y z
            z[i] = (float) ((z[i] >= 0 ? 1 : e) / (1 + e)); // a = σ(z)
            delta[i] = z[i] - y[i]; // δ = A − Y
        }
        return sum;
    }

    private static double crossEntropy(float[] z, float[] y, float[] delta, int offset, int n, int m) {
        double sum = 0;
        for (int start = offset; start < offset + n * m; start += n) {
            float top = z[start];
            for (int k = 1; k < n; k++) top = Math.max(top, z[start + k]);
            double total = 0, yz = 0, ys = 0;
            for (int k = start; k < start + n; k++) {
                if (!(y[k] >= 0))
                    throw new IllegalArgumentException("cross-entropy: a target is " + y[k] + "; expected every y in [0, 1]");
                final double e = Math.exp(z[k] - top);
                if (y[k] != 0) yz += (double) y[k] * (z[k] - top); // else 0 · −∞ would be NaN
                ys += y[k];
                total += e;
                z[k] = (float) e;
            }
            if (!(Math.abs(ys - 1) < 1e-3))
                throw new IllegalArgumentException(
                    "cross-entropy: the targets of a sample sum to " + ys + "; expected 1 (one-hot or probabilities)");
            sum += ys * Math.log(total) - yz; // C = Σ y (log Σ eᶻ − z)
            final float scale = (float) (1 / total);
            for (int k = start; k < start + n; k++) {
                z[k] *= scale; // a = softmax(z)
                delta[k] = z[k] - y[k]; // δ = A − Y
            }
        }
        return sum;
    }
}
