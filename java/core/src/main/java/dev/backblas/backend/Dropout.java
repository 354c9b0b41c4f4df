package dev.backblas.backend;

import java.util.stream.IntStream;

/**
 * Which units drop out: a function of a key and of where in memory they lie, so that no mask is kept, and no thread waits for
 * another's random numbers: J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011. The mixing is C. Wellons'
 * lowbias32, of which the key enters both halves; {@code native/elementwise.cpp} has it too, bit for bit.
 */
final class Dropout {

    /** Values that are decided together, in a loop over arrays of ints alone: C2 makes vectors of that. */
    private static final int BLOCK = 256;
    private static final int[] NUMBERS = IntStream.range(0, BLOCK).toArray(); // JDK 17 makes no vector of i itself
    private static final ThreadScratch<int[]> KEEP = new ThreadScratch<>(() -> new int[BLOCK]);

    private Dropout() {}

    /** As {@link Program#dropout}. */
    static void apply(int n, float p, int first, float[] x, int xOffset, float[] out, int outOffset, float[] key, int keyOffset) {
        final int key0 = (int) key[keyOffset] * 0x9E3779B1, key1 = (int) key[keyOffset + 1] * 0x85EBCA6B;
        final int threshold = (int) (p * 0x1p24f);
        final float scale = 1 / (1 - p);
        final int[] keep = KEEP.get();
        for (int start = 0; start < n; start += BLOCK) {
            final int m = Math.min(BLOCK, n - start), from = xOffset + start, to = outOffset + start;
            decide(m, first + start, key0, key1, threshold, NUMBERS, keep);
            for (int i = 0; i < m; i++) // bits, for a branch would be foretold wrongly every other time
                out[to + i] = Float.intBitsToFloat(Float.floatToRawIntBits(x[from + i] * scale) & keep[i]);
        }
    }

    /** Sets to all ones what stays, and to 0 what drops out. */
    private static void decide(int m, int first, int key0, int key1, int threshold, int[] numbers, int[] keep) {
        for (int i = 0; i < m; i++) {
            int h = first + numbers[i] ^ key0;
            h = (h ^ h >>> 16) * 0x7FEB352D + key1;
            h = (h ^ h >>> 15) * 0x846CA68B;
            h ^= h >>> 16;
            keep[i] = threshold - 1 - (h >>> 8) >> 31;
        }
    }
}
