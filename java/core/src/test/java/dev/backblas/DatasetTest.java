package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatasetTest {

    @TempDir
    Path directory;

    private static float[] sample(Dataset data, int i) {
        final float[] x = new float[data.inputs()], y = new float[data.outputs()];
        data.copy(i, x, 0, y, 0);
        final float[] both = Arrays.copyOf(x, x.length + y.length);
        System.arraycopy(y, 0, both, x.length, y.length);
        return both;
    }

    @Test
    void samplesComeAsGiven() {
        final Dataset rows = Dataset.of(new float[][] {{1, 2}, {3, 4}, {5, 6}}, new float[][] {{7}, {8}, {9}});
        assertEquals(3, rows.size());
        assertArrayEquals(new float[] {3, 4, 8}, sample(rows, 1));
        assertArrayEquals(new float[] {5, 6, 9}, sample(rows.slice(1, 3), 1));
        assertArrayEquals(new float[] {1, 2, 7}, sample(rows.select(new int[] {2, 0, 0}), 1));
        final Dataset bytes = Dataset.ofBytes(new byte[] {0, (byte) 255, 51, 102}, new float[] {1, 0}, 2, 1);
        assertArrayEquals(new float[] {0, 1, 1}, sample(bytes, 0));
        assertArrayEquals(new float[] {0.2f, 0.4f, 0}, sample(bytes, 1), 1e-7f);
    }

    @Test
    void samplesAreScaledAndOneHot() {
        final Dataset rows = Dataset.of(new float[][] {{1, 5}, {3, 5}}, new float[][] {{2}, {0}});
        final Scaler ofX = Scaler.ofInputs(rows, null), ofY = Scaler.ofTargets(rows, null);
        assertArrayEquals(new float[] {2, 5}, ofX.mean());
        assertArrayEquals(new float[] {1, Float.POSITIVE_INFINITY}, ofX.deviation());
        assertArrayEquals(new float[] {-1, 0, 1}, sample(rows.scaled(ofX, ofY), 0));
        assertArrayEquals(new float[] {1, 5, 0, 0, 1}, sample(rows.oneHot(3), 0));
        assertArrayEquals(new float[] {1, 0, 1, 0, 0}, sample(rows.scaled(ofX, null).oneHot(3), 1));
        rejected("scaler: it has 1 columns; expected 2, as there are inputs", () -> rows.scaled(ofY, null));
        rejected("scaler: it has 2 columns; expected 1, as there are targets", () -> rows.scaled(null, ofX));
        rejected("dataset: samples with 3 targets are to be one of 2 classes each; expected one target, the number of a class, "
                     + "and 1 class or more", () -> rows.oneHot(3).oneHot(2));
        final Dataset wide = Dataset.of(new float[][] {{-1e38f}, {1e38f}}, new float[][] {{1}, {2}});
        final TableEncoder encoder = TableEncoder.learner(List.of("size", "y")).add(1, List.of("1", "2.5")).encoder();
        rejected("fit: column 0 of x varies by 9.999999680285692E37; expected 1e-30 to 1e30: change its unit",
                 () -> Scaler.ofInputs(wide, null));
        rejected("column 'size' varies by 9.999999680285692E37; expected 1e-30 to 1e30: change its unit",
                 () -> Scaler.ofInputs(wide, encoder));
    }

    @Test
    void badSamplesAreRefused() {
        rejected("dataset: x is NaN in row 1, column 0; expected a finite number",
                 () -> Dataset.of(new float[][] {{1, 2}, {Float.NaN, 4}}, new float[][] {{7}, {8}}));
        rejected("dataset: y is Infinity in row 1, column 0; expected a finite number",
                 () -> Dataset.of(new float[][] {{1, 2}, {3, 4}}, new float[][] {{7}, {Float.POSITIVE_INFINITY}}));
        rejected("dataset: row 1 of x has 1 values; expected 2, as row 0",
                 () -> Dataset.of(new float[][] {{1, 2}, {3}}, new float[][] {{7}, {8}}));
        rejected("dataset: x has 2 rows and y has 1; expected as many of each, 1 or more",
                 () -> Dataset.of(new float[][] {{1, 2}, {3, 4}}, new float[][] {{7}}));
        rejected("dataset: x has 5 values and y has 2; expected 2 and 1 for each of the same number of samples, 1 or more",
                 () -> Dataset.of(new float[5], new float[2], 2, 1));
        rejected("dataset: x has 0 values and y has 0; expected 2 and 1 for each of the same number of samples, 1 or more",
                 () -> Dataset.of(new float[0], new float[0], 2, 1));
        final Dataset two = Dataset.of(new float[4], new float[2], 2, 1);
        rejected("dataset: the slice is [1, 3), but there are 2 samples", () -> two.slice(1, 3));
        rejected("dataset: there is no sample 2; expected 0 to 1", () -> two.select(new int[] {2}));
    }

    private static void rejected(String message, Runnable call) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
    }

    @Test
    void metricsCount() {
        final Network identity = Network.builder(2).layer(2, Activation.IDENTITY).backend(Backend.pureJava()).build();
        identity.weights(1).put(new float[] {1, 0, 0, 1});
        final Dataset data =
            Dataset.of(new float[][] {{1, 0}, {0, 1}, {3, 1}, {2, 1}}, new float[][] {{1, 0}, {0, 1}, {0, 1}, {1, 0}});
        assertEquals(0.75, Metrics.accuracy(identity, data));
        assertEquals(Math.sqrt((9 + 1 + 1) / 8.0), Metrics.rootMeanSquaredError(identity, data), 1e-7);
    }

    private static byte[] idx(int type, int[] shape, byte... values) {
        final ByteBuffer bytes = ByteBuffer.allocate(4 + 4 * shape.length + values.length);
        bytes.putShort((short) 0).put((byte) type).put((byte) shape.length);
        for (int n : shape) bytes.putInt(n);
        return bytes.put(values).array();
    }

    private static byte[] gzip(byte[] plain) throws IOException {
        final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    @Test
    void idxFilesAreRead() throws IOException {
        final byte[] plain = idx(8, new int[] {2, 2, 1}, (byte) 1, (byte) 2, (byte) 3, (byte) 200);
        for (byte[] file : new byte[][] {plain, gzip(plain)}) {
            final Idx idx = Idx.read(Files.write(directory.resolve("images"), file), 3);
            assertArrayEquals(new int[] {2, 2, 1}, idx.shape());
            assertArrayEquals(new byte[] {1, 2, 3, (byte) 200}, idx.values());
            assertEquals(2, idx.itemSize());
        }
    }

    @Test
    void damagedIdxFilesAreReported() throws IOException {
        final byte[] good = idx(8, new int[] {4}, (byte) 1, (byte) 2, (byte) 3, (byte) 4);
        refused("it ends inside its header", Arrays.copyOf(good, 6));
        refused("it ends inside its header", new byte[0]);
        refused("it ends after 3 values; expected 4", Arrays.copyOf(good, good.length - 1));
        refused("it goes on after its 4 values; expected the end", Arrays.copyOf(good, good.length + 1));
        refused("the magic number is 0x00000d01; expected 0x00000801, an IDX file of unsigned bytes in 1 dimension",
                idx(0x0d, new int[] {4}, (byte) 1, (byte) 2, (byte) 3, (byte) 4));
        refused("the magic number is 0x00000803; expected 0x00000801, an IDX file of unsigned bytes in 1 dimension",
                idx(8, new int[] {1, 1, 1}, (byte) 1));
        refused("its dimensions are [-1]…; expected each to be 1 or more, and fewer than 2^31 values", idx(8, new int[] {-1}));
        refused("its dimensions are [2147483647]…; expected each to be 1 or more, and fewer than 2^31 values",
                idx(8, new int[] {Integer.MAX_VALUE}));
        final byte[] zipped = gzip(idx(8, new int[] {1000}, new byte[1000]));
        refused("the gzip stream is cut short", Arrays.copyOf(zipped, zipped.length - 12));
        final Path missing = directory.resolve("missing");
        assertEquals(missing + ": no such file", assertThrows(IOException.class, () -> Idx.read(missing, 1)).getMessage());
    }

    private void refused(String reason, byte[] bytes) throws IOException {
        final Path file = Files.write(directory.resolve("labels"), bytes);
        assertEquals(file + ": " + reason, assertThrows(IOException.class, () -> Idx.read(file, 1)).getMessage());
    }
}
