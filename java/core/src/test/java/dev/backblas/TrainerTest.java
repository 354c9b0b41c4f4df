package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.TestBackends;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.function.IntConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class TrainerTest {

    private final Backend backend;

    TrainerTest(Backend backend) {
        this.backend = backend;
    }

    /** Large enough a step for two threads, which divide the second layer by units. */
    private Network large(long seed) {
        return Network.builder(64).layer(256, Activation.RELU).layer(256, Activation.RELU).layer(10, Activation.SOFTMAX)
            .seed(seed).backend(backend).build();
    }

    static Dataset blobs(int size) {
        final Random random = new Random(5);
        final float[] x = new float[64 * size], y = new float[10 * size];
        for (int j = 0; j < size; j++) {
            final int label = j % 10;
            y[j * 10 + label] = 1;
            for (int i = 0; i < 64; i++) x[j * 64 + i] = (i % 10 == label ? 1 : 0) + 0.3f * (float) random.nextGaussian();
        }
        return Dataset.of(x, y, 64, 10);
    }

    @Test
    void xorLearns() {
        final Dataset xor = Dataset.of(new float[][] {{0, 0}, {0, 1}, {1, 0}, {1, 1}},
                                       new float[][] {{0}, {1}, {1}, {0}});
        final Network network =
            Network.builder(2).layer(8, Activation.TANH).layer(1, Activation.SIGMOID).backend(backend).build();
        try (Trainer trainer = Trainer.of(network, Loss.BINARY_CROSS_ENTROPY).rate(0.5).batch(4).build()) {
            final double first = trainer.epoch(xor);
            double last = first;
            for (int epoch = 0; epoch < 1000; epoch++) last = trainer.epoch(xor);
            assertTrue(first > 0.5 && last < 0.02, "the loss went from " + first + " to " + last);
        }
        assertEquals(1, Metrics.accuracy(network, xor));
        assertTrue(network.predict(new float[] {1, 0})[0] > 0.9f);
        assertTrue(network.predict(new float[] {1, 1})[0] < 0.1f);
    }

    private Network trained(int threads, long seed) {
        final Network network = large(seed);
        try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).threads(threads).batch(100).l2(0.1).seed(seed).build()) {
            assertEquals(backend.allowsConcurrentTiles() ? threads : 1, trainer.threads());
            for (int epoch = 0; epoch < 3; epoch++) trainer.epoch(blobs(1000));
        }
        return network;
    }

    @Test
    void theSameSeedGivesTheSameBits() {
        for (int threads = 1; threads <= 2; threads++) {
            final Network first = trained(threads, 1), second = trained(threads, 1);
            assertTrue(Arrays.equals(first.parameters(), second.parameters()));
            assertFalse(Arrays.equals(first.parameters(), trained(threads, 2).parameters()), "another seed, the same weights");
        }
    }

    @Test
    void threadsAgreeUpToRounding() {
        final Network one = trained(1, 1), two = trained(2, 1);
        assertArrayEquals(one.parameters(), two.parameters(), 1e-4f);
        assertTrue(Metrics.accuracy(one, blobs(1000)) > 0.95);
        assertTrue(Metrics.accuracy(two, blobs(1000)) > 0.95);
    }

    @Test
    void aLastSmallerBatchCounts() {
        final Network whole = large(1), parts = large(1);
        final Dataset data = blobs(7);
        try (Trainer seven = Trainer.of(whole, Loss.CROSS_ENTROPY).batch(7).build();
             Trainer eight = Trainer.of(parts, Loss.CROSS_ENTROPY).batch(8).build()) {
            assertEquals(seven.epoch(data), eight.epoch(data), 1e-5);
        }
        assertTrue(Arrays.equals(whole.parameters(), parts.parameters()));
        try (Trainer three = Trainer.of(whole, Loss.CROSS_ENTROPY).batch(3).build()) { // 3 + 3 + 1
            assertTrue(three.epoch(data) > 0);
        }
    }

    @Test
    void divergenceIsCaughtBeforeTheStep() {
        final Network network =
            Network.builder(64).layer(30, Activation.RELU).layer(10, Activation.IDENTITY).backend(backend).build();
        try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).rate(1e6).build()) {
            final String message = assertThrows(IllegalStateException.class, () -> {
                for (int epoch = 0; epoch < 100; epoch++) trainer.epoch(blobs(320));
            }).getMessage();
            assertTrue(message.startsWith("training diverged in epoch 1 (lower the rate, now 1000000.0, or scale the inputs)"),
                       message);
        }
    }

    @Test
    void nanIsNotTrainedOn() {
        final Network network = large(1);
        final float[] before = network.parameters().clone();
        final float[] x = new float[64 * 2], y = new float[10 * 2];
        y[0] = y[10] = 1;
        try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).batch(2).build()) {
            x[70] = Float.NaN;
            rejected("step: x is NaN in sample 1, column 6; expected a finite number", () -> trainer.step(x, y, 2));
            x[70] = 0;
            y[3] = Float.NaN;
            rejected("step: y is NaN in sample 0, column 3; expected a finite number", () -> trainer.step(x, y, 2));
            y[3] = -1;
            rejected("cross-entropy: a target is -1.0; expected every y in [0, 1]", () -> trainer.step(x, y, 2));
            y[3] = 1;
            rejected("cross-entropy: the targets of a sample sum to 2.0; expected 1 (one-hot or probabilities)",
                     () -> trainer.step(x, y, 2));
        }
        assertArrayEquals(before, network.parameters());
    }

    /** Every way to train: plain, with memories, with what a step has of its own, and those that are not repeated. */
    private List<UnaryOperator<Trainer.Builder>> ways() {
        return List.of(builder -> builder.l2(0.1),
                       builder -> builder.optimizer(Optimizer.adam()).rate(0.01).l1(0.01),
                       builder -> builder.optimizer(Optimizer.momentum(0.9)).schedule(Schedule.step(1, 0.5)),
                       builder -> builder.dropout(0.3).dropout(0, 0.1).schedule(Schedule.cosine(2, 0.1)),
                       builder -> builder.clipNorm(0.5));
    }

    private Trainer small(Network network, UnaryOperator<Trainer.Builder> way) {
        return way.apply(Trainer.of(network, Loss.CROSS_ENTROPY).batch(8).rate(0.05)).build();
    }

    private Network small() {
        return Network.builder(64).layer(12, Activation.TANH).layer(10, Activation.SOFTMAX).seed(3).backend(backend).build();
    }

    private float rounding() {
        return backend.name().equals("netlib") ? 1e-5f : 0;
    }

    @Test
    void stepsTogetherAreStepsOneByOne() {
        final int samples = 8 * 57 + 3;
        final Samples data = (Samples) blobs(samples);
        for (UnaryOperator<Trainer.Builder> way : ways()) {
            final Network together = small(), single = small();
            try (Trainer one = small(together, way); Trainer other = small(single, way)) {
                for (int pass = 0; pass < 2; pass++) {
                    double cost = 0;
                    for (int j = 0; j < samples; j += 8) {
                        final int m = Math.min(8, samples - j);
                        cost += m * other.step(Arrays.copyOfRange(data.x(), 64 * j, 64 * (j + m)),
                                               Arrays.copyOfRange(data.y(), 10 * j, 10 * (j + m)), m);
                    }
                    assertEquals(cost / samples, one.steps(data.x(), data.y(), samples), 1e-6);
                }
                assertArrayEquals(single.parameters(), together.parameters(), rounding());
            }
        }
    }

    /** Whatever was read further on before, a step is taken on the samples it is given. */
    @Test
    void aStepAfterStepsIsTakenOnItsOwnSamples() {
        final int samples = 8 * 9 + 3;
        final Samples data = (Samples) blobs(samples);
        final Network network = small(), want = small();
        try (Trainer trainer = small(network, b -> b); Trainer other = small(want, b -> b)) {
            trainer.steps(data.x(), data.y(), samples);
            other.steps(data.x().clone(), data.y().clone(), samples);
            for (int m : new int[] {3, 8})
                assertEquals(other.step(data.x().clone(), data.y().clone(), m), trainer.step(data.x(), data.y(), m), rounding());
            assertArrayEquals(want.parameters(), network.parameters(), rounding());
        }
    }

    @Test
    void aSampleThatIsTooLongIsNoticed() {
        final Dataset blobs = blobs(16);
        for (int[] beyond : new int[][] {{1, 0}, {0, 1}}) {
            final Dataset wrong = new Watched(blobs, i -> {}, beyond[0], beyond[1]);
            try (Trainer trainer = Trainer.of(small(), Loss.CROSS_ENTROPY).batch(16).build()) {
                rejected("dataset: a sample was copied beyond its 64 inputs or 10 targets; expected no more",
                         () -> trainer.epoch(wrong));
                trainer.epoch(blobs);
            }
        }
    }

    /** The steps before the one that a schedule fails on are taken, and the message has the rate of the one that diverged. */
    @Test
    void aScheduleThatFailsDoesSoInItsPlace() {
        for (Schedule bad : List.<Schedule>of((epochs, history) -> epochs < 0.5 ? 1 : Double.NaN, (epochs, history) -> {
                if (epochs >= 0.5) throw new IllegalStateException("no");
                return 1;
            })) {
            final Network network = small(), want = small();
            final Dataset data = blobs(64);
            final int[] taken = {0};
            try (Trainer trainer = small(network, b -> b.schedule(bad).optimizer(Optimizer.adam()));
                 Trainer seen = small(want, b -> b.schedule(bad).optimizer(Optimizer.adam()).listener(new Trainer.Listener() {
                     @Override
                     public void step(int epoch, int samples, int size, double meanLoss) {
                         taken[0]++;
                     }
                 }))) {
                assertThrows(IllegalStateException.class, () -> trainer.fit(data, 1));
                assertThrows(IllegalStateException.class, () -> seen.fit(data, 1));
            }
            assertEquals(4, taken[0]);
            assertArrayEquals(want.parameters(), network.parameters(), rounding());
        }
        final String[] messages = new String[2];
        for (int i = 0; i < 2; i++) {
            final Trainer.Builder builder = Trainer.of(
                Network.builder(64).layer(10, Activation.IDENTITY).backend(backend).build(), Loss.SQUARED_ERROR)
                .rate(10).batch(8).optimizer(Optimizer.momentum(0.9)).schedule(Schedule.inverse(10));
            if (i == 1) builder.listener(new Trainer.Listener() {});
            try (Trainer trainer = builder.build()) {
                messages[i] = assertThrows(IllegalStateException.class, () -> trainer.fit(blobs(4000), 1)).getMessage();
            }
        }
        assertTrue(messages[1].startsWith("training diverged in epoch 1 (lower the rate, now "), messages[1]);
        assertEquals(messages[1], messages[0]);
    }

    /** A listener sees each step, so that they are taken one by one; nothing else changes. */
    @Test
    void epochsAreTheSameWithAListener() {
        for (Dataset data : List.of(blobs(8 * 33 + 5), blobs(300).select(IntStream.range(0, 250).map(i -> 299 - i).toArray()),
                                    blobs(100).weighted(new float[100])))
            for (UnaryOperator<Trainer.Builder> way : ways()) {
                final Network seen = small(), unseen = small();
                final int[] calls = {0};
                try (Trainer one = small(unseen, way); Trainer other = small(seen, builder -> way.apply(builder).listener(
                         new Trainer.Listener() {
                             @Override
                             public void step(int epoch, int samples, int size, double meanLoss) {
                                 calls[0]++;
                             }
                         }))) {
                    final double want = other.fit(data, 3).last().loss(), got = one.fit(data, 3).last().loss();
                    assertEquals(want, got, rounding());
                    assertEquals(3 * ((data.size() + 7) / 8), calls[0]);
                    assertEquals(other.loss(data), one.loss(data), rounding());
                }
                assertArrayEquals(seen.parameters(), unseen.parameters(), rounding());
            }
    }

    /** The collector moves what a trainer works in, from one cache line to another. */
    @Test
    void epochsAreTheSameWhereverMemoryLies() {
        final List<byte[]> others = new ArrayList<>();
        for (Dataset data : List.of(blobs(8 * 33 + 5), blobs(100).weighted(new float[100])))
            for (UnaryOperator<Trainer.Builder> way : ways()) {
                final Network still = small(), moved = small();
                try (Trainer one = small(still, way); Trainer other = small(moved, way)) {
                    for (int epoch = 0; epoch < 3; epoch++) one.epoch(data);
                    for (int epoch = 0; epoch < 3; epoch++) {
                        others.add(new byte[24 + 8 * epoch]);
                        System.gc();
                        other.epoch(data);
                    }
                    assertEquals(one.loss(data), other.loss(data), rounding());
                }
                assertArrayEquals(still.parameters(), moved.parameters(), rounding());
            }
    }

    /** The steps before the batch that fails are taken, and counted. */
    @Test
    void stepsEndBeforeWhatIsNotFinite() {
        final int samples = 8 * 40;
        final Samples data = (Samples) blobs(samples);
        for (int bad : new int[] {0, 8 * 11 + 3, samples - 1}) {
            final Network network = small(), want = small();
            final float[] x = data.x().clone(), y = data.y().clone();
            try (Trainer trainer = small(network, b -> b.optimizer(Optimizer.adam())); Trainer before = small(want,
                     b -> b.optimizer(Optimizer.adam()))) {
                for (int j = 0; j < bad / 8 * 8; j += 8)
                    before.step(Arrays.copyOfRange(x, 64 * j, 64 * (j + 8)), Arrays.copyOfRange(y, 10 * j, 10 * (j + 8)), 8);
                x[64 * bad + 5] = Float.NaN;
                rejected("step: x is NaN in sample " + bad + ", column 5; expected a finite number",
                         () -> trainer.steps(x, y, samples));
                assertArrayEquals(want.parameters(), network.parameters(), rounding());
                x[64 * bad + 5] = 0;
                final int first = bad / 8 * 8;
                y[10 * first + 2] = -3;
                rejected("cross-entropy: a target is -3.0; expected every y in [0, 1]", () -> trainer.steps(
                    Arrays.copyOfRange(x, 64 * first, 64 * samples), Arrays.copyOfRange(y, 10 * first, 10 * samples),
                    samples - first));
                assertArrayEquals(want.parameters(), network.parameters(), rounding());
                trainer.step(data.x(), data.y(), 8); // the next number, as Adam counts
                before.step(data.x(), data.y(), 8);
                assertArrayEquals(want.parameters(), network.parameters(), rounding());
            }
        }
    }

    @Test
    void argumentsAreChecked() {
        final Network network = large(1);
        rejected("loss: BINARY_CROSS_ENTROPY needs a SIGMOID output layer, but the network ends in SOFTMAX",
                 () -> Trainer.of(network, Loss.BINARY_CROSS_ENTROPY));
        final Trainer.Builder builder = Trainer.of(network, Loss.CROSS_ENTROPY);
        rejected("trainer: the rate is -1.0; expected a finite number above 0", () -> builder.rate(-1));
        rejected("trainer: the rate is NaN; expected a finite number above 0", () -> builder.rate(Double.NaN));
        rejected("trainer: the batch is 0; expected 1 or more", () -> builder.batch(0));
        rejected("trainer: threads is 0; expected 1 or more", () -> builder.threads(0));
        rejected("trainer: l2 is -0.5; expected a finite number, 0 or more", () -> builder.l2(-0.5));
        try (Trainer trainer = builder.batch(4).build()) {
            rejected("steps: there are 0 samples; expected 1 or more", () -> trainer.steps(new float[64], new float[10], 0));
            final float[] both = new float[640];
            rejected("steps: x and y are one array; expected two", () -> trainer.steps(both, both, 2));
            rejected("step: m is 5; expected 1 to 4, the batch size of this trainer",
                     () -> trainer.step(new float[64 * 5], new float[50], 5));
            rejected("step: x has 100 values; expected 4 samples of 64, 256",
                     () -> trainer.step(new float[100], new float[40], 4));
            rejected("epoch: samples have 2 inputs and 1 outputs, but the network has 64 and 10",
                     () -> trainer.epoch(Dataset.of(new float[2], new float[1], 2, 1)));
        }
    }

    @Test
    void aClosedTrainerSaysSo() {
        final Trainer trainer = Trainer.of(large(1), Loss.CROSS_ENTROPY).build();
        trainer.close();
        trainer.close();
        assertEquals("epoch: the trainer is closed",
                     assertThrows(IllegalStateException.class, () -> trainer.epoch(blobs(10))).getMessage());
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void aTrainerServesOneThreadAtATime() throws InterruptedException {
        final CountDownLatch inside = new CountDownLatch(1), leave = new CountDownLatch(1);
        final Dataset slow = new Watched(blobs(1), i -> {
            inside.countDown();
            try {
                leave.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        try (Trainer trainer = Trainer.of(large(1), Loss.CROSS_ENTROPY).build()) {
            final Thread other = new Thread(() -> trainer.epoch(slow));
            other.start();
            inside.await();
            final String message = assertThrows(IllegalStateException.class, () -> trainer.epoch(blobs(10))).getMessage();
            leave.countDown();
            other.join();
            assertTrue(message.contains("another thread is using this trainer"), message);
            assertTrue(trainer.epoch(blobs(10)) > 0, "it serves the next");
        }
    }

    @Test
    void aFailingDatasetLeavesTheTrainerUsable() {
        final Dataset good = blobs(256);
        final Dataset failing = new Watched(good, i -> {
            if (i == 17) throw new UnsupportedOperationException("sample 17");
        });
        for (int threads = 1; threads <= 2; threads++)
            try (Trainer trainer = Trainer.of(large(1), Loss.CROSS_ENTROPY).threads(threads).batch(128).build()) {
                for (int time = 0; time < 20; time++) {
                    assertEquals("sample 17",
                                 assertThrows(UnsupportedOperationException.class, () -> trainer.epoch(failing)).getMessage());
                    assertTrue(trainer.epoch(good) > 0);
                }
            }
    }

    /** Samples whose reading does something else first, and then writes so many values too many. */
    private record Watched(Dataset data, IntConsumer before, int beyondX, int beyondY) implements Dataset {
        Watched(Dataset data, IntConsumer before) {
            this(data, before, 0, 0);
        }

        @Override
        public int size() {
            return data.size();
        }

        @Override
        public int inputs() {
            return data.inputs();
        }

        @Override
        public int outputs() {
            return data.outputs();
        }

        @Override
        public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
            before.accept(i);
            data.copy(i, x, xOffset, y, yOffset);
            for (int k = 0; k < beyondX; k++) x[xOffset + inputs() + k] = 0;
            for (int k = 0; k < beyondY; k++) y[yOffset + outputs() + k] = 0;
        }
    }
}
