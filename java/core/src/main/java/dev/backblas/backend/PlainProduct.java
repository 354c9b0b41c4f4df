package dev.backblas.backend;

import java.util.Arrays;

/**
 * The product in loops that C2, HotSpot's compiler, turns into vectors by itself. It does so where every array of a loop is
 * reached by the same index: it cannot prove that {@code c[o + i]} and {@code x[p + i]} do not overlap, and such a loop stays
 * scalar. So the columns of a strip of A are copied into arrays of their own, and columns of C are summed in others.
 *
 * <p>Blocked as in {@code VectorProduct}, for larger strips, since each loop has its costs, as much as 100 elements: a strip of A
 * stays in the second cache, {@value #COLUMNS} columns of C in the first.
 */
final class PlainProduct implements MatrixProduct {

    /** Three columns of A times three of B in a loop: the most that C2 turns into vectors. */
    private static final int WIDTH = 3;
    /** Two such loops make {@link #step}: see there. */
    private static final int COLUMNS = 2 * WIDTH;

    /** A strip of A is at most {@value #LENGTH} long, {@value #DEPTH} deep, and {@value #AREA} elements large. */
    private static final int LENGTH = 832;
    private static final int DEPTH = 264;
    private static final int AREA = 1 << 17;

    /** The longest vector; strips are filled up with zeros, or scalar iterations would end each loop. */
    private static final int LANES = 16;
    /** With its header an odd number of cache lines, so that all arrays lie alike in them, and no two on the same. */
    private static final int SIZE = LENGTH + 3 * LANES - 4;
    /**
     * C2 takes vectors of 16 only for loops that it saw run more than 160 times. While it may still be looking, for the first
     * {@value #YOUTH} multiplications, shorter strips are filled up to this, for it looks only once, whatever comes later.
     */
    private static final int LEAST = 192;
    private static final int YOUTH = 1 << 28;
    private static long age; // counted by all threads, about: it changes no result

    /** So many multiplications pass from one {@link Scratch#settle} to the next, 5 ms or more; it takes 30 µs. */
    private static final int PERIOD = 1 << 28;
    /** What a step works on. */
    private static final int GROUP = COLUMNS + WIDTH;
    private static final int ARRAYS = COLUMNS + DEPTH; // a multiple of GROUP
    /** Arrays that do not lie alike take so many times as long (1.4 to 2), and so many groups of them are laid anew at most. */
    private static final double UNLIKE = 1.25;
    private static final int MOVES = 500;

    /** Up to so many columns do not repay packing a transposed A. */
    private static final int FEW = 2;

    /** A thread's own memory. */
    private static final class Scratch {
        static final ThreadScratch<Scratch> MINE = new ThreadScratch<>(Scratch::new);

        final float[][] x = new float[DEPTH][]; // columns of A, each of SIZE
        final float[][] t = new float[COLUMNS][]; // columns of A B
        final float[] rest = new float[COLUMNS * DEPTH]; // of B, filled up with zeros

        /**
         * Where the loops begin. C2 lets each begin with scalar iterations, at least one, up to where an address is a multiple of
         * 64. So there is best one, on an element that is not used: 17, with those at the end, cost as much as 250 elements do in
         * vectors. Where that is depends on the address of the arrays, which Java does not tell and which the collector changes.
         */
        int start;
        private long left = PERIOD;
        private int moves = MOVES;
        private byte[] gap = {}; // kept, or C2 would not make it

        Scratch() {
            for (int i = 0; i < ARRAYS; i++) lay(i);
        }

        private void lay(int i) {
            if (i < COLUMNS) t[i] = new float[SIZE];
            else x[i - COLUMNS] = new float[SIZE];
        }

        private float[] array(int i) {
            return i < COLUMNS ? t[i] : x[i - COLUMNS];
        }

        int first() {
            return start + 1;
        }

        /**
         * Counts multiplications, and now and then finds out by time where it is best to begin, and which arrays do not lie in
         * cache lines as the best ones do: a thread gets its memory in pieces that begin anywhere. Those are laid anew, behind
         * the last, then 8 bytes further on each time (W1 on JDK 25: from 216,000 samples/s to 286,000). This changes no result.
         */
        void settle(long work) {
            left -= work;
            if (left > 0) return;
            left = PERIOD;
            Arrays.fill(rest, 0);
            long least = Long.MAX_VALUE;
            for (int s = 0; s < LANES; s++) {
                final long time = time(s, 0);
                if (time < least) {
                    least = time;
                    start = s;
                }
            }
            int best = 0; // the first may lie badly itself
            for (int i = GROUP; i < ARRAYS; i += GROUP) {
                final long time = time(start, i);
                if (time < least) {
                    least = time;
                    best = i;
                }
            }
            for (int i = 0; i < ARRAYS; i += GROUP)
                for (int n = 0; n < 8 && i != best && moves > 0 && time(start, i) > UNLIKE * least && isUnlike(i, best); n++) {
                    moves--;
                    if (n > 0) gap = new byte[64 - 16 + 8]; // with its header 8 bytes more than a line
                    for (int k = 0; k < GROUP; k++) lay(i + k);
                }
        }

