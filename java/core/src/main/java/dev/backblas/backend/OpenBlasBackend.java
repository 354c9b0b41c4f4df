package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/** The kernels in C++ around OpenBLAS. */
final class OpenBlasBackend extends CheckedBackend {

    /**
     * A call stays inside for about this many multiplications, 3 ms at 40 GFLOP/s, or for {@link #NARROWEST_TILE} columns if they
     * take longer: before JDK 22, G1 cannot collect while an array is pinned.
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
        for (int j = 0, n; j < m; j += n) {
            n = Math.min(tile, m - j);
            OpenBlas.affine(in, out, n, w, wOffset, b, bOffset, a, aOffset + j * in, phi.ordinal(), next,
                            nextOffset + j * out);
        }
    }

    @Override
    void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                              Activation phi, float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        final int tile = tile(m, (long) in * out);
        for (int j = 0, n; j < m; j += n) {
            n = Math.min(tile, m - j);
            OpenBlas.inputGradient(in, out, n, w, wOffset, delta, deltaOffset + j * out, phi.ordinal(), a,
                                   a == null ? 0 : aOffset + j * in, previous, previousOffset + j * in);
        }
    }

    @Override
    void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        final int tile = tile(to - from, (long) in * m);
        for (int k = from, n; k < to; k += n) {
            n = Math.min(tile, to - k);
            OpenBlas.weightGradient(in, out, m, k, k + n, alpha, a, aOffset, delta, deltaOffset, beta, c,
                                    cOffset, gamma, cBias, cBiasOffset);
        }
    }
}
