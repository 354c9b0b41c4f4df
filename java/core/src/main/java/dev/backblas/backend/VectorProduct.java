package dev.backblas.backend;

import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;

/**
 * The product with the Vector API. Blocked as K. Goto and R. van de Geijn do, "Anatomy of High-Performance Matrix
 * Multiplication" (2008): a strip of A, as wide as a tile and {@link #DEPTH} deep, is packed so that it is read from end to end.
 *
 * <p>A tile of C stays in registers: {@link #VECTORS} vectors of rows × {@value #WIDTH} columns. With 512-bit vectors there are
 * 32 registers: 16 for C, 4 for A, 1 for an element of B, which is read in place, by columns, for C2 can then hoist the range
 * checks out of the loop, which it cannot where the stride is a variable; the strip stays in the nearest cache while all columns
 * of B pass by.
 *
 * <p>With shorter vectors there may be 16 registers: 10 for C, 2 for A, up to 3 for B; and few processors begin as many
 * instructions as C2 then makes of a loop. So B is packed as A is, each panel in an array of its own, as wide as a strip, and one
 * index serves both: 24 instructions for 10 multiply-adds. A panel stays in the nearest cache while strips pass by, and C is gone
 * through along its columns. Six columns, or two steps in one turn, do not pay: C2 loads ahead and runs out of registers (half
 * the speed).
 *
 * <p>Few columns do not repay packing: then products with Aᵀ are dot products along the vectors, and A is read in place.
 */
final class VectorProduct implements MatrixProduct {

