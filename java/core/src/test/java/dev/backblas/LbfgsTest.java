package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class LbfgsTest {

    private final Backend backend;

    LbfgsTest(Backend backend) {
        this.backend = backend;
    }

    /** H. Rosenbrock's valley, 100 (y − x²)² + (1 − x)², from his start: steepest descent takes thousands of steps. */
    @Test
    void theValleyOfRosenbrock() {
        final float[] theta = {-1.2f, 1};
        final int[] evaluations = new int[1];
        final double[] value = new double[1];
        final Lbfgs lbfgs = new Lbfgs(theta, 5);
        int iterations = 0;
        do {
            lbfgs.step(gradient -> {
                evaluations[0]++;
                final double x = theta[0], y = theta[1], r = y - x * x;
                gradient[0] = (float) (-400 * x * r - 2 * (1 - x));
                gradient[1] = (float) (200 * r);
                return value[0] = 100 * r * r + (1 - x) * (1 - x);
            });
            iterations++;
        } while (value[0] > 1e-9 && iterations < 200);
        assertTrue(iterations < 60 && evaluations[0] < 200, iterations + " iterations, " + evaluations[0] + " evaluations");
        assertEquals(1, theta[0], 1e-3);
        assertEquals(1, theta[1], 2e-3);
    }

    private Network network() {
        return Network.builder(6).layer(5, Activation.TANH).layer(2, Activation.IDENTITY).backend(backend).build();
    }

    private static Dataset lines() {
        final Random random = new Random(4);
        final float[] x = new float[6 * 200], y = new float[2 * 200];
        for (int i = 0; i < x.length; i++) x[i] = (float) random.nextGaussian() * (i % 6 + 1); // of quite different size
        for (int j = 0; j < 200; j++)
            for (int k = 0; k < 2; k++) {
                double sum = 3 - k;
                for (int i = 0; i < 6; i++) sum += (i - 2.5 + k) * x[j * 6 + i];
                y[j * 2 + k] = (float) sum;
            }
        return Dataset.of(x, y, 6, 2);
    }

    /** J is a parabola: the exact weights are found in about as many iterations as there are. */
    @Test
    void leastSquaresAreSolved() {
        for (int threads = 1; threads <= 2; threads++)
            for (int batch : new int[] {200, 64}) {
                final Network network = Network.builder(6).layer(2, Activation.IDENTITY).backend(backend).build();
                try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).optimizer(Optimizer.lbfgs()).batch(batch)
                        .threads(threads).build()) {
                    final History history = trainer.fit(lines(), 40);
                    for (int i = 1; i < 40; i++)
                        assertTrue(history.get(i).loss() <= history.get(i - 1).loss(), "J rises in iteration " + i);
                }
                for (int k = 0; k < 2; k++) {
                    for (int i = 0; i < 6; i++) assertEquals(i - 2.5 + k, network.weights(1).get(k * 6 + i), 1e-4);
                    assertEquals(3 - k, network.biases(1).get(k), 1e-4);
                }
            }
    }

    /** With L2 the slopes of J = Σ C + λ/2n Σ W² vanish where it is smallest. */
    @Test
    void penaltiesAndSumsCount() {
        final Network network = Network.builder(6).layer(2, Activation.IDENTITY).backend(backend).build();
        final double before = steepest(network);
        try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).optimizer(Optimizer.lbfgs()).batch(64).l2(20_000)
                .reduction(Loss.Reduction.SUM).build()) {
            trainer.fit(lines(), 60);
        }
        assertTrue(steepest(network) < 1e-4 * before, before + " became " + steepest(network));
    }

    private static double steepest(Network network) {
        final Dataset data = lines();
        final float[] x = new float[6 * 200], y = new float[2 * 200];
        for (int j = 0; j < 200; j++) data.copy(j, x, j * 6, y, j * 2);
        final Backpropagation backpropagation = new Backpropagation(network, Loss.SQUARED_ERROR, 200, 1);
        backpropagation.batch(x, y, null, 200, true);
        backpropagation.propagate();
        double most = 0;
        for (float slope : backpropagation.gradient(1, 20_000f / 200)) most = Math.max(most, Math.abs(slope));
        return most;
    }

    @Test
    void xorTakesAFewIterations() {
        final Dataset xor = Dataset.of(new float[][] {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, new float[][] {{0}, {1}, {1}, {0}});
        final Network network =
            Network.builder(2).layer(8, Activation.TANH).layer(1, Activation.SIGMOID).backend(backend).build();
        try (Trainer trainer = Trainer.of(network, Loss.BINARY_CROSS_ENTROPY).optimizer(Optimizer.lbfgs()).batch(4).build()) {
            trainer.fit(xor, 50);
            assertTrue(trainer.loss(xor) < 1e-3, "the loss is " + trainer.loss(xor));
        }
    }

    @Test
    void aCheckpointRemembersThePairs(@TempDir Path directory) throws IOException {
        final Path file = directory.resolve("checkpoint");
        final Network whole = network();
        final Network pieces = whole.copy();
        try (Trainer trainer = Trainer.of(whole, Loss.SQUARED_ERROR).optimizer(Optimizer.lbfgs(3)).batch(50).build()) {
            trainer.fit(lines(), 9);
        }
        for (int epoch = 1; epoch <= 9; epoch++)
            try (Trainer trainer = Trainer.of(pieces, Loss.SQUARED_ERROR).optimizer(Optimizer.lbfgs(3)).batch(50)
                    .checkpoint(file).build()) {
                if (epoch > 1) trainer.resume(file);
                assertEquals(epoch, trainer.fit(lines(), epoch).size());
            }
        assertArrayEquals(whole.parameters(), pieces.parameters());
    }

    @Test
    void whatItDoesNotKnowIsRefused() {
        final Network network = network();
        final Trainer.Builder builder = Trainer.of(network, Loss.SQUARED_ERROR).optimizer(Optimizer.lbfgs());
        try (Trainer trainer = builder.build()) {
            assertEquals("step: L-BFGS takes all samples at once; expected a call of epoch or fit",
                         assertThrows(IllegalStateException.class,
                                      () -> trainer.step(new float[6], new float[2], 1)).getMessage());
        }
        assertEquals("trainer: L-BFGS follows a smooth J; expected no dropout, no l1 and no norm to clip at",
                     assertThrows(IllegalArgumentException.class, () -> builder.l1(0.1).build()).getMessage());
        assertEquals("optimizer: the memory of L-BFGS is 0; expected 1 to 100",
                     assertThrows(IllegalArgumentException.class, () -> Optimizer.lbfgs(0)).getMessage());
    }
}
