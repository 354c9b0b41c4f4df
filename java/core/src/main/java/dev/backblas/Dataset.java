package dev.backblas;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Samples to train on: each has {@link #inputs()} values x and {@link #outputs()} targets y. From arrays, rows, images or a
 * stream, or one's own; all that is drawn from it ({@link #select}, {@link #slice}, {@link #weighted}) is a view.
 */
public interface Dataset {

    /** {@return the number of samples} */
    int size();

    /** {@return the number of values x of one sample} */
    int inputs();

    /** {@return the number of targets y of one sample} */
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

    /**
     * What sample i counts for: its cost and its gradient are multiplied by it. Called from several threads at once.
     *
     * @param i 0 … size − 1
     * @return finite, 0 or more; 1 unless overridden
     */
    default float weight(int i) {
        return 1;
    }

    /**
     * {@return these samples, each with a weight; a view}
     *
     * @param weights one for each sample; not copied
     * @throws IllegalArgumentException if there are more or fewer weights than samples, or one is not finite or below 0
     */
    default Dataset weighted(float[] weights) {
        return new Prepared(this, null, null, 0, Objects.requireNonNull(weights, "weights"));
    }

    /**
     * {@return these samples, standardised; a view}
     *
     * @param ofX the standardisation of x, or null
     * @param ofY that of y, or null
     * @throws IllegalArgumentException if a scaler has more or fewer columns than the samples
     */
    default Dataset scaled(@Nullable Scaler ofX, @Nullable Scaler ofY) {
        Scaler.requireColumns(ofX, inputs(), "inputs");
        Scaler.requireColumns(ofY, outputs(), "targets");
        return new Prepared(this, ofX, ofY, 0, null);
    }

    /**
     * {@return these samples, whose one target is the number of a class, with a target for each class: 1 for that class, 0 for
     * the others; a view}
     *
     * @param classes how many there are; a target is one of 0 … classes − 1
     * @throws IllegalArgumentException if the samples have more than one target, or there is no class
     */
    default Dataset oneHot(int classes) {
        if (outputs() != 1 || classes < 1)
            throw new IllegalArgumentException(
                "dataset: samples with " + outputs() + " targets are to be one of " + classes
                    + " classes each; expected one target, the number of a class, and 1 class or more");
        return new Prepared(this, null, null, classes, null);
    }

    /**
     * {@return samples in two arrays, which are not copied}
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
     * {@return samples in rows, which are copied} There may be more values than one array can hold.
     *
     * @param x a row of values for each sample, all of one length
     * @param y a row of targets for each sample, all of one length
     * @throws IllegalArgumentException if there is no row, rows differ in length, or a value is not finite
     */
    static Dataset of(float[][] x, float[][] y) {
        Objects.requireNonNull(x, "x");
        Objects.requireNonNull(y, "y");
        if (x.length == 0 || x.length != y.length)
            throw new IllegalArgumentException(
                "dataset: x has " + x.length + " rows and y has " + y.length + "; expected as many of each, 1 or more");
        Samples.requireRow("x", x, 0);
        Samples.requireRow("y", y, 0);
        final long most = (long) x.length * Math.max(x[0].length, y[0].length);
        if (most > BlockSamples.BLOCK) return BlockSamples.of(x, y, BlockSamples.BLOCK);
        return of(Samples.flat("x", x, 0, x.length), Samples.flat("y", y, 0, y.length), x[0].length, y[0].length);
    }

    /**
     * {@return images of one byte a pixel, which stay bytes in memory and are scaled to [0, 1] a batch at a time} Not copied.
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
     * {@return images and their labels, from two IDX files, gzipped or not} Pixels are as in {@link #ofBytes}; there is one
     * target, the label.
     *
     * @param images a file of images: items, rows, columns
     * @param labels a file of as many labels
     * @throws IOException naming the file and what is wrong with it
     */
    static Dataset idx(Path images, Path labels) throws IOException {
        final Idx x = Idx.read(images, 3), y = Idx.read(labels, 1);
        if (x.size() != y.size())
            throw new IOException(labels + ": it has " + y.size() + " labels, but " + images + " has " + x.size() + " images; "
                + "expected as many");
        final float[] targets = new float[y.size()];
        for (int i = 0; i < targets.length; i++) targets[i] = y.values()[i] & 0xff;
        return ofBytes(x.values(), targets, x.itemSize(), 1);
    }

    /**
     * Reads a stream into memory, with the weights of its samples. There may be more values than one array can hold.
     *
     * @param stream read once, to its end
     * @return the samples, in their order
     * @throws IOException              if it cannot be read, or is empty
     * @throws IllegalArgumentException if a value is not finite
     */
    static Dataset read(SampleStream stream) throws IOException {
        return BlockSamples.read(Objects.requireNonNull(stream, "stream"), BlockSamples.BLOCK);
    }

    /**
     * {@return the samples [from, to) of this one; a view}
     *
     * @param from the first, 0 or more
     * @param to   after the last; above {@code from}
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
     * {@return these samples of this one, in this order; a view}
     *
     * @param rows the numbers of samples, from 0; one may come twice
     * @throws IllegalArgumentException if there is no such sample, or none is named
     */
    default Dataset select(int[] rows) {
        for (int row : Objects.requireNonNull(rows, "rows"))
            if (row < 0 || row >= size())
                throw new IllegalArgumentException(
                    "dataset: there is no sample " + row + "; expected 0 to " + (size() - 1));
        if (rows.length == 0) throw new IllegalArgumentException("dataset: no sample is selected; expected 1 or more");
        return Selection.of(this, rows.clone());
    }
}
