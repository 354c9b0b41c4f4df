package dev.backblas.benchmarks;

import static dev.backblas.Loss.BINARY_CROSS_ENTROPY;
import static dev.backblas.Loss.CROSS_ENTROPY;
import static dev.backblas.Loss.SQUARED_ERROR;
import static dev.backblas.backend.Activation.IDENTITY;
import static dev.backblas.backend.Activation.RELU;
import static dev.backblas.backend.Activation.SIGMOID;
import static dev.backblas.backend.Activation.SOFTMAX;

import dev.backblas.Dataset;
import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;

/** The networks that are measured, one a line: the batch, φ of the hidden layers, φ of the last, the loss, the units. */
public enum Shape {
    W1(128, RELU, SOFTMAX, CROSS_ENTROPY, 784, 128, 10),
    W2(256, RELU, SOFTMAX, CROSS_ENTROPY, 784, 1024, 1024, 10),
    W3(10, SIGMOID, SIGMOID, SQUARED_ERROR, 784, 30, 10),
    W4(32, SIGMOID, IDENTITY, SQUARED_ERROR, 13, 3, 1),
    W5(1, SIGMOID, IDENTITY, SQUARED_ERROR, 13, 3, 1),
    W6(64, RELU, SIGMOID, BINARY_CROSS_ENTROPY, 64, 256, 256, 256, 256, 256, 256, 1);

    private final int batch;
    private final Activation hidden;
    private final Activation output;
    private final Loss loss;
    private final int[] units;

    Shape(int batch, Activation hidden, Activation output, Loss loss, int... units) {
        this.batch = batch;
        this.hidden = hidden;
        this.output = output;
        this.loss = loss;
        this.units = units;
    }

    int batch() {
        return batch;
    }

    Loss loss() {
        return loss;
    }

    /** The units, such as {@code 784-128-10}. */
    String units() {
        return Arrays.stream(units).mapToObj(String::valueOf).collect(Collectors.joining("-"));
    }

    /** The network at its first weights, which are always the same; no bias is zero, or a forgotten one would not show. */
    Network network(Backend backend) {
        final Network.Builder builder = Network.builder(units[0]).backend(backend);
        for (int l = 1; l < units.length; l++) builder.layer(units[l], l < units.length - 1 ? hidden : output);
        final Network network = builder.build();
        for (int l = 1; l < units.length; l++) for (int k = 0; k < units[l]; k++) network.biases(l).put(k, 0.1f);
        return network;
    }

    /** So many samples of floats, always the same. */
    Dataset samples(int size) {
        final Random random = new Random(1);
        final float[] x = new float[size * units[0]];
        for (int j = 0; j < size; j++) drawInput(random, x, j);
        return Dataset.of(x, targets(random, size), units[0], units[units.length - 1]);
    }

    /** The same of bytes, as images are. */
    Dataset images(int size) {
        final Random random = new Random(1);
        final byte[] pixels = new byte[size * units[0]];
        random.nextBytes(pixels);
        return Dataset.ofBytes(pixels, targets(random, size), units[0], units[units.length - 1]);
    }

    private float[] targets(Random random, int size) {
        final float[] y = new float[size * units[units.length - 1]];
        for (int j = 0; j < size; j++) drawTarget(random, y, j);
        return y;
    }

    /** Draws the inputs of sample j. */
    void drawInput(Random random, float[] x, int j) {
        final int n = units[0];
        for (int i = j * n; i < (j + 1) * n; i++) x[i] = 2 * random.nextFloat() - 1;
    }

    /** Draws the target of sample j: one-hot, or 0 or 1 where there is one output. */
    void drawTarget(Random random, float[] y, int j) {
        final int n = units[units.length - 1];
        if (n == 1) y[j] = random.nextInt(2);
        else y[j * n + random.nextInt(n)] = 1;
    }
}
