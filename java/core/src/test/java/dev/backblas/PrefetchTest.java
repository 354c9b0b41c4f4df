package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("dev.backblas.backend.TestBackends#all")
class PrefetchTest {

    private static final int IN = 5, OUT = 2, BATCH = 32;

    private final Backend backend;

    PrefetchTest(Backend backend) {
        this.backend = backend;
    }

    private Network narrow() {
        return Network.builder(IN).layer(4, Activation.TANH).layer(OUT, Activation.SIGMOID).seed(3).backend(backend).build();
    }

    private static float[] numbers(int count) {
        final Random random = new Random(count);
        final float[] numbers = new float[count];
        for (int i = 0; i < count; i++) numbers[i] = random.nextFloat();
        return numbers;
    }

    private static Watched floats(int size) {
        return Watched.of(Dataset.of(numbers(IN * size), numbers(OUT * size), IN, OUT));
    }

    private static Watched bytes(int size) {
        final byte[] pixels = new byte[IN * size];
        new Random(size).nextBytes(pixels);
        return Watched.of(Dataset.ofBytes(pixels, numbers(OUT * size), IN, OUT));
    }

    private static List<UnaryOperator<Trainer.Builder>> ways() {
        return List.of(builder -> builder.l2(0.1),
                       builder -> builder.optimizer(Optimizer.adam()).rate(0.01).l1(0.01),
                       builder -> builder.dropout(0.3).dropout(0, 0.1).schedule(Schedule.cosine(2, 0.1)));
    }

    private static Trainer trainer(Network network, int threads, UnaryOperator<Trainer.Builder> way) {
        return way.apply(Trainer.of(network, Loss.SQUARED_ERROR).batch(BATCH).rate(0.05)).threads(threads).trial(ALWAYS).build();
    }

    /** Samples are brought even where it takes longer. */
    static final Trial ALWAYS = new Trial() {
        @Override
        boolean next() {
            return true;
        }
    };

    /** Also where a last batch is smaller, samples are selected, few of them need no second thread, and places are used again. */
    @Test
    void epochsAreTheSameWhoeverBringsTheSamples() {
        final Watched many = floats(9_999), more = bytes(20_000), few = floats(1000), others = floats(12_000);
        final Dataset selected = others.select(IntStream.range(0, 7000).map(i -> 11_998 - i).toArray());
        for (UnaryOperator<Trainer.Builder> way : ways()) {
            final Network want = narrow(), network = narrow();
            try (Trainer one = trainer(want, 1, way); Trainer two = trainer(network, 2, way)) {
                for (Dataset data : List.of(many, many, more, few, more, more, selected, selected, selected.slice(0, 5000)))
                    assertEquals(one.epoch(data), two.epoch(data));
                assertEquals(one.fit(more, 20).last().loss(), two.fit(more, 20).last().loss());
                assertEquals(one.loss(many), two.loss(many));
            }
            assertArrayEquals(want.parameters(), network.parameters());
        }
        assertEquals(BATCH, few.most()[0]);
        for (Watched data : List.of(many, more, others))
            assertTrue(data.most()[0] > BATCH, "nobody brought samples before their step");
    }

    /** One's own C is not in the program; the gradient's norm is asked for before the step; a listener sees each step. */
    @Test
    void stepsThatAreTakenOneByOneBringTheirOwnSamples() {
        final Watched data = floats(5000);
        final Trainer.Listener listener = new Trainer.Listener() {};
        for (Trainer.Builder builder : List.of(
                Trainer.of(narrow(), Loss.huber(1)).clipNorm(0.5), Trainer.of(narrow(), Loss.SQUARED_ERROR).listener(listener)))
            try (Trainer trainer = builder.batch(BATCH).threads(2).trial(ALWAYS).build()) {
                trainer.fit(data, 2);
                assertEquals(BATCH, data.most()[0]);
            }
    }

    /** A fit that ends amid the samples at hand goes on with the next of them. */
    @Test
    void aCancelledFitGoesOn() {
        final Dataset data = floats(10_000);
        final Network want = narrow(), network = narrow();
        try (Trainer trainer = trainer(want, 1, builder -> builder)) {
            trainer.fit(data, 4);
        }
        final Trainer[] cancelled = new Trainer[1];
        final double[] last = {0};
        int fits = 1;
        try (Trainer trainer = trainer(network, 2, builder -> builder.schedule((epochs, history) -> {
            if (epochs - last[0] > 0.3) {
                last[0] = epochs;
                cancelled[0].cancel();
            }
            return 1;
        }))) {
            cancelled[0] = trainer;
            for (; trainer.fit(data, 4).size() < 4; fits++) network.requireFinite("a cancelled fit");
        }
        assertTrue(fits > 4, fits + " fits");
        assertArrayEquals(want.parameters(), network.parameters());
    }

    /** A rate that is none ends an epoch in its place, with the steps before it taken. */
    @Test
    void aScheduleThatFailsDoesSoInItsPlace() {
        final Dataset data = floats(10_000);
        final Schedule failing = (epochs, history) -> epochs > 0.7321 ? Double.NaN : 1;
        final Network want = narrow(), network = narrow();
        final List<String> messages = new ArrayList<>();
        for (int threads = 1; threads <= 2; threads++)
            try (Trainer trainer = trainer(threads == 1 ? want : network, threads, builder -> builder.schedule(failing))) {
                messages.add(assertThrows(IllegalStateException.class, () -> trainer.epoch(data)).getMessage());
                messages.add(assertThrows(IllegalStateException.class, () -> trainer.epoch(data)).getMessage());
            }
        assertEquals(messages.subList(0, 2), messages.subList(2, 4));
        assertArrayEquals(want.parameters(), network.parameters());
    }

