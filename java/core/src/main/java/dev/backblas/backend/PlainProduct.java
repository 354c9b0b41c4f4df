package dev.backblas.backend;

import java.util.Arrays;

/**
 * The product in loops that C2, HotSpot's compiler, turns into vectors by itself. It does so where every array of a loop is
 * reached by the same index: it cannot prove that {@code c[o + i]} and {@code x[p + i]} do not overlap, and such a loop stays
 * scalar. So the columns of a strip of A are copied into arrays of their own, and columns of C are summed in others.
 *
 * <p>Blocked as in {@link VectorProduct}, for larger strips, since each loop has its costs: {@value #LENGTH} × {@value #DEPTH} of
 * A stay in the second cache, {@value #COLUMNS} columns of C in the first.
 */
final class PlainProduct implements MatrixProduct {

    private static final int LENGTH = 512;
    private static final int DEPTH = 126;
    private static final int COLUMNS = 12;

    /** 3 × 3 columns at once is the most that JDK 17 turns into vectors, and so are {@link #DEPTH} and {@link #COLUMNS} multiples. */
    private static final int WIDTH = 3;

    /**
     * Where the loops begin: C2 runs scalar iterations, at least one, up to where the vectors would be aligned if arrays were,
     * 64 bytes from the object's start; elements begin after 16 bytes. That one iteration falls on an element that is not used.
     */
    private static final int START = 11;
    private static final int FIRST = START + 1;
    /** The longest vector; strips are filled up with zeros, or scalar iterations would end each loop. */
    private static final int LANES = 16;

    /** A thread's own memory. */
    private static final class Scratch {
        static final ThreadLocal<Scratch> MINE = ThreadLocal.withInitial(Scratch::new);

        final float[][] x = new float[DEPTH][FIRST + LENGTH]; // columns of A
        final float[][] t = new float[COLUMNS][FIRST + LENGTH]; // columns of A B
        final float[] u = new float[FIRST + LENGTH]; // a column of C
    }

    @Override
    public String description() {
        return "plain loops";
    }

    @Override
    public void multiply(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn, float[] b,
                         int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cColumn) {
        final Scratch scratch = Scratch.MINE.get();
        final int length = MatrixProduct.part(rows, LENGTH), kc = MatrixProduct.part(depth, DEPTH);
        for (int i = 0; i < rows; i += length) {
            final int n = Math.min(length, rows - i), filled = (n + LANES - 1) / LANES * LANES;
            for (int p = 0; p < depth; p += kc) {
                final int k = Math.min(kc, depth - p);
                pack(n, filled, k, a, aOffset + i * aRow + p * aColumn, aRow, aColumn, scratch.x);
                for (int j = 0; j < columns; j += COLUMNS) {
                    final int width = Math.min(COLUMNS, columns - j);
                    sum(filled, width, k, scratch.x, b, bOffset + p * bRow + j * bColumn, bRow, bColumn, scratch.t);
                    for (int q = 0; q < width; q++)
                        put(n, alpha, scratch.t[q], scratch.u, p == 0 ? beta : 1, c, cOffset + (j + q) * cColumn + i);
                }
            }
        }
    }

    /** Column p of A to x[p], with zeros below and columns of zeros up to a multiple of {@link #WIDTH}. */
    private static void pack(int n, int filled, int depth, float[] a, int aOffset, int aRow, int aColumn, float[][] x) {
        int p = 0;
        if (aRow == 1) for (; p < depth; p++) System.arraycopy(a, aOffset + p * aColumn, x[p], FIRST, n);
        for (; p + 8 <= depth; p += 8)
            deal(n, a, aOffset + p * aColumn, aRow, aColumn, x[p], x[p + 1], x[p + 2], x[p + 3], x[p + 4], x[p + 5], x[p + 6],
                 x[p + 7]);
        for (; p < depth; p++)
            for (int i = 0; i < n; i++) x[p][FIRST + i] = a[aOffset + i * aRow + p * aColumn];
        for (p = 0; p < depth; p++) Arrays.fill(x[p], FIRST + n, FIRST + filled, 0);
        for (; p % WIDTH != 0; p++) Arrays.fill(x[p], FIRST, FIRST + filled, 0);
    }

