package dev.backblas;

import dev.backblas.backend.Activation;
import java.util.Arrays;

/**
 * Compares gradients with central differences: those of a {@link Loss}, to be called on one of your own before it is trained
 * with, and those of a whole network under it.
 *
 * <pre>{@code
 * GradientCheck.of(network, loss, samples).require(1e-3);
 * }</pre>
 *
 * <p>The loss is checked in each output of each sample. The network is checked in double precision, on the costs as the tangent
 * of the loss has them: so neither the loss's single precision blurs it, nor does a mistake in the one show as a mistake in the
 * other.
 */
public final class GradientCheck {

    /** Of larger networks so many parameters are checked, spread evenly. */
    private static final int MOST = 2000;

    private final Network network;
    private final double lossError, networkError;
    private final String lossAt, networkAt;

    private GradientCheck(Network network, Loss loss, Dataset data) {
        this.network = network;
        final int m = data.size(), in = network.inputs(), out = network.outputs();
        final float[] x = new float[Backpropagation.matrix(in, m)], y = new float[Backpropagation.matrix(out, m)];
        final float[] weights = new float[m];
        for (int j = 0; j < m; j++) {
            data.copy(j, x, j * in, y, j * out);
            weights[j] = data.weight(j);
        }
        final double[] theta = new double[network.parameters().length];
        for (int i = 0; i < theta.length; i++) theta[i] = network.parameters()[i];

        // ∂C/∂u of each sample, u being what the loss takes: A or Z of the last layer
        final float[] u = new float[out * m], slopes = new float[out * m];
        for (int j = 0; j < m; j++) {
            final double[] uj = forward(theta, x, j, loss.takesZ());
            for (int k = 0; k < out; k++) u[j * out + k] = (float) uj[k];
            loss.cost(out, u, j * out, y, j * out, slopes, j * out);
        }
        final Worst ofLoss = new Worst();
        for (int i = 0; i < u.length; i++) {
            final double want = difference(loss, out, u, y, i, slopes[i]);
            ofLoss.see(slopes[i], want, "output " + i % out + " of sample " + i / out);
        }
        lossError = ofLoss.error();
        lossAt = ofLoss.where;

        final Backpropagation backpropagation = new Backpropagation(network, loss, m, 1);
        backpropagation.batch(x, y, weights, m, true);
        backpropagation.propagate();
        final float[] gradient = backpropagation.gradient(1f / m, 0);
        final Worst ofNetwork = new Worst();
        final int step = Math.max(1, theta.length / MOST);
        for (int i = 0; i < theta.length; i += step) {
            final double value = theta[i], h = 1e-5 * Math.max(1, Math.abs(value));
            theta[i] = value + h;
            double want = tangent(theta, x, weights, slopes, loss.takesZ());
            theta[i] = value - h;
            want -= tangent(theta, x, weights, slopes, loss.takesZ());
            theta[i] = value;
            ofNetwork.see(gradient[i], want / (2 * h), name(i));
        }
        networkError = ofNetwork.error();
        networkAt = ofNetwork.where;
    }

    /**
     * Compares at once. Nothing is changed.
     *
     * @param network where the gradient is computed
     * @param loss    the cost of a sample
     * @param samples a few of them, such as ten: all are gone through twice for each parameter
     * @return both errors
     * @throws IllegalArgumentException if the samples do not fit the network, or the loss its last layer
     */
    public static GradientCheck of(Network network, Loss loss, Dataset samples) {
        Trainer.requireOutputs(network, loss);
        Trainer.requireFitting("gradient check", network, samples);
        return new GradientCheck(network, loss, samples);
    }

    /**
     * {@return the largest difference between ∂C/∂a (or ∂C/∂z) as {@link Loss#cost} writes it and central differences of the C
     * that it returns, over the largest of these slopes} About 1e-4 at most where all is right; larger where a kink lies within
     * 1e-5 of an output.
     */
    public double lossError() {
        return lossError;
    }

    /**
     * {@return the largest difference between ∂J/∂θ as backpropagation computes it and central differences, over the largest of
     * these slopes} About 1e-5 at most; larger where a kink, such as that of ReLU, lies within 1e-5 of a unit's z.
     */
    public double networkError() {
        return networkError;
    }

    /**
     * Throws unless both errors are small.
     *
     * @param most how large they may be, such as 1e-3
     * @return this
     * @throws IllegalStateException if one is larger or not a number, with the place where it is largest
     */
    public GradientCheck require(double most) {
        if (!(lossError <= most))
            throw new IllegalStateException(
                "gradient check: the loss's gradient is off by " + lossError + ", first at " + lossAt + "; expected at most "
                    + most);
        if (!(networkError <= most))
            throw new IllegalStateException("gradient check: the network's gradient is off by " + networkError + ", first at "
                + networkAt + "; expected at most " + most);
        return this;
    }

