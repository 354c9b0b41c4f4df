package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every backend promises, against loops in double precision: awkward sizes, every array at an odd offset, outputs filled
 * with NaN between canaries, and error bounds derived from the length of the sum.
 */
@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#withPeer")
class BackendContractTest {

    private static final int OFFSET = 5, GUARD = 19;
    private static final float CANARY = -12345.678f;
    private static final int[] INS = {1, 3, 7, 8, 13, 16, 33, 64, 100}, OUTS = {1, 2, 3, 10, 17, 33}, MS = {1, 2, 4, 5, 10, 33};
    private static final List<Activation> ELEMENTWISE =
        Arrays.stream(Activation.values()).filter(phi -> phi != Activation.SOFTMAX).toList();

    private final Backend backend;
    private final Random random = new Random(7);

    BackendContractTest(Backend backend) {
        this.backend = backend;
    }

    /** {@code size} values in [-1, 1) from {@link #OFFSET}; NaN around them, so that a wrong index shows. */
    private float[] input(int size) {
        final float[] x = new float[OFFSET + size + 3];
        Arrays.fill(x, Float.NaN);
        for (int i = 0; i < size; i++) x[OFFSET + i] = 2 * random.nextFloat() - 1;
        return x;
    }

    private static float[] output(int size) {
        final float[] x = new float[OFFSET + size + GUARD];
        Arrays.fill(x, CANARY);
        Arrays.fill(x, OFFSET, OFFSET + size, Float.NaN);
        return x;
    }

    private static void requireCanaries(float[] x, int size, String what) {
        for (int i = 0; i < x.length; i++)
            if (i < OFFSET || i >= OFFSET + size) assertEquals(CANARY, x[i], what + ": wrote outside its output, at " + i);
    }

    /**
     * |fl(Σ xᵢyᵢ) − Σ xᵢyᵢ| ≤ γₙ Σ |xᵢyᵢ|, γₙ = n u / (1 − n u), in whatever order (Higham, "Accuracy and Stability", §3.1). Two
     * terms more for bias and scaling, 12 ulp for φ (GELU's), whose φ' is at most 1.13; 1e-37 where sigmoid saturates.
     */
    private static double bound(int n, double magnitude, double value) {
        final double u = 0x1p-24;
        return (n + 2) * u / (1 - (n + 2) * u) * 1.13 * magnitude + 12 * 0x1p-23 * Math.abs(value) + 1e-37;
    }

    private static void requireClose(double want, float got, double bound, String what) {
        assertTrue(Math.abs(got - want) <= bound, () -> what + ": " + got + ", expected " + want + " within " + bound);
    }

    @FunctionalInterface
    private interface Shape {
        void of(int in, int out, int m);
    }

    private static void forAllShapes(Shape shape) {
        for (int in : INS) for (int out : OUTS) for (int m : MS) shape.of(in, out, m);
    }

    @Test
    void affine() {
        forAllShapes((in, out, m) -> {
            for (Activation phi : Activation.values()) affine(in, out, m, phi, (in + out + m) % 2 == 0);
        });
        affine(784, 128, 128, Activation.RELU, true);
        affine(300, 700, 700, Activation.SIGMOID, true); // more than one tile, and more than one block
    }

