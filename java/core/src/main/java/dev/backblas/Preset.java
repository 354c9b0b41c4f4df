package dev.backblas;

import dev.backblas.Loss.Reduction;
import dev.backblas.backend.Activation;

/**
 * The five reference systems of the project's equations ({@code EQUATIONS.md}): for each, the network and the loss exactly as the
 * notes have them.
 */
public enum Preset {
    /** Notes 000: sigmoid, identity; L = ½ Σ (ŷ − y)², a sum. In the notes 13-3-1. */
    REGRESSION(Activation.SIGMOID, Activation.IDENTITY, Loss.SQUARED_ERROR, Reduction.SUM, 3),
    /** Notes 001: ReLU, softmax; −log ŷₜ in the mean, with L2. */
    SOFTMAX(Activation.RELU, Activation.SOFTMAX, Loss.CROSS_ENTROPY, Reduction.MEAN, 128),
    /** Notes 002: sigmoid, sigmoid; binary cross-entropy in the mean. Without a hidden layer it is logistic regression. */
    BINARY(Activation.SIGMOID, Activation.SIGMOID, Loss.BINARY_CROSS_ENTROPY, Reduction.MEAN, 32),
    /** Notes 003: any φ on both layers, here sigmoid; J = ½ Σ (x − y)², a sum. In the notes 784-K-10. */
    QUADRATIC(Activation.SIGMOID, Activation.SIGMOID, Loss.SQUARED_ERROR, Reduction.SUM, 30),
    /** Notes 004: L layers of sigmoid or ReLU, here sigmoid; C = ½ Σ (y − a)², a sum. Any depth. */
    DEEP(Activation.SIGMOID, Activation.SIGMOID, Loss.SQUARED_ERROR, Reduction.SUM, 64, 32);

    private final Activation hidden;
    private final Activation output;
    private final Loss loss;
    private final Reduction reduction;
    private final int[] widths;

    Preset(Activation hidden, Activation output, Loss loss, Reduction reduction, int... widths) {
        this.hidden = hidden;
        this.output = output;
        this.loss = loss;
        this.reduction = reduction;
        this.widths = widths;
    }

    /** {@return φ of the hidden layers} */
    public Activation hidden() {
        return hidden;
    }

    /** {@return the units of each hidden layer where none are given, in a new array} */
    public int[] widths() {
        return widths.clone();
    }

    /** {@return the cost C of one sample} */
    public Loss loss() {
        return loss;
    }

    /** {@return whether J is the sum or the mean of C, as in the notes} */
    public Reduction reduction() {
        return reduction;
    }

    /**
     * {@return the network of this system with the hidden layers of {@link #widths()}}
     *
     * @param inputs  the values of one sample, 1 or more
     * @param outputs the outputs, 1 or more
     */
    public Network.Builder network(int inputs, int outputs) {
        return network(inputs, widths, hidden, outputs);
    }

    /**
     * {@return the network of this system with other hidden layers}
     *
     * @param inputs  the values of one sample, 1 or more
     * @param widths  the units of each hidden layer; may be empty
     * @param hidden  φ of the hidden layers
     * @param outputs the outputs, 1 or more
     */
    public Network.Builder network(int inputs, int[] widths, Activation hidden, int outputs) {
        final Network.Builder builder = Network.builder(inputs);
        for (int width : widths) builder.layer(width, hidden);
        return builder.layer(outputs, output);
    }

    /**
     * {@return a trainer with the loss and the reduction of this system}
     *
     * @param network of {@link #network(int, int)}, say
     */
    public Trainer.Builder trainer(Network network) {
        return Trainer.of(network, loss).reduction(reduction);
    }
}
