package dev.backblas.backend;

/**
 * Functions of one float, several times as fast as those of {@link Math} in double precision. NaN stays NaN.
 *
 * <p>Range reduction by ln 2 and a Taylor polynomial, as in {@code native/activations.hpp}.
 */
public final class FastMath {

    private FastMath() {}

    private static final float LOG2_E = 1.44269504f;
    /** ln 2 in two parts (W. Cody and W. Waite), so that n times the first is exact. */
    private static final float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;
    /** 1.5 · 2²³: adding it leaves the nearest integer in the low bits. */
    private static final float ROUND = 12582912f;

    /** eˣ within 2 ulp; 0 below −87 and infinite above 88. */
    public static float exp(float x) {
        if (x < -87) return 0;
        if (x > 88) return Float.POSITIVE_INFINITY;
        final float n = x * LOG2_E + ROUND - ROUND, r = remainder(x, n), scale = powerOfTwo(n);
        return scale + scale * expm1(r);
    }

    /** 1 / (1 + e⁻ˣ) within 3 ulp; 1.6e-38 below −87. */
    public static float sigmoid(float x) {
        return 1 / (1 + exp(Math.min(87, -x)));
    }

    /** tanh x within 4 ulp. */
    public static float tanh(float x) {
        // tanh|x| = E / (E + 2) with E = e²ˣ − 1; 1 to the last bit from 9.02 on
        final float y = 2 * Math.min(9.02f, Math.abs(x));
        final float n = y * LOG2_E + ROUND - ROUND, scale = powerOfTwo(n);
        final float e = scale * expm1(remainder(y, n)) + (scale - 1);
        return Math.copySign(e / (e + 2), x);
    }

    /** x − n ln 2. */
    private static float remainder(float x, float n) {
        return x - n * LN2_HIGH - n * LN2_LOW;
    }

    /** eʳ − 1 for |r| ≤ ln2/2; the truncation error is below 6e-9. */
    private static float expm1(float r) {
        float p = 1f / 5040;
        p = p * r + 1f / 720;
        p = p * r + 1f / 120;
        p = p * r + 1f / 24;
        p = p * r + 1f / 6;
        p = p * r + 0.5f;
        return p * (r * r) + r;
    }

    /** 2ⁿ for a whole n from −126 to 127. */
    private static float powerOfTwo(float n) {
        return Float.intBitsToFloat((int) n + 127 << 23);
    }
}
