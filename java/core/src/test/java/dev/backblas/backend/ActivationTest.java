package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class ActivationTest {

    private static final float[] EDGES = {
        -0f, 0, Float.MIN_VALUE, -Float.MIN_VALUE, Float.MAX_VALUE,
        Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, 0.25f, -0.25f};

    @Test
    void kinks() {
        final float[] relu = EDGES.clone(), leaky = EDGES.clone();
        Activation.RELU.apply(relu, 0, 3, 3);
        Activation.LEAKY_RELU.apply(leaky, 0, 3, 3);
        for (int i = 0; i < EDGES.length; i++) {
            assertEquals(EDGES[i] > 0 ? EDGES[i] : 0, Math.abs(relu[i]), "relu of " + EDGES[i]);
            assertEquals(EDGES[i] > 0 ? EDGES[i] : EDGES[i] * Activation.LEAKY_SLOPE, leaky[i], "leaky relu of " + EDGES[i]);
        }
    }

    /** Few values and many, which are two loops; A and G in one array, as they may be. */
    @Test
    void backward() {
        for (Activation phi : Activation.values())
            for (int m : new int[] {3, 300}) {
                final int size = 3 * m, aOffset = 2, gOffset = aOffset + size + 1;
                final float[] x = new float[gOffset + size + 3];
                Arrays.fill(x, 3);
                for (int i = 0; i < size; i++) x[aOffset + i] = switch (phi) {
                    case RELU, LEAKY_RELU -> EDGES[i % EDGES.length];
                    default -> (i % 9 - 4) / 5f; // of these, a is bounded
                };
                final float[] want = x.clone();
                for (int i = 0; i < size; i++) {
                    final float a = x[aOffset + i];
                    final int column = aOffset + i / 3 * 3;
                    want[gOffset + i] = 3 * (phi == Activation.SOFTMAX
                        ? a * (1 - (x[column] + x[column + 1] + x[column + 2])) : (float) Phi.kept(phi, a));
                }
                phi.backward(x, aOffset, x, gOffset, 3, m);
                assertArrayEquals(want, x, 1e-6f, phi + ", m = " + m);
            }
    }

    @Test
    void lengthsAreChecked() {
        assertThrows(IndexOutOfBoundsException.class, () -> Activation.RELU.apply(new float[8], 0, 3, 3));
        assertThrows(IndexOutOfBoundsException.class,
                     () -> Activation.RELU.backward(new float[9], 1, new float[9], 0, 3, 3));
    }
}
