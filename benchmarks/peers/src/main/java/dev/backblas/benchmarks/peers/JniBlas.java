package dev.backblas.benchmarks.peers;

import dev.backblas.Loss;
import dev.backblas.backend.Activation;
import dev.backblas.benchmarks.Contender;
import dev.backblas.benchmarks.Problem;
import dev.ludovic.netlib.blas.BLAS;
import dev.ludovic.netlib.blas.NativeBLAS;

/**
 * What one writes in Java around netlib's JNI door to the system's BLAS: a call of sgemm for each product, plain loops around
 * it. The BLAS is {@code libblas.so.3}, or what {@code -Ddev.ludovic.netlib.blas.nativeLibPath=} names.
 */
public final class JniBlas implements Contender {

    private final BLAS blas = NativeBLAS.getInstance();
    private final Problem problem;
    private final int L;
    private final int m;
    private final int[] n; // n[l] units in layer l; n[0] inputs
    private final float[][] w; // w[l]: n[l-1] × n[l]
    private final float[][] b;
    private final float[][] a; // a[l]: n[l] × m
    private final float[][] delta;

    public JniBlas(Problem problem, int threads) { // the BLAS has its threads from the environment
        this.problem = problem;
        L = problem.depth();
        m = problem.m();
        n = new int[L + 1];
        w = new float[L + 1][];
        b = new float[L + 1][];
        a = new float[L + 1][];
        delta = new float[L + 1][];
        n[0] = problem.layer(1).in();
        a[0] = problem.x();
        for (int l = 1; l <= L; l++) {
            n[l] = problem.layer(l).out();
            w[l] = problem.weights(l);
            b[l] = problem.biases(l);
            a[l] = new float[n[l] * m];
            delta[l] = new float[n[l] * m];
        }
    }

    @Override
    public String description() {
        final String path = System.getProperty("dev.ludovic.netlib.blas.nativeLibPath", "libblas.so.3");
        return "netlib " + blas.getClass().getSimpleName() + " on " + path;
    }

    @Override
    public void run() {
        for (int l = 1; l <= L; l++) forward(l);
        if (!problem.training()) return;
        final float[] y = problem.y();
        for (int i = 0; i < n[L] * m; i++) delta[L][i] = a[L][i] - y[i];
        if (problem.loss() == Loss.SQUARED_ERROR) timesSlope(L);
        for (int l = L - 1; l >= 1; l--) {
            blas.sgemm("N", "N", n[l], m, n[l + 1], 1, w[l + 1], n[l], delta[l + 1], n[l + 1], 0, delta[l], n[l]);
            timesSlope(l);
        }
        final float step = -Problem.RATE / m;
        for (int l = 1; l <= L; l++) {
            blas.sgemm("N", "T", n[l - 1], n[l], m, step, a[l - 1], n[l - 1], delta[l], n[l], 1, w[l], n[l - 1]);
            for (int j = 0; j < m; j++) for (int k = 0; k < n[l]; k++) b[l][k] += step * delta[l][j * n[l] + k];
        }
    }

    private void forward(int l) {
        for (int j = 0; j < m; j++) System.arraycopy(b[l], 0, a[l], j * n[l], n[l]);
        blas.sgemm("T", "N", n[l], m, n[l - 1], 1, w[l], n[l - 1], a[l - 1], n[l - 1], 1, a[l], n[l]);
        final float[] z = a[l];
        switch (problem.layer(l).activation()) {
            case RELU -> { for (int i = 0; i < z.length; i++) z[i] = Math.max(0, z[i]); }
            case SIGMOID -> { for (int i = 0; i < z.length; i++) z[i] = (float) (1 / (1 + Math.exp(-z[i]))); }
            case SOFTMAX -> { for (int j = 0; j < m; j++) softmax(z, j * n[l], n[l]); }
            case IDENTITY -> { }
            default -> throw new IllegalArgumentException("no " + problem.layer(l).activation() + " here");
        }
    }

    private static void softmax(float[] z, int from, int n) {
        float top = z[from], total = 0;
        for (int k = from; k < from + n; k++) top = Math.max(top, z[k]);
        for (int k = from; k < from + n; k++) total += z[k] = (float) Math.exp(z[k] - top);
        for (int k = from; k < from + n; k++) z[k] /= total;
    }

    private void timesSlope(int l) {
        final float[] al = a[l], dl = delta[l];
        final Activation phi = problem.layer(l).activation();
        if (phi == Activation.RELU) for (int i = 0; i < dl.length; i++) dl[i] = al[i] > 0 ? dl[i] : 0;
        if (phi == Activation.SIGMOID) for (int i = 0; i < dl.length; i++) dl[i] *= al[i] * (1 - al[i]);
    }

    @Override
    public float[] weights(int l) {
        return w[l];
    }

    @Override
    public float[] biases(int l) {
        return b[l];
    }

    @Override
    public float[] outputs() {
        return a[L];
    }
}
