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

    static native String instructionSet();

    /** Whether two pins of one array give one address, so that threads may write their own tiles of it. */
    static native boolean pinsWithoutCopy(float[] array);

    static native void affine(int in, int out, int m, float[] w, int wOffset, float[] b, int bOffset,
                              float[] a, int aOffset, int activation, float[] next, int nextOffset);

    static native void inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                                     int activation, float[] a, int aOffset, float[] previous, int previousOffset);

    static native void weightGradient(int in, int out, int m, int from, int to,
                                      float alpha, float[] a, int aOffset, float[] delta, int deltaOffset,
                                      float beta, float[] c, int cOffset,
                                      float gamma, float[] cBias, int cBiasOffset);
}
