package dev.backblas.backend;

/**
 * C ← α A B + β C in pure Java, on matrices with strides: element (i, p) of A is {@code a[aOffset + i * aRow + p * aColumn]}. One
 * of a matrix's two strides is 1, and tells whether it is transposed. The same call gives the same bits.
 */
interface MatrixProduct {

    /** Whether {@link Math#fma} is an instruction here. Where it is not, it goes by BigDecimal: a thousand times as slow. */
    boolean FUSED = isFused();

    private static boolean isFused() {
        long least = Long.MAX_VALUE;
        float sum = 0;
        for (int i = 0; i < 10; i++) { // the least, for the processor may be away meanwhile
            final long before = System.nanoTime();
            for (int k = 0; k < 10; k++) sum = Math.fma(sum, 0.7f, 0.3f);
            least = Math.min(least, System.nanoTime() - before);
        }
        return sum > 0 && least < 10 * 500; // 20 ns each in the interpreter, and some microseconds in BigDecimal
    }

    /**
     * The products of backpropagation, C ← α A B + β C.
     *
     * @param rows    the rows of A and C
     * @param columns the columns of B and C
     * @param depth   the columns of A, which are the rows of B
     * @param alpha   α
     * @param a       A, rows × depth
     * @param b       B, depth × columns
     * @param beta    β; with 0, C is written and never read
     * @param c       C, rows × columns
     */
    void multiply(int rows, int columns, int depth, float alpha, float[] a, int aOffset, int aRow, int aColumn, float[] b,
                  int bOffset, int bRow, int bColumn, float beta, float[] c, int cOffset, int cColumn);

    /**
     * Of the n unsigned bytes from {@code source[s]} on, as many as fill its vectors, times scale, are the floats from
     * {@code x[d]} on.
     *
     * @return how many these are: the rest is left to a plain loop
     */
    default int toFloats(int n, byte[] source, int s, float scale, float[] x, int d) {
        return 0;
    }

    /**
     * Checks whether values are finite: as many of the n from {@code x[from]} on as fill its vectors.
     *
     * @return how many these are, if all are; else 0: the rest is left to a plain loop
     */
    default int finite(int n, float[] x, int from) {
        return 0;
    }

    /** How, in a few words. */
    String description();

    /** As {@link Backend#workPerThread(int)}. */
    default long workPerThread(int m) {
        return CheckedBackend.WORK_PER_THREAD;
    }

    /** The size of the fewest equal parts of {@code n} that are no larger than {@code most}. */
    static int part(int n, int most) {
        final int parts = (n + most - 1) / most;
        return (n + parts - 1) / parts;
    }
}
