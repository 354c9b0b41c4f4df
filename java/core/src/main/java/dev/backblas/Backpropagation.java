package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.util.stream.IntStream;

/**
 * Backpropagation, the whole of it: forward, delta, gradient, update, as in M. Nielsen, "Neural Networks and Deep Learning",
 * chapter 2. The code stands on the left, the textbook's line on the right; indices are the textbook's too, so w[1] leads from
 * the input to layer 1, and index 0 of w, b and delta is empty.
 *
 * <p>A step on a batch of m samples is taken in T parts, twice. {@link #propagate} takes part t of the batch's columns through
 * the network and back; {@link #update} takes part t of every layer's units. Threads may work on different parts at the same
 * time, if all are done with the first before one begins the second.
 */
final class Backpropagation {

    private final Backend backend;
    private final Loss loss;
    private final int L; // the layers
    private final int[] n; // n[l] units in layer l; n[0] inputs
    private final Activation[] phi; // phi[l], l = 1…L
    private final float[] theta; // all parameters, the network's own
    private final int[] w; // where in theta Wˡ begins: n[l-1] × n[l]
    private final int[] b; // where in theta bˡ begins: n[l]
    private final float[] memory; // every Aˡ and δˡ
    private final int[] a; // where in memory Aˡ begins: n[l] × m
    private final int[] delta; // where in memory δˡ begins: n[l] × m, ∂C/∂Zˡ per sample

    // The step, written down as programs: one for each part
    private final int T;
    private final Program[] forward, back, update;
    private float[] x = {}; // A⁰: n[0] × m
    private float[] y = {}; // n[L] × m
    private int m;
    private final int[] first; // first[t]: where part t of the columns begins; first[T] = m
    private float eta = Float.NaN, scale, decay; // of the updates written down

