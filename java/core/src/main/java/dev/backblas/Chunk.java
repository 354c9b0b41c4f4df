package dev.backblas;

import java.io.IOException;
import java.util.Arrays;

/** Room for so many samples of a {@link SampleStream} that it is worth shuffling them; filled again and again. */
final class Chunk {

    /** Floats of x or y: 16 MB, which G1 finds in one piece in a small heap. (64 MB it did not always find in 128.) */
    private static final int LARGEST = 1 << 22;

    private final float[] x;
    private final float[] y;
    private final float[] weights;
    private final Dataset all; // the three, as long as they are

    /** @param least so many samples, even if they are larger than the largest */
    Chunk(int inputs, int outputs, int least) {
        final int rows = Math.max(least, LARGEST / Math.max(inputs, outputs));
        x = new float[Backpropagation.matrix(inputs, rows)];
        y = new float[Backpropagation.matrix(outputs, rows)];
        weights = new float[rows];
        all = new Samples(x, y, inputs, outputs).weighted(weights);
    }

    /** How many samples there is room for. */
    int rows() {
        return weights.length;
    }

    /** Reads until it is full or the stream at its end; returns how many samples there are. */
    int fill(SampleStream.Cursor cursor) throws IOException {
        Arrays.fill(weights, 1);
        int m = 0;
        while (m < weights.length) {
            final int read = cursor.read(x, y, weights, m, weights.length);
            if (read == 0) break;
            m += read;
        }
        return m;
    }

    /** The first m samples; they change when it is filled again. */
    Dataset samples(int m) {
        return m == rows() ? all : all.slice(0, m);
    }
}
