/**
 * The kernels: the products of backpropagation over the caller's own {@code float[]}, on OpenBLAS or on pure Java.
 *
 * <p>{@link dev.backblas.backend.Backend} is usable alone, under any network that holds its weights in arrays. Matrices are
 * column-major, one sample a column: the memory of a row-major {@code float[m][n]} laid end to end. A network of two layers that
 * learns exclusive or, all of it:
 *
 * <pre>{@code
 * import dev.backblas.backend.Activation;
 * import dev.backblas.backend.Backend;
 * import java.util.Random;
 *
 * int in = 2, hidden = 8, m = 4;
 * float[] x = {0, 0, 0, 1, 1, 0, 1, 1}, y = {0, 1, 1, 0};                             // in × m, 1 × m
 * float[] w1 = new float[in * hidden], b1 = new float[hidden], w2 = new float[hidden], b2 = new float[1];
 * Random random = new Random(1);
 * for (int i = 0; i < w1.length; i++) w1[i] = (float) random.nextGaussian();
 * for (int i = 0; i < w2.length; i++) w2[i] = (float) random.nextGaussian();
 * float[] a1 = new float[hidden * m], delta1 = new float[hidden * m], a2 = new float[m], delta2 = new float[m];
 *
 * Backend backend = Backend.fastest();
 * float step = -0.5f / m;                                                             // −η/m
 * for (int epoch = 0; epoch < 1000; epoch++) {
 *     backend.affine(in, hidden, m, w1, b1, x, Activation.TANH, a1);
 *     backend.affine(hidden, 1, m, w2, b2, a1, Activation.SIGMOID, a2);
 *     for (int j = 0; j < m; j++) delta2[j] = a2[j] - y[j];                           // of binary cross-entropy
 *     backend.inputGradient(hidden, 1, m, w2, delta2, Activation.TANH, a1, delta1);
 *     backend.weightGradient(hidden, 1, m, step, a1, delta2, 1, w2, b2);              // W ← W − (η/m) A δᵀ
 *     backend.weightGradient(in, hidden, m, step, x, delta1, 1, w1, b1);
 * }
 * System.out.printf("%.1f %.1f %.1f %.1f%n", a2[0], a2[1], a2[2], a2[3]); // prints 0.0 1.0 1.0 0.0
 * }</pre>
 *
 * <p>{@link dev.backblas.backend.Program} checks such calls once and runs them again and again, together.
 */
@NullMarked
package dev.backblas.backend;

import org.jspecify.annotations.NullMarked;