    private void affine(int in, int out, int m, Activation phi, boolean biased) {
        final String what = "affine " + in + "x" + out + "x" + m + " " + phi;
        final float[] w = input(in * out), b = input(out), a = input(in * m), next = output(out * m);
        backend.affine(in, out, m, w, OFFSET, biased ? b : null, OFFSET, a, OFFSET, phi, next, OFFSET);
        requireCanaries(next, out * m, what);
        final double[] z = new double[out];
        for (int j = 0; j < m; j++) {
            double magnitude = 0;
            for (int k = 0; k < out; k++) {
                double sum = biased ? b[OFFSET + k] : 0, size = Math.abs(sum);
                for (int i = 0; i < in; i++) {
                    final double product = (double) w[OFFSET + k * in + i] * a[OFFSET + j * in + i];
                    sum += product;
                    size += Math.abs(product);
                }
                z[k] = sum;
                magnitude = Math.max(magnitude, size);
            }
            final double top = Arrays.stream(z).max().getAsDouble();
            final double total = Arrays.stream(z).map(v -> Math.exp(v - top)).sum();
            for (int k = 0; k < out; k++) {
                final float got = next[OFFSET + j * out + k];
                if (phi == Activation.SOFTMAX) { // ∂p/∂z ≤ 2 p max|Δz|, and a sum of `out` terms
                    final double want = Math.exp(z[k] - top) / total;
                    requireClose(want, got, 2 * want * bound(in, magnitude, top) + (out + 8) * 0x1p-23 * want, what);
                } else {
                    final double want = Phi.of(phi, z[k]);
                    requireClose(want, got, bound(in, magnitude, want), what);
                }
            }
        }
    }

    @Test
    void inputGradient() {
        forAllShapes((in, out, m) -> ELEMENTWISE.forEach(phi -> inputGradient(in, out, m, phi)));
        inputGradient(128, 10, 128, Activation.RELU);
        inputGradient(700, 300, 700, Activation.TANH);
    }

    private void inputGradient(int in, int out, int m, Activation phi) {
        final String what = "inputGradient " + in + "x" + out + "x" + m + " " + phi;
        final float[] w = input(in * out), delta = input(out * m), a = input(in * m), previous = output(in * m);
        if (phi == Activation.SOFTPLUS) for (int i = 0; i < in * m; i++) a[OFFSET + i] = Math.abs(a[OFFSET + i]); // no other A
        for (int i = 0; i < in * m; i += 3) a[OFFSET + i] = 0; // φ'(0)
        backend.inputGradient(in, out, m, w, OFFSET, delta, OFFSET, phi, phi == Activation.IDENTITY ? null : a, OFFSET,
                              previous, OFFSET);
        requireCanaries(previous, in * m, what);
        for (int j = 0; j < m; j++)
            for (int i = 0; i < in; i++) {
                double sum = 0, size = 0;
                for (int k = 0; k < out; k++) {
                    final double product = (double) w[OFFSET + k * in + i] * delta[OFFSET + j * out + k];
                    sum += product;
                    size += Math.abs(product);
                }
                final double slope = Phi.kept(phi, a[OFFSET + j * in + i]);
                requireClose(sum * slope, previous[OFFSET + j * in + i],
                             bound(out, size * Math.max(1, Math.abs(slope)), sum * slope) + 5e-7 * Math.abs(sum), what);
            }
    }

    @Test
    void weightGradient() {
        forAllShapes((in, out, m) -> {
            weightGradient(in, out, m, 0, out, 1f / m, 0, 0);
            weightGradient(in, out, m, out / 3, out - out / 4, -0.3f / m, 0.999f, 1);
            weightGradient(in, out, m, 0, out, 1f / m, 0.01f, 0);
        });
        weightGradient(784, 128, 128, 0, 64, -0.1f / 128, 1, 1);
        weightGradient(1024, 700, 256, 3, 700, 1f / 256, 0, 0);
        weightGradient(70, 600, 300, 0, 600, -0.1f, 0.99f, 1);
        weightGradient(20, 1100, 33, 5, 1090, -0.1f, 1, 1);
        weightGradient(3, 4, 5, 2, 2, 1, 0, 0); // an empty tile changes nothing
    }

