package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/** The kernels in C++ around OpenBLAS. */
final class OpenBlasBackend extends CheckedBackend {

    /**
     * No call stays longer inside than about this many multiplications, 3 ms at 40 GFLOP/s: before JDK 22, G1 cannot collect
     * while an array is pinned.
     */
    static final long LONGEST_CALL = 1L << 26;

    /** Fewer columns than this cost more in packing W anew than they save in pinned time. */
    static final int NARROWEST_TILE = 32;

    private final NativeLibrary library;

    OpenBlasBackend(NativeLibrary library) {
        this.library = library;
    }

    @Override
    public String name() {
        return "openblas";
    }

    @Override
    public String description() {
        return library.description();
    }

    @Override
    public boolean allowsConcurrentTiles() {
        return library.pinsWithoutCopy();
    }

    /** How many of {@code n} columns (samples or units) one call takes, where each costs {@code work} multiplications. */
    private static int tile(int n, long work) {
        return (int) Math.min(n, Math.max(NARROWEST_TILE, LONGEST_CALL / work));
    }

    @Override
    void computeAffine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                       int aOffset, Activation phi, float[] next, int nextOffset) {
        final int tile = tile(m, (long) in * out);
        for (int j = 0; j < m; j += tile)
            OpenBlas.affine(in, out, Math.min(tile, m - j), w, wOffset, b, bOffset, a, aOffset + j * in, phi.ordinal(), next,
                            nextOffset + j * out);
    }

    @Override
    void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                              Activation phi, float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        final int tile = tile(m, (long) in * out);
        for (int j = 0; j < m; j += tile)
            OpenBlas.inputGradient(in, out, Math.min(tile, m - j), w, wOffset, delta, deltaOffset + j * out, phi.ordinal(), a,
                                   a == null ? 0 : aOffset + j * in, previous, previousOffset + j * in);
    }

    @Override
    void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        final int tile = tile(to - from, (long) in * m);
        for (int k = from; k < to; k += tile)
            OpenBlas.weightGradient(in, out, m, k, Math.min(k + tile, to), alpha, a, aOffset, delta, deltaOffset, beta, c,
                                    cOffset, gamma, cBias, cBiasOffset);
    }
}
