package dev.backblas.benchmarks;

import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.backend.Activation;
import java.nio.FloatBuffer;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/**
 * The equations once more, in double and in plain loops: what is measured must first agree with them.
 *
 * <p>Float rounds every operation by at most u = 2⁻²⁴, relatively. Roundings are independent, so that n of them in Σ x y make
 * about √n u Σ |x y| (N. Higham and T. Mary, 2019); {@value #LUCK} times that is allowed. First weights keep the size of what
 * passes through a network, so the errors of its layers add: √N u in all, N being the number of all units.
 */
final class Reference {

    private static final double U = 0x1p-24;
    private static final int LUCK = 8;

    /** So many elements of a large matrix are compared. */
    private static final int ELEMENTS = 1000;
    /** So many samples of a large prediction are compared. */
    private static final int SAMPLES = 16;

    private final int L; // the layers
    private final int[] n; // n[l] units in layer l; n[0] inputs
    private final Activation[] phi;
    private final double[][] w; // as they were
    private final double[][] b;
    private final double tolerance; // relative, of what has gone through the whole network

    /** Of the network as it is now; later changes are not seen. */
    Reference(Network network) {
        L = network.depth();
        n = new int[L + 1];
        n[0] = network.inputs();
        phi = new Activation[L + 1];
        w = new double[L + 1][];
        b = new double[L + 1][];
        for (int l = 1; l <= L; l++) {
            n[l] = network.layer(l).out();
            phi[l] = network.layer(l).activation();
            w[l] = doubles(network.weights(l));
            b[l] = doubles(network.biases(l));
        }
        tolerance = rounding(IntStream.of(n).sum(), 1);
    }

    /** Whether a ReLU of sample j is so near its kink that its derivative is a matter of rounding. */
    boolean isAtKink(float[] x, int j) {
        final double[][] z = new double[L + 1][];
        forward(x, j, z);
        for (int l = 1; l < L; l++) {
            if (phi[l] != Activation.RELU) continue;
            double largest = 0;
            for (double value : z[l]) largest = Math.max(largest, Math.abs(value));
            for (double value : z[l]) if (Math.abs(value) < tolerance * largest) return true;
        }
        return false;
    }

    /** Asserts that {@code out} is the output for the m samples of X. */
    void checkPrediction(float[] x, int m, float[] out) {
        some(m, SAMPLES).forEach(j -> {
            final double[] a = forward(x, j, new double[L + 1][])[L];
            for (int k = 0; k < n[L]; k++)
                expect("prediction", j * n[L] + k, out[j * n[L] + k], a[k], tolerance * Math.max(1, Math.abs(a[k])));
        });
    }

    /** Asserts that {@code wAfter} and {@code bAfter} give Wˡ and bˡ after one step, W ← W − η dW, on the mean of the loss. */
    void checkStep(Loss loss, double eta, float[] x, float[] y, int m, IntFunction<FloatBuffer> wAfter,
                   IntFunction<FloatBuffer> bAfter) {
        final double[][][] a = new double[m][][], delta = new double[m][][]; // a[j][l], delta[j][l]
        for (int j = 0; j < m; j++) {
            a[j] = forward(x, j, new double[L + 1][]);
            delta[j] = back(loss, a[j], y, j);
        }
        for (int l = 1; l <= L; l++) {
            final int layer = l, in = n[l - 1];
            checkDescent("weight of layer " + l, m, eta, w[l], wAfter.apply(l), // dW = A δᵀ / m
                         (i, j) -> a[j][layer - 1][i % in] * delta[j][layer][i / in]);
            checkDescent("bias of layer " + l, m, eta, b[l], bAfter.apply(l), // db = δ 1 / m
                         (k, j) -> delta[j][layer][k]);
        }
    }

    /** What sample j adds to element i of a gradient. */
    private interface Term {
        double of(int i, int j);
    }

    private void checkDescent(String what, int m, double eta, double[] before, FloatBuffer after, Term term) {
        some(before.length, ELEMENTS).forEach(i -> {
            double sum = 0, size = 0;
            for (int j = 0; j < m; j++) {
                sum += term.of(i, j) / m;
                size += Math.abs(term.of(i, j)) / m;
            }
            expect(what, i, after.get(i), before[i] - eta * sum, eta * tolerance * size + rounding(m, Math.abs(before[i])));
        });
    }

    /** Asserts that {@code got} is φ(WᵀA + b 1ᵀ). */
    static void checkAffine(int in, int out, int m, float[] w, float[] b, float[] a, Activation phi, float[] got) {
        some(out * m, ELEMENTS).forEach(i -> {
            final int k = i % out, j = i / out;
            final Sum z = Sum.of(in, w, k * in, 1, a, j * in, 1);
            final double want = phi(phi, z.value + b[k]);
            expect("affine", i, got[i], want, // |φ'| ≤ 1: φ lets the rounding of z grow no further, and adds its own
                   rounding(in, z.size + Math.abs(b[k])) + rounding(1, Math.abs(want)));
        });
    }

    /** Asserts that {@code got} is (W δ) ⊙ φ'(A). */
    static void checkInputGradient(int in, int out, int m, float[] w, float[] delta, Activation phi, float[] a,
                                   float[] got) {
        some(in * m, ELEMENTS).forEach(i -> {
            final Sum g = Sum.of(out, w, i % in, in, delta, i / in * out, 1);
            final double slope = slope(phi, a[i]);
            expect("inputGradient", i, got[i], g.value * slope, rounding(out, g.size * Math.max(1, Math.abs(slope))));
        });
    }