    private void weightGradient(int in, int out, int m, int from, int to, float alpha, float beta, float gamma) {
        final String what = "weightGradient " + in + "x" + out + "x" + m + " [" + from + "," + to + ")";
        final float[] a = input(in * m), delta = input(out * m), c = output(in * out), bias = output(out);
        final float[] c0 = input(in * out), bias0 = input(out);
        if (beta != 0) System.arraycopy(c0, OFFSET, c, OFFSET, in * out);
        if (gamma != 0) System.arraycopy(bias0, OFFSET, bias, OFFSET, out);
        final float[] cBefore = c.clone(), biasBefore = bias.clone();
        backend.weightGradient(in, out, m, from, to, alpha, a, OFFSET, delta, OFFSET, beta, c, OFFSET, gamma, bias, OFFSET);
        requireCanaries(c, in * out, what);
        requireCanaries(bias, out, what);
        for (int k = 0; k < out; k++) {
            double sum = 0, size = 0;
            for (int j = 0; j < m; j++) {
                sum += delta[OFFSET + j * out + k];
                size += Math.abs(delta[OFFSET + j * out + k]);
            }
            if (from <= k && k < to) {
                final double kept = gamma == 0 ? 0 : gamma * biasBefore[OFFSET + k], want = alpha * sum + kept;
                requireClose(want, bias[OFFSET + k], bound(m, Math.abs(alpha) * size + Math.abs(kept), want), what);
            } else {
                assertEquals(biasBefore[OFFSET + k], bias[OFFSET + k], what + ": a bias outside the tile changed");
            }
            for (int i = 0; i < in; i++) {
                final int at = OFFSET + k * in + i;
                if (from > k || k >= to) {
                    assertEquals(cBefore[at], c[at], what + ": a weight outside the tile changed");
                    continue;
                }
                sum = 0;
                size = 0;
                for (int j = 0; j < m; j++) {
                    final double product = (double) a[OFFSET + j * in + i] * delta[OFFSET + j * out + k];
                    sum += product;
                    size += Math.abs(product);
                }
                final double kept = beta == 0 ? 0 : beta * cBefore[at], want = alpha * sum + kept;
                requireClose(want, c[at], bound(m, Math.abs(alpha) * size + Math.abs(kept), want), what);
            }
        }
    }

    @Test
    void update() {
        for (UpdateRule rule : UpdateRule.values())
            for (int n : new int[] {0, 1, 7, 16, 33, 1000, 5000, 3_000_001}) {
                update(rule, n, 0, 0);
                if (n <= 5000) update(rule, n, 0.3f, 0.2f);
            }
    }

    /** Each rule as its reference writes it, in double; a few roundings of each term. */
    private void update(UpdateRule rule, int n, float l2, float l1) {
        final String what = "update " + rule + " of " + n;
        final float[] theta = input(n), gradient = input(n), m = input(n), v = input(n);
        for (int i = OFFSET; i < OFFSET + n; i++) v[i] = Math.abs(v[i]);
        if (rule == UpdateRule.RMSPROP) for (int i = OFFSET; i < OFFSET + n; i++) m[i] = Math.abs(m[i]);
        if (n > 3) theta[OFFSET + 3] = 0; // its sign is 0
        final float[] numbers = {7, 7, 0.1f, 0.9f, 0.5f, l2, l1, 0.8f, 0.95f, 1e-3f};
        final float[] theta0 = theta.clone(), m0 = m.clone(), v0 = v.clone();
        backend.update(rule, OFFSET, OFFSET + n, theta, gradient, m, v, numbers, 2);
        for (int i = 0; i < theta.length; i++) {
            if (i < OFFSET || i >= OFFSET + n) {
                assertTrue(Float.isNaN(theta[i]) && Float.isNaN(m[i]) && Float.isNaN(v[i]), what + " wrote beyond its range");
                continue;
            }
            final double t = theta0[i], g = 0.5f * gradient[i] + l2 * t + l1 * Math.signum(t);
            double wantM = m0[i], wantV = v0[i], direction = g;
            switch (rule) {
                case DESCENT -> { }
                case MOMENTUM -> direction = wantM = 0.8f * m0[i] + g;
                case NESTEROV -> direction = g + 0.8f * (wantM = 0.8f * m0[i] + g);
                case RMSPROP -> {
                    wantM = 0.95f * m0[i] + (1 - 0.95f) * g * g;
                    direction = g / (Math.sqrt(wantM) + 1e-3f);
                }
                case ADAM -> {
                    wantM = 0.8f * m0[i] + (1 - 0.8f) * g;
                    wantV = 0.95f * v0[i] + (1 - 0.95f) * g * g;
                    direction = wantM / (Math.sqrt(wantV) + 1e-3f);
                }
            }
            requireClose(wantM, m[i], 1e-6, what + ": m");
            requireClose(wantV, v[i], 1e-6, what + ": v");
            requireClose(0.9f * t - 0.1f * direction, theta[i], 1e-6 + 1e-5 * Math.abs(direction), what + ": theta");
        }
    }

