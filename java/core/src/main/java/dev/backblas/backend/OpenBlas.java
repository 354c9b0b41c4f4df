package dev.backblas.backend;

/**
 * The JNI door: nothing but natives, implemented line by line in {@code native/jni.cpp}. {@link OpenBlasBackend} has checked
 * every argument before it calls; {@link NativeLibrary} has loaded the library and called {@link #open} once.
 */
final class OpenBlas {

    private OpenBlas() {}

    /**
     * Opens the BLAS at {@code path}, or takes the one linked in when it is null, for that many processors. Returns null, or
     * what went wrong.
     */
    static native String open(byte[] path, int processors);

    static native boolean isLinkedIn();

    static native String config();

    static native String core();

    /** Which of our kernels run: avx512, avx512 by halves (Zen 4), avx2 or baseline. */
    static native String instructionSet();

    /** Whether two pins of one array give one address, so that threads may write their own tiles of it. */
    static native boolean pinsWithoutCopy(float[] array);

    /** The first element of an array that stands where a cache line begins. */
    static native int firstCacheLine(float[] array);

    /**
     * Runs the calls of a {@link Program} that stand in {@code code[from … to)}, repetitions {@code first} to {@code first} +
     * {@code times} − 1. Unused arrays are null.
     *
     * @param cost    of the repetitions before
     * @param shifts  where arrays are read in each; where not all are done, the last element becomes how many
     * @param written bit i: the calls may write array i
     * @return the cost with that of these
     */
    static native double run(int[] code, int from, int to, int first, int times, double cost, int[] shifts, int written,
                             float[] array0, float[] array1, float[] array2, float[] array3, float[] array4, float[] array5,
                             float[] array6, float[] array7, byte[] bytes, int[] columns);

    static native double sumOfSquares(int n, float[] x, int xOffset);

    static native boolean allFinite(int n, float[] x, int xOffset);
}