    @Override
    public String toString() {
        return "the loss's gradient is off by " + lossError + " (" + lossAt + "), the network's by " + networkError + " ("
            + networkAt + ")";
    }

    /** The largest difference seen, where, and the largest value that was wanted. */
    private static final class Worst {
        private double difference, largest;
        private String where = "no place";

        void see(double got, double want, String place) {
            largest = Math.max(largest, Math.abs(want));
            final double now = Math.abs(got - want);
            if (now <= difference || Double.isNaN(difference)) return;
            difference = now; // NaN too
            where = place + " (" + got + ", expected " + want + ")";
        }

        double error() {
            return difference == 0 ? 0 : difference / largest;
        }
    }

    private String name(int i) {
        int l = network.depth();
        while (i < network.weightsOffset(l)) l--;
        return i < network.biasesOffset(l) ? "weight " + (i - network.weightsOffset(l)) + " of layer " + l
            : "bias " + (i - network.biasesOffset(l)) + " of layer " + l;
    }

    /**
     * ∂C/∂uᵢ by central differences, extrapolated once (L. Richardson, 1911), of three widths: wide ones see across a kink that
     * may lie near, narrow ones are blurred by single precision, and that counts which is nearest to {@code slope}.
     */
    private static double difference(Loss loss, int n, float[] u, float[] y, int i, float slope) {
        double nearest = Double.NaN;
        for (float width = 0x1p-6f; width >= 0x1p-14f; width /= 16) {
            final float h = width * Math.max(Math.abs(u[i]), 0.25f);
            final double now = (4 * slope(loss, n, u, y, i, h / 2) - slope(loss, n, u, y, i, h)) / 3;
            if (!(Math.abs(now - slope) >= Math.abs(nearest - slope))) nearest = now;
        }
        return nearest;
    }

    private static double slope(Loss loss, int n, float[] u, float[] y, int i, float h) {
        final int sample = i / n * n;
        final float[] moved = Arrays.copyOfRange(u, sample, sample + n), unused = new float[n];
        final float above = u[i] + h, below = u[i] - h;
        moved[i - sample] = above;
        final double cost = loss.cost(n, moved, 0, y, sample, unused, 0);
        moved[i - sample] = below;
        return (cost - loss.cost(n, moved, 0, y, sample, unused, 0)) / ((double) above - below);
    }

    /** The mean over the samples of their cost along its tangent: w (∂C/∂u)ᵀ u. */
    private double tangent(double[] theta, float[] x, float[] weights, float[] slopes, boolean takesZ) {
        double sum = 0;
        for (int j = 0; j < weights.length; j++) {
            final double[] u = forward(theta, x, j, takesZ);
            for (int k = 0; k < u.length; k++) sum += (double) weights[j] * slopes[j * u.length + k] * u[k];
        }
        return sum / weights.length;
    }

    /** A of the last layer for sample j, or its Z. */
    private double[] forward(double[] theta, float[] x, int j, boolean z) {
        double[] a = new double[network.inputs()];
        for (int i = 0; i < a.length; i++) a[i] = x[j * a.length + i];
        for (int l = 1; l <= network.depth(); l++) {
            final double[] next = new double[network.layer(l).out()];
            for (int k = 0; k < next.length; k++) {
                next[k] = theta[network.biasesOffset(l) + k];
                final int column = network.weightsOffset(l) + k * a.length;
                for (int i = 0; i < a.length; i++) next[k] += theta[column + i] * a[i];
            }
            if (!z || l < network.depth()) apply(network.layer(l).activation(), next);
            a = next;
        }
        return a;
    }

    private static void apply(Activation phi, double[] z) {
        double top = z[0], total = 0;
        if (phi == Activation.SOFTMAX) {
            for (double value : z) top = Math.max(top, value);
            for (double value : z) total += Math.exp(value - top);
        }
        for (int k = 0; k < z.length; k++) {
            final double v = z[k];
            z[k] = switch (phi) {
                case IDENTITY -> v;
                case SIGMOID -> 1 / (1 + Math.exp(-v));
                case TANH -> Math.tanh(v);
                case RELU -> Math.max(0, v);
                case LEAKY_RELU -> v > 0 ? v : Activation.LEAKY_SLOPE * v;
                case SOFTMAX -> Math.exp(v - top) / total;
                case GELU -> v * normal(v);
                case SILU -> v / (1 + Math.exp(-v));
                case ELU -> v > 0 ? v : Math.expm1(v);
                case SOFTPLUS -> Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
            };
        }
    }

    /** Φ(z): M. Abramowitz and I. Stegun, 26.2.11 up to |z| = 6; beyond, within 1e-9 of 0 or 1. */
    private static double normal(double z) {
        if (Math.abs(z) > 6) return z > 0 ? 1 : 0;
        double term = z, sum = z;
        for (int k = 3; k < 200; k += 2) sum += term *= z * z / k;
        return 0.5 + sum * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
    }
}