    /** Whoever takes which part, the bits are the same. */
    @Test
    void anUpdateHasNoSeams() {
        for (UpdateRule rule : UpdateRule.values()) {
            final float[] theta = input(1998), gradient = input(1998), m = input(1998), v = new float[m.length];
            final float[] numbers = {0.1f, 1, 1, 0.01f, 0, 0.9f, 0.1998f, 1e-8f};
            Arrays.fill(v, 0.01f);
            if (rule == UpdateRule.RMSPROP) System.arraycopy(v, 0, m, 0, m.length);
            final float[] theta2 = theta.clone(), m2 = m.clone(), v2 = v.clone();
            backend.update(rule, OFFSET, OFFSET + 1998, theta, gradient, m, v, numbers, 0);
            for (int from = 0, to; from < 1998; from = to) {
                to = Math.min(1998, from + 333);
                backend.update(rule, OFFSET + from, OFFSET + to, theta2, gradient, m2, v2, numbers, 0);
            }
            assertArrayEquals(theta, theta2, rule + ": theta");
            assertArrayEquals(m, m2, rule + ": m");
            assertArrayEquals(v, v2, rule + ": v");
        }
    }

    @Test
    void sumOfSquares() {
        for (int n : new int[] {0, 1, 7, 16, 33, 2047, 2048, 10_001}) {
            final float[] x = input(n);
            double want = 0;
            for (int i = 0; i < n; i++) want += (double) x[OFFSET + i] * x[OFFSET + i];
            assertEquals(want, backend.sumOfSquares(n, x, OFFSET), 1e-12 * want);
        }
        assertEquals(3e40, backend.sumOfSquares(3, new float[] {1e20f, -1e20f, 1e20f}, 0), 1e34);
    }

    @Test
    void activate() {
        for (Activation phi : ELEMENTWISE)
            for (int n : new int[] {1, 5, 16, 33, 1000, 200_000}) {
                final float[] z = input(n), a = output(n);
                for (int i = 0; i < n; i++) z[OFFSET + i] *= 12;
                backend.program().activate(n, phi, z, OFFSET, a, OFFSET).run();
                requireCanaries(a, n, "activate " + phi);
                for (int i = 0; i < n; i++) {
                    final double want = Phi.of(phi, z[OFFSET + i]);
                    requireClose(want, a[OFFSET + i], 12 * 0x1p-23 * Math.abs(want) + 1e-37, phi + " of " + z[OFFSET + i]);
                }
            }
    }

    /** The same values drop out on every backend: the way back must know those of the way there, and a checkpoint may move. */
    @Test
    void dropout() {
        for (int n : new int[] {1, 5, 16, 33, 1000, 200_000})
            for (float p : new float[] {0, 0.2f, 0.5f, 0.9f}) {
                final float[] x = input(n), out = output(n), key = {5, 123456, 0xabcdef};
                x[OFFSET] = Float.NaN;
                x[OFFSET + n / 2] = -0f;
                backend.program().dropout(n, p, 77, x, OFFSET, out, OFFSET, key, 1).run();
                requireCanaries(out, n, "dropout");
                int dropped = 0;
                for (int i = 0; i < n; i++) {
                    final boolean drops = dropsOut(77 + i, p, (int) key[1], (int) key[2]);
                    assertEquals(drops ? 0 : x[OFFSET + i] * (1 / (1 - p)), out[OFFSET + i], "dropout of value " + i);
                    if (drops) dropped++;
                }
                if (p == 0) assertEquals(0, dropped);
                assertTrue(Math.abs(dropped - p * n) <= 5 * Math.sqrt(n * p * (1 - p)) + 1e-6, dropped + " of " + n + " at " + p);
                backend.program().dropout(n, p, 77, x, OFFSET, x, OFFSET, key, 1).run(); // in its own place
                assertArrayEquals(Arrays.copyOfRange(out, OFFSET, OFFSET + n), Arrays.copyOfRange(x, OFFSET, OFFSET + n));
            }
    }

