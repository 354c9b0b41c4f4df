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
        final float rounded = x * LOG2_E + ROUND, scale = powerOfTwo(rounded);
        return scale + scale * expm1(x, rounded);
    }

    /** 1 / (1 + e⁻ˣ) within 3 ulp on [−87, 87]; beyond it stays 1.6e-38 and 1. */
    public static float sigmoid(float x) {
        return 1 / (1 + exp(x < -87 ? 87 : -x));
    }

    /** tanh x within 4 ulp. */
    public static float tanh(float x) {
        // tanh|x| = E / (E + 2) with E = e²ˣ − 1; 1 to the last bit from 9.02 on
        final float y = Math.abs(x) > 9.02f ? 18.04f : 2 * Math.abs(x);
        final float rounded = y * LOG2_E + ROUND, scale = powerOfTwo(rounded);
        final float e = scale * expm1(y, rounded) + (scale - 1);
        return Math.copySign(e / (e + 2), x);
    }

    /** eʳ − 1 for x = n ln 2 + r, |r| ≤ ln2/2; truncated with an error below 6e-9. By pairs, whose sums overlap in time. */
    private static float expm1(float x, float rounded) {
        final float n = rounded - ROUND, r = x - n * LN2_HIGH - n * LN2_LOW, r2 = r * r;
        final float p01 = 1f / 2 + r * (1f / 6), p23 = 1f / 24 + r * (1f / 120), p45 = 1f / 720 + r * (1f / 5040);
        return r + r2 * (p01 + r2 * (p23 + r2 * p45));
    }

    /** 2ⁿ for a whole n from −126 to 127, given n + {@link #ROUND}. */
    private static float powerOfTwo(float rounded) {
        return Float.intBitsToFloat((Float.floatToRawIntBits(rounded) << 23) + (127 << 23));
    }
}
