package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.Idx;
import dev.backblas.Preset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What is to be learned: samples to train on and samples held out, scaled and encoded for one of the five systems.
 *
 * @param name    of the data, and of the model file
 * @param about   what it is, in a few words
 * @param train   the samples to train on
 * @param heldOut the samples to be judged by
 * @param inputs  how x was scaled
 * @param target  how y was scaled, in regression
 * @param column  the name of the target
 */
record Task(String name, String about, Dataset train, Dataset heldOut, Scaling inputs, @Nullable Scaling target,
            String column) {

    private static final double HELD_OUT = 0.2;
    /** More different targets than this are taken for a quantity, not for classes. */
    private static final int MOST_CLASSES = 1000;
    private static final int LARGEST_LABEL = 1 << 24;
    /** Without {@code --system}, whole numbers of up to this many values are classes; fractions never are beyond it. */
    private static final int LIKELY_CLASSES = 20;

    static Task boston(Preset preset, long seed) {
        final Table table = Table.bundled("boston.csv", true);
        return of(table, "boston", table.column("medv"), preset, null, seed);
    }

    /** Digits 8×8, pixels 0 … 16. For one output, the question is whether a digit is odd. */
    static Task digits(Preset preset, long seed) {
        final Table table = Table.bundled("digits.csv.gz", false);
        final int label = table.columns().size() - 1;
        if (preset == Preset.BINARY)
            for (int row = 0; row < table.rows(); row++)
                table.values()[row * table.columns().size() + label] = table.value(row, label) % 2;
        return of(table, "digits", label, preset, Scaling.by(16, label), seed);
    }

    /** A CSV file: the named target, or its last column. */
    static Task csv(Path file, @Nullable String target, @Nullable Preset preset, long seed) throws IOException {
        final Table table = Table.read(file);
        final int column = target == null ? table.columns().size() - 1 : table.column(target);
        if (table.columns().size() < 2)
            throw new IOException(file + ": it has one column; expected a target and one or more others");
        final String name = file.getFileName().toString().replaceFirst("\\.gz$", "").replaceFirst("\\.[^.]*$", "");
        return of(table, name, column, preset == null ? likely(table, column) : preset, null, seed);
    }

    /** The system for a target: classes where it has a few whole numbers, else a quantity. */
    static Preset likely(Table table, int column) {
        final double[] values = values(target(table, column, IntStream.range(0, table.rows()).toArray()));
        return values.length > LIKELY_CLASSES || !whole(values) ? Preset.REGRESSION
            : values.length == 2 ? Preset.BINARY : Preset.SOFTMAX;
    }

    private static Task of(Table table, String name, int column, Preset preset, @Nullable Scaling scaling, long seed) {
        final int rows = table.rows(), heldOut = (int) Math.round(rows * HELD_OUT);
        if (heldOut == 0 || heldOut == rows)
            throw new IllegalArgumentException(
                table.name() + ": " + rows + " rows cannot be split into a part to train on and a fifth held out; expected 3 or "
                    + "more");
        final int[] order = shuffled(rows, seed);
        final int[] first = Arrays.copyOfRange(order, heldOut, rows), second = Arrays.copyOf(order, heldOut);
        final float[] x = features(table, column, first), y = target(table, column, first);
        final int inputs = table.columns().size() - 1;
        final Scaling ofInputs = scaling == null ? Scaling.standardizing(x, inputs) : scaling;
        final Encoding encoding =
            Encoding.of(preset, table.name(), table.columns().get(column), target(table, column, order), y);
        return new Task(name, rows + " rows, " + inputs + " inputs, " + encoding.about,
            Dataset.of(ofInputs.apply(x), encoding.apply(y), inputs, encoding.outputs),
            Dataset.of(ofInputs.apply(features(table, column, second)), encoding.apply(target(table, column, second)), inputs,
                       encoding.outputs),
            ofInputs, encoding.scaling, table.columns().get(column));
    }

    /** MNIST, or another data set of its form: four IDX files, gzipped or not. For one output, whether a digit is odd. */
    static Task idx(Path directory, Preset preset) throws IOException {
        final Idx images = Idx.read(find(directory, "train-images"), 3);
        final Idx labels = Idx.read(find(directory, "train-labels"), 1);
        final Idx testImages = Idx.read(find(directory, "t10k-images"), 3);
        final Idx testLabels = Idx.read(find(directory, "t10k-labels"), 1);
        requirePairs(directory, "train", images, labels);
        requirePairs(directory, "t10k", testImages, testLabels);
        if (images.itemSize() != testImages.itemSize())
            throw new IOException(directory + ": train images have " + images.itemSize() + " pixels and t10k images "
                + testImages.itemSize() + "; expected as many");
        final float[] y = numbers(labels, preset), testY = numbers(testLabels, preset);
        final float[] all = Arrays.copyOf(y, y.length + testY.length);
        System.arraycopy(testY, 0, all, y.length, testY.length);
        final int inputs = images.itemSize();
        final Encoding encoding = Encoding.of(preset, directory.toString(), "label", all, y);
        return new Task("mnist", images.size() + testImages.size() + " images, " + inputs + " inputs, " + encoding.about,
            Dataset.ofBytes(images.values(), encoding.apply(y), inputs, encoding.outputs),
            Dataset.ofBytes(testImages.values(), encoding.apply(testY), inputs, encoding.outputs),
            Scaling.by(255, inputs), encoding.scaling, "label");
    }

    private static float[] numbers(Idx labels, Preset preset) {
        final float[] y = new float[labels.size()];
        for (int i = 0; i < y.length; i++)
            y[i] = preset == Preset.BINARY ? labels.values()[i] & 1 : labels.values()[i] & 0xff;
        return y;
    }

    private static void requirePairs(Path directory, String part, Idx images, Idx labels) throws IOException {
        if (images.size() != labels.size())
            throw new IOException(directory + ": there are " + images.size() + " " + part + " images but " + labels.size()
                + " labels; expected as many");
    }

    private static Path find(Path directory, String part) throws IOException {
        if (!Files.isDirectory(directory)) throw new IOException(directory + ": no such directory");
        final String base = part + (part.endsWith("images") ? "-idx3-ubyte" : "-idx1-ubyte");
        for (String name : new String[] {base, base + ".gz", base.replace("-idx", ".idx")})
            if (Files.isRegularFile(directory.resolve(name))) return directory.resolve(name);
        throw new IOException(directory + ": no file " + base + " or " + base + ".gz in it");
    }

    private static float[] features(Table table, int target, int[] rows) {
        final int columns = table.columns().size();
        final float[] x = new float[rows.length * (columns - 1)];
        int i = 0;
        for (int row : rows) for (int c = 0; c < columns; c++) if (c != target) x[i++] = table.value(row, c);
        return x;
    }

    private static float[] target(Table table, int target, int[] rows) {
        final float[] y = new float[rows.length];
        for (int i = 0; i < rows.length; i++) y[i] = table.value(rows[i], target);
        return y;
    }

    private static double[] values(float[] y) {
        return IntStream.range(0, y.length).mapToDouble(i -> y[i]).distinct().sorted().toArray();
    }

    private static boolean whole(double[] values) {
        return Arrays.stream(values).allMatch(v -> v == Math.rint(v));
    }

    private static int[] shuffled(int rows, long seed) {
        final int[] order = IntStream.range(0, rows).toArray();
        final Random random = new Random(seed);
        for (int i = rows - 1; i > 0; i--) {
            final int j = random.nextInt(i + 1), swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return order;
    }

    /** How a target becomes y: scaled for regression, 0 or 1 for one sigmoid, one-hot for the others. */
    private record Encoding(String about, int outputs, double[] classes, @Nullable Scaling scaling) {

        static Encoding of(Preset preset, String name, String column, float[] all, float[] train) {
            if (preset == Preset.REGRESSION) {
                final Scaling scaling = Scaling.standardizing(train, 1);
                if (Double.isInfinite(scaling.deviation()[0]))
                    throw new IllegalArgumentException(
                        name + ": '" + column + "' is always " + train[0] + "; there is nothing to learn");
                return new Encoding("target " + column, 1, new double[0], scaling);
            }
            final double[] classes = values(all);
            final boolean binary = preset == Preset.BINARY;
            final int most = binary ? 2 : whole(classes) ? MOST_CLASSES : LIKELY_CLASSES;
            if (Math.max(-classes[0], classes[classes.length - 1]) > LARGEST_LABEL)
                throw new IllegalArgumentException(
                    name + ": labels of '" + column + "' go beyond " + LARGEST_LABEL + ", where a float does not tell one from "
                        + "the next; number the classes from 0");
            if (classes.length < 2 || classes.length > most)
                throw new IllegalArgumentException(
                    name + ": " + preset.name().toLowerCase() + " needs " + (binary ? "two classes" : "classes") + ", but '"
                        + column + "' has " + classes.length + " different value" + (classes.length == 1 ? "" : "s")
                        + (classes.length < 2 ? "" : "; use --system " + (binary ? "softmax or regression" : "regression")));
            return new Encoding(classes.length + " classes of " + column, binary ? 1 : classes.length, classes, null);
        }

        float[] apply(float[] y) {
            if (scaling != null) return scaling.apply(y);
            final float[] encoded = new float[y.length * outputs];
            for (int j = 0; j < y.length; j++) {
                final int index = Arrays.binarySearch(classes, y[j]);
                if (outputs == 1) encoded[j] = index;
                else encoded[j * outputs + index] = 1;
            }
            return encoded;
        }
    }
}