    private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED.length() > 16 ? FloatVector.SPECIES_512
        : FloatVector.SPECIES_PREFERRED.length() < 4 ? FloatVector.SPECIES_128 : FloatVector.SPECIES_PREFERRED;
    private static final int L = SPECIES.length();
    private static final int LINE = 16; // floats of a cache line

    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());
    /** As many bytes as a vector has floats; null where these are four, for no vector of bytes is so short. */
    private static final @Nullable VectorSpecies<Byte> BYTES =
        L < 8 ? null : L == 8 ? ByteVector.SPECIES_64 : ByteVector.SPECIES_128;

    private static final int WIDTH = 4;
    /** Where B is packed too. */
    private static final int PACKED_WIDTH = 5;
    private static final int VECTORS = L == 16 ? 4 : 2;
    private static final int STRIP = VECTORS * L;
    private static final int NARROW = 2 * L; // the strip where registers are few, and of what is left at the end
    private static final int PANEL = NARROW / PACKED_WIDTH * PACKED_WIDTH; // columns in whole tiles, of the NARROW in a panel
    private static final int DEPTH = 256;
    /** So many columns of B at a time, or a copy would not stay in the second cache; where they are packed, in the third. */
    private static final int COLUMNS = L == 16 ? 512 : 1024;
    /** So many rows of A are packed at a time, where B is packed too: they stay in the second cache. */
    private static final int ROWS = 128;
    /** Where registers are few. */
    private static final boolean PACKS_B = L < 16;
    /**
     * A C of so many values is touched before it is added to, for it has left the second cache (Zen 3: steps of W2, whose W have
     * 0.8 and 1 million, are 1.07 times as fast; those of W1 and W6, which have up to 100,000, would be 0.97 times).
     */
    private static final int FAR = 1 << 17;
    /** Up to so many columns do not repay packing. */
    private static final int FEW = 8;
    /** Up to so many columns of A are added to C one after the other: on 784×128 one takes 7 µs, two 15 to 19, tiles 22 to 28. */
    private static final int SHALLOW = 2;

    /**
     * Of more than {@link #FEW} samples, each thread packs for itself, which takes a greater share of what is this fast: two are
     * 0.8 to 1.0 times as fast as one on 1.4 to 2.8 million a thread, 0.9 to 1.05 on 3, 1.0 to 1.15 on 6 (vectors of 512 bits,
     * layers of 64 to 256 units, as for {@link CheckedBackend#WORK_PER_THREAD}). So nine samples may have one thread where eight
     * have two.
     */
    private static final long PACKING_WORK_PER_THREAD = 3_200_000;

    private static final VectorShuffle<Float> SWAP1 = swap(1), SWAP2 = swap(2), SWAP4 = swap(4), SWAP8 = swap(8);
    private static final VectorMask<Float> ODD = VectorMask.fromLong(SPECIES, 0xaaaa),
        ODD_PAIR = VectorMask.fromLong(SPECIES, 0xcccc), ODD_QUAD = VectorMask.fromLong(SPECIES, 0xf0f0),
        UPPER = VectorMask.fromLong(SPECIES, 0xff00);

    private static VectorShuffle<Float> swap(int distance) {
        return VectorShuffle.fromOp(SPECIES, lane -> (lane ^ distance) % L);
    }

    private static final VectorShuffle<Float> TURN2 = turn(2), TURN4 = turn(4), TURN6 = turn(6);

    /** Lane i + by from lane i, around. */
    private static VectorShuffle<Float> turn(int by) {
        return VectorShuffle.fromOp(SPECIES, lane -> (lane + L - by % L) % L);
    }

    /** A thread's own memory. */
    private static final class Scratch {
        static final ThreadScratch<Scratch> MINE = new ThreadScratch<>(Scratch::new);

        final float[] strip = new float[STRIP * DEPTH]; // of A
        final float[] tile = new float[STRIP * PACKED_WIDTH]; // of C, where it sticks out
        final float[] alpha = new float[1];
        float touched; // the sum of what was, or C2 would not read it
        private float[] transposed = {}; // of B
        private float[][] strips = {}; // of A, where B is packed too
        private float[][] panels = {}; // of B, their columns as far apart as a strip's

        float[] transposed(int size) {
            if (transposed.length < size) transposed = new float[size];
            return transposed;
        }

        float[][] strips(int rows) {
            return strips = atLeast((rows + NARROW - 1) / NARROW, strips);
        }

        float[][] panels(int columns) {
            return panels = atLeast((columns + PANEL - 1) / PANEL, panels);
        }

        private static float[][] atLeast(int wanted, float[][] there) {
            if (there.length >= wanted) return there;
            final float[][] more = Arrays.copyOf(there, wanted);
            // A tile of a panel that sticks out reads a few values behind the last
            for (int i = there.length; i < wanted; i++) more[i] = new float[NARROW * DEPTH + PACKED_WIDTH];
            return more;
        }
    }

    @Override
    public String description() {
        return "Vector API, " + SPECIES.vectorBitSize() + "-bit";
    }

    @Override
    public long workPerThread(int m) {
        return m > FEW ? PACKING_WORK_PER_THREAD : MatrixProduct.super.workPerThread(m);
    }

    @Override
    public void multiply(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn, float[] b,
                         int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cColumn) {
        final Scratch scratch = Scratch.MINE.get();
        if (aColumn == 1 && bRow == 1 && columns <= FEW && depth >= L) {
            dots(rows, columns, depth, alpha, a, aOffset, aRow, b, bOffset, bColumn, beta, c, cOffset, cColumn, scratch.tile);
            return;
        }
        if (aRow == 1 && depth <= SHALLOW) {
            for (int j = 0; j < columns; j++)
                for (int p = 0; p < depth; p++)
                    put(rows, alpha * b[bOffset + p * bRow + j * bColumn], a, aOffset + p * aColumn, p == 0 ? beta : 1, c,
                        cOffset + j * cColumn);
            return;
        }
        final int kc = (MatrixProduct.part(depth, DEPTH) + L - 1) / L * L; // or elements would be left of each part
        for (int j = 0; j < columns; j += COLUMNS)
            for (int p = 0; p < depth; p += kc)
                block(rows, Math.min(COLUMNS, columns - j), Math.min(kc, depth - p), alpha,
                      a, aOffset + p * aColumn, aRow, aColumn, b, bOffset + p * bRow + j * bColumn, bRow, bColumn,
                      p == 0 ? beta : 1, c, cOffset + j * cColumn, cColumn, scratch);
    }

    @Override
    public int finite(int n, float[] x, int from) {
        FloatVector s0 = FloatVector.zero(SPECIES), s1 = s0; // of zeros, if all are finite
        int i = 0;
        for (final int last = n - 2 * L; i <= last; i += 2 * L) {
            s0 = s0.add(FloatVector.fromArray(SPECIES, x, from + i).mul(0));
            s1 = s1.add(FloatVector.fromArray(SPECIES, x, from + i + L).mul(0));
        }
        return s0.add(s1).reduceLanes(VectorOperators.ADD) == 0 ? i : 0;
    }

    @Override
    public int toFloats(int n, byte[] source, int s, float scale, float[] x, int d) {
        int i = 0;
        if (BYTES != null) // C2 alone takes them one by one: 0.5 ns each, where this takes 0.2
            for (; i + L <= n; i += L)
                ((FloatVector) ByteVector.fromArray(BYTES, source, s + i).convertShape(VectorOperators.B2I, INTS, 0)
                    .reinterpretAsInts().and(0xff).convertShape(VectorOperators.I2F, SPECIES, 0)).mul(scale).intoArray(x, d + i);
        return i;
    }

    /** The product where B is at most {@link #DEPTH} × {@link #COLUMNS}. */
    private static void block(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn,
                              float[] b, int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cColumn,
                              Scratch scratch) {
        if (PACKS_B && columns > FEW) {
            packedBlock(rows, columns, depth, alpha, a, aOffset, aRow, aColumn, b, bOffset, bRow, bColumn, beta, c, cOffset,
                        cColumn, scratch);
            return;
        }
        if (bRow != 1) {
            final float[] transposed = scratch.transposed(depth * columns);
            transpose(depth, columns, b, bOffset, bRow, transposed, depth, scratch.tile);
            b = transposed;
            bOffset = 0;
            bColumn = depth;
        }
        for (int i = 0, n; i < rows; i += n) {
            n = Math.min(STRIP, rows - i);
            final int height = n <= NARROW ? NARROW : STRIP;
            float[] strip = a;
            int start = aOffset + i * aRow, step = aColumn;
            if (aRow != 1 || n < height || columns > FEW) {
                strip = scratch.strip;
                pack(n, height, depth, a, start, aRow, aColumn, strip, scratch.tile);
                start = 0;
                step = height;
            }
            for (int j = 0; j < columns; j += WIDTH) {
                final int width = Math.min(WIDTH, columns - j), column = bOffset + j * bColumn;
                // A tile that is too wide computes its last column again
                final int b1 = column + Math.min(1, width - 1) * bColumn, b2 = column + Math.min(2, width - 1) * bColumn,
                    b3 = column + Math.min(3, width - 1) * bColumn;
                if (n == height && width == WIDTH)
                    tile(height, depth, strip, start, step, b, column, b1, b2, b3, alpha, beta, c, cOffset + j * cColumn + i,
                         cColumn);
                else {
                    tile(height, depth, strip, start, step, b, column, b1, b2, b3, 1, 0, scratch.tile, 0, height);
                    for (int k = 0; k < width; k++)
                        put(n, alpha, scratch.tile, k * height, beta, c, cOffset + (j + k) * cColumn + i);
                }
            }
        }
    }

    /**
     * The same where B is copied too: of A {@link #NARROW} rows side by side, in an array of their own, and of B as many columns,
     * of which {@link #PANEL} are new.
     */
    private static void packedBlock(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn,
                                    float[] b, int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset,
                                    int cColumn, Scratch scratch) {
        final float[][] strips = scratch.strips(Math.min(rows, ROWS)), panels = scratch.panels(columns);
        final boolean isFar = (long) rows * columns >= FAR;
        scratch.alpha[0] = alpha;
        for (int j = 0; j < columns; j += PANEL)
            pack(Math.min(NARROW, columns), NARROW, depth, b, bOffset + begin(j, columns) * bColumn, bColumn, bRow,
                panels[j / PANEL], scratch.tile);
        for (int first = 0; first < rows; first += ROWS) {
            final int end = Math.min(rows, first + ROWS);
            for (int i = first; i < end; i += NARROW)
                pack(Math.min(NARROW, end - i), NARROW, depth, a, aOffset + i * aRow, aRow, aColumn, strips[(i - first) / NARROW],
                    scratch.tile);
            for (int j = 0; j < columns; j += PANEL) {
                final int n = Math.min(PANEL, columns - j), at = cOffset + j * cColumn;
                for (int k = 0; k < n; k++)
                    if (beta != 1) scale(end - first, beta, c, at + k * cColumn + first);
                    else if (isFar) scratch.touched += touch(end - first, c, at + k * cColumn + first);
                for (int i = first; i < end; i += NARROW)
                    packedTiles(Math.min(NARROW, end - i), n, depth, strips[(i - first) / NARROW], panels[j / PANEL],
                        j - begin(j, columns), scratch.alpha, c, at + i, cColumn, scratch.tile);
            }
        }
    }

    /** Where the columns of the panel for those from j on begin: a panel is full, if there are as many. */
    private static int begin(int j, int columns) {
        return Math.max(0, Math.min(j, columns - NARROW));
    }

    /** Reads a value of each cache line, so that these come side by side: a tile would wait for its own. */
    private static float touch(int n, float[] c, int at) {
        float sum = c[at + n - 1];
        for (int i = 0; i < n; i += LINE) sum += c[at + i];
        return sum;
    }

    /** c ← β c; with 0, c is written and never read. */
    private static void scale(int n, float beta, float[] c, int at) {
        if (beta == 0) {
            Arrays.fill(c, at, at + n, 0);
            return;
        }
        int i = 0;
        for (; i + L <= n; i += L) FloatVector.fromArray(SPECIES, c, at + i).mul(beta).intoArray(c, at + i);
        for (; i < n; i++) c[at + i] *= beta;
    }

    /** Adds α times a strip times a panel to C. */
    private static void packedTiles(int rows, int columns, int depth, float[] strip, float[] panel, int from, float[] alpha,
                                    float[] c, int at, int cColumn, float[] tile) {
        for (int j = 0; j < columns; j += PACKED_WIDTH, at += PACKED_WIDTH * cColumn) {
            final int width = Math.min(PACKED_WIDTH, columns - j);
            if (rows == NARROW && width == PACKED_WIDTH) {
                packedTile(depth * NARROW, strip, panel, from + j, alpha, c, at, cColumn);
                continue;
            }
            Arrays.fill(tile, 0, PACKED_WIDTH * NARROW, -0f); // anything added to it stays what it is
            packedTile(depth * NARROW, strip, panel, from + j, alpha, tile, 0, NARROW);
            for (int k = 0; k < width; k++) put(rows, 1, tile, k * NARROW, 1, c, at + k * cColumn);
        }
    }

    /** A column into C, c ← α x + β c. */
    private static void put(int n, float alpha, float[] x, int from, float beta, float[] c, int at) {
        int i = 0;
        if (beta == 0) { // in loops of their own: a vector that comes from one of two places would be allocated
            for (; i + L <= n; i += L) FloatVector.fromArray(SPECIES, x, from + i).mul(alpha).intoArray(c, at + i);
            for (; i < n; i++) c[at + i] = alpha * x[from + i];
        } else {
            for (; i + L <= n; i += L)
                FloatVector.fromArray(SPECIES, c, at + i).mul(beta)
                    .add(FloatVector.fromArray(SPECIES, x, from + i).mul(alpha)).intoArray(c, at + i);
            for (; i < n; i++) c[at + i] = beta * c[at + i] + alpha * x[from + i];
        }
    }

    /** A strip of A, its rows side by side, with zeros below; or a panel of B, its columns. */
    private static void pack(int n, int height, int depth, float[] a, int aOffset, int aRow, int aColumn, float[] strip,
                             float[] square) {
        if (n < height) Arrays.fill(strip, 0, height * depth, 0);
        if (aRow != 1) {
            transpose(n, depth, a, aOffset, aRow, strip, height, square);
        } else if (n == NARROW && height == NARROW) {
            for (int p = 0; p < depth; p++) copyNarrow(a, aOffset + p * aColumn, strip, p * NARROW);
        } else {
            for (int p = 0; p < depth; p++) System.arraycopy(a, aOffset + p * aColumn, strip, p * height, n);
        }
    }

    /** A third of the time of {@code arraycopy}. */
    private static void copyNarrow(float[] from, int i, float[] to, int at) {
        final FloatVector x = FloatVector.fromArray(SPECIES, from, i), y = FloatVector.fromArray(SPECIES, from, i + L);
        x.intoArray(to, at);
        y.intoArray(to, at + L);
    }

    /** to[p * height + i] = a[aOffset + i * aRow + p]: rows that are contiguous become columns. */
    private static void transpose(int rows, int length, float[] a, int aOffset, int aRow, float[] to, int height,
                                  float[] square) {
        int i = 0;
        if (L == 8 && height == NARROW)
            for (; i + L <= rows; i += L) transposeNarrow(length, a, aOffset + i * aRow, aRow, to, i);
        if (L == 16)
            for (; i + L <= rows; i += L) {
                int p = 0;
                for (; p + L <= length; p += L) {
                    final int at = aOffset + i * aRow + p;
                    near(a, at, aRow, square);
                    far(square, to, p * height + i, height);
                }
                for (; p < length; p++) for (int k = 0; k < L; k++) to[p * height + i + k] = a[aOffset + (i + k) * aRow + p];
            }
        for (; i + 8 <= rows; i += 8) transpose8(length, a, aOffset + i * aRow, aRow, to, i, height);
        for (; i < rows; i++) for (int p = 0; p < length; p++) to[p * height + i] = a[aOffset + i * aRow + p];
    }

    /**
     * Transposes L × L in two passes over memory: here within 4 × 4, in {@link #far} those among themselves. Rows whose numbers
     * differ in one bit exchange the lanes whose numbers do.
     */
    private static void near(float[] a, int at, int aRow, float[] square) {
        for (int k = 0; k < L; k += 4, at += 4 * aRow) {
            final FloatVector r0 = FloatVector.fromArray(SPECIES, a, at), r1 = FloatVector.fromArray(SPECIES, a, at + aRow),
                r2 = FloatVector.fromArray(SPECIES, a, at + 2 * aRow), r3 = FloatVector.fromArray(SPECIES, a, at + 3 * aRow);
            final FloatVector s0 = r0.blend(r1.rearrange(SWAP1), ODD), s1 = r0.rearrange(SWAP1).blend(r1, ODD),
                s2 = r2.blend(r3.rearrange(SWAP1), ODD), s3 = r2.rearrange(SWAP1).blend(r3, ODD);
            s0.blend(s2.rearrange(SWAP2), ODD_PAIR).intoArray(square, k * L);
            s1.blend(s3.rearrange(SWAP2), ODD_PAIR).intoArray(square, (k + 1) * L);
            s0.rearrange(SWAP2).blend(s2, ODD_PAIR).intoArray(square, (k + 2) * L);
            s1.rearrange(SWAP2).blend(s3, ODD_PAIR).intoArray(square, (k + 3) * L);
        }
    }

    private static void far(float[] square, float[] to, int at, int toRow) {
        for (int k = 0; k < 4; k++, at += toRow) {
            final FloatVector r0 = FloatVector.fromArray(SPECIES, square, k * L),
                r1 = FloatVector.fromArray(SPECIES, square, (k + 4) * L),
                r2 = FloatVector.fromArray(SPECIES, square, (k + 8) * L),
                r3 = FloatVector.fromArray(SPECIES, square, (k + 12) * L);
            final FloatVector s0 = r0.blend(r1.rearrange(SWAP4), ODD_QUAD), s1 = r0.rearrange(SWAP4).blend(r1, ODD_QUAD),
                s2 = r2.blend(r3.rearrange(SWAP4), ODD_QUAD), s3 = r2.rearrange(SWAP4).blend(r3, ODD_QUAD);
            s0.blend(s2.rearrange(SWAP8), UPPER).intoArray(to, at);
            s1.blend(s3.rearrange(SWAP8), UPPER).intoArray(to, at + 4 * toRow);
            s0.rearrange(SWAP8).blend(s2, UPPER).intoArray(to, at + 8 * toRow);
            s1.rearrange(SWAP8).blend(s3, UPPER).intoArray(to, at + 12 * toRow);
        }
    }

    /** Eight rows into a strip, 8 × 8 at a time. */
    private static void transposeNarrow(int length, float[] a, int a0, int aRow, float[] to, int i) {
        int p = 0;
        for (; p + L <= length; p += L) {
            everySecondColumn(a, a0 + p, aRow, to, p * NARROW + i);
            everySecondColumn(a, a0 + p + 1, aRow, to, (p + 1) * NARROW + i);
        }
        for (; p < length; p++) for (int k = 0; k < L; k++) to[p * NARROW + i + k] = a[a0 + k * aRow + p];
    }

    /**
     * Columns 0, 2, 4 and 6 of eight rows. Two rows are joined without a permutation, for memory holds each row beside itself,
     * too. Four such pairs become columns as blocks are transposed: rows are turned, chosen along the diagonals, and turned back.
     */
    private static void everySecondColumn(float[] a, int a0, int aRow, float[] to, int at) {
        final int a2 = a0 + 2 * aRow, a4 = a2 + 2 * aRow, a6 = a4 + 2 * aRow, odd = aRow - 1;
        final FloatVector s0 = pair(a, a0, odd), s1 = pair(a, a2, odd).rearrange(TURN2), s2 = pair(a, a4, odd).rearrange(TURN4),
            s3 = pair(a, a6, odd).rearrange(TURN6);
        final FloatVector t0 = s0.blend(s1, ODD_PAIR), t1 = s1.blend(s2, ODD_PAIR), t2 = s2.blend(s3, ODD_PAIR),
            t3 = s3.blend(s0, ODD_PAIR);
        t0.blend(t2, ODD_QUAD).intoArray(to, at);
        t3.blend(t1, ODD_QUAD).rearrange(TURN6).intoArray(to, at + 2 * NARROW);
        t2.blend(t0, ODD_QUAD).rearrange(TURN4).intoArray(to, at + 4 * NARROW);
        t1.blend(t3, ODD_QUAD).rearrange(TURN2).intoArray(to, at + 6 * NARROW);
    }

    /** The even columns of one row, the odd lanes those of the next; it begins so many elements further on, less one. */
    private static FloatVector pair(float[] a, int even, int odd) {
        return FloatVector.fromArray(SPECIES, a, even).blend(FloatVector.fromArray(SPECIES, a, even + odd), ODD);
    }

    private static void transpose8(int length, float[] a, int a0, int aRow, float[] to, int i, int height) {
        final int a1 = a0 + aRow, a2 = a1 + aRow, a3 = a2 + aRow, a4 = a3 + aRow, a5 = a4 + aRow, a6 = a5 + aRow, a7 = a6 + aRow;
        for (int p = 0; p < length; p++) {
            final int at = p * height + i;
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

    /** C ← α A B + β C for a strip of A, of one of two heights, and four columns. */
    private static void tile(int height, int depth, float[] a, int aOffset, int step, float[] b, int b0, int b1, int b2, int b3,
                             float alpha, float beta, float[] c, int at, int cColumn) {
        if (height == NARROW) tile2(depth, a, aOffset, step, b, b0, b1, b2, b3, alpha, beta, c, at, cColumn);
        else tile4(depth, a, aOffset, step, b, b0, b1, b2, b3, alpha, beta, c, at, cColumn);
    }

    private static void tile4(int depth, float[] a, int aOffset, int step, float[] b, int b0, int b1, int b2, int b3,
                              float alpha, float beta, float[] c, int at, int cColumn) {
        FloatVector c00 = FloatVector.zero(SPECIES), c01 = FloatVector.zero(SPECIES), c02 = FloatVector.zero(SPECIES),
            c03 = FloatVector.zero(SPECIES), c10 = FloatVector.zero(SPECIES), c11 = FloatVector.zero(SPECIES),
            c12 = FloatVector.zero(SPECIES), c13 = FloatVector.zero(SPECIES), c20 = FloatVector.zero(SPECIES),
            c21 = FloatVector.zero(SPECIES), c22 = FloatVector.zero(SPECIES), c23 = FloatVector.zero(SPECIES),
            c30 = FloatVector.zero(SPECIES), c31 = FloatVector.zero(SPECIES), c32 = FloatVector.zero(SPECIES),
            c33 = FloatVector.zero(SPECIES);
        for (int p = 0; p < depth; p++) {
            final int i = aOffset + p * step;
            final FloatVector a0 = FloatVector.fromArray(SPECIES, a, i), a1 = FloatVector.fromArray(SPECIES, a, i + L),
                a2 = FloatVector.fromArray(SPECIES, a, i + 2 * L), a3 = FloatVector.fromArray(SPECIES, a, i + 3 * L);
            FloatVector x = FloatVector.broadcast(SPECIES, b[b0 + p]);
            c00 = a0.fma(x, c00);
            c10 = a1.fma(x, c10);
            c20 = a2.fma(x, c20);
            c30 = a3.fma(x, c30);
            x = FloatVector.broadcast(SPECIES, b[b1 + p]);
            c01 = a0.fma(x, c01);
            c11 = a1.fma(x, c11);
            c21 = a2.fma(x, c21);
            c31 = a3.fma(x, c31);
            x = FloatVector.broadcast(SPECIES, b[b2 + p]);
            c02 = a0.fma(x, c02);
            c12 = a1.fma(x, c12);
            c22 = a2.fma(x, c22);
            c32 = a3.fma(x, c32);
            x = FloatVector.broadcast(SPECIES, b[b3 + p]);
            c03 = a0.fma(x, c03);
            c13 = a1.fma(x, c13);
            c23 = a2.fma(x, c23);
            c33 = a3.fma(x, c33);
        }
        final int at1 = at + cColumn, at2 = at1 + cColumn, at3 = at2 + cColumn;
        if (beta == 0) {
            c00.mul(alpha).intoArray(c, at);
            c10.mul(alpha).intoArray(c, at + L);
            c20.mul(alpha).intoArray(c, at + 2 * L);
            c30.mul(alpha).intoArray(c, at + 3 * L);
            c01.mul(alpha).intoArray(c, at1);
            c11.mul(alpha).intoArray(c, at1 + L);
            c21.mul(alpha).intoArray(c, at1 + 2 * L);
            c31.mul(alpha).intoArray(c, at1 + 3 * L);
            c02.mul(alpha).intoArray(c, at2);
            c12.mul(alpha).intoArray(c, at2 + L);
            c22.mul(alpha).intoArray(c, at2 + 2 * L);
            c32.mul(alpha).intoArray(c, at2 + 3 * L);
            c03.mul(alpha).intoArray(c, at3);
            c13.mul(alpha).intoArray(c, at3 + L);
            c23.mul(alpha).intoArray(c, at3 + 2 * L);
            c33.mul(alpha).intoArray(c, at3 + 3 * L);
        } else {
            FloatVector.fromArray(SPECIES, c, at).mul(beta).add(c00.mul(alpha)).intoArray(c, at);
            FloatVector.fromArray(SPECIES, c, at + L).mul(beta).add(c10.mul(alpha)).intoArray(c, at + L);
            FloatVector.fromArray(SPECIES, c, at + 2 * L).mul(beta).add(c20.mul(alpha)).intoArray(c, at + 2 * L);
            FloatVector.fromArray(SPECIES, c, at + 3 * L).mul(beta).add(c30.mul(alpha)).intoArray(c, at + 3 * L);
            FloatVector.fromArray(SPECIES, c, at1).mul(beta).add(c01.mul(alpha)).intoArray(c, at1);
            FloatVector.fromArray(SPECIES, c, at1 + L).mul(beta).add(c11.mul(alpha)).intoArray(c, at1 + L);
            FloatVector.fromArray(SPECIES, c, at1 + 2 * L).mul(beta).add(c21.mul(alpha)).intoArray(c, at1 + 2 * L);
            FloatVector.fromArray(SPECIES, c, at1 + 3 * L).mul(beta).add(c31.mul(alpha)).intoArray(c, at1 + 3 * L);
            FloatVector.fromArray(SPECIES, c, at2).mul(beta).add(c02.mul(alpha)).intoArray(c, at2);
            FloatVector.fromArray(SPECIES, c, at2 + L).mul(beta).add(c12.mul(alpha)).intoArray(c, at2 + L);
            FloatVector.fromArray(SPECIES, c, at2 + 2 * L).mul(beta).add(c22.mul(alpha)).intoArray(c, at2 + 2 * L);
            FloatVector.fromArray(SPECIES, c, at2 + 3 * L).mul(beta).add(c32.mul(alpha)).intoArray(c, at2 + 3 * L);
            FloatVector.fromArray(SPECIES, c, at3).mul(beta).add(c03.mul(alpha)).intoArray(c, at3);
            FloatVector.fromArray(SPECIES, c, at3 + L).mul(beta).add(c13.mul(alpha)).intoArray(c, at3 + L);
            FloatVector.fromArray(SPECIES, c, at3 + 2 * L).mul(beta).add(c23.mul(alpha)).intoArray(c, at3 + 2 * L);
            FloatVector.fromArray(SPECIES, c, at3 + 3 * L).mul(beta).add(c33.mul(alpha)).intoArray(c, at3 + 3 * L);
        }
    }

    private static void tile2(int depth, float[] a, int aOffset, int step, float[] b, int b0, int b1, int b2, int b3,
                              float alpha, float beta, float[] c, int at, int cColumn) {
        FloatVector c00 = FloatVector.zero(SPECIES), c01 = FloatVector.zero(SPECIES), c02 = FloatVector.zero(SPECIES),
            c03 = FloatVector.zero(SPECIES), c10 = FloatVector.zero(SPECIES), c11 = FloatVector.zero(SPECIES),
            c12 = FloatVector.zero(SPECIES), c13 = FloatVector.zero(SPECIES);
        for (int p = 0; p < depth; p++) {
            final int i = aOffset + p * step;
            final FloatVector a0 = FloatVector.fromArray(SPECIES, a, i), a1 = FloatVector.fromArray(SPECIES, a, i + L);
            FloatVector x = FloatVector.broadcast(SPECIES, b[b0 + p]);
            c00 = a0.fma(x, c00);
            c10 = a1.fma(x, c10);
            x = FloatVector.broadcast(SPECIES, b[b1 + p]);
            c01 = a0.fma(x, c01);
            c11 = a1.fma(x, c11);
            x = FloatVector.broadcast(SPECIES, b[b2 + p]);
            c02 = a0.fma(x, c02);
            c12 = a1.fma(x, c12);
            x = FloatVector.broadcast(SPECIES, b[b3 + p]);
            c03 = a0.fma(x, c03);
            c13 = a1.fma(x, c13);
        }
        final int at1 = at + cColumn, at2 = at1 + cColumn, at3 = at2 + cColumn;
        if (beta == 0) {
            c00.mul(alpha).intoArray(c, at);
            c10.mul(alpha).intoArray(c, at + L);
            c01.mul(alpha).intoArray(c, at1);
            c11.mul(alpha).intoArray(c, at1 + L);
            c02.mul(alpha).intoArray(c, at2);
            c12.mul(alpha).intoArray(c, at2 + L);
            c03.mul(alpha).intoArray(c, at3);
            c13.mul(alpha).intoArray(c, at3 + L);
        } else {
            FloatVector.fromArray(SPECIES, c, at).mul(beta).add(c00.mul(alpha)).intoArray(c, at);
            FloatVector.fromArray(SPECIES, c, at + L).mul(beta).add(c10.mul(alpha)).intoArray(c, at + L);
            FloatVector.fromArray(SPECIES, c, at1).mul(beta).add(c01.mul(alpha)).intoArray(c, at1);
            FloatVector.fromArray(SPECIES, c, at1 + L).mul(beta).add(c11.mul(alpha)).intoArray(c, at1 + L);
            FloatVector.fromArray(SPECIES, c, at2).mul(beta).add(c02.mul(alpha)).intoArray(c, at2);
            FloatVector.fromArray(SPECIES, c, at2 + L).mul(beta).add(c12.mul(alpha)).intoArray(c, at2 + L);
            FloatVector.fromArray(SPECIES, c, at3).mul(beta).add(c03.mul(alpha)).intoArray(c, at3);
            FloatVector.fromArray(SPECIES, c, at3 + L).mul(beta).add(c13.mul(alpha)).intoArray(c, at3 + L);
        }
    }

    /**
     * C ← α A B + C for a strip of A and five columns of B, both as long as {@code end}. Strides are constants, so that C2 takes
     * the range checks out of the loop. There is one way out of it, for all β alike, and α is read there: with two ways, or α in
     * one of sixteen registers meanwhile, C2 kept a part of C in memory, half to a third as fast. Where a neighbour on the core
     * takes half of what it decodes, this loop is 1.1 times as fast if its code begins with a cache line, but C2 aligns it to a
     * quarter of one only: behind the check of the column it does begin so on JDK 25, on JDK 17 in some processes.
     */
    private static void packedTile(int end, float[] a, float[] b, int column, float[] alpha, float[] c, int at, int cColumn) {
        if (column >= NARROW) throw new IndexOutOfBoundsException("a tile begins outside its panel");
        FloatVector c00 = FloatVector.zero(SPECIES), c01 = FloatVector.zero(SPECIES), c02 = FloatVector.zero(SPECIES),
            c03 = FloatVector.zero(SPECIES), c04 = FloatVector.zero(SPECIES), c10 = FloatVector.zero(SPECIES),
            c11 = FloatVector.zero(SPECIES), c12 = FloatVector.zero(SPECIES), c13 = FloatVector.zero(SPECIES),
            c14 = FloatVector.zero(SPECIES);
        for (int i = 0; i < end; i += NARROW) {
            final int j = i + column;
            final FloatVector a0 = FloatVector.fromArray(SPECIES, a, i), a1 = FloatVector.fromArray(SPECIES, a, i + L);
            FloatVector x = FloatVector.broadcast(SPECIES, b[j]);
            c00 = a0.fma(x, c00);
            c10 = a1.fma(x, c10);
            x = FloatVector.broadcast(SPECIES, b[j + 1]);
            c01 = a0.fma(x, c01);
            c11 = a1.fma(x, c11);
            x = FloatVector.broadcast(SPECIES, b[j + 2]);
            c02 = a0.fma(x, c02);
            c12 = a1.fma(x, c12);
            x = FloatVector.broadcast(SPECIES, b[j + 3]);
            c03 = a0.fma(x, c03);
            c13 = a1.fma(x, c13);
            x = FloatVector.broadcast(SPECIES, b[j + 4]);
            c04 = a0.fma(x, c04);
            c14 = a1.fma(x, c14);
        }
        final float scale = alpha[0];
        final int at1 = at + cColumn, at2 = at1 + cColumn, at3 = at2 + cColumn, at4 = at3 + cColumn;
        FloatVector.fromArray(SPECIES, c, at).add(c00.mul(scale)).intoArray(c, at);
        FloatVector.fromArray(SPECIES, c, at + L).add(c10.mul(scale)).intoArray(c, at + L);
        FloatVector.fromArray(SPECIES, c, at1).add(c01.mul(scale)).intoArray(c, at1);
        FloatVector.fromArray(SPECIES, c, at1 + L).add(c11.mul(scale)).intoArray(c, at1 + L);
        FloatVector.fromArray(SPECIES, c, at2).add(c02.mul(scale)).intoArray(c, at2);
        FloatVector.fromArray(SPECIES, c, at2 + L).add(c12.mul(scale)).intoArray(c, at2 + L);
        FloatVector.fromArray(SPECIES, c, at3).add(c03.mul(scale)).intoArray(c, at3);
        FloatVector.fromArray(SPECIES, c, at3 + L).add(c13.mul(scale)).intoArray(c, at3 + L);
        FloatVector.fromArray(SPECIES, c, at4).add(c04.mul(scale)).intoArray(c, at4);
        FloatVector.fromArray(SPECIES, c, at4 + L).add(c14.mul(scale)).intoArray(c, at4 + L);
    }

    /** Where Aᵀ and B are contiguous along the depth, which is at least one vector: four rows of A at once. */
    private static void dots(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, float[] b,
                             int bOffset, int bColumn, float beta, float[] c, int cOffset, int cColumn, float[] sums) {
        for (int i = 0; i < rows; i += 4) {
            final int n = Math.min(4, rows - i), a0 = aOffset + i * aRow, a1 = a0 + Math.min(1, n - 1) * aRow,
                a2 = a0 + Math.min(2, n - 1) * aRow, a3 = a0 + Math.min(3, n - 1) * aRow;
            for (int j = 0; j < columns; j++) {
                dots4(depth, a, a0, a1, a2, a3, b, bOffset + j * bColumn, sums);
                for (int k = 0, at = cOffset + j * cColumn + i; k < n; k++, at++)
                    c[at] = beta == 0 ? alpha * sums[k] : alpha * sums[k] + beta * c[at];
            }
        }
    }

    /** The dot products of four rows of A and a column of B. */
    private static void dots4(int depth, float[] a, int a0, int a1, int a2, int a3, float[] b, int bOffset, float[] sums) {
        FloatVector s0 = FloatVector.zero(SPECIES), s1 = FloatVector.zero(SPECIES), s2 = FloatVector.zero(SPECIES),
            s3 = FloatVector.zero(SPECIES);
        final int whole = SPECIES.loopBound(depth);
        for (int p = 0; p < whole; p += L) {
            final FloatVector x = FloatVector.fromArray(SPECIES, b, bOffset + p);
            s0 = FloatVector.fromArray(SPECIES, a, a0 + p).fma(x, s0);
            s1 = FloatVector.fromArray(SPECIES, a, a1 + p).fma(x, s1);
            s2 = FloatVector.fromArray(SPECIES, a, a2 + p).fma(x, s2);
            s3 = FloatVector.fromArray(SPECIES, a, a3 + p).fma(x, s3);
        }
        // A fixed tree, for reduceLanes may add in another order once it is compiled; lane k mod 4 becomes sum k
        final FloatVector s01 = s0.blend(s1, ODD).add(s1.blend(s0, ODD).rearrange(SWAP1));
        final FloatVector s23 = s2.blend(s3, ODD).add(s3.blend(s2, ODD).rearrange(SWAP1));
        FloatVector s = s01.blend(s23, ODD_PAIR).add(s23.blend(s01, ODD_PAIR).rearrange(SWAP2));
        if (L >= 8) s = s.add(s.rearrange(SWAP4));
        if (L >= 16) s = s.add(s.rearrange(SWAP8));
        s.intoArray(sums, 0);
        for (int p = whole; p < depth; p++) {
            final float x = b[bOffset + p];
            sums[0] += a[a0 + p] * x;
            sums[1] += a[a1 + p] * x;
            sums[2] += a[a2 + p] * x;
            sums[3] += a[a3 + p] * x;
        }
    }
}
