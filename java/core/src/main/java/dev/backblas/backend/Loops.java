package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/** The kernels as plain loops: the fastest way for products so small that any call costs more than the work. */
final class Loops {

    /**
     * Up to this much work, counted in multiplications, a loop is faster than a JNI call with four pinned arrays, which costs 100
     * to 150 ns: the loops win up to 300 in affine, 190 in the weight gradient and 130 in the input gradient (KernelBenchmark on
     * products from 3x1x1 to 16x16x2).
     */
    static final int TINY = 192;

    private Loops() {}

    /** The work of affine, with that of φ, which costs about as much as so many multiplications for each value. */
    static long work(int in, int out, int m, Activation phi) {
        return (long) (in + switch (phi) {
            case TANH, GELU -> 40;
            case SIGMOID, SOFTMAX, SILU, ELU, SOFTPLUS -> 8;
            default -> 0;
        }) * out * m;
    }

    static void affine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b, int bOffset,
                       float[] a, int aOffset, Activation phi, float[] next, int nextOffset) {
        for (int j = 0; j < m; j++)
            for (int k = from; k < to; k++)
                next[nextOffset + j * out + k] =
                    (b == null ? 0 : b[bOffset + k]) + dot(in, w, wOffset + k * in, a, aOffset + j * in);
        phi.apply(next, nextOffset + from, to - from, m, out);
    }

    static void inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset, Activation phi,
                              float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        for (int j = 0; j < m; j++) {
            final int column = previousOffset + j * in;
            for (int k = 0; k < out; k++)
                addScaled(in, delta[deltaOffset + j * out + k], w, wOffset + k * in, k == 0 ? 0 : 1, previous, column);
        }
        if (a != null) phi.backward(a, aOffset, previous, previousOffset, in, m);
    }

    static void weightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        for (int j = 0; j < m; j++)
            for (int k = from; k < to; k++)
                addScaled(in, alpha * delta[deltaOffset + j * out + k], a, aOffset + j * in, j == 0 ? beta : 1, c,
                          cOffset + k * in);
        if (cBias != null) biasGradient(out, m, from, to, alpha, delta, deltaOffset, gamma, cBias, cBiasOffset);
    }

    /** δ ← (X₁ + … + Xₜ) ⊙ φ'(A), of their rows [from, to). */
    static void sum(int n, int m, int terms, int step, int from, int to, float[] x, int xOffset, Activation phi,
                    float @Nullable [] a, int aOffset, float[] delta, int deltaOffset) {
        final boolean whole = to - from == n; // columns follow each other then
        final int rows = whole ? n * m : to - from, columns = whole ? 1 : m;
        final Activation.Blocks blocks = Activation.Blocks.MINE.get();
        for (int j = 0; j < columns; j++)
            for (int i = 0, length; i < rows; i += length) {
                length = Math.min(Activation.BLOCK, rows - i);
                final int at = j * n + from + i;
                System.arraycopy(x, xOffset + at, blocks.g, 0, length);
                for (int t = 1; t < terms; t++) {
                    System.arraycopy(x, xOffset + t * step + at, blocks.a, 0, length);
                    for (int k = 0; k < length; k++) blocks.g[k] += blocks.a[k];
                }
                if (a != null) {
                    System.arraycopy(a, aOffset + at, blocks.a, 0, length);
                    phi.backward(blocks, length);
                }
                System.arraycopy(blocks.g, 0, delta, deltaOffset + j * rows + i, length);
            }
    }

    /** c ← α δ 1 + γ c on the units [from, to). */
    static void biasGradient(int out, int m, int from, int to, float alpha, float[] delta, int deltaOffset, float gamma,
                             float[] cBias, int cBiasOffset) {
        for (int k = from; k < to; k++) {
            float sum = 0;
            for (int j = 0; j < m; j++) sum += delta[deltaOffset + j * out + k];
            final int i = cBiasOffset + k;
            cBias[i] = gamma == 0 ? alpha * sum : alpha * sum + gamma * cBias[i];
        }
    }

    /** xᵀy, in four independent sums, which the processor can add at the same time. */
    private static float dot(int n, float[] x, int xOffset, float[] y, int yOffset) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = 0;
        for (; i + 4 <= n; i += 4) {
            s0 += x[xOffset + i] * y[yOffset + i];
            s1 += x[xOffset + i + 1] * y[yOffset + i + 1];
            s2 += x[xOffset + i + 2] * y[yOffset + i + 2];
            s3 += x[xOffset + i + 3] * y[yOffset + i + 3];
        }
        for (; i < n; i++) s0 += x[xOffset + i] * y[yOffset + i];
        return (s0 + s1) + (s2 + s3);
    }

    /** y ← s x + β y; with β = 0, y is not read. */
    private static void addScaled(int n, float s, float[] x, int xOffset, float beta, float[] y, int yOffset) {
        if (beta == 0) for (int i = 0; i < n; i++) y[yOffset + i] = s * x[xOffset + i];
        else if (beta == 1) for (int i = 0; i < n; i++) y[yOffset + i] += s * x[xOffset + i];
        else for (int i = 0; i < n; i++) y[yOffset + i] = s * x[xOffset + i] + beta * y[yOffset + i];
    }
}