    /** The rule, value by value: a hash of its place and the key, as a share of 2²⁴, against p. */
    private static boolean dropsOut(int place, float p, int low, int high) {
        int h = place ^ low * 0x9E3779B1;
        h = (h ^ h >>> 16) * 0x7FEB352D + high * 0x85EBCA6B;
        h = (h ^ h >>> 15) * 0x846CA68B;
        h ^= h >>> 16;
        return h >>> 8 < (int) (p * 0x1p24f);
    }

    /** Neighbours, the same value in two steps, and the two ends of a number drop out independently of each other. */
    @Test
    void dropoutIsRandom() {
        final int n = 1 << 16;
        final float[] ones = new float[n], first = new float[n], second = new float[n];
        Arrays.fill(ones, 1);
        backend.program().dropout(n, 0.5f, 0, ones, 0, first, 0, new float[] {1, 2}, 0).run();
        for (float[] key : new float[][] {{2, 2}, {1, 3}, {0, 0}, {0xffffff, 0xffffff}}) {
            backend.program().dropout(n, 0.5f, 0, ones, 0, second, 0, key, 0).run();
            for (int distance : new int[] {0, 1, 2, 16, 64, 4096}) {
                int same = 0;
                for (int i = 0; i < n - distance; i++) if (first[i] == second[i + distance]) same++;
                final int of = n - distance;
                assertTrue(Math.abs(same - of / 2) < 5 * Math.sqrt(of / 4.0), same + " agree at distance " + distance);
            }
        }
    }

    /** The build runs these tests with and without the Vector API. */
    @Test
    void pureJavaIsTheOneThatTheseFlagsAllow() {
        final String expected = System.getProperty("backblas.test.java", "pure Java");
        assertTrue(Backend.pureJava().description().startsWith(expected), Backend.pureJava().description());
    }

    @Test
    void withoutOffsetsAndBias() {
        final float[] w = {1, 2, 3, 4, 5, 6}, a = {1, 0, -1, 2, 2, 2}, next = new float[4]; // 3×2, 3×2
        backend.affine(3, 2, 2, w, null, a, Activation.IDENTITY, next);
        assertEquals("[-2.0, -2.0, 12.0, 30.0]", Arrays.toString(next));
        final float[] previous = new float[3];
        backend.inputGradient(3, 2, 1, w, new float[] {1, -1}, Activation.IDENTITY, null, previous);
        assertEquals("[-3.0, -3.0, -3.0]", Arrays.toString(previous));
        final float[] c = {1, 1, 1, 1, 1, 1};
        backend.weightGradient(3, 2, 2, 0.5f, a, new float[] {1, 2, 3, 4}, 2, c, null);
        assertEquals("[5.5, 5.0, 4.5, 7.0, 6.0, 5.0]", Arrays.toString(c));
    }

    @Test
    void nanIsNotHidden() {
        for (int m : new int[] {1, 4, 64})
            for (Activation phi : Activation.values()) {
                final float[] w = new float[16 * 16], a = new float[16 * m], next = new float[16 * m];
                Arrays.fill(w, 0.1f);
                a[16 * (m - 1)] = Float.NaN;
                backend.affine(16, 16, m, w, null, a, phi, next);
                for (int k = 0; k < 16; k++) assertTrue(Float.isNaN(next[16 * (m - 1) + k]), phi + " hides NaN at m = " + m);
            }
    }

