package dev.backblas.backend;

import java.util.Objects;

/**
 * The functions φ that turn a layer's Z into its A. Most φ' are written in a = φ(z), so that Z need not be kept; those of GELU
 * and SiLU, which take a value twice, are written in z ({@link #keepsZ()}).
 *
 * <p>NaN stays NaN under each of them. The order is that of {@code Activation} in {@code native/kernels.hpp}.
 */
public enum Activation {
    /** φ(z) = z. */
    IDENTITY,
    /** φ(z) = 1 / (1 + e⁻ᶻ), φ' = a (1 − a). */
    SIGMOID,
    /** φ(z) = tanh z, φ' = 1 − a². */
    TANH,
    /** φ(z) = max(0, z), φ' = 1 where a &gt; 0, else 0; so φ'(0) = 0. */
    RELU,
    /** φ(z) = z where z &gt; 0, else {@value #LEAKY_SLOPE} z; φ' = 1 where a &gt; 0, else {@value #LEAKY_SLOPE}. */
    LEAKY_RELU,
    /** φ(z)ₖ = exp(zₖ − max z) / Σ exp(zⱼ − max z), over the units of one sample. For the output layer only. */
    SOFTMAX,
    /**
     * φ(z) = z Φ(z), Φ being the normal distribution; φ' = Φ(z) + z e^(−z²/2) / √(2π): D. Hendrycks and K. Gimpel, 2016, exactly.
     */
    GELU,
    /** φ(z) = z σ(z), φ' = σ(z) (1 + z (1 − σ(z))): S. Elfwing et al., 2017; also called swish. */
    SILU,
    /** φ(z) = z where z &gt; 0, else eᶻ − 1; φ' = 1 where a &gt; 0, else a + 1: D. Clevert et al., 2015, with α = 1. */
    ELU,
    /** φ(z) = log(1 + eᶻ), φ' = 1 − e⁻ᵃ: C. Dugas et al., 2000. */
    SOFTPLUS;

    /** The slope of {@link #LEAKY_RELU} left of zero. */
    public static final float LEAKY_SLOPE = 0.01f;

    /**
     * {@return whether φ' is written in z, so that {@link #backward} and {@link Backend#inputGradient} take Z where others take
     * A}
     */
    public boolean keepsZ() {
        return this == GELU || this == SILU;
    }

    /**
     * Replaces Z by A = φ(Z) in place.
     *
     * @param z      n × m, one sample a column
     * @param offset where Z begins in {@code z}
     * @param n      the units of one sample
     * @param m      the samples
     * @throws IndexOutOfBoundsException if the array is too short
     */
    public void apply(float[] z, int offset, int n, int m) {
        final int end = Objects.checkFromIndexSize(offset, Math.multiplyExact(n, m), z.length) + n * m;
        switch (this) {
            case IDENTITY -> { }
            case SIGMOID -> {
                for (int i = offset; i < end; i++) z[i] = FastMath.sigmoid(z[i]);
            }
            case TANH -> {
                for (int i = offset; i < end; i++) z[i] = FastMath.tanh(z[i]);
            }
            case RELU -> {
                for (int i = offset; i < end; i++) z[i] = Math.max(z[i], 0);
            }
            case LEAKY_RELU -> {
                for (int i = offset; i < end; i++) z[i] = Math.max(z[i], LEAKY_SLOPE * z[i]);
            }
            case GELU -> {
                for (int i = offset; i < end; i++) z[i] = FastMath.gelu(z[i]);
            }
            case SILU -> {
                for (int i = offset; i < end; i++) z[i] = FastMath.silu(z[i]);
            }
            case ELU -> {
                for (int i = offset; i < end; i++) z[i] = FastMath.elu(z[i]);
            }
            case SOFTPLUS -> {
                for (int i = offset; i < end; i++) z[i] = FastMath.softplus(z[i]);
            }
            case SOFTMAX -> {
                for (int start = offset; start < end; start += n) softmax(z, start, n);
            }
        }
    }

    private static void softmax(float[] z, int start, int n) {
        float top = z[start];
        for (int k = 1; k < n; k++) top = Math.max(top, z[start + k]);
        double total = 0;
        for (int k = 0; k < n; k++) total += z[start + k] = FastMath.exp(z[start + k] - top);
        final float scale = (float) (1 / total);
        for (int k = 0; k < n; k++) z[start + k] *= scale;
    }

