package dev.backblas.backend;

/**
 * Which units drop out: a function of a key and of where in memory they lie, so that no mask is kept, and no thread waits for
 * another's random numbers: J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", 2011. The mixing is C. Wellons'
 * lowbias32, of which the key enters both halves; {@code native/elementwise.cpp} has it too, bit for bit.
 */
final class Dropout {

    private Dropout() {}

    /** As {@link Program#dropout}. */
    static void apply(int n, float p, int first, float[] x, int xOffset, float[] out, int outOffset, float[] key, int keyOffset) {
        final int key0 = (int) key[keyOffset] * 0x9E3779B1, key1 = (int) key[keyOffset + 1] * 0x85EBCA6B;
        final int threshold = (int) (p * 0x1p24f);
        final float scale = 1 / (1 - p);
        for (int i = 0; i < n; i++) {
            int h = first + i ^ key0;
            h = (h ^ h >>> 16) * 0x7FEB352D + key1;
            h = (h ^ h >>> 15) * 0x846CA68B;
            h ^= h >>> 16;
            out[outOffset + i] = h >>> 8 < threshold ? 0 : x[xOffset + i] * scale;
        }
    }
}