        /** Whether it is so, and not that the processor has become slower since the best was timed. */
        private boolean isUnlike(int i, int best) {
            return time(start, i) > UNLIKE * time(start, best);
        }

        /** Of a few steps on arrays from i on. */
        private long time(int start, int i) {
            long least = Long.MAX_VALUE;
            for (int n = 0; n < 3; n++) { // more than once, for the processor may be away meanwhile
                final long before = System.nanoTime();
                for (int k = 0; k < 4; k++)
                    step(array(i), array(i + 1), array(i + 2), array(i + 6), array(i + 7), array(i + 8), LEAST + 1, start,
                         array(i + 3), array(i + 4), array(i + 5), rest, 0, 0, 0);
                least = Math.min(least, System.nanoTime() - before);
            }
            return least;
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
        final int length = MatrixProduct.part(rows, LENGTH), least = age < YOUTH ? LEAST : 0;
        if (age < YOUTH) age += (long) Math.max(rows, least) * columns * depth;
        for (int i = 0; i < rows; i += length) {
            final int n = Math.min(length, rows - i), filled = Math.max(least, multiple(n, LANES));
            final int kc = multiple(MatrixProduct.part(depth, Math.min(DEPTH, AREA / filled)), WIDTH);
            for (int p = 0; p < depth; p += kc) {
                final int k = Math.min(kc, depth - p);
                pack(n, filled, k, alpha, a, aOffset + i * aRow + p * aColumn, aRow, aColumn, scratch);
                for (int j = 0; j < columns; j += COLUMNS) {
                    final int width = Math.min(COLUMNS, columns - j), at = cOffset + i * cRow + j * cColumn;
                    get(n, filled, width, p == 0 ? beta : 1, c, at, cRow, cColumn, scratch);
                    sum(filled, width, k, b, bOffset + p * bRow + j * bColumn, bRow, bColumn, scratch);
                    put(n, width, c, at, cRow, cColumn, scratch);
                }
            }
        }
    }

    private static int multiple(int n, int of) {
        return (n + of - 1) / of * of;
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

    /** Column p of α A to x[p], with zeros below and columns of zeros up to a multiple of {@link #WIDTH}. */
    private static void pack(int n, int filled, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn,
                             Scratch scratch) {
        final float[][] x = scratch.x;
        final int first = scratch.first();
        if (aRow == 1) for (int p = 0; p < depth; p++) System.arraycopy(a, aOffset + p * aColumn, x[p], first, n);
        else transpose(n, depth, a, aOffset, aRow, x, first);
        for (int p = 0; p < depth; p++) {
            Arrays.fill(x[p], first + n, first + filled, 0);
            if (alpha != 1) scale(1 + filled, alpha, x[p], scratch.start);
        }
        for (int p = depth; p % WIDTH != 0; p++) Arrays.fill(x[p], first, first + filled, 0);
    }

    private static void scale(int n, float alpha, float[] x, int start) {
        for (int i = 0; i < n; i++) x[i + start] *= alpha;
    }

    /** x[p][first + i] = a[aOffset + i * aRow + p], for sixteen i at a time: a cache line. */
    private static void transpose(int n, int depth, float[] a, int aOffset, int aRow, float[][] x, int first) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) transpose16(depth, a, aOffset + i * aRow, aRow, x, first + i);
        for (; i < n; i++) for (int p = 0; p < depth; p++) x[p][first + i] = a[aOffset + i * aRow + p];
    }