    /** Asserts that {@code got} is C + α A δᵀ, and {@code gotBias} c + α δ 1. */
    static void checkWeightGradient(int in, int out, int m, double alpha, float[] a, float[] delta, float[] c, float[] got,
                                    float[] cBias, float[] gotBias) {
        some(in * out, ELEMENTS).forEach(i -> {
            final Sum dw = Sum.of(m, a, i % in, in, delta, i / in, out);
            expect("weightGradient", i, got[i], c[i] + alpha * dw.value,
                   rounding(m, Math.abs(alpha) * dw.size + Math.abs(c[i])));
        });
        some(out, ELEMENTS).forEach(k -> {
            final Sum db = Sum.of(m, new float[] {1}, 0, 0, delta, k, out);
            expect("weightGradient, bias", k, gotBias[k], cBias[k] + alpha * db.value,
                   rounding(m, Math.abs(alpha) * db.size + Math.abs(cBias[k])));
        });
    }

    /** Σ x y, and Σ |x y|, which bounds its rounding. */
    private record Sum(double value, double size) {
        static Sum of(int n, float[] x, int from, int step, float[] y, int yFrom, int yStep) {
            double value = 0, size = 0;
            for (int i = 0; i < n; i++) {
                final double term = (double) x[from + i * step] * y[yFrom + i * yStep];
                value += term;
                size += Math.abs(term);
            }
            return new Sum(value, size);
        }
    }

    /** A⁰ … Aᴸ of sample j; z[l] is set to Zˡ. */
    private double[][] forward(float[] x, int j, double[][] z) {
        final double[][] a = new double[L + 1][];
        a[0] = new double[n[0]];
        for (int i = 0; i < n[0]; i++) a[0][i] = x[j * n[0] + i];
        for (int l = 1; l <= L; l++) {
            z[l] = new double[n[l]];
            a[l] = new double[n[l]];
            for (int k = 0; k < n[l]; k++) {
                double sum = b[l][k];
                for (int i = 0; i < n[l - 1]; i++) sum += w[l][k * n[l - 1] + i] * a[l - 1][i];
                z[l][k] = sum;
                if (phi[l] != Activation.SOFTMAX) a[l][k] = phi(phi[l], sum);
            }
            if (phi[l] == Activation.SOFTMAX) softmax(z[l], a[l]);
        }
        return a;
    }

    /** δ¹ … δᴸ of sample j. */
    private double[][] back(Loss loss, double[][] a, float[] y, int j) {
        final double[][] delta = new double[L + 1][];
        delta[L] = new double[n[L]];
        for (int k = 0; k < n[L]; k++) // the cross-entropies with their own φ: φ' cancels
            delta[L][k] = (a[L][k] - y[j * n[L] + k]) * (loss == Loss.SQUARED_ERROR ? slope(phi[L], a[L][k]) : 1);
        for (int l = L - 1; l >= 1; l--) {
            delta[l] = new double[n[l]];
            for (int k = 0; k < n[l + 1]; k++)
                for (int i = 0; i < n[l]; i++) delta[l][i] += w[l + 1][k * n[l] + i] * delta[l + 1][k];
            for (int i = 0; i < n[l]; i++) delta[l][i] *= slope(phi[l], a[l][i]);
        }
        return delta;
    }

    private static double phi(Activation phi, double z) {
        return switch (phi) {
            case IDENTITY -> z;
            case SIGMOID -> 1 / (1 + Math.exp(-z));
            case TANH -> Math.tanh(z);
            case RELU -> Math.max(0, z);
            case LEAKY_RELU -> z > 0 ? z : Activation.LEAKY_SLOPE * z;
            default -> throw new IllegalArgumentException("reference: there is no " + phi + " of one z here");
        };
    }

    /** φ', written in a. */
    private static double slope(Activation phi, double a) {
        return switch (phi) {
            case IDENTITY -> 1;
            case SIGMOID -> a * (1 - a);
            case TANH -> 1 - a * a;
            case RELU -> a > 0 ? 1 : 0;
            case LEAKY_RELU -> a > 0 ? 1 : Activation.LEAKY_SLOPE;
            default -> throw new IllegalArgumentException("reference: there is no slope of " + phi + " in one a here");
        };
    }

    private static void softmax(double[] z, double[] a) {
        double top = z[0], total = 0;
        for (double value : z) top = Math.max(top, value);
        for (int k = 0; k < z.length; k++) total += a[k] = Math.exp(z[k] - top);
        for (int k = 0; k < z.length; k++) a[k] /= total;
    }

    /** What n roundings may make of a sum whose terms have this size. */
    private static double rounding(int n, double size) {
        return LUCK * U * Math.sqrt(n) * size;
    }

    /** All of 0 … size − 1 where they are few; else the first, the last, and some between. */
    private static IntStream some(int size, int few) {
        if (size <= few) return IntStream.range(0, size);
        return IntStream.concat(IntStream.of(0, size - 1), new Random(1).ints(few - 2, 0, size));
    }

    private static void expect(String what, int i, float got, double want, double tolerance) {
        if (!(Math.abs(got - want) <= tolerance))
            throw new AssertionError(
                what + " " + i + " is " + got + "; expected " + want + " ± " + tolerance + ", so its time says nothing");
    }

    private static double[] doubles(FloatBuffer floats) {
        final double[] doubles = new double[floats.remaining()];
        for (int i = 0; i < doubles.length; i++) doubles[i] = floats.get(i);
        return doubles;
    }
}
