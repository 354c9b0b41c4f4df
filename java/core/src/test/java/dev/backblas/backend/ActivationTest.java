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

    /** Whether A and G begin at one offset or at two, which are two loops. */
    @Test
    void backwardAtAnyOffset() {
        for (Activation phi : Activation.values())
            for (int aOffset : new int[] {2, 4}) {
                final float[] a = new float[14], g = new float[14];
                Arrays.fill(g, 3);
                System.arraycopy(EDGES, 0, a, aOffset, 9);
                if (phi != Activation.RELU && phi != Activation.LEAKY_RELU) // of these, a is bounded
                    for (int i = 0; i < 9; i++) a[aOffset + i] = (i - 4) / 5f;
                phi.backward(a, aOffset, g, 2, 3, 3);
                final float[] want = new float[14];
                Arrays.fill(want, 3);
                for (int i = 0; i < 9; i++) {
                    final float x = a[aOffset + i];
                    final int column = aOffset + i / 3 * 3;
                    want[2 + i] = 3 * (phi == Activation.SOFTMAX
                        ? x * (1 - (a[column] + a[column + 1] + a[column + 2])) : (float) Phi.kept(phi, x));
                }
                assertArrayEquals(want, g, 1e-6f, phi + " from " + aOffset);
            }
    }

    @Test
    void lengthsAreChecked() {
        assertThrows(IndexOutOfBoundsException.class, () -> Activation.RELU.apply(new float[8], 0, 3, 3));
        assertThrows(IndexOutOfBoundsException.class,
                     () -> Activation.RELU.backward(new float[9], 1, new float[9], 0, 3, 3));
    }
}
