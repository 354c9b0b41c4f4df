package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.Loss.Reduction;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** What a trainer does beside plain descent: optimizers, penalties, schedules, dropout, validation, stopping. */
@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class TrainingTest {

    private final Backend backend;

    TrainingTest(Backend backend) {
        this.backend = backend;
    }

    private static Dataset noise(int size, int inputs, int outputs) {
        final Random random = new Random(4);
        final float[] x = new float[inputs * size], y = new float[outputs * size];
        for (int i = 0; i < x.length; i++) x[i] = (float) random.nextGaussian();
        for (int i = 0; i < y.length; i++) y[i] = (float) random.nextGaussian();
        return Dataset.of(x, y, inputs, outputs);
    }

    private Network small() {
        return Network.builder(5).layer(7, Activation.TANH).layer(3, Activation.IDENTITY).backend(backend).build();
    }

    /** Large enough a step for two threads. */
    private Network large() {
        return Network.builder(40).layer(150, Activation.RELU).layer(10, Activation.IDENTITY).backend(backend).build();
    }

    static final List<Optimizer> OPTIMIZERS = List.of(
        Optimizer.sgd(), Optimizer.momentum(0.9), Optimizer.nesterov(0.8), Optimizer.rmsProp(), Optimizer.rmsProp(0.5, 0.1),
        Optimizer.adam(), Optimizer.adam(0.5, 0.9, 0.01), Optimizer.adamW(0.3));

    /** Each optimizer as its paper writes it, in double, on the gradients of backpropagation. */
    @Test
    void optimizersFollowTheirPapers() {
        for (Optimizer optimizer : OPTIMIZERS)
            for (int variant = 0; variant < 4; variant++) { // plain, with penalties, clipped, both
                final double l2 = variant % 2 * 0.6, l1 = variant % 2 * 0.2, clip = variant < 2 ? 1e9 : 0.1;
                final Network network = variant == 0 ? large() : small(), copy = network.copy();
                final int m = 50;
                final Dataset data = noise(m, network.inputs(), network.outputs());
                final float[] x = new float[network.inputs() * m], y = new float[network.outputs() * m];
                for (int j = 0; j < m; j++) data.copy(j, x, j * network.inputs(), y, j * network.outputs());
                final Reference reference = new Reference(optimizer.toString(), network.parameters());
                final Trainer.Builder builder = Trainer.of(network, Loss.SQUARED_ERROR).optimizer(optimizer).rate(0.01).batch(m)
                    .l2(l2).l1(l1);
                if (clip < 1) builder.clipNorm(clip);
                try (Trainer trainer = builder.build()) {
                    for (int t = 1; t <= 4; t++) {
                        for (int i = 0; i < reference.theta.length; i++) copy.parameters()[i] = (float) reference.theta[i];
                        final Backpropagation backpropagation = new Backpropagation(copy, Loss.SQUARED_ERROR, m, 1);
                        backpropagation.batch(x, y, null, m, true);
                        backpropagation.propagate();
                        reference.step(copy, backpropagation.gradient(1f / m, 0), t, l2 / m, l1 / m, clip);
                        trainer.step(x, y, m);
                        for (int i = 0; i < reference.theta.length; i++)
                            assertEquals(reference.theta[i], network.parameters()[i], 2e-5,
                                         optimizer + ", variant " + variant + ", step " + t + ", parameter " + i);
                    }
                }
            }
    }

    /** θ, m and v of an optimizer that is called {@code name}, with η = 0.01. */
    private static final class Reference {
        final String name;
        final double[] theta, m, v;

        Reference(String name, float[] parameters) {
            this.name = name;
            theta = new double[parameters.length];
            for (int i = 0; i < theta.length; i++) theta[i] = parameters[i];
            m = new double[theta.length];
            v = new double[theta.length];
        }

        void step(Network shape, float[] gradient, int t, double l2, double l1, double clip) {
            double norm = 0;
            for (float g : gradient) norm += (double) g * g;
            final double scale = Math.min(1, clip / Math.sqrt(norm)), eta = 0.01;
            final String[] words = name.split("[(, )]+");
            final double[] k = new double[words.length];
            for (int i = 1; i < k.length; i++) k[i] = Double.parseDouble(words[i]);
            for (int l = 1; l <= shape.depth(); l++)
                for (int i = shape.weightsOffset(l); i < shape.biasesOffset(l) + shape.layer(l).out(); i++) {
                    final boolean weight = i < shape.biasesOffset(l);
                    final double g = scale * gradient[i] + (weight ? l2 * theta[i] + l1 * Math.signum(theta[i]) : 0);
                    switch (words[0]) {
                        case "sgd" -> theta[i] -= eta * g;
                        case "momentum" -> theta[i] -= eta * (m[i] = k[1] * m[i] + g);
                        case "nesterov" -> theta[i] -= eta * (g + k[1] * (m[i] = k[1] * m[i] + g));
                        case "rmsprop" -> {
                            v[i] = k[1] * v[i] + (1 - k[1]) * g * g;
                            theta[i] -= eta * g / (Math.sqrt(v[i]) + k[2]);
                        }
                        case "adam" -> adam(i, g, t, eta, k[1], k[2], k[3]);
                        case "adamw" -> {
                            if (weight) theta[i] -= eta * k[1] * theta[i];
                            adam(i, g, t, eta, k[2], k[3], k[4]);
                        }
                        default -> throw new AssertionError(name);
                    }
                }
        }

        private void adam(int i, double g, int t, double eta, double beta1, double beta2, double epsilon) {
            m[i] = beta1 * m[i] + (1 - beta1) * g;
            v[i] = beta2 * v[i] + (1 - beta2) * g * g;
            theta[i] -= eta * m[i] / (1 - Math.pow(beta1, t)) / (Math.sqrt(v[i] / (1 - Math.pow(beta2, t))) + epsilon);
        }
    }

    @Test
    void optimizersAreTheirSettings() {
        assertEquals(Optimizer.adam(), Optimizer.adam(0.9, 0.999, 1e-8));
        assertEquals(Optimizer.adam().hashCode(), Optimizer.adam(0.9, 0.999, 1e-8).hashCode());
        assertFalse(Optimizer.momentum(0.9).equals(Optimizer.nesterov(0.9)));
        rejected("optimizer: mu is 1.0; expected a number in [0, 1)", () -> Optimizer.momentum(1));
        rejected("optimizer: beta2 is NaN; expected a number in [0, 1)", () -> Optimizer.adam(0.9, Double.NaN, 1e-8));
        rejected("optimizer: epsilon is 0.0; expected a finite number above 0", () -> Optimizer.rmsProp(0.9, 0));
        rejected("optimizer: decay is -1.0; expected a finite number, 0 or more", () -> Optimizer.adamW(-1));
    }

    @Test
    void schedulesAreTheirFormulas() {
        final History none = new History();
        assertEquals(1, Schedule.constant().factor(7.3, none));
        assertEquals(0.25, Schedule.step(3, 0.5).factor(8.9, none), 1e-12);
        assertEquals(0.5, Schedule.inverse(0.2).factor(5, none), 1e-12);
        assertEquals(0.55, Schedule.cosine(10, 0.1).factor(5, none), 1e-12);
        assertEquals(0.1, Schedule.cosine(10, 0.1).factor(12, none), 1e-12);
        assertEquals(0.505, Schedule.constant().warmUp(4).factor(2, none), 1e-12);
        assertEquals(0.5, Schedule.step(3, 0.5).warmUp(2).factor(3, none), 1e-12);
        final History history = new History();
        final double[] losses = {5, 4, 4, 4.5, 3, 3, 3, 3, 3}, factors = {1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.001};
        for (int i = 0; i < losses.length; i++) {
            history.add(new History.Epoch(i + 1, losses[i], Double.NaN, Double.NaN, 1, 1));
            assertEquals(factors[i], Schedule.plateau(2, 0.1).factor(i + 1, history), 1e-12, "after epoch " + (i + 1));
        }
        rejected("schedule: every of step is 0.0; expected a finite number above 0", () -> Schedule.step(0, 0.5));
        rejected("schedule: least of cosine is 0.0; expected a number in (0, 1]", () -> Schedule.cosine(5, 0));
        rejected("schedule: the patience of plateau is 0; expected 1 or more", () -> Schedule.plateau(0, 0.5));
    }

    @Test
    void theScheduleSetsTheRateOfEachStep() {
        final List<Double> asked = new ArrayList<>();
        try (Trainer trainer = Trainer.of(small(), Loss.SQUARED_ERROR).batch(25).rate(0.02).schedule((epochs, history) -> {
            asked.add(epochs);
            return 1 / (1 + epochs);
        }).build()) {
            final History history = trainer.fit(noise(100, 5, 3), 2);
            assertEquals(List.of(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75), asked);
            assertEquals(0.02f / 2.75, history.get(1).rate(), 1e-9);
        }
        try (Trainer trainer = Trainer.of(small(), Loss.SQUARED_ERROR).schedule((epochs, history) -> 0).build()) {
            assertEquals("schedule: its factor is 0.0 after 0.0 epochs; expected a finite number above 0",
                         assertThrows(IllegalStateException.class, () -> trainer.fit(noise(9, 5, 3), 1)).getMessage());
        }
    }

    /** The gradient under dropout is that of the same network with the same units missing. */
    @Test
    void dropoutIsTheSameOnTheWayBack() {
        for (Activation hidden : List.of(Activation.TANH, Activation.GELU, Activation.SOFTPLUS))
            for (int T : new int[] {1, 3}) {
                final Network network = Network.builder(6).layer(9, hidden).layer(8, hidden).layer(3, Activation.IDENTITY)
                    .backend(backend).build();
                final int m = 12;
                final Dataset data = noise(m, 6, 3);
                final float[] x = new float[6 * m], y = new float[3 * m];
                for (int j = 0; j < m; j++) data.copy(j, x, j * 6, y, j * 3);
                final Backpropagation backpropagation = new Backpropagation(network, Loss.SQUARED_ERROR, m, T,
                    new float[] {0.2f, 0.5f, 0.3f}, Optimizer.sgd(), true, false);
                backpropagation.batch(x, y, null, m, true);
                backpropagation.dropout(0, 77, 99);
                final double cost = backpropagation.propagate();
                final float[] gradient = backpropagation.gradient(1, 0), theta = network.parameters();
                for (int i = 0; i < theta.length; i += 3) {
                    final float value = theta[i], h = 0x1p-8f;
                    theta[i] = value + h;
                    final double above = backpropagation.propagate();
                    theta[i] = value - h;
                    final double below = backpropagation.propagate();
                    theta[i] = value;
                    assertEquals((above - below) / (2 * h), gradient[i], 2e-3 * (1 + Math.abs(gradient[i])),
                                 hidden + ", parameter " + i);
                }
                assertEquals(cost, backpropagation.propagate(), "the same key, the same units");
                backpropagation.dropout(0, 78, 99);
                assertTrue(Math.abs(cost - backpropagation.propagate()) > 1e-3, "another key, the same units");
            }
    }

    /** Whether it is cut by columns, by units or not at all, a step is the same, whatever is computed between two products. */
    @Test
    void partsJoinWithoutASeam() {
        for (int[] sizes : new int[][] {{260, 128, 264, 64, 10}, {20, 176, 192}, {300, 128}})
            for (int drops = -1; drops < Math.min(2, sizes.length - 1); drops++) { // no layer, the inputs, the first layer
                final float[] dropout = new float[sizes.length - 1];
                if (drops >= 0) dropout[drops] = 0.3f;
                for (Activation hidden : List.of(Activation.TANH, Activation.GELU)) // which keeps Z
                    for (Loss loss : List.of(Loss.SQUARED_ERROR, Loss.HUBER)) // which Java computes
                        for (Optimizer optimizer : List.of(Optimizer.sgd(), Optimizer.momentum(0.9)))
                            for (int m : new int[] {30, 2, 1}) // fewer samples than parts, too
                                for (int T = 2; T <= 3; T++)
                                    assertArrayEquals(twoSteps(sizes, hidden, loss, m, 1, dropout, optimizer),
                                                      twoSteps(sizes, hidden, loss, m, T, dropout, optimizer), 2e-5f,
                                                      Arrays.toString(sizes) + drops + hidden + loss + optimizer + m + T);
            }
    }

    /** On a batch that is gathered from floats, and one from bytes, by T parts. Returns the parameters. */
    private float[] twoSteps(int[] sizes, Activation hidden, Loss loss, int m, int T, float[] dropout, Optimizer optimizer) {
        final int L = sizes.length - 1;
        final Network.Builder builder = Network.builder(sizes[0]).seed(2).backend(backend);
        for (int l = 1; l < L; l++) builder.layer(sizes[l], hidden);
        final Network network = builder.layer(sizes[L], Activation.SIGMOID).build();
        final Samples floats = (Samples) noise(2 * m, sizes[0], sizes[L]);
        final byte[] pixels = new byte[floats.x().length];
        for (int i = 0; i < pixels.length; i++) pixels[i] = (byte) (37 * i + i / 250);
        final Resident.Columns bytes = new ByteSamples(pixels, floats.y(), sizes[0], sizes[L]);
        final int[] order = new int[2 * m];
        for (int j = 0; j < 2 * m; j++) order[j] = j * 7 % (2 * m);
        final Backpropagation backpropagation =
            new Backpropagation(network, loss, m, T, dropout, optimizer, optimizer.isPlain(), false);
        for (int i = 0; i < 2; i++) {
            backpropagation.descent(0, 1 + i, 0.1f, 1f / m, 0.01f, 0);
            backpropagation.batch(i == 0 ? floats : bytes, order, false, m, true, true);
            backpropagation.at(i * m);
            backpropagation.dropout(0, 77, 99);
            assertTrue(Double.isFinite(backpropagation.propagate()));
            assertTrue(T == 1 || backpropagation.phases() > 1, "nothing is cut by units");
            for (int t = 0; t < T; t++) backpropagation.update(t);
        }
        return network.parameters();
    }

    @Test
    void aSingleSampleIsForTwoThreadsWhereALayerCanBeDivided() {
        final Dataset data = noise(12, 60, 10), wide = noise(3, 70_000, 2);
        final float[][] ends = new float[3][];
        for (int i = 0; i < 3; i++) {
            final Network network = Network.builder(60).layer(900, Activation.RELU).layer(900, Activation.RELU)
                .layer(10, Activation.IDENTITY).seed(3).backend(backend).build();
            try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).batch(1).rate(0.001).threads(i == 0 ? 1 : 2).build()) {
                assertEquals(i > 0 && backend.allowsConcurrentTiles() ? 2 : 1, trainer.threads());
                for (int epoch = 0; epoch < 3; epoch++) trainer.epoch(data);
            }
            ends[i] = network.parameters();
        }
        assertArrayEquals(ends[0], ends[1], 1e-5f);
        assertArrayEquals(ends[1], ends[2]);
        for (int units : new int[] {40, 100}) { // of which each thread wants 32
            final Network network = Network.builder(70_000).layer(units, Activation.TANH).layer(2, Activation.IDENTITY)
                .backend(backend).build();
            try (Trainer trainer = Trainer.of(network, Loss.huber(1)).batch(1).rate(1e-6).threads(4).build()) {
                assertEquals(backend.allowsConcurrentTiles() ? units / 32 : 1, trainer.threads());
                trainer.epoch(wide);
            }
        }
    }

    @Test
    void nothingDropsOutOfWhatIsLookedAt() {
        final Network network = small();
        final Dataset data = noise(70, 5, 3);
        try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).dropout(0.9).dropout(0, 0.9).build()) {
            assertEquals(1.5 * Math.pow(Metrics.rootMeanSquaredError(network, data), 2), trainer.loss(data), 1e-4);
        }
        rejected("trainer: dropout is 1.0; expected a number in [0, 1)",
                 () -> Trainer.of(network, Loss.SQUARED_ERROR).dropout(1));
        rejected("trainer: dropout of layer 2; expected 0 (the inputs) to 1, the layers before the last",
                 () -> Trainer.of(network, Loss.SQUARED_ERROR).dropout(2, 0.5));
    }

    /** A sample that counts twice is as good as two, and one that counts for nothing as good as none. */
    @Test
    void weightsAreSamples() {
        final Dataset data = noise(40, 5, 3);
        final float[] weights = new float[40];
        final int[] rows = new int[40];
        for (int j = 0; j < 40; j++) rows[j] = j % 20; // 0 … 19, twice
        for (int j = 0; j < 20; j++) weights[j] = 2;
        for (Optimizer optimizer : List.of(Optimizer.sgd(), Optimizer.adam())) {
            final Network weighted = small(), twice = small();
            try (Trainer one = trainer(weighted, optimizer); Trainer other = trainer(twice, optimizer)) {
                for (int epoch = 0; epoch < 5; epoch++)
                    assertEquals(other.epoch(data.select(rows)), one.epoch(data.weighted(weights)), 1e-3);
            }
            assertArrayEquals(twice.parameters(), weighted.parameters(), 1e-4f);
        }
    }

    private static Trainer trainer(Network network, Optimizer optimizer) {
        return Trainer.of(network, Loss.SQUARED_ERROR).optimizer(optimizer).reduction(Reduction.SUM).rate(0.002).batch(40)
            .build();
    }

    @Test
    void trainingStopsEarlyAndKeepsTheBest() {
        final Network network = large();
        final Dataset data = noise(60, 40, 10), validation = noise(300, 40, 10).slice(100, 300);
        try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).optimizer(Optimizer.adam()).rate(0.003).batch(20)
                .validation(validation).metric(Metrics::rootMeanSquaredError).earlyStopping(4).build()) {
            final History history = trainer.fit(data, 500);
            final int best = history.best(0);
            assertTrue(history.size() < 500, "noise is learned for ever");
            assertEquals(best + 1 + 4, history.size());
            assertEquals(history.get(best).validationLoss(), trainer.loss(validation), "not the best epoch's weights");
            assertEquals(history.get(best).metric(), Metrics.rootMeanSquaredError(network, validation));
            assertEquals(best + 1, history.get(best).number());
            assertTrue(history.last().seconds() > 0);
            assertEquals(history.size(), trainer.fit(data, 500).size(), "it goes on after it has stopped");
        }
    }

    @Test
    void aShareIsKeptForValidation() {
        final Dataset data = noise(50, 5, 3);
        final List<Integer> sizes = new ArrayList<>();
        try (Trainer trainer = Trainer.of(small(), Loss.SQUARED_ERROR).rate(0.01).validation(0.3).metric((network, held) -> {
            sizes.add(held.size());
            return 0;
        }).listener(new Trainer.Listener() {
            @Override
            public void step(int epoch, int samples, int size, double meanLoss) {
                assertEquals(35, size);
                assertTrue(meanLoss > 0);
            }
        }).build()) {
            final History history = trainer.fit(data, 3);
            assertEquals(List.of(15, 15, 15), sizes);
            assertTrue(history.get(0).validationLoss() > 0 && history.get(0).validationLoss() != history.get(0).loss());
        }
        try (Trainer trainer = Trainer.of(small(), Loss.SQUARED_ERROR).validation(0.001).build()) {
            rejected("fit: 0.001 of 50 samples for validation leaves none on one side", () -> trainer.fit(data, 1));
        }
    }

    /** A fit that is cancelled amid an epoch, once or again and again, and taken up again ends as one that never was. */
    @Test
    void aCancelledFitGoesOn() {
        final Dataset data = noise(300, 40, 10);
        final Network whole = large(), pieces = large();
        try (Trainer trainer = adamWithDropout(whole).build()) {
            trainer.fit(data, 5);
        }
        final Trainer[] cancelled = new Trainer[1];
        final int[] steps = new int[1];
        try (Trainer trainer = adamWithDropout(pieces).listener(new Trainer.Listener() {
            @Override
            public void step(int epoch, int samples, int size, double meanLoss) {
                if (++steps[0] % 3 == 0) cancelled[0].cancel();
            }
        }).build()) {
            cancelled[0] = trainer;
            int fits = 0;
            while (trainer.fit(data, 5).size() < 5) {
                fits++;
                pieces.requireFinite("a cancelled fit");
            }
            assertEquals(6, fits); // 20 steps, by three
            trainer.cancel();
            assertEquals(5, trainer.fit(data, 9).size(), "a cancelled trainer begins");
        }
        assertArrayEquals(whole.parameters(), pieces.parameters());
    }

    private static Trainer.Builder adamWithDropout(Network network) {
        return Trainer.of(network, Loss.SQUARED_ERROR).optimizer(Optimizer.adam()).dropout(0.3).rate(0.003).batch(80)
            .clipNorm(0.5).l1(0.01).schedule(Schedule.cosine(5, 0.1).warmUp(1));
    }

    @Test
    void theSameSeedGivesTheSameBits() {
        for (int threads = 1; threads <= 2; threads++) {
            final float[][] ends = new float[3][];
            for (int run = 0; run < 3; run++) {
                final Network network = Network.builder(40).layer(300, Activation.RELU).layer(256, Activation.RELU)
                    .layer(10, Activation.IDENTITY).backend(backend).build();
                try (Trainer trainer = adamWithDropout(network).threads(threads).seed(run == 2 ? 2 : 1).build()) {
                    assertEquals(backend.allowsConcurrentTiles() ? threads : 1, trainer.threads());
                    trainer.fit(noise(300, 40, 10), 4);
                }
                ends[run] = network.parameters();
            }
            assertArrayEquals(ends[0], ends[1]);
            assertFalse(Arrays.equals(ends[0], ends[2]), "another seed, the same weights");
        }
    }

    /** The cost stays finite, as the outputs do not move; the gradient overflows. */
    @Test
    void aGradientThatIsNotFiniteIsNotFollowed() {
        final Network network = Network.builder(2).layer(1, Activation.IDENTITY).backend(backend).build();
        final float[] before = network.parameters().clone();
        final Loss steep = (n, a, aOffset, y, yOffset, gradient, gradientOffset) -> {
            gradient[gradientOffset] = Float.POSITIVE_INFINITY;
            return 1;
        };
        try (Trainer trainer = Trainer.of(network, steep).clipNorm(1).build()) {
            final String message = assertThrows(IllegalStateException.class,
                                                () -> trainer.step(new float[] {1, 1}, new float[1], 1)).getMessage();
            assertTrue(message.contains("the norm of the gradient is"), message);
        }
        assertArrayEquals(before, network.parameters());
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }
}
