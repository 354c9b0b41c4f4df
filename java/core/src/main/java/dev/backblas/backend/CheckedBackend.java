package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/**
 * Checks every argument, then computes: what lies behind {@code compute…} may trust all it is given. Products too small to be
 * worth a call are done by {@link Loops} at once.
 */
abstract sealed class CheckedBackend implements Backend permits JavaBackend, OpenBlasBackend {

    abstract void computeAffine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                                int aOffset, Activation phi, float[] next, int nextOffset);

    abstract void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                                       Activation phi, float @Nullable [] a, int aOffset, float[] previous,
                                       int previousOffset);

    abstract void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset,
                                        float[] delta, int deltaOffset, float beta, float[] c, int cOffset, float gamma,
                                        float @Nullable [] cBias, int cBiasOffset);

    /** Runs a program as a whole; false where its calls are to be computed one by one. */
    boolean run(Program program) {
        return false;
    }

    /** How many of {@code n} columns (samples or units) one call may take, where each costs {@code work} multiplications. */
    int tile(int n, long work) {
        return Math.max(1, n);
    }

    @Override
    public final Program program() {
        return new Program(this);
    }

    @Override
    public final void affine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                             int aOffset, Activation phi, float[] next, int nextOffset) {
        Arguments.affine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        if (Loops.work(in, out, m, phi) <= Loops.TINY)
            Loops.affine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        else computeAffine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
    }

    @Override
    public final void inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                                    Activation phi, float @Nullable [] a, int aOffset, float[] previous,
                                    int previousOffset) {
        Arguments.inputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
        if (phi == Activation.IDENTITY) a = null; // it is not read
        if ((long) in * out * m <= Loops.TINY)
            Loops.inputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
        else computeInputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
    }

    @Override
    public final void weightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset,
                                     float[] delta, int deltaOffset, float beta, float[] c, int cOffset, float gamma,
                                     float @Nullable [] cBias, int cBiasOffset) {
        Arguments.weightGradient(in, out, m, from, to, a, aOffset, delta, deltaOffset, c, cOffset, cBias, cBiasOffset);
        if ((long) in * (to - from) * m <= Loops.TINY)
            Loops.weightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                                 cBiasOffset);
        else computeWeightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                                   cBiasOffset);
    }
}
