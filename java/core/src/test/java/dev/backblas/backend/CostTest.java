package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** Costs, their slopes and what ends a program, on every backend. */
@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class CostTest {

    private static final int OFFSET = 3, GUARD = 20;
    private static final float CANARY = -12345.678f;
    private static final double EPSILON = Math.ulp(1f);

    private final Backend backend;
    private final Random random = new Random(5);

    CostTest(Backend backend) {
        this.backend = backend;
    }

    /** C of one output in double; its slope goes into {@code slope[0]}. */
    private static double cost(Cost cost, double a, double y, double logSum, double[] slope) {
        switch (cost) {
            case SQUARED_ERROR -> {
                slope[0] = a - y;
                return 0.5 * (a - y) * (a - y);
            }
            case ABSOLUTE_ERROR -> {
                slope[0] = Math.signum(a - y);
                return Math.abs(a - y);
            }
            case POISSON -> {
                slope[0] = 1 - y / a;
                return a - y * Math.log(a);
            }
            case BINARY_CROSS_ENTROPY -> {
                slope[0] = Phi.of(Activation.SIGMOID, a) - y;
                return Phi.of(Activation.SOFTPLUS, a) - y * a;
            }
            default -> {
                slope[0] = Math.exp(a - logSum) - y;
                return y * (logSum - a);
            }
        }
    }

    /** A and Y of a batch, each from {@link #OFFSET}. */
    private float[][] batch(Cost cost, int n, int m) {
        final float[] a = new float[OFFSET + n * m], y = new float[OFFSET + n * m];
        for (int j = 0; j < m; j++) {
            double sum = 0;
            for (int i = OFFSET + j * n; i < OFFSET + (j + 1) * n; i++) {
                a[i] = 4 * (float) random.nextGaussian();
                if (cost == Cost.POISSON) a[i] = Math.abs(a[i]) + 0.1f;
                y[i] = switch (cost) {
                    case POISSON -> random.nextInt(4);
                    case BINARY_CROSS_ENTROPY, CROSS_ENTROPY -> random.nextFloat();
                    default -> (float) random.nextGaussian();
                };
                sum += y[i];
            }
            if (cost == Cost.CROSS_ENTROPY) for (int i = OFFSET + j * n; i < OFFSET + (j + 1) * n; i++) y[i] /= (float) sum;
        }
        return new float[][] {a, y};
    }

    /** To a few roundings of each term; of the cross-entropy n more, for a sum of n exponentials. */
    private void isTheCost(Cost cost, int n, int m, float @Nullable [] weights) {
        final float[][] batch = batch(cost, n, m);
        final float[] a = batch[0], y = batch[1], delta = new float[OFFSET + n * m + GUARD];
        Arrays.fill(delta, CANARY);
        Arrays.fill(delta, OFFSET, OFFSET + n * m, Float.NaN);
        final double got = backend.program().cost(cost, n, m, a, OFFSET, y, OFFSET, weights, 1, delta, OFFSET).run();
        final String what = cost + " of " + n + "x" + m;
        final double[] slope = new double[1];
        double want = 0, magnitude = 0;
        for (int j = 0; j < m; j++) {
            double exps = 0;
            for (int i = OFFSET + j * n; i < OFFSET + (j + 1) * n; i++) exps += Math.exp(a[i]);
            final double weight = weights == null ? 1 : weights[1 + j];
            for (int i = OFFSET + j * n; i < OFFSET + (j + 1) * n; i++) {
                final double c = cost(cost, a[i], y[i], Math.log(exps), slope);
                want += weight * c;
                magnitude += Math.abs(weight) * (Math.abs(c) + (1 + Math.abs(y[i])) * (1 + Math.abs(a[i])));
                final double terms = 1 + Math.abs(a[i]) + Math.abs(y[i]) + Math.abs(y[i] / a[i]);
                assertEquals(weight * slope[0], delta[i], (8 + n) * EPSILON * Math.abs(weight) * terms, what);
            }
        }
        assertEquals(want, got, (8 + n) * EPSILON * magnitude, what);
        for (int i = 0; i < delta.length; i++)
            if (i < OFFSET || i >= OFFSET + n * m) assertEquals(CANARY, delta[i], what + " wrote outside its output");
    }

    @Test
    void everyCostAndItsSlopes() {
        for (Cost cost : Cost.values())
            for (int n : new int[] {1, 3, 10, 100})
                for (int m : new int[] {1, 7, 128}) {
                    isTheCost(cost, n, m, null);
                    isTheCost(cost, n, m, Probe.random(m + 1, random));
                }
    }

    /** More than one crossing to native code may take. */
    @Test
    void aLongBatch() {
        isTheCost(Cost.SQUARED_ERROR, 1000, 6000, null);
    }

    @Test
    void aTargetOutOfRangeIsNoNumber() {
        for (Cost cost : new Cost[] {Cost.POISSON, Cost.BINARY_CROSS_ENTROPY, Cost.CROSS_ENTROPY})
            for (int at : new int[] {0, 8, 59}) {
                final float[][] batch = batch(cost, 20, 3);
                cost.requireTargets(20, 3, batch[1], OFFSET);
                batch[1][OFFSET + at] = -0.5f;
                final double sum = backend.program()
                    .cost(cost, 20, 3, batch[0], OFFSET, batch[1], OFFSET, null, 0, new float[60], 0).run();
                assertTrue(Double.isNaN(sum), cost + ": " + sum);
                final String wrong = assertThrows(IllegalArgumentException.class,
                    () -> cost.requireTargets(20, 3, batch[1], OFFSET)).getMessage();
                assertTrue(wrong.contains("a target is -0.5; expected every y"), wrong);
            }
    }

    @Test
    void everyPhiGoesBack() {
        for (Activation phi : Activation.values())
            for (int n : new int[] {1, 3, 10, 100}) {
                final int m = 7;
                final float[] a = Probe.random(OFFSET + n * m, random), before = Probe.random(n * m, random);
                final float[] delta = new float[OFFSET + n * m + GUARD];
                Arrays.fill(delta, CANARY);
                System.arraycopy(before, 0, delta, OFFSET, n * m);
                backend.program().backward(n, m, phi, a, OFFSET, delta, OFFSET).run();
                for (int j = 0; j < m; j++) {
                    double dot = 0, magnitude = 0;
                    for (int i = j * n; i < (j + 1) * n; i++) {
                        dot += (double) a[OFFSET + i] * before[i];
                        magnitude += Math.abs((double) a[OFFSET + i] * before[i]);
                    }
                    for (int i = j * n; i < (j + 1) * n; i++) {
                        final double want = phi == Activation.SOFTMAX ? a[OFFSET + i] * (before[i] - dot)
                            : before[i] * Phi.kept(phi, a[OFFSET + i]);
                        final double terms = (1 + Math.abs(a[OFFSET + i])) * (1 + Math.abs(before[i]) + magnitude);
                        assertEquals(want, delta[OFFSET + i], (20 + n) * EPSILON * terms, phi.name());
                    }
                }
                for (int i = 0; i < delta.length; i++)
                    if (i < OFFSET || i >= OFFSET + n * m) assertEquals(CANARY, delta[i], phi + " wrote outside its output");
            }
    }

    /** Whatever would follow from NaN is not done; and of a program of several costs the sum is returned. */
    @Test
    void aProgramEndsWhereItIsNoLongerFinite() {
        for (int n : new int[] {5, 3000}) {
            final float[] x = Probe.random(n, random), y = new float[n], delta = new float[n], a = new float[n];
            final Program program = backend.program().finite(n, x, 0)
                .cost(Cost.ABSOLUTE_ERROR, n, 1, x, 0, y, 0, null, 0, delta, 0)
                .cost(Cost.ABSOLUTE_ERROR, 1, n, x, 0, y, 0, null, 0, delta, 0)
                .activate(n, Activation.RELU, x, 0, a, 0);
            double want = 0;
            for (float value : x) want += 2 * Math.abs(value);
            assertEquals(want, program.run(), 1e-6 * want);
            assertTrue(a[0] + a[1] + a[2] + a[3] > 0);
            Arrays.fill(a, 0);
            Arrays.fill(delta, 7);
            y[n - 1] = Float.POSITIVE_INFINITY;
            assertFalse(Double.isFinite(program.run()));
            assertEquals(0, a[0] + a[1] + a[2] + a[3]);
            assertEquals(Math.signum(x[0]), delta[0]);
            y[n - 1] = 0;
            x[n - 1] = Float.NaN;
            delta[0] = 7;
            assertTrue(Double.isNaN(program.run()));
            assertEquals(7, delta[0]);
            assertEquals(0, a[0] + a[1] + a[2] + a[3]);
        }
    }

    @Test
    void whatIsWrongIsSaid() {
        final Program program = backend.program();
        final float[] one = new float[4], other = new float[4];
        for (int[] call : new int[][] {{0, 0, 0}, {5, 0, 0}, {4, 1, 0}, {4, 0, 1}}) { // n, offset of A, delta in the place of Y
            final float[] delta = call[2] == 1 ? other : new float[9];
            final String wrong = assertThrows(IllegalArgumentException.class, () -> program.cost(
                Cost.SQUARED_ERROR, call[0], 1, one, call[1], other, 0, null, 0, delta, 0)).getMessage();
            assertTrue(wrong.startsWith("cost: "), wrong);
            assertTrue(wrong.contains("expected"), wrong);
        }
        assertThrows(IllegalArgumentException.class, () -> program.cost(
            Cost.SQUARED_ERROR, 2, 2, one, 0, other, 0, new float[1], 0, new float[4], 0));
        assertThrows(IllegalArgumentException.class, () -> program.backward(2, 2, Activation.RELU, one, 0, one, 0));
        assertThrows(IllegalArgumentException.class, () -> program.backward(2, 3, Activation.RELU, one, 0, other, 0));
        assertThrows(IllegalArgumentException.class, () -> program.finite(5, one, 0));
        assertEquals(0, program.run());
    }
}
