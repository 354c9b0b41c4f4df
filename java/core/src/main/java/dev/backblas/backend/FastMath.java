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

    /**
     * {@return eˣ within 2 ulp; 0 below −87 and infinite above 88}
     *
     * @param x any number
     */
    public static float exp(float x) {
        if (x < -87) return 0;
        if (x > 88) return Float.POSITIVE_INFINITY;
        final float rounded = x * LOG2_E + ROUND, scale = powerOfTwo(rounded);
        return scale + scale * expm1(x, 0, rounded);
    }

    /**
     * {@return 1 / (1 + e⁻ˣ) within 3 ulp on [−87, 87]; beyond it stays 1.6e-38 and 1}
     *
     * @param x any number
     */
    public static float sigmoid(float x) {
        return 1 / (1 + exp(x < -87 ? 87 : -x));
    }

    /**
     * {@return tanh x within 4 ulp}
     *
     * @param x any number
     */
    public static float tanh(float x) {
        // tanh|x| = E / (E + 2) with E = e²ˣ − 1; 1 to the last bit from 9.02 on
        final float y = Math.abs(x) > 9.02f ? 18.04f : 2 * Math.abs(x);
        final float rounded = y * LOG2_E + ROUND, scale = powerOfTwo(rounded);
        final float e = scale * expm1(y, 0, rounded) + (scale - 1);
        return Math.copySign(e / (e + 2), x);
    }

    /** eˣ − 1 within 4 ulp for x ≤ 0. */
    static float expm1(float x) {
        final float y = Math.max(x, -87); // from −17.4 on it is −1 to the last bit
        final float rounded = y * LOG2_E + ROUND, scale = powerOfTwo(rounded);
        return scale * expm1(y, 0, rounded) + (scale - 1);
    }

    /** x where x &gt; 0, else eˣ − 1; within 4 ulp. */
    static float elu(float x) {
        return x > 0 ? x : expm1(x);
    }

    /** log(1 + eˣ) = max(x, 0) + log(1 + e⁻|ˣ|) within 4 ulp; 0 below −87. */
    static float softplus(float x) {
        // log(1 + u) = 2 artanh s with s = u / (2 + u) ≤ 1/3; the series is cut below 2e-9 of it
        final float u = exp(-Math.abs(x)), s = u / (2 + u), t = s * s;
        float p = 2f / 17;
        p = p * t + 2f / 15;
        p = p * t + 2f / 13;
        p = p * t + 2f / 11;
        p = p * t + 2f / 9;
        p = p * t + 2f / 7;
        p = p * t + 2f / 5;
        p = p * t + 2f / 3;
        return Math.max(x, 0) + (s * 2 + s * (t * p));
    }

    /** x σ(x) within 5 ulp on [−87, 87], and within 2e-36 of it beyond. */
    static float silu(float x) {
        return Math.max(x, -88) * sigmoid(x);
    }

    /** The slope of {@link #silu}, within 5e-7. */
    static float siluSlope(float x) {
        final float s = sigmoid(x), y = Math.max(-88, Math.min(88, x));
        return s * (1 + y * (1 - s));
    }

    /** x Φ(x) within 12 ulp on [−12, ∞), and within 1e-32 of it beyond. */
    static float gelu(float x) {
        return Math.max(x, -13) * normal(x);
    }

    /** The slope of {@link #gelu}, within 5e-7. */
    static float geluSlope(float x) {
        final float y = Math.max(-13, Math.min(13, x));
        return normal(x) + y * (0.3989422804f * exp(-0.5f * y * y));
    }

    /**
     * Φ(x) = ½ erfc(−x/√2), with erfc(z) = t exp(−z² + P(t)), t = 1 / (1 + z/2) for z ≥ 0: W. Press et al., "Numerical Recipes in
     * C", 1992, §6.2, whose fractional error is below 1.2e-7.
     */
    private static float normal(float x) {
        final float y = Math.min(13, Math.abs(x)), t = 1 / (1 + y * 0.35355339f);
        float p = 0.17087277f;
        p = p * t - 0.82215223f;
        p = p * t + 1.48851587f;
        p = p * t - 1.13520398f;
        p = p * t + 0.27886807f;
        p = p * t - 0.18628806f;
        p = p * t + 0.09678418f;
        p = p * t + 0.37409196f;
        p = p * t + 1.00002368f;
        p = p * t - 1.26551223f;
        // y² in two parts, the first exact, so that a large one costs no digits
        final float high = Float.intBitsToFloat(Float.floatToRawIntBits(y) & 0xfffff000);
        final float e = -0.5f * high * high, rest = p - 0.5f * (y - high) * (y + high);
        final float rounded = (e + rest) * LOG2_E + ROUND, scale = powerOfTwo(rounded);
        final float tail = 0.5f * t * (scale + scale * expm1(e, rest, rounded));
        return x > 0 ? 1 - tail : tail; // NaN has gone through t
    }

    /**
     * eʳ − 1 for x + rest = n ln 2 + r, |r| ≤ ln2/2; truncated with an error below 6e-9. By pairs, whose sums overlap in time.
     */
    private static float expm1(float x, float rest, float rounded) {
        final float n = rounded - ROUND, r = x - n * LN2_HIGH - n * LN2_LOW + rest, r2 = r * r;
        final float p01 = 1f / 2 + r * (1f / 6), p23 = 1f / 24 + r * (1f / 120), p45 = 1f / 720 + r * (1f / 5040);
        return r + r2 * (p01 + r2 * (p23 + r2 * p45));
    }

    /** 2ⁿ for a whole n from −126 to 127, given n + {@link #ROUND}. */
    private static float powerOfTwo(float rounded) {
        return Float.intBitsToFloat((Float.floatToRawIntBits(rounded) << 23) + (127 << 23));
    }
}
