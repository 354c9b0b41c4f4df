package dev.backblas;

import dev.backblas.backend.Backend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A {@link Dataset} in arrays of so many samples each, for more floats than one array can hold.
 *
 * @param x    blocks, inputs × rows each but the last, which may be shorter
 * @param y    blocks, outputs × rows
 * @param rows of a block
 * @param size the number of samples
 */
record BlockSamples(List<float[]> x, List<float[]> y, int rows, int size, int inputs, int outputs) implements Resident {

    /** Floats of a block of x or y: 256 MB. */
    static final int BLOCK = 1 << 26;
    private static final int AT_A_TIME = 256;

    static Dataset of(float[][] x, float[][] y, int block) {
        final int rows = rows(x[0].length, y[0].length, block);
        return new BlockSamples(blocks("x", x, rows), blocks("y", y, rows), rows, x.length, x[0].length, y[0].length);
    }

    private static int rows(int inputs, int outputs, int block) {
        return Math.max(1, block / Math.max(inputs, outputs));
    }

    private static List<float[]> blocks(String name, float[][] values, int rows) {
        final List<float[]> blocks = new ArrayList<>();
        for (int from = 0; from < values.length; from += rows) {
            final int to = Math.min(values.length, from + rows);
            final float[] block = Samples.flat(name, values, from, to);
            Samples.requireFinite("dataset", name, block, 0, to - from, values[0].length, from);
            blocks.add(block);
        }
        return blocks;
    }

    /** Reads a stream to its end. Small blocks are read into small arrays, which grow. */
    static Dataset read(SampleStream stream, int block) throws IOException {
        final int in = stream.inputs(), out = stream.outputs(), rows = rows(in, out, block), most = Math.min(rows, AT_A_TIME);
        final List<float[]> x = new ArrayList<>(), y = new ArrayList<>();
        final float[] batchX = new float[in * most], batchY = new float[out * most], batchWeights = new float[most];
        float[] weights = new float[AT_A_TIME];
        boolean weighted = false;
        int size = 0;
        try (SampleStream.Cursor cursor = stream.open()) {
            while (true) {
                final int row = size % rows; // of the last block
                Arrays.fill(batchWeights, 1);
                final int m = cursor.read(batchX, batchY, batchWeights, 0, Math.min(most, rows - row));
                if (m == 0) break;
                if (size > Integer.MAX_VALUE - 8 - m)
                    throw new IOException("the samples are too many; expected fewer than 2^31");
                Samples.requireFinite("dataset", "x", batchX, 0, m, in, size);
                Samples.requireFinite("dataset", "y", batchY, 0, m, out, size);
                append(x, row, batchX, m, in, rows);
                append(y, row, batchY, m, out, rows);
                if (size + m > weights.length)
                    weights = Arrays.copyOf(weights, (int) Math.min(Integer.MAX_VALUE - 8, 2L * (size + m)));
                System.arraycopy(batchWeights, 0, weights, size, m);
                for (int j = 0; j < m; j++) weighted |= batchWeights[j] != 1;
                size += m;
            }
        }
        if (size == 0) throw new IOException("there is no sample; expected 1 or more");
        final int last = (size - 1) % rows + 1;
        x.set(x.size() - 1, Arrays.copyOf(x.get(x.size() - 1), last * in));
        y.set(y.size() - 1, Arrays.copyOf(y.get(y.size() - 1), last * out));
        final Dataset data = x.size() == 1
            ? new Samples(x.get(0), y.get(0), in, out) : new BlockSamples(x, y, rows, size, in, out);
        return weighted ? data.weighted(Arrays.copyOf(weights, size)) : data;
    }

    /** Puts m samples of n values behind the {@code row} that are in the last block. */
    private static void append(List<float[]> blocks, int row, float[] values, int m, int n, int rows) {
        if (row == 0) blocks.add(new float[n * m]);
        float[] block = blocks.get(blocks.size() - 1);
        if (block.length < (row + m) * n)
            blocks.set(blocks.size() - 1, block = Arrays.copyOf(block, n * (int) Math.min(rows, 2L * (row + m))));
        System.arraycopy(values, 0, block, row * n, m * n);
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        final int block = i / rows, row = i % rows;
        System.arraycopy(this.x.get(block), row * inputs, x, xOffset, inputs);
        System.arraycopy(this.y.get(block), row * outputs, y, yOffset, outputs);
    }

    @Override
    public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        for (int j = 0; j < to - from; j++) copy(rows[from + j], x, xOffset + j * inputs, y, yOffset + j * outputs);
    }
}
