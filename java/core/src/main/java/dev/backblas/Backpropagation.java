package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.Cost;
import dev.backblas.backend.Program;
import dev.backblas.backend.UpdateRule;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Backpropagation, the whole of it: forward, delta, gradient, update, as in M. Nielsen, "Neural Networks and Deep Learning",
 * chapter 2. The code stands on the left, the textbook's line on the right; indices are the textbook's too, so w[1] leads from
 * the input to layer 1, and index 0 of w, b and delta is empty.
 *
 * <p>A step on a batch of m samples is taken in T parts. {@link #propagate(int, int)} takes part t through a phase of the way
 * through the network and back; {@link #update} takes part t of every layer's units. Threads may work on different parts at the
 * same time, if all are done with one phase before one begins the next. A part is one of the batch's columns, which are
 * independent of each other there and back; or where W is large, of a layer's units: whoever has them computes their A of all
 * samples, and on the way back what they send to the layer below, which adds it up, W δ = Σ Wₜδₜ. So does a part that has no
 * columns, where there are fewer of them than parts. A step in one part is a single program: propagate runs all of it, and leaves
 * nothing to update. Where the gradient is clipped, all stop at the gradient, and {@link #follow} takes the step.
 *
 * <p>In one part, the steps on several batches may be taken together, as repetitions of the program ({@link #steps}): the batches
 * lie side by side, or are gathered by the program itself.
 */
final class Backpropagation {

    /** The floats of a cache line. */
    private static final int LINE = 16;

    /**
     * So many weights, and so many for each value that layers send each other: then its products are divided by units. (Two
     * threads of a Zen 5 whose processors are apart take steps of 64 to 512 samples 1.04 to 1.19 times as fast as by columns on
     * W1, 1.06 to 1.19 on W2, 0.96 to 1.22 on W6: StepBenchmark, with 0 and with 2²⁰ weights a value. On four layers of 128 units
     * they are 0.95 times as fast, of 256 units 1.0: {@code bench growth}, with 2¹⁴ weights.)
     */
    private static final int LEAST_WEIGHTS = 1 << 15, LEAST_WEIGHTS_A_VALUE = 1;

    /**
     * Fewer units for each thread are a poor product: two threads with 16 each take steps on 128 and 256 samples 0.88 to 1.18
     * times as fast as by columns (1024-32-10, 2048-32-10), with 32 each 1.05 to 1.23 times (784-64-10, 2048-64-10; steps as in
     * {@code bench speedup}, Zen 5, whose processors were apart).
     */
    private static final int LEAST_UNITS = 2 * LINE;

    /** The most floats of an array. */
    private static final int MOST = Integer.MAX_VALUE - 8;

    /** So many small steps are taken together at most: a crossing costs less than a hundredth of them. */
    private static final int MOST_STEPS = 256;

    /** And steps of so many multiplications in their products, about a millisecond: whoever cancels waits no longer. */
    private static final long MOST_WORK = 1 << 24;

    /** What a step has of its own: the numbers of the update of W, those of b, and the key of dropout. */
    private static final int ROW = 2 * UpdateRule.NUMBERS + 2, KEY = 2 * UpdateRule.NUMBERS;

    private final Backend backend;
    private final Loss loss;
    private final int L; // the layers
    private final int[] n; // n[l] units in layer l; n[0] inputs
    private final Activation[] phi; // phi[l], l = 1…L
    private final float[] p; // p[l]: the probability that a unit of layer l drops out, l = 0…L-1
    private final float[] theta; // all parameters, the network's own
    private final int[] w; // where in theta Wˡ begins: n[l-1] × n[l]
    private final int[] b; // where in theta bˡ begins: n[l]
    private final float[] memory; // every Zˡ, Aˡ, Dˡ and δˡ, and a place for X, Y and the weights of samples
    private final int[] z; // where in memory Zˡ begins: n[l] × m; in the place of Aˡ unless φ' is written in z
    private final int[] a; // where in memory Aˡ begins: n[l] × m
    private final int[] d; // where in memory Dˡ begins: n[l] × m, Aˡ after dropout; Aˡ itself where none drop out
    private final int[] delta; // where in memory δˡ begins: n[l] × m, ∂C/∂Zˡ per sample
    private final int[] own; // where in memory the δˡ of parts of the units begin, one behind the other: n[l] × m in all
    private final int[] sent; // where in memory what parts of the units send back begins: n[l] × m each
    private int begin; // of all that: with a cache line
    private int ownX, ownY, ownWeights; // where the place for X, Y and the weights does: n[0] × m, n[L] × m, m
    private float[] places = {}; // for X, each of its own cache lines; none before threads gather it
    private final int place; // floats from one to the other
    private int turn; // 0 or 1
    private final float[] numbers; // a ROW for each of the steps that are taken together
    private final int mostSteps;

    // What a step follows
    private final Optimizer optimizer;
    private final boolean fused; // the step is taken inside of the product, and there is no gradient
    private final boolean clipped;
    private final float[] gradient; // of the sum of C; as theta
    private final float @Nullable [] first, second; // what the optimizer remembers; as theta

    // The step, written down as programs: way.get(i)[t] is part t of phase i of the way there and back. Where there is one part,
    // and the backend computes C, there is one phase, and the update is in it: they cross to native code together.
    private final int T;
    private final @Nullable Cost cost; // null for one's own, which Java computes
    private final List<Program[]> way = new ArrayList<>();
    private final Program[] update, follow;
    private final Program unused; // what a part without columns would do with one: written, to count the same phases, never run
    private int phases, costs; // how many, and in which C is computed
    private int phase; // that is being written,
    private boolean begun, byUnits; // whether others read what is written in it, and how that is divided
    private float[] x = {}, y = {}; // A⁰: n[0] × m, and Y: n[L] × m, from these places on
    private int atX, atY;
    private float @Nullable [] weights; // of the samples: m; null where each is 1
    private int atWeights;
    private Resident.@Nullable Columns source; // what the program gathers X and Y from; null where they are there
    private int[] order = {}; // the numbers of its samples, batch after batch
    private boolean known; // X, to be finite
    private boolean training; // or only looking
    private int m;
    private final int[] part; // part[t]: where part t of the columns begins; part[T] = m
    private float @Nullable [] target; // of the products of the update: theta or gradient; null before the first
    private float alpha, beta, gamma; // of them
    private boolean follows; // the parameters what is computed
    private boolean written; // for what is set
    private boolean moved; // and its X and Y are read further on

    /** For batches of up to {@code capacity} samples, in T parts, by plain descent without dropout. */
    Backpropagation(Network network, Loss loss, int capacity, int T) {
        this(network, loss, capacity, T, new float[network.depth()], Optimizer.sgd(), true, false);
    }

    /**
     * For batches of up to {@code capacity} samples, in T parts.
     *
     * @param dropout p of layers 0 … L − 1
     * @param fused   whether steps may be taken inside of the product; plain descent without L1 or clipping
     * @param clipped whether the norm of the gradient is asked for before the step
     */
    Backpropagation(Network network, Loss loss, int capacity, int T, float[] dropout, Optimizer optimizer, boolean fused,
                    boolean clipped) {
        backend = network.backend();
        this.loss = loss;
        cost = loss instanceof BuiltInLoss builtIn ? builtIn.cost : null;
        this.T = T;
        this.optimizer = optimizer;
        this.fused = fused;
        this.clipped = clipped;
        L = network.depth();
        n = new int[L + 1];
        n[0] = network.inputs();
        phi = new Activation[L + 1];
        p = dropout;
        theta = network.parameters();
        w = new int[L + 1];
        b = new int[L + 1];
        z = new int[L + 1];
        a = new int[L + 1];
        d = new int[L + 1];
        delta = new int[L + 1];
        own = new int[L + 1];
        sent = new int[L + 1];
        long end = 0, widest = 0;
        mostSteps = !repeats() ? 1
            : (int) Math.max(1, Math.min(MOST_STEPS, MOST_WORK / (3L * theta.length * capacity)));
        for (int l = 0; l <= L; l++) {
            if (l > 0) {
                n[l] = network.layer(l).out();
                phi[l] = network.layer(l).activation();
                w[l] = network.weightsOffset(l);
                b[l] = network.biasesOffset(l);
            }
            final long size = wholeLines((long) n[l] * capacity);
            if (l > 0) {
                a[l] = z[l] = (int) end;
                if (keepsZ(l)) a[l] = (int) (end += size);
                delta[l] = (int) (end += size);
                end += size;
            }
            d[l] = a[l];
            if (drops(l)) {
                d[l] = (int) end;
                end += size;
            }
            requireFitting(end, capacity);
        }
        for (int l = 1; l <= L; l++) {
            final long most = Math.min(capacity, mostDivided(l));
            own[l] = (int) end;
            requireFitting(end += wholeLines(most * n[l]), capacity);
            if (l > 1) widest = Math.max(widest, wholeLines(T * most * n[l - 1]));
        }
        for (int l = 1; l < L; l++) sent[l] = (int) (end + l % 2 * widest); // one is read while the next is written
        end += 2 * widest;
        requireFitting(end + (n[0] + n[L] + 1L) * capacity + 2 + LINE, capacity);
        ownX = (int) end;
        ownY = ownX + n[0] * capacity + 1;
        ownWeights = ownY + n[L] * capacity + 1;
        memory = new float[ownWeights + capacity + LINE];
        guard();
        align();
        place = (int) wholeLines((long) n[0] * capacity);
        numbers = new float[mostSteps * ROW];
        final int states = fused ? 0 : optimizer.rule().states();
        gradient = new float[fused ? 0 : theta.length];
        first = states > 0 ? new float[theta.length] : null;
        second = states > 1 ? new float[theta.length] : null;
        part = new int[T + 1];
        update = programs();
        follow = programs();
        unused = backend.program();
        if (clipped) for (int t = 0; t < T; t++) follow(follow[t], t);
    }

    private static void requireFitting(long floats, int capacity) {
        if (floats > MOST)
            throw new IllegalArgumentException(
                "batch: A, delta, X and Y of " + capacity + " samples do not fit one array; expected a smaller batch");
    }

    private static long wholeLines(long floats) {
        return (floats + LINE - 1) / LINE * LINE;
    }

    private Program[] programs() {
        return IntStream.range(0, T).mapToObj(t -> backend.program()).toArray(Program[]::new);
    }

    /** The size of an n × m matrix, which must fit one array. */
    static int matrix(long n, int m) {
        if (n * m > Integer.MAX_VALUE - 8)
            throw new IllegalArgumentException(
                "batch: " + m + " samples of " + n + " values do not fit one array; expected a batch below "
                    + (Integer.MAX_VALUE - 8) / n);
        return (int) n * m;
    }

    /** Whether Zˡ is needed beside Aˡ on the way back. */
    private boolean keepsZ(int l) {
        return phi[l].keepsZ() && !(l == L && loss.takesZ());
    }

    private boolean drops(int l) {
        return l < L && p[l] > 0;
    }

    /** Marks the places behind X and behind Y, which nobody should write. */
    private void guard() {
        memory[ownY - 1] = memory[ownWeights - 1] = Float.NaN;
    }

    /** Lets every matrix begin with a cache line, until the collector moves memory. What is in it is lost. */
    void align() {
        final int by = backend.firstCacheLine(memory) - begin;
        if (by == 0) return;
        begin += by;
        for (int l = 0; l <= L; l++) {
            z[l] += by;
            a[l] += by;
            d[l] += by;
            delta[l] += by;
            own[l] += by;
            sent[l] += by;
        }
        ownX += by;
        ownY += by;
        ownWeights += by;
        guard();
        written = false;
    }

    /** Where whoever brings in a batch puts its X, Y and weights, from the places below on. */
    float[] place() {
        return memory;
    }

    int placeOfX() {
        return ownX;
    }

    int placeOfY() {
        return ownY;
    }

    int placeOfWeights() {
        return ownWeights;
    }

    /** @throws IllegalArgumentException if whoever brought in a batch wrote beyond X or Y */
    void requireIntact() {
        if (Float.isNaN(memory[ownY - 1]) && Float.isNaN(memory[ownWeights - 1])) return;
        guard();
        throw new IllegalArgumentException(
            "dataset: a sample was copied beyond its " + n[0] + " inputs or " + n[L] + " targets; expected no more");
    }

    /**
     * Sets the batch, and writes the step down: X is n₀ × m, Y is nᴸ × m, and each sample has its weight, or 1 without. None is
     * copied. Further batches may lie behind it.
     *
     * @param known whether X is known to be finite, or to be looked through
     */
    void batch(float[] x, float[] y, float @Nullable [] weights, int m, boolean known) {
        batch(x, y, weights, 0, m, known);
    }

    /** The same of a batch that begins with sample {@code from} of those in the arrays. */
    void batch(float[] x, float[] y, float @Nullable [] weights, int from, int m, boolean known) {
        write(x, from * n[0], y, from * n[L], weights, from, null, order, m, known, true);
    }

    /**
     * The same of a batch that is brought into its {@link #place} before, or by the program: then further batches may follow it.
     *
     * @param source   what the program gathers it from; null where it is there
     * @param order    the numbers of its samples, and of those that follow
     * @param weighted whether there are weights
     * @param known    whether X is known to be finite, or to be looked through
     * @param training or {@link #propagate} only goes forward, and no unit drops out
     */
    void batch(Resident.@Nullable Columns source, int[] order, boolean weighted, int m, boolean known, boolean training) {
        final boolean gathers = T > 1 && source != null;
        if (gathers && places.length == 0) {
            final long size = 2L * place + LINE;
            requireFitting(size, m);
            places = new float[(int) size];
        }
        write(gathers ? places : memory, gathers ? backend.firstCacheLine(places) : ownX, memory, ownY, weighted ? memory : null,
            ownWeights, source, order, m, known, training);
    }

    private void write(float[] x, int atX, float[] y, int atY, float @Nullable [] weights, int atWeights,
                       Resident.@Nullable Columns source, int[] order, int m, boolean known, boolean training) {
        if (written && x == this.x && atX == this.atX && y == this.y && weights == this.weights && source == this.source
            && order == this.order && m == this.m && known == this.known && training == this.training) {
            if (moved) way.get(0)[0].shift(x, 0, 0).shift(y, 0, 0);
            moved = false;
            return;
        }
        this.x = x;
        this.atX = atX;
        this.y = y;
        this.atY = atY;
        this.weights = weights;
        this.atWeights = atWeights;
        this.source = source;
        this.order = order;
        this.m = m;
        this.known = known;
        this.training = training;
        written = moved = false; // should it fail, half a program is no step
        for (int t = 0; t <= T; t++) part[t] = part(t, T, m);
        clear();
        for (int t = 0; t < T; t++) {
            phase = 0;
            begun = x == memory && source == null; // whoever brought in the batch did, by columns
            byUnits = false;
            final int columns = Math.max(1, columns(t)); // a part without any writes the same calls
            forward(t, part[t], columns);
            if (training) back(t, part[t], columns);
            if (training && target != null && T > 1) update(update[t], t);
        }
        phases = phase + 1;
        written = true;
    }

    private void clear() {
        for (int i = 0; i < way.size(); i++) for (Program program : way.get(i)) program.clear();
        for (Program program : update) program.clear();
        unused.clear();
    }

    /** The columns that are part t. */
    private int columns(int t) {
        return part[t + 1] - part[t];
    }

    /** Forgets the caller's arrays, so that they may be collected. */
    void release() {
        if (x == memory && source == null) return;
        x = y = memory;
        source = null;
        written = false;
        clear();
    }

    /** The program of part t that is being written, for what nobody else reads in the same phase. */
    private Program program(int t) {
        while (way.size() <= phase) way.add(programs());
        return way.get(phase)[t];
    }

    /** The same for what is divided by columns: all parts must have come here where it reads what is divided by units. */
    private Program byColumns(int t) {
        return ifColumns(t, next(t, begun && byUnits, false));
    }

    /** The program for what part t does with its columns; it may have none. */
    private Program ifColumns(int t, Program program) {
        return columns(t) > 0 ? program : unused;
    }

    /** The same for what is divided by units: it reads what others have computed. */
    private Program byUnits(int t) {
        return next(t, begun, true);
    }

    private Program next(int t, boolean others, boolean byUnits) {
        if (others) phase++;
        begun = true;
        this.byUnits = byUnits;
        return program(t);
    }

    /**
     * Whether products with Wˡ are divided by its units, there and back, instead of by columns: then nobody packs all of a large
     * W, and each part of it is only ever in the cache of its thread.
     */
    private boolean divided(int l) {
        return m <= mostDivided(l);
    }

    /** The most samples with which they are: 0 where layer l has too few weights, or units, for all parts. */
    private long mostDivided(int l) {
        return mostDivided(n[l - 1], n[l], l == 1 ? 0 : n[l - 1], phi[l], loss, T);
    }

    /** The same of a layer that sends so many values back for each sample. */
    private static long mostDivided(long in, int out, long sent, Activation phi, Loss loss, int T) {
        if (T == 1 || in * out < LEAST_WEIGHTS || out < T * LEAST_UNITS) return 0;
        if (phi == Activation.SOFTMAX && !loss.takesZ()) return 0; // which is of all units
        return in * out / (LEAST_WEIGHTS_A_VALUE * (out + sent));
    }

    /**
     * Into how many parts of up to {@code most} a step on m samples is divided, so that all have something to do: columns, or the
     * units of the layer with the most weights.
     */
    static int parts(Network network, Loss loss, int m, int most) {
        int large = 1;
        for (int l = 2; l <= network.depth(); l++)
            if (weights(network.layer(l)) > weights(network.layer(large))) large = l;
        final Layer layer = network.layer(large);
        final long sent = large == 1 ? 0 : layer.in();
        int parts = most;
        while (parts > m && mostDivided(layer.in(), layer.out(), sent, layer.activation(), loss, parts) < m) parts--;
        return parts;
    }

    private static long weights(Layer layer) {
        return (long) layer.in() * layer.out();
    }

    /** Whether parts of the units have a δˡ of their own: where they send it back, or it came that way. */
    private boolean byParts(int l) {
        return divided(l) && (l > 1 || l < L && divided(l + 1) && !drops(l));
    }

    /** The way of part t, the samples [from, from + columns), through the network; in training, units drop out. */
    private void forward(int t, int from, int columns) {
        final int first = from * n[0];
        if (source != null) {
            source.gatherX(byColumns(t), order, from, columns, x, atX + first);                   // A⁰
            source.gatherY(byColumns(t), order, from, columns, y, atY + from * n[L]);
        }
        if (!known) ifColumns(t, program(t)).finite(n[0] * columns, x, atX + first);
        if (training && drops(0)) drop(t, 0, x, atX + first, d[0] + first, from, columns);
        for (int l = 1; l <= L; l++) {
            final boolean dropped = training && drops(l - 1), given = l == 1 && !dropped;
            affine(t, l, given ? x : memory, given ? atX : dropped ? d[l - 1] : a[l - 1], from, columns);
            final int next = from * n[l];
            if (keepsZ(l))
                byColumns(t).activate(n[l] * columns, phi[l], memory, z[l] + next, memory, a[l] + next); // Aˡ = φ(Zˡ)
            if (training && drops(l)) drop(t, l, memory, a[l] + next, d[l] + next, from, columns);
        }
        final Program program = byColumns(t);
        costs = phase;
        if (cost == null) return;
        program.cost(cost, n[L], columns, memory, a[L] + from * n[L], y, atY + from * n[L], weights, atWeights + from, memory,
            delta[L] + from * n[L]);                                  // ∇_A C
        if (!loss.takesZ() && phi[L] != Activation.IDENTITY)          // δᴸ = ∇_A C ⊙ φ'(Zᴸ)
            program.backward(n[L], columns, phi[L], memory, z[L] + from * n[L], memory, delta[L] + from * n[L]);
    }

    /** Zˡ = WˡᵀDˡ⁻¹ + bˡ1ᵀ, and Aˡ in its place */
    private void affine(int t, int l, float[] d, int atD, int from, int columns) {
        final Activation phi = keepsZ(l) || l == L && loss.takesZ() ? Activation.IDENTITY : this.phi[l];
        if (divided(l))
            byUnits(t).affine(n[l - 1], n[l], m, unit(t, l), unit(t + 1, l), theta, w[l], theta, b[l], d, atD, phi, memory, z[l]);
        else
            byColumns(t).affine(n[l - 1], n[l], columns, theta, w[l], theta, b[l], d, atD + from * n[l - 1], phi, memory,
                z[l] + from * n[l]);
    }

    /** The way of their errors back; and the update, where there is one part: a layer's matrices are near then. */
    private void back(int t, int from, int columns) {
        if (cost == null) { // Java computes it between the phases
            phase++;
            begun = false;
            program(t); // of one layer, nothing more is written
        }
        if (byParts(L)) divide(t, L);
        for (int l = L; l >= 1; l--) {
            if (l > 1) error(t, l - 1, from, columns);
            if (T == 1 && target != null) weightGradient(program(t), l, 0, alpha, beta, target, gamma);
        }
        if (T == 1 && follows) follow(program(t), 0);
    }

    /** δˡ = (Wˡ⁺¹ δˡ⁺¹) ⊙ φ'(Zˡ) */
    private void error(int t, int l, int from, int columns) {
        final int column = from * n[l], deltas = delta[l] + column, all = n[l] * m;
        if (divided(l + 1)) {                                         // Wˡ⁺¹ δˡ⁺¹ = Σ of what parts of the units send back
            final int first = unit(t, l + 1), units = unit(t + 1, l + 1) - first;
            program(t).inputGradient(n[l], units, m, theta, w[l + 1] + first * n[l], memory, own[l + 1] + first * m,
                Activation.IDENTITY, null, 0, memory, sent[l] + t * all);
            if (byParts(l) && !drops(l)) {
                sum(byUnits(t), t, l, T, sent[l], phi[l]);
                return;
            }
            byColumns(t).sum(n[l], columns, T, all, 0, n[l], memory, sent[l] + column, phi[l], memory, z[l] + column, memory,
                deltas);
        } else
            byColumns(t).inputGradient(n[l], n[l + 1], columns, theta, w[l + 1], memory, delta[l + 1] + from * n[l + 1], phi[l],
                memory, z[l] + column, memory, deltas);
        if (drops(l)) drop(t, l, memory, deltas, deltas, from, columns); // ⊙ Rˡ/(1 − p), as Aˡ before
        if (byParts(l)) divide(t, l);
    }

    /** Takes what is part t of the units' out of δˡ. */
    private void divide(int t, int l) {
        sum(byUnits(t), t, l, 1, delta[l], Activation.IDENTITY);
    }

    /** Part t of the units' δˡ, from the sum of so many matrices */
    private void sum(Program program, int t, int l, int terms, int x, Activation phi) {
        final int first = unit(t, l), end = unit(t + 1, l);
        program.sum(n[l], m, terms, n[l] * m, first, end, memory, x, phi, memory, z[l], memory, own[l] + first * m);
    }

    /** Dˡ = Aˡ ⊙ Rˡ/(1 − p), rᵢ = 0 with probability p, else 1: N. Srivastava et al., "Dropout", 2014, §10. */
    private void drop(int t, int l, float[] from, int fromOffset, int toOffset, int column, int columns) {
        byColumns(t).dropout(n[l] * columns, p[l], d[l] - begin + column * n[l], from, fromOffset, memory, toOffset, numbers,
            KEY);
    }

    /**
     * Sets which units drop out of step i of those taken together: two whole numbers from 0 to 2²⁴ − 1.
     *
     * @param i from 0; below {@link #mostSteps}
     */
    void dropout(int i, int key0, int key1) {
        numbers[i * ROW + KEY] = key0;
        numbers[i * ROW + KEY + 1] = key1;
    }

    /** Whether a step is a single program, which {@link #steps} may repeat. */
    boolean repeats() {
        return T == 1 && cost != null && !clipped;
    }

    /** How many steps may be taken together. */
    int mostSteps() {
        return mostSteps;
    }

    /**
     * Takes steps on the batches that follow each other, from the one on that begins with sample {@code from} of those set.
     * Where the sum becomes infinite or NaN, the step that it belongs to is not taken.
     *
     * @param from  in samples
     * @param times 1 … {@link #mostSteps}
     * @param cost  of what was before
     * @return the sum of all C with those of these
     */
    double steps(int from, int times, double cost) {
        final Program step = way.get(0)[0].shift(order, from, m).shift(numbers, 0, ROW);
        if (x != memory) {
            step.shift(x, from * n[0], m * n[0]).shift(y, from * n[L], m * n[L]);
            moved = from > 0;
        }
        return step.run(times, cost);
    }

    /** How many of the latest {@link #steps} were taken. */
    int taken() {
        return way.get(0)[0].done();
    }

    /**
     * Sets which samples {@link #propagate} gathers: those from this one on of those set. They go to two places in turn: what
     * other threads have read of X a moment ago takes longer to write (784-128-10 by two threads of a Zen 4: an epoch costs 5 %
     * beyond steps on a batch at hand, with one place 8).
     */
    void at(int from) {
        turn = 1 - turn;
        for (int i = 0; i < phases; i++)
            for (Program program : way.get(i)) // the next batch's come after m
                program.shift(order, from, m).shift(places, turn * place, 0);
        for (Program program : update) program.shift(places, turn * place, 0);
    }

    /** How many phases the way there and back has: all parts of one must be done before one of the next begins. */
    int phases() {
        return phases;
    }

    /**
     * Part t of this phase of the way there and back; and of the update, where there is one part. Returns the sum of their C, or
     * what was computed of it; where that is not finite, there is no way back and no update.
     */
    double propagate(int phase, int t) {
        final double sum = way.get(phase)[t].run();
        return phase == costs && cost == null && columns(t) > 0 && !Double.isNaN(sum) ? output(t) : sum;
    }

    /** All of it, by one thread. */
    double propagate() {
        double sum = 0;
        for (int i = 0; i < phases && Double.isFinite(sum); i++) for (int t = 0; t < T; t++) sum += propagate(i, t);
        return sum;
    }

    /** Computes one's own C and δᴸ for part t of the columns. Returns the sum of their C. */
    private double output(int t) {
        final int from = part[t] * n[L], columns = columns(t);
        double sum = 0;
        if (weights == null)
            sum = loss.cost(n[L], columns, memory, a[L] + from, y, atY + from, memory, delta[L] + from); // ∇_A C
        else
            for (int j = 0, at = from; j < columns; j++, at += n[L]) {
                final float weight = weights[atWeights + part[t] + j];
                sum += weight * loss.cost(n[L], memory, a[L] + at, y, atY + at, memory, delta[L] + at);
                for (int k = 0; k < n[L]; k++) memory[delta[L] + at + k] *= weight;
            }
        if (!loss.takesZ())                                           // δᴸ = ∇_A C ⊙ φ'(Zᴸ)
            phi[L].backward(memory, z[L] + from, memory, delta[L] + from, n[L], columns);
        return sum;
    }

    /**
     * @param from where in the caller's arrays the batch at hand begins, in samples
     * @throws IllegalArgumentException if a target of the batch is out of the range of the loss
     */
    void requireTargets(int from) {
        if (cost != null) cost.requireTargets(n[L], m, y, y == memory ? ownY : from * n[L]);
    }

    /**
     * Sets the step that is taken on the batches set from now on: for plain descent W ← W − η dW, b ← b − η db, with
     * dW the gradient of scale · Σ C + decay/2 · Σ W² + l1 · Σ |W|; other optimizers as {@link Optimizer} says. Penalties spare
     * the biases.
     *
     * @param i     which of the steps that are taken together, from 0
     * @param t     the number of the step, 1 for the first
     * @param eta   η
     * @param scale 1/m for the mean of C, 1 for the sum
     * @param decay λ/n, n being the size of the training set
     * @param l1    λ₁/n
     * @return whether it may be taken together with those before; else nothing is set
     */
    boolean descent(int i, long t, float eta, float scale, float decay, float l1) {
        if (fused) {
            if (i > 0 && (alpha != -eta * scale || beta != 1 - eta * decay)) return false;
            aim(theta, -eta * scale, 1 - eta * decay, 1, false);      // Wˡ ← (1 − ηλ/n) Wˡ − (η/m) Dˡ⁻¹δˡᵀ
        } else {                                                      // bˡ ← bˡ − (η/m) δˡ1
            optimizer.write(numbers, i * ROW, t, eta, scale, decay, l1);
            aim(gradient, 1, 0, 0, !clipped);                         // dWˡ = Dˡ⁻¹δˡᵀ, dbˡ = δˡ1
        }
        return true;
    }

    /**
     * Sets that no step is taken on the batches set from now on, but the gradient of Σ C computed.
     *
     * @param more whether it is added to that of the batches before
     */
    void collect(boolean more) {
        aim(gradient, 1, more ? 1 : 0, more ? 1 : 0, false);          // dWˡ ← Dˡ⁻¹δˡᵀ + β dWˡ, dbˡ ← δˡ1 + β dbˡ
    }

    private void aim(float[] target, float alpha, float beta, float gamma, boolean follows) {
        written &= target == this.target && alpha == this.alpha && beta == this.beta && gamma == this.gamma
            && follows == this.follows;
        this.target = target;
        this.alpha = alpha;
        this.beta = beta;
        this.gamma = gamma;
        this.follows = follows;
    }

    /** Wˡ and bˡ, or dWˡ and dbˡ, for part t of the units of every layer. */
    private void update(Program program, int t) {
        for (int l = L; l >= 1; l--) weightGradient(program, l, t, alpha, beta, target, gamma);
        if (follows) follow(program, t);
    }

    /** The gradient that {@link #collect} asked for: as theta. */
    float[] collected() {
        return gradient;
    }

    /** Wˡ and bˡ follow dWˡ and dbˡ, for part t of the units of every layer. */
    private void follow(Program program, int t) {
        for (int l = 1; l <= L; l++) {
            final int from = unit(t, l), to = unit(t + 1, l);
            program.update(optimizer.rule(), w[l] + from * n[l - 1], w[l] + to * n[l - 1], theta, gradient, first, second,
                numbers, 0);
            program.update(optimizer.rule(), b[l] + from, b[l] + to, theta, gradient, first, second, numbers,
                UpdateRule.NUMBERS);
        }
    }

    /** Where part t of the columns begins; with T, where the last ends. */
    int first(int t) {
        return part[t];
    }

    /** Takes the step, or computes the gradient, for part t of every layer's units, where {@link #propagate} has not. */
    void update(int t) {
        if (T > 1) update[t].run();
    }

    /** The square of the norm of the gradient of part t of every layer's units, before its scale. */
    double squaredNorm(int t) {
        double sum = 0;
        for (int l = 1; l <= L; l++) {
            final int from = unit(t, l), to = unit(t + 1, l);
            sum += backend.sumOfSquares((to - from) * n[l - 1], gradient, w[l] + from * n[l - 1])
                + backend.sumOfSquares(to - from, gradient, b[l] + from);
        }
        return sum;
    }

    /** Multiplies the scale of the step that {@link #follow} takes. */
    void shorten(float factor) {
        numbers[UpdateRule.SCALE] *= factor;
        numbers[UpdateRule.NUMBERS + UpdateRule.SCALE] *= factor;
    }

    /** Takes the step, clipped meanwhile, for part t of every layer's units. */
    void follow(int t) {
        follow[t].run();
    }

    /** W ← α Dˡ⁻¹δˡᵀ + β W and b ← α δˡ1 + γ b in an array as theta, for part t of the units. */
    private void weightGradient(Program program, int l, int t, float alpha, float beta, float[] array, float gamma) {
        final boolean given = l == 1 && !drops(0);
        final float[] from = given ? x : memory;
        final int at = given ? atX : d[l - 1], first = unit(t, l), end = unit(t + 1, l), units = end - first;
        if (byParts(l))
            program.weightGradient(n[l - 1], units, m, 0, units, alpha, from, at, memory, own[l] + first * m, beta, array,
                w[l] + first * n[l - 1], gamma, array, b[l] + first);
        else
            program.weightGradient(n[l - 1], n[l], m, first, end, alpha, from, at, memory, delta[l], beta, array, w[l], gamma,
                array, b[l]);
    }

    /** Where part t of the units of layer l begins, or the last ends. */
    private int unit(int t, int l) {
        return n[l] >= T * LEAST_UNITS ? lines(t, n[l]) : part(t, T, n[l]);
    }

    /** Where part t of these rows begins, or the last ends: with a cache line, if the matrix does. */
    private int lines(int t, int rows) {
        return t == T ? rows : part(t, T, rows) / LINE * LINE;
    }

    /**
     * For whoever wants to see the gradient, such as its tests; training folds it into the update. To be called after
     * {@link #propagate} of all parts, where no step was set.
     *
     * @param scale 1/m for the mean of C, 1 for the sum
     * @param decay λ/n
     * @return of J = scale · Σ C + decay/2 · Σ W², with respect to all parameters, in their order
     */
    float[] gradient(float scale, float decay) {
        final float[] gradient = theta.clone();
        final Program program = backend.program();
        for (int t = 0; t < T; t++)
            for (int l = 1; l <= L; l++)
                weightGradient(program, l, t, scale, decay, gradient, 0); // dWˡ = Dˡ⁻¹δˡᵀ/m + (λ/n) Wˡ, dbˡ = δˡ1/m
        program.run();
        return gradient;
    }

    /** What the optimizer remembers, for a checkpoint: none, one or two arrays as the network's parameters. */
    float[][] memories() {
        if (first == null) return new float[0][];
        return second == null ? new float[][] {first} : new float[][] {first, second};
    }

    /** Where part t of T of {@code size} begins. */
    private static int part(int t, int T, int size) {
        return (int) ((long) size * t / T);
    }
}
