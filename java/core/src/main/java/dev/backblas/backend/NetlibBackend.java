package dev.backblas.backend;

import dev.ludovic.netlib.blas.JavaBLAS;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The kernels on netlib's BLAS in Java: its {@code sgemm} for batches, its {@code sgemv} and {@code sger} for a few samples. A
 * peer, well kept and slower than {@link JavaBackend}; it allocates as it goes, and under the Vector API the same call may give
 * other bits.
 */
final class NetlibBackend extends CheckedBackend {

    private final JavaBLAS blas = netlib();
    private final boolean vectorApi = blas.getClass().getSimpleName().equals("VectorBLAS");

    /**
     * The fastest of netlib's implementations that this virtual machine runs. They are asked for by name: {@code
     * JavaBLAS.getInstance()} would first look for a BLAS of the system, and write of it to the log.
     */
    private static JavaBLAS netlib() {
        for (String implementation : new String[] {"VectorBLAS", "Java11BLAS"}) {
            try {
                final Method getInstance =
                    Class.forName("dev.ludovic.netlib.blas." + implementation).getMethod("getInstance");
                getInstance.setAccessible(true);
                return (JavaBLAS) getInstance.invoke(null);
            } catch (InvocationTargetException | LinkageError unavailable) {
                // VectorBLAS without --add-modules jdk.incubator.vector; the next one is slower and always there
            } catch (ReflectiveOperationException | RuntimeException changed) {
                break; // another release of netlib than ours
            }
        }
        return JavaBLAS.getInstance();
    }

    /**
     * Up to this many samples, products of a matrix and a vector beat netlib's sgemm: with the Vector API on 784×128, 3.5 to 4.3
     * times at 8 samples and 2.0 to 5.6 times at 16; less so without it, and not where the rows are short (KernelBenchmark).
     */
    private int fewSamples(int in) {
        if (!vectorApi) return 2;
        return in < 64 ? 1 : 16;
    }

    @Override
    public String name() {
        return "netlib";
    }

    @Override
    public String description() {
        return "netlib " + blas.getClass().getSimpleName();
    }

    @Override
    public boolean allowsConcurrentTiles() {
        return true;
    }

    @Override
    void computeAffine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b, int bOffset,
                       float[] a, int aOffset, Activation phi, float[] next, int nextOffset) {
        // Z = WᵀA
        final int units = to - from, first = wOffset + from * in, z = nextOffset + from;
        if (m <= fewSamples(in))
            for (int j = 0; j < m; j++)
                blas.sgemv("T", in, units, 1, w, first, in, a, aOffset + j * in, 1, 0, next, z + j * out, 1);
        else blas.sgemm("T", "N", units, m, in, 1, w, first, in, a, aOffset, in, 0, next, z, out);
        if (b != null)
            for (int j = 0; j < m; j++)
                for (int k = from, column = nextOffset + j * out; k < to; k++) next[column + k] += b[bOffset + k];
        phi.apply(next, z, units, m, out);
    }

    @Override
    void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                              Activation phi, float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        // δ' = Wδ
        if (m <= fewSamples(in))
            for (int j = 0; j < m; j++)
                blas.sgemv("N", in, out, 1, w, wOffset, in, delta, deltaOffset + j * out, 1, 0, previous,
                           previousOffset + j * in, 1);
        else blas.sgemm("N", "N", in, m, out, 1, w, wOffset, in, delta, deltaOffset, out, 0, previous, previousOffset, in);
        if (a != null) phi.backward(a, aOffset, previous, previousOffset, in, m);
    }

    @Override
    void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        // C = αAδᵀ + βC
        if (m <= fewSamples(in)) {
            scale(beta, c, cOffset + from * in, cOffset + to * in);
            for (int j = 0; j < m; j++)
                blas.sger(in, to - from, alpha, a, aOffset + j * in, 1, delta, deltaOffset + j * out + from, 1, c,
                          cOffset + from * in, in);
        } else blas.sgemm("N", "T", in, to - from, m, alpha, a, aOffset, in, delta, deltaOffset + from, out, beta, c,
                          cOffset + from * in, in);
        if (cBias != null) Loops.biasGradient(out, m, from, to, alpha, delta, deltaOffset, gamma, cBias, cBiasOffset);
    }

    /** C ← βC; with β = 0, C is not read. */
    private static void scale(float beta, float[] c, int from, int to) {
        if (beta == 0) Arrays.fill(c, from, to, 0);
        else if (beta != 1) for (int i = from; i < to; i++) c[i] *= beta;
    }
}
