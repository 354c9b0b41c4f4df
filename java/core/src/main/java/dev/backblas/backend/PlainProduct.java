package dev.backblas.backend;

import java.util.Arrays;

/**
 * The product in loops that C2, HotSpot's compiler, turns into vectors by itself. It does so where every array of a loop is
 * reached by the same index: it cannot prove that {@code c[o + i]} and {@code x[p + i]} do not overlap, and such a loop stays
 * scalar. So the columns of a strip of A are copied into arrays of their own, and columns of C are summed in others.
 *
 * <p>Blocked as in {@code VectorProduct}, for larger strips, since each loop has its costs: {@value #LENGTH} × {@value #DEPTH} of
 * A stay in the second cache, {@value #COLUMNS} columns of C in the first.
 */
final class PlainProduct implements MatrixProduct {

    private static final int LENGTH = 512;
    private static final int DEPTH = 126;
    private static final int COLUMNS = 12;

    /** Three columns of A times three of B in a loop: the most that JDK 17 turns into vectors. */
    private static final int WIDTH = 3;
    /** Two such loops make {@link #step}: see there. */
    private static final int STEP = 2 * WIDTH;

    /**
     * Where the loops begin: C2 runs scalar iterations, at least one, up to where the address would be a multiple of 32 if the
     * array's were; elements begin 16 bytes into it. So there is one, on an element that is not used. From 0 it would be 4 to 12.
     */
    private static final int START = 3;
    private static final int FIRST = START + 1;
    /** The longest vector; strips are filled up with zeros, or scalar iterations would end each loop. */
    private static final int LANES = 16;

    /** Up to so many columns do not repay packing a transposed A. */
    private static final int FEW = 2;

    /** A thread's own memory. */
    private static final class Scratch {
        static final ThreadScratch<Scratch> MINE = new ThreadScratch<>(Scratch::new);

        final float[][] x = new float[DEPTH][FIRST + LENGTH]; // columns of A
        final float[] transposed = new float[LENGTH * DEPTH];
        final float[][] t = new float[COLUMNS][FIRST + LENGTH]; // columns of A B
        final float[] u = new float[FIRST + LENGTH]; // a column of C
        final float[] rest = new float[STEP * COLUMNS]; // of B, filled up with zeros
    }

    @Override
    public String description() {
        return "plain loops";
    }

    @Override
    public void multiply(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn, float[] b,
                         int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cColumn) {
        if (aColumn == 1 && bRow == 1 && columns <= FEW) {
            for (int j = 0; j < columns; j++)
                dots(rows, depth, alpha, a, aOffset, aRow, b, bOffset + j * bColumn, beta, c, cOffset + j * cColumn);
            return;
        }
        final Scratch scratch = Scratch.MINE.get();
        final int length = MatrixProduct.part(rows, LENGTH), kc = MatrixProduct.part(depth, DEPTH);
        for (int i = 0; i < rows; i += length) {
            final int n = Math.min(length, rows - i), filled = (n + LANES - 1) / LANES * LANES;
            for (int p = 0; p < depth; p += kc) {
                final int k = Math.min(kc, depth - p);
                pack(n, filled, k, a, aOffset + i * aRow + p * aColumn, aRow, aColumn, scratch);
                for (int j = 0; j < columns; j += COLUMNS) {
                    final int width = Math.min(COLUMNS, columns - j);
                    sum(filled, width, k, b, bOffset + p * bRow + j * bColumn, bRow, bColumn, scratch);
                    for (int q = 0; q < width; q++)
                        put(n, alpha, scratch.t[q], scratch.u, p == 0 ? beta : 1, c, cOffset + (j + q) * cColumn + i);
                }
            }
        }
    }

    /** c ← α A b + β c where A is contiguous along its rows: four at once, each in two sums, for scalars overlap in time. */
    private static void dots(int rows, int depth, float alpha, float[] a, int aOffset, int aRow, float[] b, int bOffset,
                             float beta, float[] c, int at) {
        for (int i = 0; i < rows; i += 4) { // what sticks out computes the last row again
            final int last = Math.min(4, rows - i) - 1, a0 = aOffset + i * aRow, a1 = a0 + Math.min(1, last) * aRow,
                a2 = a0 + Math.min(2, last) * aRow, a3 = a0 + last * aRow;
            float s0 = 0, s1 = 0, s2 = 0, s3 = 0, t0 = 0, t1 = 0, t2 = 0, t3 = 0;
            for (int p = 0; p + 1 < depth; p += 2) {
                final float x = b[bOffset + p], y = b[bOffset + p + 1];
                s0 = fma(a[a0 + p], x, s0);
                s1 = fma(a[a1 + p], x, s1);
                s2 = fma(a[a2 + p], x, s2);
                s3 = fma(a[a3 + p], x, s3);
                t0 = fma(a[a0 + p + 1], y, t0);
                t1 = fma(a[a1 + p + 1], y, t1);
                t2 = fma(a[a2 + p + 1], y, t2);
                t3 = fma(a[a3 + p + 1], y, t3);
            }
            if (depth % 2 == 1) {
                final int p = depth - 1;
                final float x = b[bOffset + p];
                s0 = fma(a[a0 + p], x, s0);
                s1 = fma(a[a1 + p], x, s1);
                s2 = fma(a[a2 + p], x, s2);
                s3 = fma(a[a3 + p], x, s3);
            }
            set(c, at + i, alpha * (s0 + t0), beta);
            if (last > 0) set(c, at + i + 1, alpha * (s1 + t1), beta);
            if (last > 1) set(c, at + i + 2, alpha * (s2 + t2), beta);
            if (last > 2) set(c, at + i + 3, alpha * (s3 + t3), beta);
        }
    }

