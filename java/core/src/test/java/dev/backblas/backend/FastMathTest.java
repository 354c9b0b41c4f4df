package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** The stated accuracy, against double precision over every exponent. */
class FastMathTest {

    private interface Function {
        float of(float x);
    }

    private static void requireUlp(double most, float from, float to, Function function, DoubleUnaryOperator exact) {
        for (long bits = 0; bits < 1L << 32; bits += 4001) {
            final float x = Float.intBitsToFloat((int) bits);
            if (!(x >= from && x <= to)) continue;
            final double want = exact.applyAsDouble(x);
            final float got = function.of(x);
            assertTrue(Math.abs(got - want) <= most * Math.ulp((float) want), () -> x + ": " + got + ", expected " + want);
        }
    }

    @Test
    void exp() {
        requireUlp(2, -87, 88, FastMath::exp, Math::exp);
        assertEquals(0, FastMath.exp(-87.1f));
        assertEquals(0, FastMath.exp(Float.NEGATIVE_INFINITY));
        assertEquals(1, FastMath.exp(0));
        assertEquals(Float.POSITIVE_INFINITY, FastMath.exp(88.1f));
        assertEquals(Float.NaN, FastMath.exp(Float.NaN));
    }

    @Test
    void sigmoid() {
        requireUlp(3, -87, 87, FastMath::sigmoid, x -> 1 / (1 + Math.exp(-x)));
        assertEquals(FastMath.sigmoid(-87), FastMath.sigmoid(Float.NEGATIVE_INFINITY));
        assertEquals(1, FastMath.sigmoid(Float.POSITIVE_INFINITY));
        assertEquals(Float.NaN, FastMath.sigmoid(Float.NaN));
    }

    @Test
    void tanh() {
        requireUlp(4, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, FastMath::tanh, Math::tanh);
        assertEquals(-0f, FastMath.tanh(-0f));
        assertEquals(Float.NaN, FastMath.tanh(Float.NaN));
    }
}
