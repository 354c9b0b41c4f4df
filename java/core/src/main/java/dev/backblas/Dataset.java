package dev.backblas;

/** Samples to train on: each has {@link #inputs()} values x and {@link #outputs()} targets y. */
public interface Dataset {

    /** The number of samples. */
    int size();

    /** The values of one sample. */
    int inputs();

    /** The targets of one sample. */
    int outputs();

    /**
     * Copies a sample. Called from several threads at once, so it must not change anything else; every value must be finite.
     *
     * @param i       0 … size − 1
     * @param x       receives {@link #inputs()} values
     * @param xOffset from here on
     * @param y       receives {@link #outputs()} targets
     * @param yOffset from here on
     */
    void copy(int i, float[] x, int xOffset, float[] y, int yOffset);

    /** What sample i counts for: its cost and its gradient are multiplied by it. Finite, 0 or more; 1 unless overridden. */
    default float weight(int i) {
        return 1;
    }

    /**
     * Samples in two arrays, which are not copied.
     *
     * @param x       inputs × size: sample after sample
     * @param y       outputs × size
     * @param inputs  the values of a sample, 1 or more
     * @param outputs the targets of a sample, 1 or more
     * @throws IllegalArgumentException if the lengths do not fit together, there is no sample, or a value is not finite
     */
    static Dataset of(float[] x, float[] y, int inputs, int outputs) {
        return new Samples(x, y, inputs, outputs);
    }

    /**
     * Samples in rows, which are copied.
     *
     * @throws IllegalArgumentException if there is no row, rows differ in length, or a value is not finite
     */
    static Dataset of(float[][] x, float[][] y) {
        if (x.length == 0 || x.length != y.length)
            throw new IllegalArgumentException(
                "dataset: x has " + x.length + " rows and y has " + y.length + "; expected as many of each, 1 or more");
        return of(flat("x", x), flat("y", y), x[0].length, y[0].length);
    }

    /**
     * Images of one byte a pixel, which stay bytes in memory and are scaled to [0, 1] a batch at a time. Not copied.
     *
     * @param pixels  inputs × size, unsigned
     * @param y       outputs × size
     * @param inputs  the pixels of an image, 1 or more
     * @param outputs the targets of an image, 1 or more
     * @throws IllegalArgumentException if the lengths do not fit together, there is no image, or a target is not finite
     */
    static Dataset ofBytes(byte[] pixels, float[] y, int inputs, int outputs) {
        return new ByteSamples(pixels, y, inputs, outputs);
    }

    /**
     * The samples [from, to) of this one; a view.
     *
     * @throws IllegalArgumentException if that is empty or goes beyond the samples
     */
    default Dataset slice(int from, int to) {
        if (from < 0 || from >= to || to > size())
            throw new IllegalArgumentException(
                "dataset: the slice is [" + from + ", " + to + "), but there are " + size() + " samples");
        final int[] rows = new int[to - from];
        for (int i = 0; i < rows.length; i++) rows[i] = from + i;
        return select(rows);
    }

    /**
     * These samples of this one, in this order; a view.
     *
     * @throws IllegalArgumentException if there is no such sample, or none is named
     */
    default Dataset select(int[] rows) {
        for (int row : rows)
            if (row < 0 || row >= size())
                throw new IllegalArgumentException(
                    "dataset: there is no sample " + row + "; expected 0 to " + (size() - 1));
        if (rows.length == 0) throw new IllegalArgumentException("dataset: no sample is selected; expected 1 or more");
        return Selection.of(this, rows.clone());
    }

    private static float[] flat(String name, float[][] rows) {
        final int n = rows[0].length;
        final float[] flat = new float[Backpropagation.matrix(n, rows.length)];
        for (int j = 0; j < rows.length; j++) {
            if (rows[j].length != n)
                throw new IllegalArgumentException(
                    "dataset: row " + j + " of " + name + " has " + rows[j].length + " values; expected " + n + ", as row 0");
            System.arraycopy(rows[j], 0, flat, j * n, n);
        }
        return flat;
    }
}
