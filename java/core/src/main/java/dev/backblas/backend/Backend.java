package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/**
 * The three products of backpropagation, each with its elementwise tail, and what a step needs beside them, over the caller's own
 * arrays: for networks of one's own making. The package has a complete example.
 *
 * <p>Matrices are column-major with one sample a column: element (i, j) of an n × m matrix X that begins at {@code xOffset} is
 * {@code x[xOffset + j * n + i]}, the memory of a row-major {@code float[m][n]}. Weights W are in × out, so the weights into
 * unit k lie side by side. In BLAS terms the products are {@code sgemm} TN, NN and NT; nothing is transposed or copied.
 *
 * <p>Every method may be called from any number of threads at once. Each checks all of its arguments before it touches memory,
 * and throws {@link IllegalArgumentException} for a size below 1, an array that is null or too short for its matrix, a tile
 * outside of the layer, or an output that overlaps another argument. Values are not checked: NaN and infinity pass through to
 * the result.
 *
 * <p>A backend is chosen by {@link #fastest()}, {@link #openBlas()} or {@link #pureJava()}. System properties:
 *
 * <ul>
 *   <li>{@code backblas.backend}: {@code openblas}, {@code java}, {@code netlib} or {@code auto} (the default) decides what
 *       {@link #fastest()} returns;
 *   <li>{@code backblas.openblas}: the path of a BLAS library with the CBLAS interface (OpenBLAS, MKL, BLIS) to use
 *       instead of the one that comes with Backblas; there is no fallback past it;
 *   <li>{@code backblas.native.dir}: a directory that holds the native libraries, instead of the {@code backblas-natives} jar;
 *       there is no fallback past it either.
 * </ul>
 */
public sealed interface Backend permits CheckedBackend {

    /** {@return {@code "openblas"}, {@code "java"} or {@code "netlib"}} */
    String name();

    /** {@return what really runs, in one line: the library or class, its version, its kernels} */
    String description();

    /**
     * {@return whether several threads may write disjoint parts of one array at once} False where the virtual machine copies
     * arrays on their way to native code ({@code -Xcheck:jni} does).
     */
    boolean allowsConcurrentTiles();

    /**
     * {@return how many multiplications of a layer, of its two or three products together, each of several threads must get at
     * least, or it is not worth waiting for the others there and back} At least 1. A {@code Trainer} counts fewer than eight
     * samples as eight.
     *
     * @param m the samples of a step
     */
    long workPerThread(int m);

    /**
     * {@return the first element of an array, 0 to 15, that stands where a cache line begins; 0 where that makes no difference}
     * Matrices that begin there, or a multiple of 16 elements further on, are read faster: the step of a layer of 784 × 30 on ten
     * samples by a twelfth. It holds until the garbage collector moves the array.
     *
     * @param array any
     */
    int firstCacheLine(float[] array);

