package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/**
 * Checks every argument, then computes: what lies behind {@code compute…} may trust all it is given. Products too small to be
 * worth a call are done by {@link Loops} at once.
 */
abstract sealed class CheckedBackend implements Backend permits JavaBackend, NetlibBackend, OpenBlasBackend {

    /**
     * With layers of 64 to 256 units two threads of a Zen 5 whose processors are apart (a cache line takes 0.4 to 0.6 µs there
     * and back) are 0.4 to 0.9 times as fast as one on 0.2 to 0.8 million a thread, 0.9 to 0.95 on 1.0, 1.0 to 1.1 on 1.4, 1.0 to
     * 1.2 on 2, by OpenBLAS; and 0.7 to 1.3 times on 0.4 to 0.8 million, 1.0 to 1.4 on 1.4, by plain Java loops (steps as in
     * {@code bench speedup}, with 1 here). Near each other, half a million would do.
     */
    static final long WORK_PER_THREAD = 1_200_000;

    /** Fewer floats are copied faster by a loop than by the virtual machine. */
    private static final int WORTH_A_COPY = 64;

    /** For the units [from, to): all of them under softmax. Matrices begin where all of them would. */
    abstract void computeAffine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b,
                                int bOffset, float[] a, int aOffset, Activation phi, float[] next, int nextOffset);

    abstract void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                                       Activation phi, float @Nullable [] a, int aOffset, float[] previous,
                                       int previousOffset);

    abstract void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset,
                                        float[] delta, int deltaOffset, float beta, float[] c, int cOffset, float gamma,
                                        float @Nullable [] cBias, int cBiasOffset);

    /** Runs a program so many times, and returns the sum with the costs of these. */
    double run(Program program, int times, double cost) {
        return program.repeat(times, cost, program.isTiny());
    }

    /** How many multiplications one call may take. */
    long longestCall() {
        return Long.MAX_VALUE;
    }

    void computeGather(int n, float[] source, int[] columns, int from, int to, float[] x, int xOffset) {
        for (int j = from, d = xOffset; j < to; j++, d += n) {
            final int s = columns[j] * n;
            if (n >= WORTH_A_COPY) System.arraycopy(source, s, x, d, n);
            else for (int i = 0; i < n; i++) x[d + i] = source[s + i];
        }
    }

    void computeGather(int n, byte[] source, float scale, int[] columns, int from, int to, float[] x, int xOffset) {
        for (int j = from, d = xOffset; j < to; j++, d += n) toFloats(n, source, columns[j] * n, scale, x, d);
    }

    /** The n unsigned bytes from {@code source[s]} on, times scale, are the floats from {@code x[d]} on. */
    void toFloats(int n, byte[] source, int s, float scale, float[] x, int d) {
        for (int i = 0; i < n; i++) x[d + i] = (source[s + i] & 0xff) * scale;
    }

    @Override
    public final void gather(int n, float[] source, int[] columns, int from, int to, float[] x, int xOffset) {
        Arguments.gather(n, source, columns, from, to, x, xOffset);
        Arguments.columns(source.length / n, columns, from, to);
        computeGather(n, source, columns, from, to, x, xOffset);
    }

    @Override
    public final void gather(int n, byte[] source, float scale, int[] columns, int from, int to, float[] x, int xOffset) {
        Arguments.gather(n, source, columns, from, to, x, xOffset);
        Arguments.columns(source.length / n, columns, from, to);
        computeGather(n, source, scale, columns, from, to, x, xOffset);
    }

    @Override
    public long workPerThread(int m) {
        return WORK_PER_THREAD;
    }

    boolean computeAllFinite(int n, float[] x, int xOffset) {
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0; // of zeros, if all are finite
        int i = xOffset;
        for (final int end = xOffset + n - 7; i < end; i += 8) { // eight sums, which the processor adds side by side
            s0 += x[i] * 0;
            s1 += x[i + 1] * 0;
            s2 += x[i + 2] * 0;
            s3 += x[i + 3] * 0;
            s4 += x[i + 4] * 0;
            s5 += x[i + 5] * 0;
            s6 += x[i + 6] * 0;
            s7 += x[i + 7] * 0;
        }
        for (; i < xOffset + n; i++) s0 += x[i] * 0;
        return s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 == 0;
    }

    @Override
    public final boolean allFinite(int n, float[] x, int xOffset) {
        Arguments.values("allFinite", n, x, xOffset);
        return computeAllFinite(n, x, xOffset);
    }

    int computeFirstCacheLine(float[] array) {
        return 0;
    }

    @Override
    public final int firstCacheLine(float[] array) {
        if (array == null) throw new IllegalArgumentException("firstCacheLine: the array is null; expected one");
        return computeFirstCacheLine(array);
    }

    void computeUpdate(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m,
                       float @Nullable [] v, float[] numbers, int numbersOffset) {
        rule.apply(from, to, theta, gradient, m, v, numbers, numbersOffset);
    }

    @Override
    public final void update(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m,
                             float @Nullable [] v, float[] numbers, int numbersOffset) {
        Arguments.update(rule, from, to, theta, gradient, m, v, numbers, numbersOffset);
        computeUpdate(rule, from, to, theta, gradient, m, v, numbers, numbersOffset);
    }

    double computeSumOfSquares(int n, float[] x, int xOffset) {
        double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int i = xOffset;
        for (final int end = xOffset + n - 3; i < end; i += 4) { // four sums, which the processor adds side by side
            s0 += (double) x[i] * x[i];
            s1 += (double) x[i + 1] * x[i + 1];
            s2 += (double) x[i + 2] * x[i + 2];
            s3 += (double) x[i + 3] * x[i + 3];
        }
        for (; i < xOffset + n; i++) s0 += (double) x[i] * x[i];
        return s0 + s1 + (s2 + s3);
    }

    @Override
    public final double sumOfSquares(int n, float[] x, int xOffset) {
        Arguments.values("sumOfSquares", n, x, xOffset);
        return computeSumOfSquares(n, x, xOffset);
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
            Loops.affine(in, out, m, 0, out, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        else computeAffine(in, out, m, 0, out, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
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
