package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.TestBackends;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The check is right about what is right: the five systems, and every loss on every activation; and about what is wrong. */
class GradientCheckTest {

    /** C = Σ (a − y)⁴ / 4. */
    private static final Loss QUARTIC = (n, a, aOffset, y, yOffset, gradient, gradientOffset) -> {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float r = a[aOffset + k] - y[yOffset + k];
            gradient[gradientOffset + k] = r * r * r;
            sum += 0.25 * r * r * r * r;
        }
        return sum;
    };

    private static Dataset samples(int inputs, int outputs, Loss loss) {
        final Random random = new Random(8);
        final float[][] x = new float[6][inputs], y = new float[6][outputs];
        for (int j = 0; j < x.length; j++) {
            for (int i = 0; i < inputs; i++) x[j][i] = 2 * random.nextFloat() - 1;
            if (loss == Loss.CROSS_ENTROPY) y[j][random.nextInt(outputs)] = 1;
            else for (int k = 0; k < outputs; k++) y[j][k] = random.nextFloat();
        }
        return Dataset.of(x, y);
    }

    static Stream<Arguments> systemsAndPairs() {
        final List<Arguments> cases = new ArrayList<>();
        for (Backend backend : TestBackends.all()) {
            for (Preset preset : Preset.values()) cases.add(Arguments.of(preset.network(9, 3), preset.loss(), backend));
            for (Loss loss : List.of(Loss.SQUARED_ERROR, Loss.ABSOLUTE_ERROR, Loss.HUBER, Loss.huber(0.2), Loss.POISSON,
                                     Loss.BINARY_CROSS_ENTROPY, Loss.CROSS_ENTROPY, QUARTIC))
                for (Activation output : loss.outputs())
                    for (Activation hidden : Activation.values())
                        if (hidden != Activation.SOFTMAX)
                            cases.add(Arguments.of(Network.builder(9).layer(7, hidden).layer(3, output), loss, backend));
        }
        return cases.stream();
    }

    @ParameterizedTest
    @MethodSource("systemsAndPairs")
    void isSmallWhereAllIsRight(Network.Builder builder, Loss loss, Backend backend) {
        final Network network = builder.initialization(Initialization.GLOROT).seed(5).backend(backend).build();
        final float[] before = network.parameters().clone();
        final GradientCheck check = GradientCheck.of(network, loss, samples(9, 3, loss));
        assertTrue(check.lossError() < 5e-4 && check.networkError() < 5e-5, network + " " + loss + ": " + check);
        check.require(1e-3);
        assertArrayEquals(before, network.parameters());
    }

    @Test
    void weightsOfSamplesCount() {
        final Network network = Network.builder(9).layer(5, Activation.TANH).layer(3, Activation.IDENTITY).build();
        final Dataset weighted = samples(9, 3, Loss.SQUARED_ERROR).weighted(new float[] {0, 1, 2, 0.5f, 3, 10});
        assertTrue(GradientCheck.of(network, Loss.SQUARED_ERROR, weighted).networkError() < 5e-5);
    }

    @Test
    void aWrongLossIsFound() {
        final Network network = Network.builder(9).layer(5, Activation.TANH).layer(3, Activation.IDENTITY).build();
        final Loss wrong = (n, a, aOffset, y, yOffset, gradient, gradientOffset) -> {
            final double sum = QUARTIC.cost(n, a, aOffset, y, yOffset, gradient, gradientOffset);
            gradient[gradientOffset + 1] *= 1.01f;
            return sum;
        };
        final GradientCheck check = GradientCheck.of(network, wrong, samples(9, 3, wrong));
        assertTrue(check.lossError() > 1e-3 && check.networkError() < 5e-5, check.toString());
        final String message = assertThrows(IllegalStateException.class, () -> check.require(1e-3)).getMessage();
        assertTrue(message.startsWith("gradient check: the loss's gradient is off by 0.0"), message);
        assertTrue(message.contains("output 1 of sample"), message);
        final Loss nan = (n, a, aOffset, y, yOffset, gradient, gradientOffset) -> {
            gradient[gradientOffset] = Float.NaN;
            return 0;
        };
        assertThrows(IllegalStateException.class,
                     () -> GradientCheck.of(network, nan, samples(9, 3, nan)).require(1e-3));
    }

    @Test
    void argumentsAreChecked() {
        final Network network = Network.builder(9).layer(3, Activation.IDENTITY).build();
        assertEquals("loss: POISSON needs a SIGMOID or SOFTMAX or SOFTPLUS output layer, but the network ends in IDENTITY",
                     assertThrows(IllegalArgumentException.class,
                                  () -> GradientCheck.of(network, Loss.POISSON, samples(9, 3, Loss.POISSON))).getMessage());
        assertEquals("gradient check: samples have 8 inputs and 3 outputs, but the network has 9 and 3",
                     assertThrows(IllegalArgumentException.class,
                                  () -> GradientCheck.of(network, QUARTIC, samples(8, 3, QUARTIC))).getMessage());
    }

    /** A loss of one's own trains like those that are built in. */
    @Test
    void oneTrainsOnALossOfOnesOwn() {
        final Network network = Network.builder(9).layer(5, Activation.TANH).layer(3, Activation.IDENTITY).build();
        final Dataset data = samples(9, 3, QUARTIC);
        try (Trainer trainer = Trainer.of(network, QUARTIC).optimizer(Optimizer.adam()).rate(0.02).batch(6).build()) {
            final double before = trainer.loss(data);
            trainer.fit(data, 300);
            assertTrue(trainer.loss(data) < 0.01 * before, before + " became " + trainer.loss(data));
        }
    }
}