    /** The samples before one that is damaged are learned from, and those in its batch and behind it are not. */
    @Test
    void aSampleThatIsDamagedMeanwhileIsNotLearnedFrom() {
        final float[] x = numbers(IN * 6000), y = numbers(OUT * 6000);
        final Network want = narrow(), network = narrow();
        for (int bad : new int[] {17, 3000, 5999})
            for (boolean target : new boolean[] {false, true}) {
                final List<String> messages = new ArrayList<>();
                for (int threads = 1; threads <= 2; threads++)
                    try (Trainer trainer = Trainer.of(threads == 1 ? want : network, Loss.BINARY_CROSS_ENTROPY).batch(BATCH)
                            .threads(threads).trial(ALWAYS).build()) {
                        final Dataset data = Dataset.of(x, y, IN, OUT);
                        trainer.epoch(data);
                        final float[] damaged = target ? y : x;
                        final int at = target ? OUT * bad + 1 : IN * bad;
                        final float before = damaged[at];
                        damaged[at] = target ? 7 : Float.NaN;
                        messages.add(assertThrows(RuntimeException.class, () -> trainer.epoch(data)).getMessage());
                        damaged[at] = before;
                        trainer.epoch(data);
                    }
                assertEquals(messages.get(0), messages.get(1));
                assertArrayEquals(want.parameters(), network.parameters());
            }
    }

    /** Whether all steps at hand are taken together, or fewer, each sample comes once, in order; and then the next order. */
    @Test
    void allSamplesComeInOrder() {
        allSamplesComeInOrder(floats(8000));
        allSamplesComeInOrder(bytes(8000));
    }

    private void allSamplesComeInOrder(Watched data) {
        final int size = data.size(), from = 100;
        final int[] order = straight(size), next = straight(size);
        new Shuffle().apply(order, 1);
        new Shuffle().apply(next, 2);
        try (Prefetch prefetch = new Prefetch(backend, IN, OUT, BATCH, 50)) {
            for (int pass = 0; pass < 2; pass++) {
                prefetch.begin(data, order, null, from, 1, 2);
                int done = from, rounds = 0;
                final float[] x = new float[IN], y = new float[OUT];
                for (int steps; (steps = prefetch.steps()) > 0; rounds++) {
                    assertTrue(steps <= 50, steps + " steps");
                    if (pass > 0 && rounds % 3 == 1) steps = (steps + 1) / 2;
                    prefetch.start(steps);
                    for (int j = 0; j < steps * BATCH; j++, done++) {
                        data.copy(order[done], x, 0, y, 0);
                        for (int i = 0; i < IN; i++) assertEquals(x[i], prefetch.x()[(prefetch.at() + j) * IN + i]);
                        for (int i = 0; i < OUT; i++) assertEquals(y[i], prefetch.y()[(prefetch.at() + j) * OUT + i]);
                    }
                    prefetch.finish();
                }
                assertEquals((size - from) / BATCH * BATCH, done - from);
                prefetch.release();
                assertNull(prefetch.order(size, null, 3, new int[size]));
                assertNull(prefetch.order(size, new int[size], 2, new int[size]));
                assertNull(prefetch.order(size - 1, null, 2, new int[size]));
                assertArrayEquals(next, prefetch.order(size, null, 2, new int[size]));
                assertNull(prefetch.order(size, null, 2, new int[size]), "given away");
            }
        }
    }

    /** Whoever brings samples and fails ends the epoch, and not the trainer; whatever order was prepared, it can go back. */
    @Test
    void aFailureToBringSamplesEndsTheEpoch(@TempDir Path dir) throws IOException {
        final Watched data = floats(10_000);
        final Network want = narrow(), network = narrow();
        final Path file = dir.resolve("before");
        try (Trainer one = trainer(want, 1, builder -> builder); Trainer two = trainer(network, 2, builder -> builder)) {
            two.epoch(data);
            two.save(file);
            final float[] before = network.parameters().clone();
            data.fails()[0] = true;
            assertThrows(UnsupportedOperationException.class, () -> two.epoch(data));
            data.fails()[0] = false;
            assertFalse(Arrays.equals(before, network.parameters()), "it failed before the first step");
            for (int pass = 0; pass < 2; pass++) {
                one.resume(file);
                two.resume(file);
                for (int epoch = 0; epoch < 3; epoch++) assertEquals(one.epoch(data), two.epoch(data));
                assertArrayEquals(want.parameters(), network.parameters());
            }
        }
    }

    private static int[] straight(int size) {
        final int[] order = new int[size];
        Shuffle.write(null, order, 0, size);
        return order;
    }

    /** Knows how many samples were asked for at once, and fails to bring some if it is to. */
    record Watched(Resident.Columns of, int[] most, boolean[] fails) implements Resident.Columns {
        static Watched of(Dataset data) {
            return new Watched((Resident.Columns) data, new int[1], new boolean[1]);
        }

        @Override
        public int size() {
            return of.size();
        }

        @Override
        public int inputs() {
            return of.inputs();
        }

        @Override
        public int outputs() {
            return of.outputs();
        }

        @Override
        public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
            of.copy(i, x, xOffset, y, yOffset);
        }

        @Override
        public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
            of.gather(backend, rows, from, to, x, xOffset, y, yOffset);
        }

        @Override
        public void gatherX(Program program, int[] columns, int from, int m, float[] x, int xOffset) {
            most[0] = Math.max(most[0], m);
            if (fails[0] && from > 5000) throw new UnsupportedOperationException("gather");
            of.gatherX(program, columns, from, m, x, xOffset);
        }

        @Override
        public void gatherY(Program program, int[] columns, int from, int m, float[] y, int yOffset) {
            of.gatherY(program, columns, from, m, y, yOffset);
        }
    }
}
