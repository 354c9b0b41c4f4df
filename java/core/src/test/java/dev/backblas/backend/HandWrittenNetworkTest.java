package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A network as someone may have written it, in plain loops over its own arrays; then the same with its products replaced by
 * calls of a {@link Backend}. Both are trained side by side and give the same numbers.
 */
class HandWrittenNetworkTest {

    private static final int INPUTS = 30, HIDDEN = 20, OUTPUTS = 5, M = 16;
    private static final float ETA = 0.5f;

    /** The weights, and what a step does with them. */
    private static class PlainLoops {
        final float[] w1 = new float[INPUTS * HIDDEN], b1 = new float[HIDDEN];
        final float[] w2 = new float[HIDDEN * OUTPUTS], b2 = new float[OUTPUTS];
        final float[] a1 = new float[HIDDEN * M], a2 = new float[OUTPUTS * M];
        final float[] d1 = new float[HIDDEN * M], d2 = new float[OUTPUTS * M];

        PlainLoops() {
            final Random random = new Random(1);
            for (int i = 0; i < w1.length; i++) w1[i] = (float) random.nextGaussian() / 5;
            for (int i = 0; i < w2.length; i++) w2[i] = (float) random.nextGaussian() / 5;
        }

        void forward(float[] x) {
            dense(INPUTS, HIDDEN, w1, b1, x, a1);
            dense(HIDDEN, OUTPUTS, w2, b2, a1, a2);
        }

        private static void dense(int in, int out, float[] w, float[] b, float[] x, float[] a) {
            for (int j = 0; j < M; j++)
                for (int k = 0; k < out; k++) {
                    float z = b[k];
                    for (int i = 0; i < in; i++) z += w[k * in + i] * x[j * in + i];
                    a[j * out + k] = 1 / (1 + (float) Math.exp(-z));
                }
        }

        void backward(float[] x) {
            for (int j = 0; j < M; j++)
                for (int i = 0; i < HIDDEN; i++) {
                    float sum = 0;
                    for (int k = 0; k < OUTPUTS; k++) sum += w2[k * HIDDEN + i] * d2[j * OUTPUTS + k];
                    final float a = a1[j * HIDDEN + i];
                    d1[j * HIDDEN + i] = sum * a * (1 - a);
                }
            descend(HIDDEN, OUTPUTS, a1, d2, w2, b2);
            descend(INPUTS, HIDDEN, x, d1, w1, b1);
        }

        private static void descend(int in, int out, float[] a, float[] delta, float[] w, float[] b) {
            for (int k = 0; k < out; k++)
                for (int j = 0; j < M; j++) {
                    final float step = ETA / M * delta[j * out + k];
                    b[k] -= step;
                    for (int i = 0; i < in; i++) w[k * in + i] -= step * a[j * in + i];
                }
        }

        double step(float[] x, float[] y) {
            forward(x);
            double loss = 0;
            for (int i = 0; i < a2.length; i++) {
                d2[i] = a2[i] - y[i]; // sigmoid and binary cross-entropy
                loss -= y[i] * Math.log(a2[i]) + (1 - y[i]) * Math.log(1 - a2[i]);
            }
            backward(x);
            return loss / M;
        }
    }

    /** The same network: five calls instead of five nests of loops. */
    private static final class OnBackend extends PlainLoops {
        final Backend backend;

        OnBackend(Backend backend) {
            this.backend = backend;
        }

        @Override
        void forward(float[] x) {
            backend.affine(INPUTS, HIDDEN, M, w1, b1, x, Activation.SIGMOID, a1);
            backend.affine(HIDDEN, OUTPUTS, M, w2, b2, a1, Activation.SIGMOID, a2);
        }

        @Override
        void backward(float[] x) {
            backend.inputGradient(HIDDEN, OUTPUTS, M, w2, d2, Activation.SIGMOID, a1, d1);
            backend.weightGradient(HIDDEN, OUTPUTS, M, -ETA / M, a1, d2, 1, w2, b2);
            backend.weightGradient(INPUTS, HIDDEN, M, -ETA / M, x, d1, 1, w1, b1);
        }
    }

    @ParameterizedTest
    @MethodSource("dev.backblas.backend.TestBackends#all")
    void theSameNumbers(Backend backend) {
        final Random random = new Random(2);
        final float[] x = new float[INPUTS * M], y = new float[OUTPUTS * M];
        for (int i = 0; i < x.length; i++) x[i] = random.nextFloat();
        for (int j = 0; j < M; j++) y[j * OUTPUTS + random.nextInt(OUTPUTS)] = 1;
        final PlainLoops loops = new PlainLoops();
        final OnBackend onBackend = new OnBackend(backend);
        double first = 0, last = 0;
        for (int step = 0; step < 300; step++) {
            last = loops.step(x, y);
            if (step == 0) first = last;
            assertEquals(last, onBackend.step(x, y), 1e-4, "the loss of step " + step);
        }
        assertTrue(last < 0.5 * first, "it learns: " + first + " to " + last);
        for (int i = 0; i < loops.w1.length; i++) assertEquals(loops.w1[i], onBackend.w1[i], 1e-3f, "w1[" + i + "]");
        for (int i = 0; i < loops.w2.length; i++) assertEquals(loops.w2[i], onBackend.w2[i], 1e-3f, "w2[" + i + "]");
    }
}
