package dev.backblas.backend;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Calls of kernels that are checked once, when the program is written, and run as often as one likes, in order. On OpenBLAS they
 * cross to native code together, and so do their repetitions: for small products the crossing costs more than the work.
 *
 * <p>A program remembers arrays, not values: what they hold when {@link #run()} is called counts. It is written by its kernels,
 * which check and throw as those of {@link Backend} do, and rewritten after {@link #clear()}; all its calls together may refer
 * to at most {@value #ARRAYS} different arrays of floats, one of bytes and one of columns. Neither writing nor running allocates
 * once a program has reached its size. One thread at a time may use it.
 *
 * <pre>{@code
 * Program forward = backend.program()
 *     .affine(784, 128, m, theta, 0, theta, 784 * 128, x, 0, Activation.RELU, hidden, 0)
 *     .affine(128, 10, m, theta, 785 * 128, theta, 785 * 128 + 1280, hidden, 0, Activation.SOFTMAX, out, 0);
 * forward.run(); // and again, when x holds other samples
 * }</pre>
 *
 * <p>{@link #run(int)} repeats it. An array that is only read may be {@linkplain #shift shifted} meanwhile, so that each
 * repetition sees the next batch of one long matrix, or gathers it from the columns that come next.
 */
public final class Program {

    /** How many different arrays of floats a program may refer to; each is pinned once a crossing. */
    public static final int ARRAYS = 8;

    /** The places of the array of bytes and of that of columns among the others; with them, there are so many. */
    static final int BYTES = ARRAYS, COLUMNS = ARRAYS + 1, SLOTS = ARRAYS + 2;

    // A call is STRIDE ints, which native/program.cpp reads too: the kernel, its numbers, and five operands in the order of its
    // parameters, each the number of an array (or NONE) and an offset.
    static final int OPERANDS = 5, STRIDE = 10 + 2 * OPERANDS;
    static final int KERNEL = 0, IN = 1, OUT = 2, M = 3, FROM = 4, TO = 5, PHI = 6, ALPHA = 7, BETA = 8, GAMMA = 9, OPERAND = 10;
    // FROM and TO are the units; the rows of the input gradient or a sum; the parameters of an update. PHI may be a rule or a
    // cost, and dropout's p is its ALPHA, its first number FROM. What goes value by value has its values, or those of a sample,
    // as IN. A gather has the scale of bytes as its ALPHA, as TO how many numbers of columns there are, and as FROM 0 where only
    // gathers come before it, and later calls read all of its X, if any, and none writes to its S or X; else 1. A sum has its
    // terms as OUT, and as its second operand where the second begins.
    static final int AFFINE = 0, INPUT_GRADIENT = 1, WEIGHT_GRADIENT = 2, UPDATE = 3, ACTIVATE = 4, DROPOUT = 5, COST = 6,
        BACKWARD = 7, FINITE = 8, GATHER_FLOATS = 9, GATHER_BYTES = 10, SUM = 11;
    static final int NONE = -1;

    /** Fewer columns (units, rows) than this cost more in packing the other matrix anew than they save in time. */
    static final int NARROWEST_TILE = 32;

    /** So many columns pay for a tile of W. */
    private static final int WIDE_TILE = 256;

    /**
     * So many share it, if that leaves it {@value #SHARED_UNITS} units (rows): tiles of a W of 1024 × 1024 with 1024 columns take
     * 0.93 of the time of all of W with 256 (kernels_bench 1024x256x1024 1024x1024x256). With half as many units, OpenBLAS packs
     * the columns so often that I2 takes 5 % longer (bench --workloads I2, Zen 4).
     */
    private static final int WIDEST_TILE = 1024, SHARED_UNITS = 256;

    /**
     * A weight of a product takes as long as so many multiplications besides its own, if it comes out of main memory, and what is
     * updated goes back: 0.3 to 1.3 ns, 10 to 40 of them (kernels_bench 4096x4096x1 4096x4096x128, Zen 3). Counted as 32, the
     * collector still waited 5.1 ms for a call on 4096-4096, as 64 at most 3.8 (bench pauses).
     */
    private static final int WEIGHT_WORK = 64;

    /** A parameter that is updated takes as long as so many multiplications: 28 bytes of memory, or 1 to 2 ns. */
    private static final int UPDATE_WORK = 128;

    /** The same of a value that is activated, drops out, costs, or is looked at. */
    private static final int ACTIVATE_WORK = 64, DROPOUT_WORK = 16, COST_WORK = 64, FINITE_WORK = 4, GATHER_WORK = 8;

    /** The floats of the widest vectors. */
    private static final int VECTOR = 16;

    private static final Activation[] ACTIVATIONS = Activation.values();
    private static final UpdateRule[] RULES = UpdateRule.values();
    private static final Cost[] COSTS = Cost.values();

    private final CheckedBackend backend;
    private final float[][] arrays = new float[ARRAYS][];
    private int arrayCount;
    private byte @Nullable [] bytes;
    private int @Nullable [] columns;
    private int firstColumn = Integer.MAX_VALUE; // that is read, before they are shifted
    private int columnsThere = Integer.MAX_VALUE; // in the smallest matrix that columns are gathered of
    private final int[] ends = new int[SLOTS]; // what calls refer to of each array ends here, before it is shifted
    // By how much each array is shifted and by how much more a repetition, as native/program.cpp reads it; and what it writes
    // there: the repetitions that were done
    private final int[] shifts = new int[2 * SLOTS + 1];
    private boolean shifted;
    private int written; // bit i: a call writes arrays[i]
    private int[] code = new int[6 * STRIDE];
    private int length; // of code, in ints
    private int gathersEnd; // in code, of the gathers with which the program begins
    private long work; // of all calls, in multiplications
    private long loopWork; // the same as Loops counts it

    /** A program for each thread that asks. */
    public static final class PerThread {
        private final ThreadScratch<Program> programs;

        /**
         * Programs for this backend; none is made yet.
         *
         * @param backend which runs them
         */
        public PerThread(Backend backend) {
            programs = new ThreadScratch<>(backend::program);
        }

        /** {@return the calling thread's own} */
        public Program get() {
            return programs.get();
        }
    }

    Program(CheckedBackend backend) {
        this.backend = backend;
    }

    /**
     * Forgets all calls, and the arrays that they refer to.
     *
     * @return this
     */
    public Program clear() {
        Arrays.fill(arrays, 0, arrayCount, null);
        bytes = null;
        columns = null;
        firstColumn = columnsThere = Integer.MAX_VALUE;
        Arrays.fill(ends, 0);
        Arrays.fill(shifts, 0);
        shifted = false;
        arrayCount = written = length = gathersEnd = 0;
        work = loopWork = 0;
        return this;
    }

    /**
     * As {@link Backend#affine Backend}'s: A' = φ(WᵀA + b 1ᵀ).
     *
     * @param in         the inputs of the layer, at least 1
     * @param out        the units of the layer, at least 1
     * @param m          the samples, at least 1
     * @param w          W, in × out
     * @param wOffset    where W begins
     * @param b          b, out; or null for none
     * @param bOffset    where b begins
     * @param a          A, in × m
     * @param aOffset    where A begins
     * @param phi        φ
     * @param next       A', out × m; written
     * @param nextOffset where A' begins
     * @return this
     */
    public Program affine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                          int aOffset, Activation phi, float[] next, int nextOffset) {
        return affine(in, out, m, 0, out, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
    }

    /**
     * The same for the units [from, to), which are rows of A'.
     *
     * @param in         the inputs of the layer, at least 1
     * @param out        the units of the layer, at least 1
     * @param m          the samples, at least 1
     * @param from       the first unit of the tile
     * @param to         the end of the tile, at least {@code from}
     * @param w          W, in × out
     * @param wOffset    where W begins
     * @param b          b, out; or null for none
     * @param bOffset    where b begins
     * @param a          A, in × m
     * @param aOffset    where A begins
     * @param phi        φ; not softmax, but for all units
     * @param next       A', out × m; the tile is written
     * @param nextOffset where A' (not the tile) begins
     * @return this
     */
    public Program affine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b, int bOffset,
                          float[] a, int aOffset, Activation phi, float[] next, int nextOffset) {
        Arguments.affine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        Arguments.tile("affine", "out", out, from, to);
        if (phi == Activation.SOFTMAX && to - from < out)
            throw new IllegalArgumentException(
                "affine: the tile is [" + from + ", " + to + "), but softmax is of all " + out + " units; expected all");
        addAffine(in, out, m, from, to, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        return this;
    }

    /**
     * As {@link Backend#inputGradient Backend}'s: δ' = (W δ) ⊙ φ'(A).
     *
     * @param in             the inputs of the layer, at least 1
     * @param out            the units of the layer, at least 1
     * @param m              the samples, at least 1
     * @param w              W, in × out
     * @param wOffset        where W begins
     * @param delta          δ, out × m
     * @param deltaOffset    where δ begins
     * @param phi            the φ that made the layer's input; not softmax
     * @param a              A, or the Z that it was made of, in × m; null is allowed for the identity
     * @param aOffset        where A begins
     * @param previous       δ', in × m; written
     * @param previousOffset where δ' begins
     * @return this
     */
    public Program inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset, Activation phi,
                                 float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        Arguments.inputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
        addInputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
        return this;
    }

    /**
     * As {@link Backend#weightGradient Backend}'s: C ← α A δᵀ + β C and c ← α δ 1 + γ c, for the units [from, to).
     *
     * @param in          the inputs of the layer, at least 1
     * @param out         the units of the layer, at least 1
     * @param m           the samples, at least 1
     * @param from        the first unit of the tile
     * @param to          the end of the tile, at least {@code from}
     * @param alpha       α, the scale of A δᵀ and of δ 1
     * @param a           A, in × m
     * @param aOffset     where A begins
     * @param delta       δ, out × m
     * @param deltaOffset where δ begins
     * @param beta        β; with 0, C is written and never read
     * @param c           C, in × out
     * @param cOffset     where C (not the tile) begins
     * @param gamma       γ; with 0, c is written and never read
     * @param cBias       c, out; or null for none
     * @param cBiasOffset where c begins
     * @return this
     */
    public Program weightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                                  int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                                  int cBiasOffset) {
        Arguments.weightGradient(in, out, m, from, to, a, aOffset, delta, deltaOffset, c, cOffset, cBias, cBiasOffset);
        addWeightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                          cBiasOffset);
        return this;
    }

    /**
     * As {@link Backend#update Backend}'s: θ, m and v follow g by a rule, whose numbers are read when the program runs.
     *
     * @param rule          how
     * @param from          the first parameter, 0 or more
     * @param to            their end, at least {@code from}
     * @param theta         θ; read and written
     * @param gradient      g, at the same indices
     * @param m             m, at the same indices; null where the rule has none
     * @param v             v, at the same indices; null where the rule has none
     * @param numbers       {@value UpdateRule#NUMBERS} numbers in the order of {@link UpdateRule#ETA} …
     *                      {@link UpdateRule#EPSILON}
     * @param numbersOffset where they begin
     * @return this
     */
    public Program update(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m,
                          float @Nullable [] v, float[] numbers, int numbersOffset) {
        Arguments.update(rule, from, to, theta, gradient, m, v, numbers, numbersOffset);
        addUpdate(rule, from, to, theta, gradient, m, v, numbers, numbersOffset);
        return this;
    }

    /**
     * A = φ(Z), where both are to be kept.
     *
     * @param n       the values, at least 1
     * @param phi     φ; not softmax
     * @param z       Z; only read
     * @param zOffset where Z begins
     * @param a       A; written
     * @param aOffset where A begins
     * @return this
     */
    public Program activate(int n, Activation phi, float[] z, int zOffset, float[] a, int aOffset) {
        Arguments.activate(n, phi, z, zOffset, a, aOffset);
        final int tile = tile(n, ACTIVATE_WORK);
        for (int i = 0, count; i < n; i += count) {
            count = Math.min(tile, n - i);
            final int call = add(ACTIVATE, count, 1, 1, 0, 1, phi.ordinal(), 0, 0, 0);
            operand(call, 0, z, zOffset + i, count, false);
            operand(call, 1, a, aOffset + i, count, true);
        }
        loopWork += Loops.work(1, n, 1, phi);
        return this;
    }

    /**
     * Inverted dropout: each value becomes 0 with probability p, else itself / (1 − p). Whether it does depends on the key and on
     * its number alone, so the same call on other values drops the same ones: there and back.
     *
     * @param n         the values, at least 1
     * @param p         p, in [0, 1)
     * @param first     the number of the first value; value i has number {@code first} + i
     * @param x         the values; only read
     * @param xOffset   where they begin
     * @param out       where they go; may be their own place
     * @param outOffset from where on
     * @param key       the key, read when the program runs: two whole numbers from 0 to 2²⁴ − 1
     * @param keyOffset where it begins
     * @return this
     */
    public Program dropout(int n, float p, int first, float[] x, int xOffset, float[] out, int outOffset, float[] key,
                           int keyOffset) {
        Arguments.dropout(n, p, x, xOffset, out, outOffset, key, keyOffset);
        final int tile = tile(n, DROPOUT_WORK);
        for (int i = 0, count; i < n; i += count) {
            count = Math.min(tile, n - i);
            final int call = add(DROPOUT, count, 1, 1, first + i, first + i, 0, p, 0, 0);
            operand(call, 0, x, xOffset + i, count, false);
            operand(call, 1, out, outOffset + i, count, true);
            operand(call, 2, key, keyOffset, 2, false);
        }
        loopWork += (long) DROPOUT_WORK * n;
        return this;
    }

    /**
     * The costs of m samples, whose sum {@link #run()} returns, and their gradient.
     *
     * @param cost          C
     * @param n             the outputs, at least 1
     * @param m             the samples, at least 1
     * @param a             A, or Z where {@link Cost#takesZ()}: n × m; only read
     * @param aOffset       where A begins
     * @param y             Y: n × m; only read
     * @param yOffset       where Y begins
     * @param weights       what C and its gradient are multiplied by, for each sample: m; only read. Null for 1
     * @param weightsOffset where they begin
     * @param delta         ∂C/∂A, or ∂C/∂Z: n × m; written
     * @param deltaOffset   where it begins
     * @return this
     * @throws IllegalArgumentException if an argument is null, a size is below 1, an array too short, or δ overlaps another
     */
    public Program cost(Cost cost, int n, int m, float[] a, int aOffset, float[] y, int yOffset, float @Nullable [] weights,
                        int weightsOffset, float[] delta, int deltaOffset) {
        Arguments.cost(cost, n, m, a, aOffset, y, yOffset, weights, weightsOffset, delta, deltaOffset);
        final int tile = tile(m, (long) COST_WORK * n);
        for (int j = 0, count; j < m; j += count) {
            count = Math.min(tile, m - j);
            final int call = add(COST, n, 1, count, 0, 1, cost.ordinal(), 0, 0, 0);
            operand(call, 0, a, aOffset + j * n, count * n, false);
            operand(call, 1, y, yOffset + j * n, count * n, false);
            operand(call, 2, weights, weightsOffset + j, count, false);
            operand(call, 3, delta, deltaOffset + j * n, count * n, true);
        }
        loopWork += cost.loopWork() * n * m;
        return this;
    }

    /**
     * δ ← (∂A/∂Z)ᵀ δ: from the slopes of C in A to those in Z, of m samples.
     *
     * @param n           the outputs, at least 1
     * @param m           the samples, at least 1
     * @param phi         φ; softmax, too
     * @param a           A, or Z where {@link Activation#keepsZ()}: n × m; only read
     * @param aOffset     where A begins
     * @param delta       δ: n × m; read and written
     * @param deltaOffset where δ begins
     * @return this
     * @throws IllegalArgumentException if an argument is null, a size is below 1, an array too short, or δ overlaps A
     */
    public Program backward(int n, int m, Activation phi, float[] a, int aOffset, float[] delta, int deltaOffset) {
        Arguments.backward(n, m, phi, a, aOffset, delta, deltaOffset);
        final int tile = tile(m, (long) ACTIVATE_WORK * n);
        for (int j = 0, count; j < m; j += count) {
            count = Math.min(tile, m - j);
            final int call = add(BACKWARD, n, 1, count, 0, 1, phi.ordinal(), 0, 0, 0);
            operand(call, 0, a, aOffset + j * n, count * n, false);
            operand(call, 1, delta, deltaOffset + j * n, count * n, true);
        }
        loopWork += 2L * n * m;
        return this;
    }

    /**
     * δ ← (X₁ + … + Xₜ) ⊙ φ'(A), of their rows [from, to): where W δ' = Σ Wₖδ'ₖ, what the parts of a layer send back.
     *
     * @param n           the rows of each X, at least 1
     * @param m           the samples, at least 1
     * @param terms       how many X there are, at least 1
     * @param step        how far each begins behind the one before; at least n m, unless there is one
     * @param from        the first row
     * @param to          the end of the rows, at least {@code from}
     * @param x           X, n × m each; only read
     * @param xOffset     where the first begins
     * @param phi         the φ that made A; not softmax
     * @param a           A, or the Z that it was made of, n × m; only read; null is allowed for the identity
     * @param aOffset     where A begins
     * @param delta       δ, (to − from) × m; written
     * @param deltaOffset where δ begins
     * @return this
     * @throws IllegalArgumentException if an argument is null, a size is below 1, an array too short, or δ overlaps another
     */
    public Program sum(int n, int m, int terms, int step, int from, int to, float[] x, int xOffset, Activation phi,
                       float @Nullable [] a, int aOffset, float[] delta, int deltaOffset) {
        Arguments.sum(n, m, terms, step, from, to, x, xOffset, phi, a, aOffset, delta, deltaOffset);
        final int rows = to - from, tile = tile(m, (long) ACTIVATE_WORK * rows);
        for (int j = 0, count; j < m && rows > 0; j += count) {
            count = Math.min(tile, m - j);
            final int call = add(SUM, n, terms, count, from, to, phi.ordinal(), 0, 0, 0), first = xOffset + j * n;
            operand(call, 0, x, first, (terms - 1) * step + count * n, false);
            operand(call, 1, x, first + (terms > 1 ? step : 0), count * n, false);
            operand(call, 2, phi == Activation.IDENTITY ? null : a, aOffset + j * n, count * n, false);
            operand(call, 3, delta, deltaOffset + j * rows, count * rows, true);
        }
        loopWork += (long) (terms + 2) * rows * m;
        return this;
    }

    /**
     * The program ends here, and its sum is NaN, where one of the values is NaN or infinite.
     *
     * @param n       the values, at least 1
     * @param x       they; only read
     * @param xOffset where they begin
     * @return this
     * @throws IllegalArgumentException if the array is null or too short, or there are no values
     */
    public Program finite(int n, float[] x, int xOffset) {
        Arguments.finite(n, x, xOffset);
        final int tile = tile(n, FINITE_WORK);
        for (int i = 0, count; i < n; i += count) {
            count = Math.min(tile, n - i);
            final int call = add(FINITE, count, 1, 1, 0, 1, 0, 0, 0, 0);
            operand(call, 0, x, xOffset + i, count, false);
        }
        loopWork += n / 4;
        return this;
    }

    /**
     * X ← columns of a larger matrix S of n rows, the mini-batch of a training set.
     *
     * @param n             the rows, at least 1
     * @param m             the columns of X, at least 1
     * @param source        S, n × any; only read
     * @param columns       the numbers of the columns, from 0; those of this program are in one array. They are not copied, and
     *                      whenever the program runs, all from the first to the last must name columns of every S
     * @param columnsOffset where the first of them stands; the m that follow are gathered
     * @param x             X, n × m; written
     * @param xOffset       where X begins
     * @return this
     * @throws IllegalArgumentException if an argument is null, a size is below 1, an array too short, S and X are one array,
     *                                  or the program has another array of columns
     */
    public Program gather(int n, int m, float[] source, int[] columns, int columnsOffset, float[] x, int xOffset) {
        requireGather(n, m, source, columns, columnsOffset, x, xOffset);
        addGather(n, m, source, source.length, 0, columns, columnsOffset, x, xOffset);
        return this;
    }

    /**
     * The same of a matrix of unsigned bytes, which become floats times {@code scale}.
     *
     * @param n             the rows, at least 1
     * @param m             the columns of X, at least 1
     * @param source        S, n × any; only read, and the only array of bytes of this program
     * @param scale         times this
     * @param columns       the numbers of the columns, as above
     * @param columnsOffset where the first of them stands
     * @param x             X, n × m; written
     * @param xOffset       where X begins
     * @return this
     * @throws IllegalArgumentException as above, or if the program has another array of bytes
     */
    public Program gather(int n, int m, byte[] source, float scale, int[] columns, int columnsOffset, float[] x, int xOffset) {
        requireGather(n, m, source, columns, columnsOffset, x, xOffset);
        addGather(n, m, source, scale, columns, columnsOffset, x, xOffset);
        return this;
    }

    private static void requireGather(int n, int m, @Nullable Object source, int @Nullable [] columns, int columnsOffset,
                                      float[] x, int xOffset) {
        if (m < 1) throw new IllegalArgumentException("gather: m is " + m + "; expected 1 or more");
        Arguments.gather(n, source, columns, columnsOffset, columnsOffset + m, x, xOffset);
    }

    private <A> A only(String name, @Nullable A before, A array) {
        if (before == null || before == array) return array;
        clear(); // half a call is no program
        throw new IllegalArgumentException("program: its calls refer to more than one array of " + name + "; write two");
    }

    /**
     * Sets that the calls find an array of floats further on: in repetition r = 0, 1 … of a {@link #run(int)}, from {@code by} +
     * r · {@code step} elements after where they would begin.
     *
     * @param array which the calls written so far refer to; for another, nothing is done
     * @param by    0 unless set, or more
     * @param step  0 unless set, or more; 0 where a call writes the array
     * @return this
     * @throws IllegalArgumentException if by or step is negative, or there is a step and a call writes the array
     */
    public Program shift(float[] array, int by, int step) {
        final int number = find(array);
        return number == NONE ? this : shift(number, by, step);
    }

    /**
     * The same of the array of columns.
     *
     * @param columns which {@link #gather} was given
     * @param by      0 unless set, or more
     * @param step    0 unless set, or more
     * @return this
     * @throws IllegalArgumentException if by or step is negative
     */
    public Program shift(int[] columns, int by, int step) {
        return columns == this.columns ? shift(COLUMNS, by, step) : this;
    }

    private Program shift(int slot, int by, int step) {
        if (by < 0 || step < 0)
            throw new IllegalArgumentException("shift: by is " + by + ", step is " + step + "; expected 0 or more");
        requireOnlyRead(slot, step);
        shifts[2 * slot] = by;
        shifts[2 * slot + 1] = step;
        shifted |= by != 0 || step != 0;
        return this;
    }

    private void requireOnlyRead(int slot, int step) {
        if (step > 0 && (written >>> slot & 1) != 0)
            throw new IllegalArgumentException(
                "shift: a call writes the array, and step is " + step + "; expected 0, or an array that is only read");
    }

    /**
     * Does all calls in order, up to a {@link #cost} or values that are not {@link #finite}: what would follow from NaN is not
     * done.
     *
     * @return the sum of the costs of this program; 0 without any
     * @throws IllegalArgumentException if an array is shifted beyond its end, or there is no column that is to be gathered
     */
    public double run() {
        if (loopWork > Loops.TINY) return run(1, 0);
        requireWithin(1);
        return repeat(1, 0, true);
    }

    /**
     * {@return the sum of the costs, as of {@link #run(int, double)} after none}
     *
     * @param times how often, at least 1
     * @throws IllegalArgumentException if times is below 1, an array is shifted beyond its end, or there is no such column
     */
    public double run(int times) {
        return run(times, 0);
    }

    /**
     * Does all calls in order, again and again, up to the first {@link #cost} or values that are not {@link #finite}. Runs of one
     * program that are cut in other places come to the same, to the last bit. (A single {@link #run()} rounds in another order
     * where it is tiny.)
     *
     * @param times how often, at least 1
     * @param cost  the sum of the costs before
     * @return the sum with those of these repetitions
     * @throws IllegalArgumentException if times is below 1, an array is shifted beyond its end, or there is no such column
     */
    public double run(int times, double cost) {
        requireWithin(times);
        return backend.run(this, times, cost);
    }

    private void requireWithin(int times) {
        if (times < 1) throw new IllegalArgumentException("run: times is " + times + "; expected 1 or more");
        shifts[2 * SLOTS] = 0;
        if (shifted) requireShiftsWithin(times);
        if (columns != null) {
            final int by = shifts[2 * COLUMNS], more = (times - 1) * shifts[2 * COLUMNS + 1];
            Arguments.columns(columnsThere, columns, firstColumn + by, ends[COLUMNS] + by + more);
        }
        shifts[2 * SLOTS] = times;
    }

    private void requireShiftsWithin(int times) {
        for (int slot = 0; slot < SLOTS; slot++) {
            if (shifts[2 * slot] == 0 && shifts[2 * slot + 1] == 0) continue;
            requireOnlyRead(slot, shifts[2 * slot + 1]); // a call may have been added that does not
            final long end = ends[slot] + (long) shifts[2 * slot] + (times - 1L) * shifts[2 * slot + 1];
            final int size = slot == COLUMNS ? columns.length : arrays[slot].length;
            if (end > size)
                throw new IllegalArgumentException(
                    "run: an array of " + size + " elements is shifted by " + shifts[2 * slot] + ", and " + shifts[2 * slot + 1]
                        + " more each time; " + times + " times would need " + end);
        }
    }

    /** {@return how many repetitions the latest run has done: all, but for what is not finite} */
    public int done() {
        return shifts[2 * SLOTS];
    }

    /** Does all calls one by one, so many times, and returns the sum with their costs. */
    double repeat(int times, double cost, boolean loops) {
        for (int r = 0; r < times; r++) {
            double sum = 0;
            for (int call = 0; call < length && Double.isFinite(sum); call += STRIDE) sum += run(call, r, loops);
            cost += sum;
            if (!Double.isFinite(cost)) {
                ended(r);
                return cost;
            }
        }
        return cost;
    }

    boolean isTiny() {
        return loopWork <= Loops.TINY;
    }

    /** Returns what the call adds to the sum. */
    private double run(int call, int r, boolean loops) {
        final int[] code = this.code;
        final int in = code[call + IN], out = code[call + OUT], m = code[call + M];
        final int from = code[call + FROM], to = code[call + TO];
        final Activation phi = ACTIVATIONS[code[call + PHI]]; // some kernels have a rule or a cost there
        final float[] x0 = array(call, 0), x1 = array(call, 1), x2 = array(call, 2), x3 = array(call, 3);
        final int o0 = offset(call, 0, r), o1 = offset(call, 1, r), o2 = offset(call, 2, r), o3 = offset(call, 3, r);
        switch (code[call + KERNEL]) {
            case AFFINE -> {
                if (loops) Loops.affine(in, out, m, from, to, x0, o0, x1, o1, x2, o2, phi, x3, o3);
                else backend.computeAffine(in, out, m, from, to, x0, o0, x1, o1, x2, o2, phi, x3, o3);
            }
            case INPUT_GRADIENT -> {
                if (loops) Loops.inputGradient(in, out, m, x0, o0, x1, o1, phi, x2, o2, x3, o3);
                else backend.computeInputGradient(in, out, m, x0, o0, x1, o1, phi, x2, o2, x3, o3);
            }
            case UPDATE -> RULES[code[call + PHI]].apply(from, to, x0, x1, x2, x3, array(call, 4), offset(call, 4, r));
            case ACTIVATE -> {
                System.arraycopy(x0, o0, x1, o1, in);
                phi.apply(x1, o1, in, 1);
            }
            case DROPOUT -> Dropout.apply(in, scalar(call, ALPHA), from, x0, o0, x1, o1, x2, o2);
            case COST -> {
                return COSTS[code[call + PHI]].apply(in, m, x0, o0, x1, o1, x2, o2, x3, o3);
            }
            case BACKWARD -> phi.backward(x0, o0, x1, o1, in, m);
            case SUM -> Loops.sum(in, m, out, o1 - o0, from, to, x0, o0, phi, x2, o2, x3, o3);
            case FINITE -> {
                return backend.computeAllFinite(in, x0, o0) ? 0 : Double.NaN;
            }
            case GATHER_FLOATS -> backend.computeGather(in, x0, columns, o1, o1 + m, x2, o2);
            case GATHER_BYTES -> backend.computeGather(in, bytes, scalar(call, ALPHA), columns, o1, o1 + m, x2, o2);
            default -> {
                final float alpha = scalar(call, ALPHA), beta = scalar(call, BETA), gamma = scalar(call, GAMMA);
                if (loops) Loops.weightGradient(in, out, m, from, to, alpha, x0, o0, x1, o1, beta, x2, o2, gamma, x3, o3);
                else backend.computeWeightGradient(in, out, m, from, to, alpha, x0, o0, x1, o1, beta, x2, o2, gamma, x3, o3);
            }
        }
        return 0;
    }

    // Unchecked: for calls whose arguments are known to be right.

    void addAffine(int in, int out, int m, int from, int to, float[] w, int wOffset, float @Nullable [] b, int bOffset,
                   float[] a, int aOffset, Activation phi, float[] next, int nextOffset) {
        loopWork += Loops.work(in, to - from, m, phi);
        final int columns = phi == Activation.SOFTMAX ? columnsAtOnce(m, (long) in * out) : shared(m, in, to - from);
        for (int k = from, end; k < to; k = end) {
            end = phi == Activation.SOFTMAX ? to : tileEnd(k, to, product(in, columns));
            for (int j = 0, n; j < m; j += n) {
                n = Math.min(columns, m - j);
                final int call = add(AFFINE, in, out, n, k, end, phi.ordinal(), 0, 0, 0);
                operand(call, 0, w, wOffset, in * out, false);
                operand(call, 1, b, bOffset, out, false);
                operand(call, 2, a, aOffset + j * in, in * n, false);
                operand(call, 3, next, nextOffset + j * out, out * n, true);
            }
        }
    }

    void addInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset, Activation phi,
                          float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        loopWork += (long) in * out * m;
        final int columns = shared(m, out, in);
        for (int i = 0, end; i < in; i = end) {
            end = tileEnd(i, in, product(out, columns));
            for (int j = 0, n; j < m; j += n) {
                n = Math.min(columns, m - j);
                final int call = add(INPUT_GRADIENT, in, out, n, i, end, phi.ordinal(), 0, 0, 0);
                operand(call, 0, w, wOffset, in * out, false);
                operand(call, 1, delta, deltaOffset + j * out, out * n, false);
                operand(call, 2, phi == Activation.IDENTITY ? null : a, aOffset + j * in, in * n, false);
                operand(call, 3, previous, previousOffset + j * in, in * n, true);
            }
        }
    }

    void addWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset, float[] delta,
                           int deltaOffset, float beta, float[] c, int cOffset, float gamma, float @Nullable [] cBias,
                           int cBiasOffset) {
        loopWork += (long) in * m * (to - from);
        final int columns = shared(m, in, to - from);
        for (int k = from, end; k < to; k = end) {
            end = tileEnd(k, to, product(in, columns));
            for (int j = 0, n; j < m; j += n) { // the sum over the batch goes on where it was left
                n = Math.min(columns, m - j);
                final int call = add(WEIGHT_GRADIENT, in, out, n, k, end, 0, alpha, j == 0 ? beta : 1, j == 0 ? gamma : 1);
                operand(call, 0, a, aOffset + j * in, in * n, false);
                operand(call, 1, delta, deltaOffset + j * out, out * n, false);
                operand(call, 2, c, cOffset, in * out, true);
                operand(call, 3, cBias, cBiasOffset, out, true);
            }
        }
    }

    void addUpdate(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m,
                   float @Nullable [] v, float[] numbers, int numbersOffset) {
        final int tile = tile(to - from, UPDATE_WORK);
        for (int i = from, end; i < to; i = end) {
            end = i + Math.min(tile, to - i);
            final int call = add(UPDATE, end - i, 1, 1, i, end, rule.ordinal(), 0, 0, 0);
            operand(call, 0, theta, 0, end, true);
            operand(call, 1, gradient, 0, end, false);
            operand(call, 2, rule.states() > 0 ? m : null, 0, end, true);
            operand(call, 3, rule.states() > 1 ? v : null, 0, end, true);
            operand(call, 4, numbers, numbersOffset, UpdateRule.NUMBERS, false);
        }
        loopWork += to - from;
    }

    void addGather(int n, int m, byte[] source, float scale, int[] columns, int columnsOffset, float[] x, int xOffset) {
        bytes = only("bytes", bytes, source);
        addGather(n, m, null, source.length, scale, columns, columnsOffset, x, xOffset);
    }

    /** Of floats, or where there are none of the bytes. */
    void addGather(int n, int m, float @Nullable [] source, int size, float scale, int[] columns, int columnsOffset, float[] x,
                   int xOffset) {
        this.columns = only("columns", this.columns, columns);
        firstColumn = Math.min(firstColumn, columnsOffset);
        columnsThere = Math.min(columnsThere, size / n);
        ends[COLUMNS] = Math.max(ends[COLUMNS], columnsOffset + m);
        final int tile = tile(m, (long) GATHER_WORK * n);
        final int from = gathersEnd == length && !isWritten(source) && !isGatheredOf(x) ? 0 : 1;
        for (int j = 0, count; j < m; j += count) {
            count = Math.min(tile, m - j);
            final int kernel = source == null ? GATHER_BYTES : GATHER_FLOATS;
            final int call = add(kernel, n, 1, count, from, columns.length, 0, scale, 0, 0);
            if (source != null) operand(call, 0, source, 0, size, false);
            else place(call, 0, BYTES, 0);
            place(call, 1, COLUMNS, columnsOffset + j);
            operand(call, 2, x, xOffset + j * n, n * count, true);
            if (gathersEnd == call) gathersEnd = length;
        }
        loopWork += (long) n * m;
    }

    /** What a product of so many weights with m columns takes, in multiplications. */
    private static long product(long weights, int m) {
        return weights * ((long) m + WEIGHT_WORK);
    }

    /** How many of n columns (units, rows) a call takes, where each is so many multiplications. */
    private int tile(int n, long work) {
        return (int) Math.max(1, Math.min(n, Math.max(NARROWEST_TILE, backend.longestCall() / Math.max(1, work))));
    }

    /**
     * Where the tile of units (rows) ends that begins at k: those that are left are divided evenly, in whole vectors, and so may
     * be a few more than a call should take. (W2 by AVX2: 352, 336 and 336 units take the same time as two tiles of 512.)
     */
    private int tileEnd(int k, int to, long work) {
        final int left = to - k, tile = tile(left, work);
        if (tile == left) return to;
        final int tiles = (left + tile - 1) / tile, even = (left + tiles - 1) / tiles;
        return k + Math.min(left, (even + VECTOR - 1) / VECTOR * VECTOR);
    }

    /** How many of m columns a product of so many weights, 0 where a part has no units, takes at once, if these are not tiled. */
    private int columnsAtOnce(int m, long weights) {
        return (int) Math.min(m, Math.max(NARROWEST_TILE, backend.longestCall() / Math.max(1, weights) - WEIGHT_WORK));
    }

    /** How many of m columns a tile of W is for, where W is tiled because the product takes too long. */
    private int shared(int m, int depth, int units) {
        if (columnsAtOnce(m, (long) depth * units) == m) return m;
        final int whole = columnsAtOnce(WIDEST_TILE, (long) depth * SHARED_UNITS) / WIDE_TILE * WIDE_TILE;
        final int most = Math.max(WIDE_TILE, whole), parts = (int) (((long) m + most - 1) / most);
        return (int) (((long) m + parts - 1) / parts);
    }

    private int add(int kernel, int in, int out, int m, int from, int to, int which, float alpha, float beta, float gamma) {
        if (length == code.length) code = Arrays.copyOf(code, 2 * length);
        final int call = length;
        code[call + KERNEL] = kernel;
        code[call + IN] = in;
        code[call + OUT] = out;
        code[call + M] = m;
        code[call + FROM] = from;
        code[call + TO] = to;
        code[call + PHI] = which;
        code[call + ALPHA] = Float.floatToRawIntBits(alpha);
        code[call + BETA] = Float.floatToRawIntBits(beta);
        code[call + GAMMA] = Float.floatToRawIntBits(gamma);
        for (int i = 0; i < OPERANDS; i++) code[call + OPERAND + 2 * i] = NONE;
        length += STRIDE;
        work += work(call);
        return call;
    }

    private void operand(int call, int i, float @Nullable [] array, int offset, int size, boolean write) {
        final int number = array == null ? NONE : number(array);
        if (number != NONE) {
            ends[number] = Math.max(ends[number], offset + size);
            if (write) written |= 1 << number;
            mark(number, offset, size, write);
        }
        place(call, i, number, offset);
    }

    /** Marks the first gathers to whose S or X a call writes, or whose X it does not read as a whole. */
    private void mark(int number, int offset, int size, boolean write) {
        for (int gather = 0; gather < gathersEnd; gather += STRIDE) {
            final int x = code[gather + OPERAND + 5], values = code[gather + IN] * code[gather + M];
            final boolean ofX = code[gather + OPERAND + 4] == number && x < offset + size && offset < x + values
                && (write || offset != x || size != values);
            if (ofX || write && code[gather + OPERAND] == number) code[gather + FROM] = 1;
        }
    }

    private boolean isWritten(float @Nullable [] array) {
        final int number = find(array);
        return number != NONE && (written >>> number & 1) != 0;
    }

    /** Whether one of the first gathers reads it. */
    private boolean isGatheredOf(float[] array) {
        for (int gather = 0; gather < gathersEnd; gather += STRIDE) if (array(gather, 0) == array) return true;
        return false;
    }

    private void place(int call, int i, int number, int offset) {
        code[call + OPERAND + 2 * i] = number;
        code[call + OPERAND + 2 * i + 1] = offset;
    }

    /** The number of an array that the calls so far refer to; NONE for another. */
    private int find(float @Nullable [] array) {
        for (int i = 0; i < arrayCount; i++) if (arrays[i] == array) return i;
        return NONE;
    }

    private int number(float[] array) {
        final int number = find(array);
        if (number != NONE) return number;
        if (arrayCount == ARRAYS) {
            clear(); // half a call is no program
            throw new IllegalArgumentException(
                "program: its calls refer to more than " + ARRAYS + " arrays; put several matrices into one array, or write two");
        }
        arrays[arrayCount] = array;
        return arrayCount++;
    }

    private float @Nullable [] array(int call, int i) {
        final int number = code[call + OPERAND + 2 * i];
        return number == NONE || number >= ARRAYS ? null : arrays[number];
    }

    /** Where operand i begins in repetition r. */
    private int offset(int call, int i, int r) {
        final int offset = code[call + OPERAND + 2 * i + 1];
        if (!shifted) return offset;
        final int number = code[call + OPERAND + 2 * i];
        return number == NONE ? offset : offset + shifts[2 * number] + r * shifts[2 * number + 1];
    }

    private float scalar(int call, int which) {
        return Float.intBitsToFloat(code[call + which]);
    }

    // For OpenBlasBackend, which hands all this to native code.

    int[] code() {
        return code;
    }

    int length() {
        return length;
    }

    long work() {
        return work;
    }

    /** What the call that begins at {@code call} takes, in multiplications. */
    long work(int call) {
        final long n = code[call + IN], units = code[call + TO] - code[call + FROM];
        return switch (code[call + KERNEL]) {
            case INPUT_GRADIENT -> product(units * code[call + OUT], code[call + M]);
            case UPDATE -> UPDATE_WORK * n;
            case ACTIVATE -> ACTIVATE_WORK * n;
            case DROPOUT -> DROPOUT_WORK * n;
            case COST -> COST_WORK * n * code[call + M];
            case BACKWARD -> ACTIVATE_WORK * n * code[call + M];
            case SUM -> ACTIVATE_WORK * units * code[call + M];
            case FINITE -> FINITE_WORK * n;
            case GATHER_FLOATS, GATHER_BYTES -> GATHER_WORK * n * code[call + M];
            default -> product(units * n, code[call + M]);
        };
    }

    float @Nullable [] array(int number) {
        return arrays[number];
    }

    byte @Nullable [] bytes() {
        return bytes;
    }

    int @Nullable [] columns() {
        return columns;
    }

    int[] shifts() {
        return shifts;
    }

    /** So many repetitions were done before something was not finite. */
    void ended(int done) {
        shifts[2 * SLOTS] = done;
    }

    int written() {
        return written;
    }
}
