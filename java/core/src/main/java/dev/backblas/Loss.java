package dev.backblas;

import dev.backblas.backend.Activation;
import java.util.EnumSet;
import java.util.Set;

/**
 * The cost C of one sample, and its gradient: what training makes small. One's own is a lambda or a class that writes
 * {@link #cost}; {@link GradientCheck} says whether its gradient is right. It must depend on its arguments alone, and be safe to
 * call from several threads at once.
 *
 * <pre>{@code
 * Loss logCosh = (n, a, aOffset, y, yOffset, gradient, gradientOffset) -> {
 *     double cost = 0;
 *     for (int k = 0; k < n; k++) {
 *         double r = a[aOffset + k] - y[yOffset + k];
 *         gradient[gradientOffset + k] = (float) Math.tanh(r);
 *         cost += Math.log(Math.cosh(r));
 *     }
 *     return cost;
 * };
 * }</pre>
 */
@FunctionalInterface
public interface Loss {

    /** C = ½ Σ (a − y)²; with any activation. */
    Loss SQUARED_ERROR = BuiltInLoss.SQUARED_ERROR;

    /** C = Σ |a − y|, whose slope at 0 is taken as 0; with any activation. */
    Loss ABSOLUTE_ERROR = BuiltInLoss.ABSOLUTE_ERROR;

    /** {@link #huber} with δ = 1. */
    Loss HUBER = huber(1);

    /**
     * C = Σ (a − y log a), each y 0 or more: the rate a of a Poisson process, with outputs above 0: softplus, sigmoid, softmax.
     */
    Loss POISSON = BuiltInLoss.POISSON;

    /** C = −Σ [y log a + (1 − y) log(1 − a)] over the outputs, each y in [0, 1]; with sigmoid outputs. */
    Loss BINARY_CROSS_ENTROPY = BuiltInLoss.BINARY_CROSS_ENTROPY;

    /** C = −Σ y log a, each y in [0, 1] and their sum 1; with a softmax output. */
    Loss CROSS_ENTROPY = BuiltInLoss.CROSS_ENTROPY;

    /**
     * {@return ½ r² where |r| ≤ δ, else δ (|r| − ½ δ), of r = a − y, over the outputs} P. Huber, "Robust Estimation of a Location
     * Parameter", 1964. With any activation.
     *
     * @param delta δ; finite and above 0
     * @throws IllegalArgumentException if it is out of range
     */
    static Loss huber(double delta) {
        return new Huber((float) delta);
    }

    /** How the costs of a batch become one number J, whose gradient is followed. */
    enum Reduction {
        /** J = Σ C / m. */
        MEAN,
        /** J = Σ C. */
        SUM
    }

    /**
     * Computes C and ∂C/∂a of one sample.
     *
     * @param n              the outputs
     * @param a              the network's outputs; only read
     * @param aOffset        where they begin
     * @param y              the targets; only read
     * @param yOffset        where they begin
     * @param gradient       ∂C/∂a; written
     * @param gradientOffset where it begins
     * @return C; where it is not finite, training ends
     * @throws IllegalArgumentException if a target is out of range
     */
    double cost(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset);

    /**
     * The same of m samples, side by side. Override it where there is a faster way than one by one.
     *
     * @param n              the outputs
     * @param m              the samples
     * @param a              the network's outputs, n × m; only read
     * @param aOffset        where they begin
     * @param y              the targets, n × m; only read
     * @param yOffset        where they begin
     * @param gradient       ∂C/∂a of each sample, n × m; written
     * @param gradientOffset where it begins
     * @return the sum of their C; where it is not finite, training ends
     * @throws IllegalArgumentException if a target is out of range
     */
    default double cost(int n, int m, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        double sum = 0;
        for (int j = 0; j < m; j++)
            sum += cost(n, a, aOffset + j * n, y, yOffset + j * n, gradient, gradientOffset + j * n);
        return sum;
    }

    /**
     * {@return whether {@link #cost} is given Z instead of A = φ(Z), and writes ∂C/∂z} For pairs that collapse, or are stable
     * only together, as cross-entropy and softmax.
     */
    default boolean takesZ() {
        return false;
    }

    /** {@return the activations of the last layer that it is defined on; all of them unless overridden} */
    default Set<Activation> outputs() {
        return EnumSet.allOf(Activation.class);
    }
}
