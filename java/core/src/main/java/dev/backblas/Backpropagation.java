package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;

/**
 * Backpropagation, the whole of it: forward, delta, gradient, update, as in M. Nielsen, "Neural Networks and Deep Learning",
 * chapter 2. The code stands on the left, the textbook's line on the right; indices are the textbook's too, so w[1] leads from
 * the input to layer 1, and index 0 of w, b and delta is empty.
 *
 * <p>A batch of m samples is worked on in two parts. {@link #propagate} takes a tile of its columns through the network and
 * back; {@link #update} and {@link #gradient} take a tile of every layer's units. Threads may work on different tiles at the
 * same time, if all are done with the first part before one begins the second.
 */
final class Backpropagation {

    private final Backend backend;
    private final Loss loss;
    private final int L; // the layers
    private final int[] n; // n[l] units in layer l; n[0] inputs
    private final Activation[] phi; // phi[l], l = 1…L
    private final float[][] w; // w[l]: n[l-1] × n[l], the network's own
    private final float[][] b; // b[l]: n[l]
    private final float[][] a; // a[l]: n[l] × m; a[0] is X
    private final float[][] delta; // delta[l]: n[l] × m, ∂C/∂Zˡ per sample
    private float[] y; // n[L] × m

    /** For batches of up to {@code capacity} samples. */
    Backpropagation(Network network, Loss loss, Backend backend, int capacity) {
        this.backend = backend;
        this.loss = loss;
        L = network.depth();
        n = new int[L + 1];
        n[0] = network.inputs();
        phi = new Activation[L + 1];
        w = new float[L + 1][];
        b = new float[L + 1][];
        a = new float[L + 1][];
        delta = new float[L + 1][];
        for (int l = 1; l <= L; l++) {
            n[l] = network.layer(l).out();
            phi[l] = network.layer(l).activation();
            w[l] = network.weights(l);
            b[l] = network.biases(l);
            a[l] = new float[matrix(n[l], capacity)];
            delta[l] = new float[matrix(n[l], capacity)];
        }
    }

    /** The size of an n × m matrix, which must fit one array. */
    static int matrix(int n, int m) {
        if ((long) n * m > Integer.MAX_VALUE - 8)
            throw new IllegalArgumentException(
                "batch: " + m + " samples of " + n + " units do not fit one array; expected a batch below "
                    + (Integer.MAX_VALUE - 8) / n);
        return n * m;
    }

    /** Sets the batch: X is n₀ × m, Y is nᴸ × m. Neither is copied. */
    void batch(float[] x, float[] y) {
        a[0] = x;
        this.y = y;
    }

    /** Forward and back for the samples [from, to). Returns the sum of their C. */
    double propagate(int from, int to) {
        final int m = to - from;
        for (int l = 1; l < L; l++)
            affine(l, from, m, phi[l]);                               // Aˡ = φ(Zˡ),  Zˡ = WˡᵀAˡ⁻¹ + bˡ1ᵀ
        affine(L, from, m, Activation.IDENTITY);                      // Zᴸ: the loss wants it before φ
        final double sum = loss.delta(
            phi[L], a[L], y, delta[L], from * n[L], n[L], m);         // δᴸ = ∇_A C ⊙ φ'(Zᴸ)
        for (int l = L - 1; l >= 1; l--)
            backend.inputGradient(n[l], n[l + 1], m, w[l + 1], 0,     // δˡ = (Wˡ⁺¹ δˡ⁺¹) ⊙ φ'(Zˡ)
                delta[l + 1], from * n[l + 1], phi[l], a[l], from * n[l], delta[l], from * n[l]);
        return sum;
    }

    private void affine(int l, int from, int m, Activation phi) {
        backend.affine(n[l - 1], n[l], m, w[l], 0, b[l], 0, a[l - 1], from * n[l - 1], phi, a[l], from * n[l]);
    }

    /**
     * For whoever wants to see the gradient, such as its tests; training folds it into {@link #update}.
     *
     * <p>The gradient of J = scale · Σ C + decay/2 · Σ W², for part t of T of every layer's units.
     *
     * @param m     the samples of the batch
     * @param scale 1/m for the mean of C, 1 for the sum
     * @param decay λ/n, n being the size of the training set; spares the biases
     * @param dw    dw[l]: n[l-1] × n[l], written
     * @param db    db[l]: n[l], written
     */
    void gradient(int t, int T, int m, float scale, float decay, float[][] dw, float[][] db) {
        for (int l = 1; l <= L; l++) {
            final int from = part(t, T, n[l]), to = part(t + 1, T, n[l]);
            if (decay != 0)
                System.arraycopy(w[l], from * n[l - 1], dw[l], from * n[l - 1], (to - from) * n[l - 1]);
            backend.weightGradient(n[l - 1], n[l], m, from, to,       // dWˡ = Aˡ⁻¹δˡᵀ/m + (λ/n) Wˡ
                scale, a[l - 1], 0, delta[l], 0, decay, dw[l], 0,     // dbˡ = δˡ1/m
                0, db[l], 0);
        }
    }

    /** One step of gradient descent, W ← W − η dW, b ← b − η db, straight into part t of T of every layer's units. */
    void update(int t, int T, int m, float eta, float scale, float decay) {
        for (int l = 1; l <= L; l++)
            backend.weightGradient(n[l - 1], n[l], m,                 // Wˡ ← (1 − ηλ/n) Wˡ − (η/m) Aˡ⁻¹δˡᵀ
                part(t, T, n[l]), part(t + 1, T, n[l]),               // bˡ ← bˡ − (η/m) δˡ1
                -eta * scale, a[l - 1], 0, delta[l], 0, 1 - eta * decay, w[l], 0,
                1, b[l], 0);
    }

    /** Where part t of T of {@code size} begins. */
    static int part(int t, int T, int size) {
        return (int) ((long) size * t / T);
    }
}