    /**
     * A' = φ(WᵀA + b 1ᵀ).
     *
     * @param in  the inputs of the layer, at least 1
     * @param out the units of the layer, at least 1
     * @param m   the samples, at least 1
     * @param w   W, in × out
     * @param wOffset where W begins in {@code w}, 0 or more
     * @param b   b, out; or null for none
     * @param bOffset where b begins, 0 or more; ignored without b
     * @param a   A, in × m
     * @param aOffset where A begins, 0 or more
     * @param phi φ
     * @param next A', out × m; written, never read
     * @param nextOffset where A' begins, 0 or more
     */
    void affine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a, int aOffset,
                Activation phi, float[] next, int nextOffset);

    /**
     * δ' = (W δ) ⊙ φ'(A): ∂C/∂Z of the layer before.
     *
     * @param in    the inputs of the layer, at least 1
     * @param out   the units of the layer, at least 1
     * @param m     the samples, at least 1
     * @param w     W, in × out
     * @param wOffset where W begins in {@code w}, 0 or more
     * @param delta δ, out × m
     * @param deltaOffset where δ begins, 0 or more
     * @param phi   the φ that made the layer's input; {@link Activation#IDENTITY} gives W δ alone. Not softmax
     * @param a     A, the layer's input, in × m; or the Z that it was made of, where φ {@link Activation#keepsZ()}; null is
     *              allowed for the identity
     * @param aOffset where A begins, 0 or more; ignored for the identity
     * @param previous δ', in × m; written, never read
     * @param previousOffset where δ' begins, 0 or more
     */
    void inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset, Activation phi,
                       float @Nullable [] a, int aOffset, float[] previous, int previousOffset);

    /**
     * C ← α A δᵀ + β C and c ← α δ 1 + γ c, for the units [from, to) of the layer.
     *
     * <p>With α = 1/m and β = γ = 0 this is the gradient of the mean loss. With α = −η/m, β = 1 − ηλ/n and γ = 1, straight
     * into W and b, it is a whole step of gradient descent with L2, which spares biases.
     *
     * @param in    the inputs of the layer, at least 1
     * @param out   the units of the layer, at least 1
     * @param m     the samples, at least 1
     * @param from  the first unit of the tile
     * @param to    the end of the tile, at least {@code from}; 0 and {@code out} for the whole layer
     * @param alpha α, the scale of A δᵀ and of δ 1
     * @param a     A, in × m
     * @param aOffset where A begins, 0 or more
     * @param delta δ, out × m
     * @param deltaOffset where δ begins, 0 or more
     * @param beta  β; with 0, C is written and never read
     * @param c     C, in × out
     * @param cOffset where C (not the tile) begins, 0 or more
     * @param gamma γ; with 0, c is written and never read
     * @param cBias c, out; or null for none. May lie in the array of C, apart from it
     * @param cBiasOffset where c begins, 0 or more; ignored without c
     */
    void weightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                        int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                        int cBiasOffset);

    /**
     * One step of an optimizer: the parameters θ[from … to) follow their gradient, and m and v, which a rule may remember of
     * earlier gradients, follow too. A thread of a team takes a range of its own.
     *
     * @param rule     how; its numbers η, κ, s, λ₂, λ₁, β₁, β₂ and ε are read from {@code numbers}
     * @param from     the first parameter, 0 or more
     * @param to       their end, at least {@code from}
     * @param theta    θ; read and written
     * @param gradient g, at the same indices; only read
     * @param m        m, at the same indices; null where the rule has none
     * @param v        v, at the same indices; null where the rule has none
     * @param numbers  {@value UpdateRule#NUMBERS} numbers in the order of {@link UpdateRule#ETA} … {@link UpdateRule#EPSILON}
     * @param numbersOffset where they begin, 0 or more
     */
    void update(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m, float @Nullable [] v,
                float[] numbers, int numbersOffset);

    /**
     * {@return Σ x², summed in parts whose order depends on n alone}
     *
     * @param n       how many values, 0 or more
     * @param x       holds them
     * @param xOffset where the first is, 0 or more
     */
    double sumOfSquares(int n, float[] x, int xOffset);

    /**
     * X ← columns of a larger matrix S, side by side: a mini-batch out of a training set.
     *
     * @param n       the rows of both, at least 1
     * @param source  S, n × as many columns as it holds
     * @param columns the numbers of the columns
     * @param from    the first of them
     * @param to      their end
     * @param x       X, n × (to − from); written
     * @param xOffset where X begins, 0 or more
     */
    void gather(int n, float[] source, int[] columns, int from, int to, float[] x, int xOffset);

    /**
     * {@link #gather(int, float[], int[], int, int, float[], int)} of unsigned bytes, each of which becomes a float: images.
     *
     * @param n       the rows of both, at least 1
     * @param source  S, n × as many columns as it holds; unsigned
     * @param scale   what each byte is multiplied by, such as 1/255
     * @param columns the numbers of the columns
     * @param from    the first of them
     * @param to      their end
     * @param x       X, n × (to − from); written
     * @param xOffset where X begins, 0 or more
     */
    void gather(int n, byte[] source, float scale, int[] columns, int from, int to, float[] x, int xOffset);

    /**
     * {@return whether none of n values is NaN or infinite}
     *
     * @param n       how many, 0 or more
     * @param x       holds them
     * @param xOffset where the first is, 0 or more
     */
    boolean allFinite(int n, float[] x, int xOffset);

    /** {@return an empty program for this backend: calls that are checked once and run together} */
    Program program();

    /**
     * {@link #affine} on matrices that begin at index 0.
     *
     * @param in   the inputs of the layer, at least 1
     * @param out  the units of the layer, at least 1
     * @param m    the samples, at least 1
     * @param w    W, in × out
     * @param b    b, out; or null for none
     * @param a    A, in × m
     * @param phi  φ
     * @param next A', out × m; written, never read
     */
    default void affine(int in, int out, int m, float[] w, float @Nullable [] b, float[] a, Activation phi, float[] next) {
        affine(in, out, m, w, 0, b, 0, a, 0, phi, next, 0);
    }

    /**
     * {@link #inputGradient} on matrices that begin at index 0.
     *
     * @param in       the inputs of the layer, at least 1
     * @param out      the units of the layer, at least 1
     * @param m        the samples, at least 1
     * @param w        W, in × out
     * @param delta    δ, out × m
     * @param phi      the φ that made the layer's input; not softmax
     * @param a        A, or the Z that it was made of, in × m; null is allowed for the identity
     * @param previous δ', in × m; written, never read
     */
    default void inputGradient(int in, int out, int m, float[] w, float[] delta, Activation phi, float @Nullable [] a,
                               float[] previous) {
        inputGradient(in, out, m, w, 0, delta, 0, phi, a, 0, previous, 0);
    }

    /**
     * {@link #weightGradient} of all units, on matrices that begin at index 0, with γ = β.
     *
     * @param in    the inputs of the layer, at least 1
     * @param out   the units of the layer, at least 1
     * @param m     the samples, at least 1
     * @param alpha α, the scale of A δᵀ and of δ 1
     * @param a     A, in × m
     * @param delta δ, out × m
     * @param beta  β and γ; with 0, C and c are written and never read
     * @param c     C, in × out
     * @param cBias c, out; or null for none
     */
    default void weightGradient(int in, int out, int m, float alpha, float[] a, float[] delta, float beta, float[] c,
                                float @Nullable [] cBias) {
        weightGradient(in, out, m, 0, out, alpha, a, 0, delta, 0, beta, c, 0, beta, cBias, 0);
    }

    /**
     * {@return OpenBLAS through JNI}
     *
     * @throws IllegalStateException if it cannot be loaded, with every path that was tried, why it failed, and the remedy
     */
    static Backend openBlas() {
        return Backends.openBlas();
    }

    /**
     * {@return pure Java, which is always there: by the Vector API under {@code --add-modules jdk.incubator.vector}, else by
     * plain loops}
     */
    static Backend pureJava() {
        return Backends.pureJava();
    }

    /**
     * {@return OpenBLAS where it loads, else pure Java with one warning in the log that says why} The system property
     * {@code backblas.backend} decides for it, with the names of {@link #named}.
     *
     * @throws IllegalArgumentException if the property has another value
     * @throws IllegalStateException    if the property is {@code openblas} and OpenBLAS cannot be loaded
     */
    static Backend fastest() {
        return Backends.named(System.getProperty("backblas.backend", "auto"));
    }

    /**
     * {@return the backend of this name}
     *
     * @param name {@code openblas}; {@code java}; {@code netlib}, the Java BLAS of that project, which is slower than
     *             {@code java}; or {@code auto} for the fastest one that loads
     * @throws IllegalArgumentException if there is none of that name
     * @throws IllegalStateException    if it is {@code openblas} and cannot be loaded
     */
    static Backend named(String name) {
        return Backends.named(name);
    }
}
