package dev.backblas.backend;

import dev.ludovic.netlib.blas.JavaBLAS;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** The kernels in pure Java: netlib's {@code sgemm} for batches, loops for a few samples. */
final class JavaBackend extends CheckedBackend {

    /**
     * Up to this many samples, loops over W beat netlib's sgemm: on 784×128 and 1024×1024 they win at m = 1 with or without
     * the Vector API and lose from m = 2 on with it (KernelBenchmark).
     */
    private static final int FEW_SAMPLES = 1;

    private final JavaBLAS blas = netlib();

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

    @Override
    public String name() {
        return "java";
    }

    @Override
    public String description() {
        return "pure Java, netlib " + blas.getClass().getSimpleName();
    }

    @Override
    public boolean allowsConcurrentTiles() {
        return true;
    }

    @Override
    void computeAffine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                       int aOffset, Activation phi, float[] next, int nextOffset) {
        if (m <= FEW_SAMPLES) {
            Loops.affine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
            return;
        }
        // Z = WᵀA
        blas.sgemm("T", "N", out, m, in, 1, w, wOffset, in, a, aOffset, in, 0, next, nextOffset, out);
        if (b != null)
            for (int j = 0; j < m; j++)
                for (int k = 0, column = nextOffset + j * out; k < out; k++) next[column + k] += b[bOffset + k];
        phi.apply(next, nextOffset, out, m);
    }

    @Override
    void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                              Activation phi, float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        if (m <= FEW_SAMPLES) {
            Loops.inputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
            return;
        }
        // δ' = Wδ
        blas.sgemm("N", "N", in, m, out, 1, w, wOffset, in, delta, deltaOffset, out, 0, previous, previousOffset, in);
        if (a != null) phi.backward(a, aOffset, previous, previousOffset, in, m);
    }

    @Override
    void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                               int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                               int cBiasOffset) {
        if (m <= FEW_SAMPLES) {
            Loops.weightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                                 cBiasOffset);
            return;
        }
        // C = αAδᵀ + βC
        blas.sgemm("N", "T", in, to - from, m, alpha, a, aOffset, in, delta, deltaOffset + from, out, beta, c,
                   cOffset + from * in, in);
        if (cBias != null) Loops.biasGradient(out, m, from, to, alpha, delta, deltaOffset, gamma, cBias, cBiasOffset);
    }
}
