package dev.backblas;

import dev.backblas.backend.Activation;

/**
 * The shape of one dense layer: A' = φ(WᵀA + b), with W of {@code in} × {@code out} weights and b of {@code out} biases.
 *
 * @param in         the units of the layer before, at least 1
 * @param out        the units of this layer, at least 1
 * @param activation φ
 */
public record Layer(int in, int out, Activation activation) {

    /**
     * Checks the sizes.
     *
     * @param in         the units of the layer before
     * @param out        the units of this layer
     * @param activation φ
     * @throws IllegalArgumentException for a size below 1, more weights than an array can hold, or no activation
     */
    public Layer {
        if (activation == null) throw new IllegalArgumentException("layer: its activation is null; expected one");
        if (in < 1 || out < 1)
            throw new IllegalArgumentException("layer: in is " + in + " and out is " + out + "; expected each to be 1 or more");
        if ((long) in * out > Integer.MAX_VALUE - 8)
            throw new IllegalArgumentException(
                "layer: " + in + "x" + out + " weights do not fit one array; expected fewer than 2^31");
    }

    /** How many weights it has. */
    int weights() {
        return in * out;
    }
}
