package dev.backblas;

import java.nio.FloatBuffer;
import java.util.Random;

/** How weights start, drawn from the seed of {@link Network.Builder#seed}. */
public enum Initialization {
    /** W ~ N(0, 2 / (in + out)), b = 0: X. Glorot and Y. Bengio, 2010; for sigmoid, tanh, softmax and the identity. */
    GLOROT,
    /** W ~ N(0, 2 / in), b = 0: K. He et al., 2015; for ReLU and its kin. */
    HE,
    /** W and b ~ N(0, 1): M. Nielsen, "Neural Networks and Deep Learning", chapter 1. */
    GAUSSIAN,
    /** {@link #HE} for layers of ReLU and its kin (leaky ReLU, GELU, SiLU, ELU), {@link #GLOROT} for the others. */
    AUTO;

    /** Fills a layer; {@link Random} gives the same numbers on every machine and JDK. */
    void fill(Layer layer, FloatBuffer w, FloatBuffer b, Random random) {
        final double deviation = switch (this) {
            case GLOROT -> Math.sqrt(2.0 / ((double) layer.in() + layer.out()));
            case HE -> Math.sqrt(2.0 / layer.in());
            case GAUSSIAN -> 1;
            case AUTO -> throw new IllegalStateException("AUTO is resolved before a layer is filled");
        };
        while (w.hasRemaining()) w.put((float) (deviation * random.nextGaussian()));
        if (this == GAUSSIAN) while (b.hasRemaining()) b.put((float) random.nextGaussian());
    }

    Initialization resolve(Layer layer) {
        if (this != AUTO) return this;
        return switch (layer.activation()) {
            case RELU, LEAKY_RELU, GELU, SILU, ELU -> HE;
            default -> GLOROT;
        };
    }
}