    /**
     * Replaces G = ∂C/∂A by δ = ∂C/∂Z in place: δ = G ⊙ φ'(Z), and for softmax δ = A ⊙ (G − aᵀg 1) in each column.
     *
     * @param a       A = φ(Z), n × m; or Z where φ {@link #keepsZ()}
     * @param aOffset where A begins in {@code a}
     * @param g       G on entry, δ on return, n × m
     * @param gOffset where G begins in {@code g}
     * @param n       the units of one sample
     * @param m       the samples
     * @throws IndexOutOfBoundsException if an array is too short
     */
    public void backward(float[] a, int aOffset, float[] g, int gOffset, int n, int m) {
        final int size = Math.multiplyExact(n, m);
        Objects.checkFromIndexSize(aOffset, size, a.length);
        Objects.checkFromIndexSize(gOffset, size, g.length);
        if (this == IDENTITY) return;
        if (this == SOFTMAX) {
            for (int start = 0; start < size; start += n) softmaxBackward(a, aOffset + start, g, gOffset + start, n);
        } else if (size < WORTH_A_COPY) {
            for (int i = 0; i < size; i++) g[gOffset + i] *= slope(a[aOffset + i]);
        } else {
            final Blocks blocks = Blocks.MINE.get();
            for (int start = 0, length; start < size; start += length) {
                length = Math.min(BLOCK, size - start);
                System.arraycopy(a, aOffset + start, blocks.a, 0, length);
                System.arraycopy(g, gOffset + start, blocks.g, 0, length);
                backward(blocks, length);
                System.arraycopy(blocks.g, 0, g, gOffset + start, length);
            }
        }
    }

    /**
     * So much at a time is copied and worked on by one index, for the compiler makes no vectors of {@code g[p + i] *= a[o + i]}:
     * the two might overlap.
     */
    static final int BLOCK = 256;
    /** Fewer values are not. */
    private static final int WORTH_A_COPY = 32;

    /** A thread's own memory. */
    static final class Blocks {
        static final ThreadScratch<Blocks> MINE = new ThreadScratch<>(Blocks::new);

        final float[] a = new float[BLOCK], g = new float[BLOCK];
    }

    /** {@link #apply(float[], int, int, int)} on columns that begin {@code step} apart. */
    void apply(float[] z, int offset, int n, int m, int step) {
        if (n == step) apply(z, offset, n, m);
        else for (int j = 0; j < m; j++) apply(z, offset + j * step, n, 1);
    }

    /** G ← G ⊙ φ'(Z) for the first n values of the blocks; not of softmax. */
    void backward(Blocks blocks, int n) {
        final float[] a = blocks.a, g = blocks.g;
        switch (this) {
            case IDENTITY -> {}
            case SIGMOID -> {
                for (int i = 0; i < n; i++) g[i] *= a[i] * (1 - a[i]);
            }
            case TANH -> {
                for (int i = 0; i < n; i++) g[i] *= 1 - a[i] * a[i];
            }
            case RELU -> {
                for (int i = 0; i < n; i++) g[i] *= step(a[i]);
            }
            case LEAKY_RELU -> {
                for (int i = 0; i < n; i++) g[i] *= Math.max(step(a[i]), LEAKY_SLOPE);
            }
            case GELU -> {
                for (int i = 0; i < n; i++) g[i] *= FastMath.geluSlope(a[i]);
            }
            case SILU -> {
                for (int i = 0; i < n; i++) g[i] *= FastMath.siluSlope(a[i]);
            }
            case ELU -> {
                for (int i = 0; i < n; i++) g[i] *= eluSlope(a[i]);
            }
            case SOFTPLUS -> {
                for (int i = 0; i < n; i++) g[i] *= -FastMath.expm1(-a[i]);
            }
            default -> throw new AssertionError(this);
        }
    }

    private float slope(float a) {
        return switch (this) {
            case SIGMOID -> a * (1 - a);
            case TANH -> 1 - a * a;
            case RELU -> step(a);
            case LEAKY_RELU -> Math.max(step(a), LEAKY_SLOPE);
            case GELU -> FastMath.geluSlope(a);
            case SILU -> FastMath.siluSlope(a);
            case ELU -> eluSlope(a);
            case SOFTPLUS -> -FastMath.expm1(-a);
            default -> throw new AssertionError(this);
        };
    }

    /** 1 where a &gt; 0, else 0. Without a branch, which would be mispredicted half of the time: the least float becomes 4e31. */
    private static float step(float a) {
        return Math.min(Math.max(a * 0x1p127f * 0x1p127f, 0), 1);
    }

    /** 1 where a &gt; 0, else a + 1. */
    private static float eluSlope(float a) {
        return Math.min(a, 0) + 1;
    }

    private static void softmaxBackward(float[] a, int aStart, float[] g, int gStart, int n) {
        double dot = 0;
        for (int k = 0; k < n; k++) dot += a[aStart + k] * g[gStart + k];
        for (int k = 0; k < n; k++) g[gStart + k] = (float) (a[aStart + k] * (g[gStart + k] - dot));
    }
}
