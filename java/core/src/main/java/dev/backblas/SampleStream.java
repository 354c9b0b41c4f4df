package dev.backblas;

import java.io.Closeable;
import java.io.IOException;

/**
 * Samples that come one batch after another, for data larger than memory: from a file, a database, a generator. Each epoch opens
 * it anew, and must find the same number of samples.
 *
 * <p>The order is the stream's own, but for a shuffle among the samples that are in memory together: what is sorted by its target
 * is to be shuffled before.
 */
public interface SampleStream {

    /** {@return the number of values of one sample} */
    int inputs();

    /** {@return the number of targets of one sample} */
    int outputs();

    /**
     * Begins at the first sample.
     *
     * @return a cursor, which whoever reads closes
     * @throws IOException if the source cannot be opened
     */
    Cursor open() throws IOException;

    /** Reads once through the samples. */
    interface Cursor extends Closeable {

        /**
         * Reads the next samples, into the places {@code from} … {@code to} − 1 of the arrays.
         *
         * @param x       receives the values: sample j from inputs · j
         * @param y       receives the targets: those of sample j from outputs · j
         * @param weights holds 1 for each of them on entry; to be changed where a sample counts for more or less
         * @param from    the first place
         * @param to      after the last; above {@code from}
         * @return how many were read: 1 to {@code to − from}, or 0 at the end
         * @throws IOException              if the source cannot be read
         * @throws IllegalArgumentException if a sample is not what it should be
         */
        int read(float[] x, float[] y, float[] weights, int from, int to) throws IOException;
    }
}
