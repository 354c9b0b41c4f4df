package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.backblas.backend.Backend;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Data that are larger than an array, or than memory. */
class StreamTest {

    /** Sample i is made of i alone: x in the plane, y whether it lies in the circle of half of the samples. */
    private record Circle(long size, AtomicInteger opened, int mostAtOnce) implements SampleStream {
        @Override
        public int inputs() {
            return 2;
        }

        @Override
        public int outputs() {
            return 1;
        }

        @Override
        public Cursor open() {
            opened.incrementAndGet();
            return new Cursor() {
                private long next;

                @Override
                public int read(float[] x, float[] y, float[] weights, int from, int to) {
                    final int m = (int) Math.min(Math.min(to - from, mostAtOnce), size - next);
                    for (int j = from; j < from + m; j++, next++) sample(next, x, 2 * j, y, j);
                    return m;
                }

                @Override
                public void close() {
                    opened.addAndGet(1000);
                }
            };
        }
    }

    private static void sample(long i, float[] x, int xOffset, float[] y, int yOffset) {
        final SplittableRandom random = new SplittableRandom(i);
        final double a = 2 * random.nextDouble() - 1, b = 2 * random.nextDouble() - 1;
        x[xOffset] = (float) a;
        x[xOffset + 1] = (float) b;
        y[yOffset] = a * a + b * b < 2 / Math.PI ? 1 : 0;
    }

    @Test
    void estimatorsLearnFromStreams() throws IOException {
        final Circle circle = new Circle(3000, new AtomicInteger(), 77);
        final MlpClassifier<String> model =
            MlpClassifier.builder().hidden(16).backend(Backend.pureJava()).batch(16).epochs(20).build();
        model.fit(circle, List.of("out", "in"));
        assertEquals(21 * 1001, circle.opened().get(), "once before, once in each epoch, and closed as often");
        assertTrue(model.score(Dataset.read(circle)) > 0.95, "score " + model.score(Dataset.read(circle)));
        final MlpClassifier<String> labels = MlpClassifier.builder().hidden(16).batch(16).epochs(20).build();
        assertTrue(labels.fitMultiLabel(circle, List.of("in")).score(Dataset.read(circle)) > 0.95);
        assertTrue(labels.isMultiLabel());
        final MlpRegressor regressor = MlpRegressor.builder().hidden(16).backend(Backend.pureJava()).batch(16).epochs(20).build();
        assertTrue(regressor.fit(circle).score(Dataset.read(circle)) > 0.6);
    }

    @Test
    void whatIsReadIsWhatWasThere() throws IOException {
        final SampleStream stream = new Circle(1000, new AtomicInteger(), 3);
        for (int block : new int[] {1, 2, 14, 600, 1 << 20}) {
            final Dataset data = BlockSamples.read(stream, block);
            assertEquals(1000, data.size());
            final float[] x = new float[2], y = new float[1], wantX = new float[2], wantY = new float[1];
            for (int i = 0; i < 1000; i++) {
                data.copy(i, x, 0, y, 0);
                sample(i, wantX, 0, wantY, 0);
                assertArrayEquals(wantX, x, "sample " + i + ", block " + block);
                assertArrayEquals(wantY, y);
            }
        }
    }

    @Test
    void blocksAreOneDataset() {
        final float[][] x = new float[23][2], y = new float[23][1];
        for (int i = 0; i < 23; i++) sample(i, x[i], 0, y[i], 0);
        final Dataset whole = Dataset.of(x, y), blocks = BlockSamples.of(x, y, 10);
        assertEquals(5, ((BlockSamples) blocks).x().size());
        final int[] rows = {22, 0, 4, 5, 5, 9};
        final float[] wantX = new float[12], wantY = new float[6], gotX = new float[14], gotY = new float[7];
        Resident.gather(whole, Backend.pureJava(), rows, 0, 6, wantX, 0, wantY, 0);
        Resident.gather(blocks, Backend.pureJava(), rows, 0, 6, gotX, 2, gotY, 1);
        assertArrayEquals(wantX, Arrays.copyOfRange(gotX, 2, 14));
        assertArrayEquals(wantY, Arrays.copyOfRange(gotY, 1, 7));
        // A network ends the same on both
        assertArrayEquals(trained(whole), trained(blocks));
        x[21][1] = Float.NaN;
        assertEquals("dataset: x is NaN in row 21, column 1; expected a finite number",
                     assertThrows(IllegalArgumentException.class, () -> BlockSamples.of(x, y, 10)).getMessage());
    }

    private static float[] trained(Dataset data) {
        return MlpRegressor.builder().hidden(3).backend(Backend.pureJava()).threads(1).epochs(3).build().fit(data).network()
            .parameters();
    }

    @Test
    void weightsComeAlong() throws IOException {
        final SampleStream weighted = new SampleStream() {
            @Override
            public int inputs() {
                return 1;
            }

            @Override
            public int outputs() {
                return 1;
            }

            @Override
            public Cursor open() {
                return new Cursor() {
                    private int next;

                    @Override
                    public int read(float[] x, float[] y, float[] weights, int from, int to) {
                        if (next == 300) return 0;
                        x[from] = next;
                        y[from] = 1;
                        if (next % 3 == 0) weights[from] = next;
                        next++;
                        return 1;
                    }

                    @Override
                    public void close() {}
                };
            }
        };
        final Dataset data = Dataset.read(weighted);
        assertEquals(1, data.weight(1));
        assertEquals(297, data.weight(297));
        assertEquals(1, data.weight(299));
        assertEquals(297, data.slice(290, 300).weight(7));
    }

    @Test
    void emptyAndBrokenStreamsAreReported() {
        final Circle empty = new Circle(0, new AtomicInteger(), 1);
        assertEquals("there is no sample; expected 1 or more",
                     assertThrows(IOException.class, () -> Dataset.read(empty)).getMessage());
        assertEquals("fit: there is no sample; expected 1 or more",
                     assertThrows(IllegalArgumentException.class, () -> MlpRegressor.builder().build().fit(empty)).getMessage());
    }
}