    private static void transpose16(int depth, float[] a, int a0, int aRow, float[][] x, int at) {
        final int a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow, a6 = a5 + aRow, a7 = a6 + aRow,
            a8 = a7 + aRow, a9 = a8 + aRow, a10 = a9 + aRow, a11 = a10 + aRow, a12 = a11 + aRow, a13 = a12 + aRow,
            a14 = a13 + aRow, a15 = a14 + aRow;
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
            to[at + 8] = a[a8 + p];
            to[at + 9] = a[a9 + p];
            to[at + 10] = a[a10 + p];
            to[at + 11] = a[a11 + p];
            to[at + 12] = a[a12 + p];
            to[at + 13] = a[a13 + p];
            to[at + 14] = a[a14 + p];
            to[at + 15] = a[a15 + p];
        }
    }

    /** t[j] += Σ x[p] bₚⱼ. */
    private static void sum(int n, int width, int depth, float[] b, int at, int bRow, int bColumn, Scratch scratch) {
        final float[][] x = scratch.x, t = scratch.t;
        final float[] t3 = width > WIDTH ? t[3] : null, rest = scratch.rest;
        final int start = scratch.start, whole = width % WIDTH == 0 ? depth / WIDTH * WIDTH : 0;
        for (int p = 0; p < whole; p += WIDTH)
            step(t[0], t[1], t[2], x[p], x[p + 1], x[p + 2], 1 + n, start, t3, t[4], t[5], b, at + p * bRow, bRow, bColumn);
        if (whole == depth) return;
        rest(depth - whole, width, b, at + whole * bRow, bRow, bColumn, rest);
        for (int p = whole; p < depth; p += WIDTH)
            step(t[0], t[1], t[2], x[p], x[p + 1], x[p + 2], 1 + n, start, t3, t[4], t[5], rest, p - whole, 1, DEPTH);
    }

    /** What is left of B, with zeros around it; zero times what A is filled up with is zero. */
    private static void rest(int depth, int width, float[] b, int at, int bRow, int bColumn, float[] rest) {
        for (int j = 0; j < COLUMNS; j++) {
            Arrays.fill(rest, j * DEPTH, j * DEPTH + multiple(depth, WIDTH), 0);
            if (j < width) for (int p = 0; p < depth; p++) rest[j * DEPTH + p] = b[at + p * bRow + j * bColumn];
        }
    }

    /**
     * t += three columns of A times a 3 × 6 of B. In two loops, for this makes the method larger than what HotSpot inlines
     * ({@code FreqInlineSize}): compiled into {@link #sum}, within its loops, they would stay scalar on JDK 17. The parameters
     * stand in the order in which the loops need them, for the first six come in registers, and C2 leaves the others in memory,
     * even in a loop (JDK 17: 10 % slower).
     */
    private static void step(float[] t0, float[] t1, float[] t2, float[] x0, float[] x1, float[] x2, int n, int start, float[] t3,
                             float[] t4, float[] t5, float[] b, int at, int bRow, int bColumn) {
        final int at1 = at + bColumn, at2 = at1 + bColumn;
        final float b00 = b[at], b10 = b[at + bRow], b20 = b[at + 2 * bRow], b01 = b[at1], b11 = b[at1 + bRow],
            b21 = b[at1 + 2 * bRow], b02 = b[at2], b12 = b[at2 + bRow], b22 = b[at2 + 2 * bRow];
        for (int i = 0; i < n; i++) {
            final float y0 = x0[i + start], y1 = x1[i + start], y2 = x2[i + start];
            t0[i + start] = fma(b20, y2, fma(b10, y1, fma(b00, y0, t0[i + start])));
            t1[i + start] = fma(b21, y2, fma(b11, y1, fma(b01, y0, t1[i + start])));
            t2[i + start] = fma(b22, y2, fma(b12, y1, fma(b02, y0, t2[i + start])));
        }
        if (t3 == null) return;
        final int at3 = at2 + bColumn, at4 = at3 + bColumn, at5 = at4 + bColumn;
        final float b03 = b[at3], b13 = b[at3 + bRow], b23 = b[at3 + 2 * bRow], b04 = b[at4], b14 = b[at4 + bRow],
            b24 = b[at4 + 2 * bRow], b05 = b[at5], b15 = b[at5 + bRow], b25 = b[at5 + 2 * bRow];
        for (int i = 0; i < n; i++) {
            final float y0 = x0[i + start], y1 = x1[i + start], y2 = x2[i + start];
            t3[i + start] = fma(b23, y2, fma(b13, y1, fma(b03, y0, t3[i + start])));
            t4[i + start] = fma(b24, y2, fma(b14, y1, fma(b04, y0, t4[i + start])));
            t5[i + start] = fma(b25, y2, fma(b15, y1, fma(b05, y0, t5[i + start])));
        }
    }

    private static float fma(float x, float y, float z) {
        return MatrixProduct.FUSED ? Math.fma(x, y, z) : x * y + z;
    }

    /** t ← β times columns of C. */
    private static void get(int n, int filled, int width, float beta, float[] c, int at, int cRow, int cColumn, Scratch scratch) {
        final int first = scratch.first();
        for (int j = 0; j < width; j++) {
            final float[] t = scratch.t[j];
            if (beta == 0) {
                Arrays.fill(t, first - 1, first + filled, 0);
                continue;
            }
            t[first - 1] = 0;
            Arrays.fill(t, first + n, first + filled, 0);
            if (cRow == 1) System.arraycopy(c, at + j * cColumn, t, first, n);
            else for (int i = 0; i < n; i++) t[first + i] = c[at + j * cColumn + i * cRow];
            if (beta != 1) scale(1 + filled, beta, t, first - 1);
        }
    }

    /** Columns of C ← t. */
    private static void put(int n, int width, float[] c, int at, int cRow, int cColumn, Scratch scratch) {
        final int first = scratch.first();
        for (int j = 0; j < width; j++) {
            final float[] t = scratch.t[j];
            if (cRow == 1) System.arraycopy(t, first, c, at + j * cColumn, n);
            else for (int i = 0; i < n; i++) c[at + j * cColumn + i * cRow] = t[first + i];
        }
    }
}