    /** Eight columns of a matrix that is contiguous along its rows. */
    private static void deal(int n, float[] a, int aOffset, int aRow, int aColumn, float[] x0, float[] x1, float[] x2, float[] x3,
                             float[] x4, float[] x5, float[] x6, float[] x7) {
        for (int i = 0; i < n; i++) {
            final int at = aOffset + i * aRow;
            x0[FIRST + i] = a[at];
            x1[FIRST + i] = a[at + aColumn];
            x2[FIRST + i] = a[at + 2 * aColumn];
            x3[FIRST + i] = a[at + 3 * aColumn];
            x4[FIRST + i] = a[at + 4 * aColumn];
            x5[FIRST + i] = a[at + 5 * aColumn];
            x6[FIRST + i] = a[at + 6 * aColumn];
            x7[FIRST + i] = a[at + 7 * aColumn];
        }
    }

    /** t[j] = Σ x[p] bₚⱼ; what is too deep or too wide for {@link #WIDTH} counts as zero. */
    private static void sum(int n, int columns, int depth, float[][] x, float[] b, int bOffset, int bRow, int bColumn,
                            float[][] t) {
        for (int j = 0; j < columns || j % WIDTH != 0; j++) Arrays.fill(t[j], START, FIRST + n, 0);
        for (int p = 0; p < depth; p += WIDTH) {
            final boolean second = p + 1 < depth, third = p + 2 < depth;
            final int p1 = second ? bRow : 0, p2 = third ? 2 * bRow : 0;
            for (int j = 0; j < columns; j += WIDTH) {
                final int b0 = bOffset + p * bRow + j * bColumn, b1 = j + 1 < columns ? b0 + bColumn : b0,
                    b2 = j + 2 < columns ? b1 + bColumn : b0;
                step(n + 1, t[j], t[j + 1], t[j + 2], x[p], x[p + 1], x[p + 2],
                     b[b0], b[b1], b[b2], second ? b[b0 + p1] : 0, second ? b[b1 + p1] : 0, second ? b[b2 + p1] : 0,
                     third ? b[b0 + p2] : 0, third ? b[b1 + p2] : 0, third ? b[b2 + p2] : 0);
            }
        }
    }

    private static void step(int n, float[] t0, float[] t1, float[] t2, float[] x0, float[] x1, float[] x2,
                             float b00, float b01, float b02, float b10, float b11, float b12, float b20, float b21, float b22) {
        for (int i = 0; i < n; i++) {
            final float y0 = x0[i + START], y1 = x1[i + START], y2 = x2[i + START];
            t0[i + START] = fma(b20, y2, fma(b10, y1, fma(b00, y0, t0[i + START])));
            t1[i + START] = fma(b21, y2, fma(b11, y1, fma(b01, y0, t1[i + START])));
            t2[i + START] = fma(b22, y2, fma(b12, y1, fma(b02, y0, t2[i + START])));
        }
    }

    private static float fma(float x, float y, float z) {
        return MatrixProduct.FUSED ? Math.fma(x, y, z) : x * y + z;
    }

    /** A column of C, c ← α t + β c. */
    private static void put(int n, float alpha, float[] t, float[] u, float beta, float[] c, int at) {
        if (beta != 0) {
            System.arraycopy(c, at, u, FIRST, n);
            for (int i = FIRST; i < FIRST + n; i++) t[i] = alpha * t[i] + beta * u[i];
        } else if (alpha != 1) {
            for (int i = FIRST; i < FIRST + n; i++) t[i] *= alpha;
        }
        System.arraycopy(t, FIRST, c, at, n);
    }
}
