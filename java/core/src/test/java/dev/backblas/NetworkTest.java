package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.TestBackends;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class NetworkTest {

    private final Backend backend;

    NetworkTest(Backend backend) {
        this.backend = backend;
    }

    private Network.Builder builder() {
        return Network.builder(20).backend(backend);
    }

    private static float[] random(int n) {
        final Random random = new Random(3);
        final float[] x = new float[n];
        for (int i = 0; i < n; i++) x[i] = (float) random.nextGaussian();
        return x;
    }

    @Test
    void aBatchIsItsSamples() {
        for (int hidden = 0; hidden <= 3; hidden++) {
            final Network.Builder builder = builder();
            for (int l = 0; l < hidden; l++) builder.layer(30 + l, Activation.TANH);
            final Network network = builder.layer(7, Activation.SOFTMAX).build();
            final int m = 600; // more than two tiles
            final float[] x = random(20 * m), out = new float[7 * m];
            network.predict(x, m, out);
            for (int j = 0; j < m; j++)
                assertArrayEquals(network.predict(Arrays.copyOfRange(x, 20 * j, 20 * j + 20)),
                                  Arrays.copyOfRange(out, 7 * j, 7 * j + 7), 1e-6f);
        }
    }

    @Test
    void manyThreadsPredictAtOnce() {
        final Network network = builder().layer(50, Activation.RELU).layer(3, Activation.SIGMOID).build();
        final Network other = builder().layer(500, Activation.RELU).layer(3, Activation.SIGMOID).build();
        final float[] x = random(20), want = network.predict(x), wantOther = other.predict(x);
        assertTrue(IntStream.range(0, 5000).parallel().allMatch(
            i -> i % 2 == 0 ? Arrays.equals(want, network.predict(x))
                : Arrays.equals(wantOther, other.predict(x))));
    }

    @Test
    void weightsStartAsAskedFor() {
        for (Initialization initialization : Initialization.values()) {
            final Network network = builder().layer(2000, Activation.RELU).layer(1000, Activation.SIGMOID)
                .initialization(initialization).build();
            final double first = variance(network.weights(1)), second = variance(network.weights(2));
            final double wantFirst = switch (initialization) {
                case HE, AUTO -> 2.0 / 20;
                case GLOROT -> 2.0 / 2020;
                case GAUSSIAN -> 1;
            };
            final double wantSecond = switch (initialization) {
                case HE -> 2.0 / 2000;
                case GLOROT, AUTO -> 2.0 / 3000;
                case GAUSSIAN -> 1;
            };
            assertEquals(wantFirst, first, 0.05 * wantFirst, initialization + ", layer 1");
            assertEquals(wantSecond, second, 0.05 * wantSecond, initialization + ", layer 2");
            assertEquals(initialization == Initialization.GAUSSIAN ? 1 : 0, variance(network.biases(1)), 0.15);
        }
        // java.util.Random is specified to the bit: these are the first weights of seed 1 everywhere, always
        assertEquals(1.561581f, builder().layer(1, Activation.IDENTITY).initialization(Initialization.GAUSSIAN).build()
            .weights(1).get(0), 1e-6f);
    }

    private static double variance(FloatBuffer x) {
        double sum = 0;
        for (int i = 0; i < x.remaining(); i++) sum += (double) x.get(i) * x.get(i);
        return sum / x.remaining();
    }

    @Test
    void copiesShareNothing() {
        final Network network = builder().layer(3, Activation.RELU).build(), copy = network.copy();
        assertArrayEquals(network.parameters(), copy.parameters());
        copy.weights(1).put(0, 99);
        copy.biases(1).put(0, 99);
        assertTrue(network.weights(1).get(0) != 99 && network.biases(1).get(0) != 99);
    }

    @Test
    void saysWhatItIs() {
        final Network network = builder().layer(3, Activation.LEAKY_RELU).layer(2, Activation.SOFTMAX).build();
        assertEquals("20-3:leaky_relu-2:softmax", network.toString());
        assertEquals(20 * 3 + 3 + 3 * 2 + 2, network.parameters().length);
        assertEquals(new Layer(3, 2, Activation.SOFTMAX), network.layer(2));
    }

    @Test
    void argumentsAreChecked() {
        rejected("network: it has 0 inputs; expected 1 or more", () -> Network.builder(0));
        rejected("layer: in is 20 and out is -3; expected each to be 1 or more", () -> builder().layer(-3, Activation.RELU));
        rejected("layer: 20x2000000000 weights do not fit one array; expected fewer than 2^31",
                 () -> builder().layer(2_000_000_000, Activation.RELU));
        rejected("network: layer 1 is softmax, which is for the output layer; expected none after it",
                 () -> builder().layer(3, Activation.SOFTMAX).layer(3, Activation.RELU));
        assertThrows(IllegalStateException.class, () -> builder().build());
        final Network network = builder().layer(3, Activation.RELU).build();
        rejected("predict: the sample has 19 values, but the network has 20 inputs", () -> network.predict(new float[19]));
        rejected("predict: out has 5 values; expected 2 samples of 3, 6", () -> network.predict(new float[40], 2, new float[5]));
        rejected("predict: x has 39 values; expected 2 samples of 20, 40", () -> network.predict(new float[39], 2, new float[6]));
        rejected("predict: m is 0; expected 1 or more", () -> network.predict(new float[40], 0, new float[6]));
        rejected("network: there is no layer 0; expected 1 to 1 (layers count from 1)", () -> network.weights(0));
        final float[] both = new float[60];
        rejected("predict: x and out are one array; expected two", () -> network.predict(both, 2, both));
        rejected("layer: its activation is null; expected one", () -> builder().layer(3, null));
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