    /** Kernels fill up what is too narrow for them, and zero times infinity would be NaN. */
    @Test
    void infinityStaysInItsOwnSums() {
        final int in = 37, out = 21;
        for (int m : new int[] {1, 5, 14, 64}) {
            final float[] w = input(in * out), a = input(in * m), delta = input(out * m);
            w[OFFSET + 2 * in + in - 1] = a[OFFSET + in - 1] = delta[OFFSET + out - 1] = Float.POSITIVE_INFINITY;
            final float[] next = output(out * m), previous = output(in * m), c = output(in * out), bias = output(out);
            backend.affine(in, out, m, w, OFFSET, null, 0, a, OFFSET, Activation.IDENTITY, next, OFFSET);
            for (int i = 0; i < out * m; i++)
                assertEquals(i % out != 2 && i / out != 0, Float.isFinite(next[OFFSET + i]), "A', " + i + " of m = " + m);
            backend.inputGradient(in, out, m, w, OFFSET, delta, OFFSET, Activation.IDENTITY, null, 0, previous, OFFSET);
            for (int i = 0; i < in * m; i++)
                assertEquals(i % in != in - 1 && i / in != 0, Float.isFinite(previous[OFFSET + i]), "δ', " + i + " of m = " + m);
            backend.weightGradient(in, out, m, 0, out, 1, a, OFFSET, delta, OFFSET, 0, c, OFFSET, 0, bias, OFFSET);
            for (int i = 0; i < in * out; i++)
                assertEquals(i % in != in - 1 && i / in != out - 1, Float.isFinite(c[OFFSET + i]), "C, " + i + " of m = " + m);
        }
    }