    private static void set(float[] c, int i, float sum, float beta) {
        c[i] = beta == 0 ? sum : sum + beta * c[i];
    }

    /** Column p of A to x[p], with zeros below and columns of zeros up to a multiple of {@link #STEP}. */
    private static void pack(int n, int filled, int depth, float[] a, int aOffset, int aRow, int aColumn,
                             Scratch scratch) {
        final float[][] x = scratch.x;
        if (aRow == 1) {
            for (int p = 0; p < depth; p++) System.arraycopy(a, aOffset + p * aColumn, x[p], FIRST, n);
        } else {
            MatrixProduct.transpose(n, depth, a, aOffset, aRow, scratch.transposed, n);
            for (int p = 0; p < depth; p++) System.arraycopy(scratch.transposed, p * n, x[p], FIRST, n);
        }
        int p = 0;
        for (; p < depth; p++) Arrays.fill(x[p], FIRST + n, FIRST + filled, 0);
        for (; p % STEP != 0; p++) Arrays.fill(x[p], FIRST, FIRST + filled, 0);
    }

    /** t[j] = Σ x[p] bₚⱼ. */
    private static void sum(int n, int columns, int depth, float[] b, int bOffset, int bRow, int bColumn, Scratch scratch) {
        final float[][] x = scratch.x, t = scratch.t;
        for (int j = 0; j < columns || j % WIDTH != 0; j++) Arrays.fill(t[j], START, FIRST + n, 0);
        for (int p = 0; p < depth; p += STEP) {
            bOffset += p == 0 ? 0 : STEP * bRow;
            if (p + STEP > depth) {
                rest(depth - p, columns, b, bOffset, bRow, bColumn, scratch.rest);
                b = scratch.rest;
                bOffset = 0;
                bRow = 1;
                bColumn = STEP;
            }
            for (int j = 0; j < columns; j += WIDTH) // what is too wide computes the first of three again
                step(n + 1, t[j], t[j + 1], t[j + 2], x[p], x[p + 1], x[p + 2], x[p + 3], x[p + 4], x[p + 5],
                     b, bOffset + j * bColumn, j + 1 < columns ? bColumn : 0, j + 2 < columns ? 2 * bColumn : 0, bRow);
        }
    }

    /** The last rows of B, and rows of zeros up to {@link #STEP}; zero times what A is filled up with is zero. */
    private static void rest(int depth, int columns, float[] b, int bOffset, int bRow, int bColumn, float[] rest) {
        Arrays.fill(rest, 0);
        for (int j = 0; j < columns; j++)
            for (int p = 0; p < depth; p++) rest[j * STEP + p] = b[bOffset + p * bRow + j * bColumn];
    }

    /**
     * t += six columns of A times a 6 × 3 of B. In two loops, for this makes the method larger than what HotSpot inlines
     * ({@code FreqInlineSize}): compiled into {@link #sum}, within its loops, they would stay scalar on JDK 17.
     */
    private static void step(int n, float[] t0, float[] t1, float[] t2, float[] x0, float[] x1, float[] x2, float[] x3,
                             float[] x4, float[] x5, float[] b, int at, int j1, int j2, int bRow) {
        final int p1 = at + bRow, p2 = p1 + bRow, p3 = p2 + bRow, p4 = p3 + bRow, p5 = p4 + bRow;
        final float b00 = b[at], b01 = b[at + j1], b02 = b[at + j2], b10 = b[p1], b11 = b[p1 + j1], b12 = b[p1 + j2],
            b20 = b[p2], b21 = b[p2 + j1], b22 = b[p2 + j2];
        for (int i = 0; i < n; i++) {
            final float y0 = x0[i + START], y1 = x1[i + START], y2 = x2[i + START];
            t0[i + START] = fma(b20, y2, fma(b10, y1, fma(b00, y0, t0[i + START])));
            t1[i + START] = fma(b21, y2, fma(b11, y1, fma(b01, y0, t1[i + START])));
            t2[i + START] = fma(b22, y2, fma(b12, y1, fma(b02, y0, t2[i + START])));
        }
        final float b30 = b[p3], b31 = b[p3 + j1], b32 = b[p3 + j2], b40 = b[p4], b41 = b[p4 + j1], b42 = b[p4 + j2],
            b50 = b[p5], b51 = b[p5 + j1], b52 = b[p5 + j2];
        for (int i = 0; i < n; i++) {
            final float y0 = x3[i + START], y1 = x4[i + START], y2 = x5[i + START];
            t0[i + START] = fma(b50, y2, fma(b40, y1, fma(b30, y0, t0[i + START])));
            t1[i + START] = fma(b51, y2, fma(b41, y1, fma(b31, y0, t1[i + START])));
            t2[i + START] = fma(b52, y2, fma(b42, y1, fma(b32, y0, t2[i + START])));
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
