package dev.backblas.benchmarks;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/** The time of one call of each kernel. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class KernelBenchmark extends BackendBenchmark {

    /** in × out × m; by default the layers of {@link Shape}. */
    @Param({"784x128x128", "128x10x128", // W1
            "784x1024x256", "1024x1024x256", "1024x10x256", // W2
            "784x30x10", "30x10x10", // W3
            "13x3x32", "3x1x32", // W4
            "13x3x1", "3x1x1", // W5
            "64x256x64", "256x256x64", "256x1x64"}) // W6
    public String product;

    /** φ of affine and of inputGradient; not softmax. */
    @Param("RELU")
    public Activation phi;

    private Backend kernels;
    private int in;
    private int out;
    private int m;
    private float alpha;
    private float[] w;
    private float[] b;
    private float[] a;
    private float[] delta;
    private float[] next;
    private float[] previous;
    private float[] c;
    private float[] cBias;

    @Setup
    public void setup() {
        kernels = backend();
        final String[] sizes = product.split("x");
        in = Integer.parseInt(sizes[0]);
        out = Integer.parseInt(sizes[1]);
        m = Integer.parseInt(sizes[2]);
        alpha = -0.01f / m;
        final Random random = new Random(1);
        w = matrix(random, in, out);
        b = matrix(random, out, 1);
        a = matrix(random, in, m);
        delta = matrix(random, out, m);
        next = matrix(random, out, m);
        previous = matrix(random, in, m);
        c = w.clone();
        cBias = b.clone();
        Reference.checkAffine(in, out, m, w, b, a, phi, affine());
        Reference.checkInputGradient(in, out, m, w, delta, phi, a, inputGradient());
        Reference.checkWeightGradient(in, out, m, alpha, a, delta, w, weightGradient(), b, cBias);
    }

    private static float[] matrix(Random random, int rows, int columns) {
        final float[] matrix = new float[rows * columns];
        for (int i = 0; i < matrix.length; i++) matrix[i] = 2 * random.nextFloat() - 1;
        return matrix;
    }

    @Benchmark
    public float[] affine() {
        kernels.affine(in, out, m, w, b, a, phi, next);
        return next;
    }

    @Benchmark
    public float[] inputGradient() {
        kernels.inputGradient(in, out, m, w, delta, phi, a, previous);
        return previous;
    }

    /** With β = 1, as a step of gradient descent does. */
    @Benchmark
    public float[] weightGradient() {
        kernels.weightGradient(in, out, m, alpha, a, delta, 1, c, cBias);
        return c;
    }
}
