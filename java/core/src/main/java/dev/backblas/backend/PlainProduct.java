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

    /** The longest vector; strips are filled up with zeros, or scalar iterations would end each loop. */
    private static final int LANES = 16;
    /** With its header an odd number of cache lines, so that all arrays lie alike in them, and no two on the same. */
    private static final int SIZE = LENGTH + 3 * LANES - 4;
    /**
     * What is longer than {@value #SHORT} is filled up to this: C2 takes vectors of 16 only for loops that it saw run more than
     * 150 times, and all share them.
     */
    private static final int LEAST = 160;
    private static final int SHORT = 96;
    /** So many multiplications pass from one {@link Scratch#settle} to the next: a few milliseconds. */
    private static final int PERIOD = 1 << 27;

    /** Up to so many columns do not repay packing a transposed A. */
    private static final int FEW = 2;

    /** A thread's own memory. */
    private static final class Scratch {
        static final ThreadScratch<Scratch> MINE = new ThreadScratch<>(Scratch::new);

        final float[][] x = new float[DEPTH][SIZE]; // columns of A
        final float[][] t = new float[COLUMNS][SIZE]; // columns of A B
        final float[] u = new float[SIZE]; // a column of C
        final float[] rest = new float[STEP * COLUMNS]; // of B, filled up with zeros

        /**
         * Where the loops begin. C2 lets each begin with scalar iterations, at least one, up to where an address is a multiple of
         * 64. So there is best one, on an element that is not used: 17, with those at the end, cost as much as 250 elements do in
         * vectors. Where that is depends on the address of the arrays, which Java does not tell and which the collector changes.
         */
        int start;
        private long left = PERIOD;

        int first() {
            return start + 1;
        }

        /** Counts multiplications, and now and then finds out by time where it is best to begin: that changes no result. */
        void settle(long work) {
            left -= work;
            if (left > 0) return;
            left = PERIOD;
            Arrays.fill(rest, 0);
            long least = Long.MAX_VALUE;
            for (int s = 0; s < LANES; s++)
                for (int i = 0; i < 3; i++) { // more than once, for the processor may be away meanwhile
                    final long before = System.nanoTime();
                    for (int k = 0; k < 4; k++)
                        step(LEAST + 1, s, t[0], t[1], t[2], x[0], x[1], x[2], x[3], x[4], x[5], rest, 0, 0, 0, 1);
                    final long time = System.nanoTime() - before;
                    if (time < least) {
                        least = time;
                        start = s;
                    }
                }
        }
    }

    @Override
    public String description() {
        return "plain loops";
    }

    @Override
    public void multiply(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn, float[] b,
                         int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cColumn) {
        if (rows < columns) // Cᵀ = BᵀAᵀ, for strips lie along the rows, and long ones are best
            multiply(columns, rows, depth, alpha, b, bOffset, bColumn, bRow, a, aOffset, aColumn, aRow, beta, c, cOffset,
                     cColumn, 1);
        else
            multiply(rows, columns, depth, alpha, a, aOffset, aRow, aColumn, b, bOffset, bRow, bColumn, beta, c, cOffset,
                     1, cColumn);
    }

    private static void multiply(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn,
                                 float[] b, int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cRow,
                                 int cColumn) {
        if (aColumn == 1 && bRow == 1 && columns <= FEW) {
            for (int j = 0; j < columns; j++)
                dots(rows, depth, alpha, a, aOffset, aRow, b, bOffset + j * bColumn, beta, c, cOffset + j * cColumn, cRow);
            return;
        }
        final Scratch scratch = Scratch.MINE.get();
        scratch.settle((long) rows * columns * depth);
        final int length = MatrixProduct.part(rows, LENGTH), kc = MatrixProduct.part(depth, DEPTH);
        for (int i = 0; i < rows; i += length) {
            final int n = Math.min(length, rows - i), filled = n > SHORT && n < LEAST ? LEAST : (n + LANES - 1) / LANES * LANES;
            for (int p = 0; p < depth; p += kc) {
                final int k = Math.min(kc, depth - p);
                pack(n, filled, k, a, aOffset + i * aRow + p * aColumn, aRow, aColumn, scratch);
                for (int j = 0; j < columns; j += COLUMNS) {
                    final int width = Math.min(COLUMNS, columns - j);
                    sum(filled, width, k, b, bOffset + p * bRow + j * bColumn, bRow, bColumn, scratch);
                    for (int q = 0; q < width; q++)
                        put(n, alpha, scratch.t[q], scratch.u, scratch.first(), p == 0 ? beta : 1, c,
                            cOffset + i * cRow + (j + q) * cColumn, cRow);
                }
            }
        }
    }

    /** c ← α A b + β c where A is contiguous along its rows: four at once, each in two sums, for scalars overlap in time. */
    private static void dots(int rows, int depth, float alpha, float[] a, int aOffset, int aRow, float[] b, int bOffset,
                             float beta, float[] c, int at, int cRow) {
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
            final int c0 = at + i * cRow;
            set(c, c0, alpha * (s0 + t0), beta);
            if (last > 0) set(c, c0 + cRow, alpha * (s1 + t1), beta);
            if (last > 1) set(c, c0 + 2 * cRow, alpha * (s2 + t2), beta);
            if (last > 2) set(c, c0 + 3 * cRow, alpha * (s3 + t3), beta);
        }
    }

    private static void set(float[] c, int i, float sum, float beta) {
        c[i] = beta == 0 ? sum : sum + beta * c[i];
    }

    /** Column p of A to x[p], with zeros below and columns of zeros up to a multiple of {@link #STEP}. */
    private static void pack(int n, int filled, int depth, float[] a, int aOffset, int aRow, int aColumn,
                             Scratch scratch) {
        final float[][] x = scratch.x;
        final int first = scratch.first();
        if (aRow == 1) for (int p = 0; p < depth; p++) System.arraycopy(a, aOffset + p * aColumn, x[p], first, n);
        else transpose(n, depth, a, aOffset, aRow, x, first);
        int p = 0;
        for (; p < depth; p++) Arrays.fill(x[p], first + n, first + filled, 0);
        for (; p % STEP != 0; p++) Arrays.fill(x[p], first, first + filled, 0);
    }

    /** x[p][first + i] = a[aOffset + i * aRow + p], for eight i at a time. */
    private static void transpose(int n, int depth, float[] a, int aOffset, int aRow, float[][] x, int first) {
        int i = 0;
        for (; i + 8 <= n; i += 8) {
            final int a0 = aOffset + i * aRow, a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow,
                a6 = a5 + aRow, a7 = a6 + aRow, at = first + i;
            for (int p = 0; p < depth; p++) {
                final float[] to = x[p];
                to[at] = a[a0 + p];
                to[at + 1] = a[a1 + p];
                to[at + 2] = a[a2 + p];
                to[at + 3] = a[a3 + p];
                to[at + 4] = a[a4 + p];
                to[at + 5] = a[a5 + p];
                to[at + 6] = a[a6 + p];
                to[at + 7] = a[a7 + p];
            }
        }
        for (; i < n; i++) for (int p = 0; p < depth; p++) x[p][first + i] = a[aOffset + i * aRow + p];
    }

    /** t[j] = Σ x[p] bₚⱼ. */
    private static void sum(int n, int columns, int depth, float[] b, int bOffset, int bRow, int bColumn, Scratch scratch) {
        final float[][] x = scratch.x, t = scratch.t;
        final int start = scratch.start;
        for (int j = 0; j < columns || j % WIDTH != 0; j++) Arrays.fill(t[j], start, start + 1 + n, 0);
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
                step(n + 1, start, t[j], t[j + 1], t[j + 2], x[p], x[p + 1], x[p + 2], x[p + 3], x[p + 4], x[p + 5],
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
    private static void step(int n, int start, float[] t0, float[] t1, float[] t2, float[] x0, float[] x1, float[] x2, float[] x3,
                             float[] x4, float[] x5, float[] b, int at, int j1, int j2, int bRow) {
        final int p1 = at + bRow, p2 = p1 + bRow, p3 = p2 + bRow, p4 = p3 + bRow, p5 = p4 + bRow;
        final float b00 = b[at], b01 = b[at + j1], b02 = b[at + j2], b10 = b[p1], b11 = b[p1 + j1], b12 = b[p1 + j2],
            b20 = b[p2], b21 = b[p2 + j1], b22 = b[p2 + j2];
        for (int i = 0; i < n; i++) {
            final float y0 = x0[i + start], y1 = x1[i + start], y2 = x2[i + start];
            t0[i + start] = fma(b20, y2, fma(b10, y1, fma(b00, y0, t0[i + start])));
            t1[i + start] = fma(b21, y2, fma(b11, y1, fma(b01, y0, t1[i + start])));
            t2[i + start] = fma(b22, y2, fma(b12, y1, fma(b02, y0, t2[i + start])));
        }
        final float b30 = b[p3], b31 = b[p3 + j1], b32 = b[p3 + j2], b40 = b[p4], b41 = b[p4 + j1], b42 = b[p4 + j2],
            b50 = b[p5], b51 = b[p5 + j1], b52 = b[p5 + j2];
        for (int i = 0; i < n; i++) {
            final float y0 = x3[i + start], y1 = x4[i + start], y2 = x5[i + start];
            t0[i + start] = fma(b50, y2, fma(b40, y1, fma(b30, y0, t0[i + start])));
            t1[i + start] = fma(b51, y2, fma(b41, y1, fma(b31, y0, t1[i + start])));
            t2[i + start] = fma(b52, y2, fma(b42, y1, fma(b32, y0, t2[i + start])));
        }
    }

    private static float fma(float x, float y, float z) {
        return MatrixProduct.FUSED ? Math.fma(x, y, z) : x * y + z;
    }

    /** A column of C, c ← α t + β c. */
    private static void put(int n, float alpha, float[] t, float[] u, int first, float beta, float[] c, int at, int cRow) {
        if (beta != 0) {
            if (cRow == 1) System.arraycopy(c, at, u, first, n);
            else for (int i = 0; i < n; i++) u[first + i] = c[at + i * cRow];
            for (int i = first; i < first + n; i++) t[i] = alpha * t[i] + beta * u[i];
        } else if (alpha != 1) {
            for (int i = first; i < first + n; i++) t[i] *= alpha;
        }
        if (cRow == 1) System.arraycopy(t, first, c, at, n);
        else for (int i = 0; i < n; i++) c[at + i * cRow] = t[first + i];
    }
}
