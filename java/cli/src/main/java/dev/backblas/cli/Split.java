package dev.backblas.cli;

import dev.backblas.SampleStream;
import java.io.IOException;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A stream of samples in two parts, those held out and the others, chosen at random as they come by: D. Knuth, "The Art of
 * Computer Programming", volume 2, algorithm 3.4.2 S, so that memory does not grow with the data.
 *
 * @param all     the stream
 * @param size    its samples
 * @param heldOut how many of them are held out
 * @param seed    of the choice
 */
record Split(SampleStream all, long size, int heldOut, long seed) {

    /** Says of one sample after the other whether it is held out. */
    private final class Draw {
        private final SplittableRandom random = new SplittableRandom(seed);
        private long left = size;
        private long wanted = heldOut;

        boolean isHeldOut() {
            if (random.nextLong(Math.max(1, left--)) >= wanted) return false; // a stream that has grown is trained on
            wanted--;
            return true;
        }
    }

    /** The samples to train on. */
    SampleStream training() {
        return new Part(null);
    }

    /**
     * The samples held out.
     *
     * @param rows receives their numbers in the whole stream, from 0, as they are read
     */
    SampleStream heldOut(long[] rows) {
        return new Part(rows);
    }

    private final class Part implements SampleStream {
        private final long @Nullable [] rows; // null: of those to train on

        Part(long @Nullable [] rows) {
            this.rows = rows;
        }

        @Override
        public int inputs() {
            return all.inputs();
        }

        @Override
        public int outputs() {
            return all.outputs();
        }

        @Override
        public Cursor open() throws IOException {
            final Cursor cursor = all.open();
            final Draw draw = new Draw();
            return new Cursor() {
                private long row;
                private int found;

                @Override
                public int read(float[] x, float[] y, float[] weights, int from, int to) throws IOException {
                    int kept = 0;
                    for (int m = 1; m > 0 && kept == 0; ) {
                        m = cursor.read(x, y, weights, from, to);
                        for (int j = from; j < from + m; j++, row++) {
                            if (draw.isHeldOut() != (rows != null)) continue;
                            if (rows != null) rows[found++] = row;
                            final int at = from + kept++;
                            System.arraycopy(x, j * inputs(), x, at * inputs(), inputs());
                            System.arraycopy(y, j * outputs(), y, at * outputs(), outputs());
                            weights[at] = weights[j];
                        }
                    }
                    return kept;
                }

                @Override
                public void close() throws IOException {
                    cursor.close();
                }
            };
        }
    }
}