    @Test
    void everyArgumentIsChecked() {
        final float[] f = new float[100], g = new float[100], h = new float[100], k = new float[100], none = null;
        rejected("affine: in is 0, out is 5, m is 5; expected each to be 1 or more",
                 () -> backend.affine(0, 5, 5, f, g, h, Activation.RELU, k));
        rejected("affine: W is 784x128 from offset 0, but its array has 100 elements; expected at least 100352",
                 () -> backend.affine(784, 128, 1, f, g, h, Activation.RELU, k));
        rejected("affine: A is 5x21 from offset 0, but its array has 100 elements; expected at least 105",
                 () -> backend.affine(5, 5, 21, f, g, h, Activation.RELU, new float[105]));
        rejected("affine: b is 5x1 from offset 96, but its array has 100 elements; expected at least 101",
                 () -> backend.affine(5, 5, 5, f, 0, g, 96, h, 0, Activation.RELU, k, 0));
        rejected("affine: W is 5x5 from offset -1, but its array has 100 elements; expected at least 25 and no negative offset",
                 () -> backend.affine(5, 5, 5, f, -1, g, 0, h, 0, Activation.RELU, k, 0));
        rejected("affine: A' is 5x5 from offset 2147483647, but its array has 100 elements; expected at least 2147483672",
                 () -> backend.affine(5, 5, 5, f, 0, g, 0, h, 0, Activation.RELU, k, Integer.MAX_VALUE));
        rejected("affine: W is 65536x65536 from offset 0, but its array has 100 elements; expected at least 4294967296",
                 () -> backend.affine(65536, 65536, 1, f, g, h, Activation.RELU, k));
        rejected("affine: the array of A is null", () -> backend.affine(5, 5, 5, f, g, none, Activation.RELU, k));
        rejected("affine: phi is null; expected an activation", () -> backend.affine(5, 5, 5, f, g, h, null, k));
        rejected("affine: the output A' overlaps A in the same array; expected memory of its own",
                 () -> backend.affine(5, 5, 5, f, g, h, Activation.RELU, h));
        rejected("affine: the output A' overlaps W in the same array; expected memory of its own",
                 () -> backend.affine(5, 5, 5, f, 0, g, 0, h, 0, Activation.RELU, f, 24));
        backend.affine(5, 5, 5, f, 0, g, 0, f, 25, Activation.RELU, f, 50); // apart in one array
        rejected("inputGradient: delta is 5x21 from offset 0, but its array has 100 elements; expected at least 105",
                 () -> backend.inputGradient(5, 5, 21, f, g, Activation.RELU, h, k));
        rejected("inputGradient: the array of A is null",
                 () -> backend.inputGradient(5, 5, 5, f, g, Activation.RELU, null, k));
        rejected("inputGradient: softmax is for the output layer; it cannot have made A",
                 () -> backend.inputGradient(5, 5, 5, f, g, Activation.SOFTMAX, h, k));
        rejected("inputGradient: the output delta' overlaps A in the same array; expected memory of its own",
                 () -> backend.inputGradient(5, 5, 5, f, g, Activation.RELU, h, h));
        rejected("weightGradient: the tile is [2, 6); expected 0 <= from <= to <= out, and out is 5",
                 () -> backend.weightGradient(5, 5, 5, 2, 6, 1, f, 0, g, 0, 0, h, 0, 0, k, 0));
        rejected("weightGradient: C is 5x25 from offset 0, but its array has 100 elements; expected at least 125",
                 () -> backend.weightGradient(5, 25, 1, 1, f, g, 0, h, k));
        rejected("weightGradient: the output C overlaps A in the same array; expected memory of its own",
                 () -> backend.weightGradient(5, 5, 5, 1, f, g, 0, f, k));
        rejected("weightGradient: the output c overlaps delta in the same array; expected memory of its own",
                 () -> backend.weightGradient(5, 5, 5, 1, f, g, 0, h, g));
        rejected("weightGradient: the output c overlaps C in the same array; expected memory of its own",
                 () -> backend.weightGradient(5, 5, 5, 0, 5, 1, f, 0, g, 0, 0, h, 0, 0, h, 20));
        backend.weightGradient(5, 5, 5, 0, 5, 1, f, 0, g, 0, 0, h, 0, 0, h, 25); // apart in one array
        rejected("update: the parameters are [3, 2); expected 0 <= from <= to",
                 () -> backend.update(UpdateRule.ADAM, 3, 2, f, g, h, k, new float[8], 0));
        rejected("update: v is 101x1 from offset 0, but its array has 100 elements; expected at least 101",
                 () -> backend.update(UpdateRule.ADAM, 0, 101, new float[101], new float[101], new float[101], k, f, 0));
        rejected("update: the array of m is null",
                 () -> backend.update(UpdateRule.MOMENTUM, 0, 5, f, g, none, none, new float[8], 0));
        rejected("update: its numbers is 8x1 from offset 1, but its array has 8 elements; expected at least 9",
                 () -> backend.update(UpdateRule.DESCENT, 0, 5, f, g, none, none, new float[8], 1));
        rejected("update: the output theta overlaps g in the same array; expected memory of its own",
                 () -> backend.update(UpdateRule.DESCENT, 0, 5, f, f, none, none, new float[8], 0));
        rejected("update: the output v overlaps m in the same array; expected memory of its own",
                 () -> backend.update(UpdateRule.ADAM, 0, 5, f, g, h, h, new float[8], 0));
        rejected("activate: softmax is no function of one value; expected another",
                 () -> backend.program().activate(5, Activation.SOFTMAX, f, 0, g, 0));
        rejected("dropout: p is 1.0; expected a number in [0, 1)",
                 () -> backend.program().dropout(5, 1, 0, f, 0, g, 0, h, 0));
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void anyNumberOfThreadsMayCall() {
        final float[] w = input(64 * 32), a = input(64 * 16), want = new float[32 * 16];
        backend.affine(64, 32, 16, w, OFFSET, null, 0, a, OFFSET, Activation.TANH, want, 0);
        final boolean same = IntStream.range(0, 2000).parallel().allMatch(i -> {
            final float[] got = new float[32 * 16];
            backend.affine(64, 32, 16, w, OFFSET, null, 0, a, OFFSET, Activation.TANH, got, 0);
            return Arrays.equals(want, got);
        });
        assertTrue(same || backend.name().equals("netlib"), "the same call gave another result on another thread");
    }
}
