package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/** The kernels in pure Java: one {@link MatrixProduct} each. */
final class JavaBackend extends CheckedBackend {

    private static final float[] ONE = {1};

    private final MatrixProduct product;

    JavaBackend(MatrixProduct product) {
        this.product = product;
    }

    @Override
    public String name() {
        return "java";
    }

    @Override
    public String description() {
        return "pure Java, " + product.description();
    }

    @Override
    public boolean allowsConcurrentTiles() {
        return true;
    }

    @Override
    public long workPerThread(int m) {
        return product.workPerThread(m);
    }

    @Override
    void toFloats(int n, byte[] source, int s, float scale, float[] x, int d) {
        final int done = product.toFloats(n, source, s, scale, x, d);
        super.toFloats(n - done, source, s + done, scale, x, d + done);
    }

    @Override
    boolean computeAllFinite(int n, float[] x, int xOffset) {
        final int done = product.finite(n, x, xOffset);
        return super.computeAllFinite(n - done, x, xOffset + done);
    }

    @Override
    void computeAffine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b, int bOffset,
                       float[] a, int aOffset, Activation phi, float[] next, int nextOffset) {
        // Z = WᵀA + b 1ᵀ
        final int z = nextOffset + from;
        if (b != null) for (int j = 0; j < m; j++) System.arraycopy(b, bOffset + from, next, z + j * out, to - from);
        product.multiply(to - from, m, in, 1, w, wOffset + from * in, in, 1, a, aOffset, 1, in, b == null ? 0 : 1, next, z, out);
        phi.apply(next, z, to - from, m, out);
    }

    @Override
    void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                              Activation phi, float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        // δ' = Wδ
        product.multiply(in, m, out, 1, w, wOffset, 1, in, delta, deltaOffset, 1, out, 0, previous, previousOffset, in);
        if (a != null) phi.backward(a, aOffset, previous, previousOffset, in, m);
    }

    @Override
    void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        // C = αAδᵀ + βC,  c = αδ1 + γc
        product.multiply(in, to - from, m, alpha, a, aOffset, 1, in, delta, deltaOffset + from, out, 1, beta, c,
                         cOffset + from * in, in);
        if (cBias != null)
            product.multiply(to - from, 1, m, alpha, delta, deltaOffset + from, 1, out, ONE, 0, 0, 0, gamma, cBias,
                             cBiasOffset + from, out);
    }
}