    /** For batches of up to {@code capacity} samples, in T parts. */
    Backpropagation(Network network, Loss loss, int capacity, int T) {
        backend = network.backend();
        this.loss = loss;
        this.T = T;
        L = network.depth();
        n = new int[L + 1];
        n[0] = network.inputs();
        phi = new Activation[L + 1];
        theta = network.parameters();
        w = new int[L + 1];
        b = new int[L + 1];
        a = new int[L + 1];
        delta = new int[L + 1];
        for (int l = 1; l <= L; l++) {
            n[l] = network.layer(l).out();
            phi[l] = network.layer(l).activation();
            w[l] = network.weightsOffset(l);
            b[l] = network.biasesOffset(l);
        }
        final int units = IntStream.of(n).sum() - n[0];
        memory = new float[matrix(2L * units, capacity)];
        for (int l = 1, end = 0; l <= L; l++) {
            a[l] = end;
            delta[l] = end + units * capacity;
            end += n[l] * capacity;
        }
        first = new int[T + 1];
        forward = programs();
        back = programs();
        update = programs();
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

    /** Sets the batch: X is n₀ × m, Y is nᴸ × m. Neither is copied. */
    void batch(float[] x, float[] y, int m) {
        this.y = y;
        if (x == this.x && m == this.m) return;
        this.x = x;
        this.m = m;
        eta = Float.NaN; // the updates read X, too
        for (int t = 0; t <= T; t++) first[t] = part(t, T, m);
        for (int t = 0; t < T; t++) {
            final int from = first[t], columns = first[t + 1] - from;
            forward[t].clear();
            back[t].clear();
            if (columns == 0) continue;
            for (int l = 1; l <= L; l++)
                affine(forward[t], l, from, columns);                 // Aˡ = φ(Zˡ),  Zˡ = WˡᵀAˡ⁻¹ + bˡ1ᵀ
            if (T > 1) back(back[t], from, columns);
        }
    }

    private void affine(Program program, int l, int from, int columns) {
        program.affine(n[l - 1], n[l], columns, theta, w[l], theta, b[l],
            l == 1 ? x : memory, a[l - 1] + from * n[l - 1],
            l < L ? phi[l] : loss.activation(phi[L]), memory, a[l] + from * n[l]);
    }

    private void back(Program program, int from, int columns) {
        for (int l = L - 1; l >= 1; l--)                              // δˡ = (Wˡ⁺¹ δˡ⁺¹) ⊙ φ'(Zˡ)
            program.inputGradient(n[l], n[l + 1], columns, theta, w[l + 1], memory, delta[l + 1] + from * n[l + 1],
                phi[l], memory, a[l] + from * n[l], memory, delta[l] + from * n[l]);
    }

    /** Forward and back for part t of the columns. Returns the sum of their C; where it is not finite, there is no way back. */
    double propagate(int t) {
        final int from = first[t], columns = first[t + 1] - from;
        if (columns == 0) return 0;
        forward[t].run();
        final double sum = loss.delta(phi[L], memory, a[L] + from * n[L], // δᴸ = ∇_A C ⊙ φ'(Zᴸ)
            y, from * n[L], memory, delta[L] + from * n[L], n[L], columns);
        if (Double.isFinite(sum)) back[t].run();
        return sum;
    }

    /**
     * Sets the step of gradient descent that {@link #update} takes: W ← W − η dW, b ← b − η db.
     *
     * @param eta   η
     * @param scale 1/m for the mean of C, 1 for the sum
     * @param decay λ/n, n being the size of the training set; spares the biases
     */
    void descent(float eta, float scale, float decay) {
        if (eta == this.eta && scale == this.scale && decay == this.decay) return;
        this.eta = eta;
        this.scale = scale;
        this.decay = decay;
        for (int t = 0; t < T; t++) {
            update[t].clear();
            if (T == 1) back(update[t], 0, m); // a single part need not wait for others: both go together
            for (int l = 1; l <= L; l++)
                weightGradient(update[t], l, t,                       // Wˡ ← (1 − ηλ/n) Wˡ − (η/m) Aˡ⁻¹δˡᵀ
                    -eta * scale, 1 - eta * decay, theta, w[l],       // bˡ ← bˡ − (η/m) δˡ1
                    1, b[l]);
        }
    }

    /** Where part t of the columns begins; with T, where the last ends. */
    int first(int t) {
        return first[t];
    }

    /** Takes the step for part t of every layer's units. */
    void update(int t) {
        update[t].run();
    }

    /** C ← α Aˡ⁻¹δˡᵀ + β C and c ← α δˡ1 + γ c in {@code array}, for part t of the units. */
    private void weightGradient(Program program, int l, int t, float alpha, float beta, float[] array, int c, float gamma,
                                int cBias) {
        program.weightGradient(n[l - 1], n[l], m, part(t, T, n[l]), part(t + 1, T, n[l]),
            alpha, l == 1 ? x : memory, a[l - 1], memory, delta[l], beta, array, c, gamma, array, cBias);
    }

    /**
     * For whoever wants to see the gradient, such as its tests; training folds it into {@link #update}. To be called after
     * {@link #propagate} of all parts.
     *
     * @param scale 1/m for the mean of C, 1 for the sum
     * @param decay λ/n
     * @return of J = scale · Σ C + decay/2 · Σ W², with respect to all parameters, in their order
     */
    float[] gradient(float scale, float decay) {
        final float[] gradient = theta.clone();
        final Program program = backend.program();
        if (T == 1) back(program, 0, m);
        for (int t = 0; t < T; t++)
            for (int l = 1; l <= L; l++)
                weightGradient(program, l, t,                         // dWˡ = Aˡ⁻¹δˡᵀ/m + (λ/n) Wˡ
                    scale, decay, gradient, w[l], 0, b[l]);           // dbˡ = δˡ1/m
        program.run();
        return gradient;
    }

    /** Where part t of T of {@code size} begins. */
    private static int part(int t, int T, int size) {
        return (int) ((long) size * t / T);
    }
}
