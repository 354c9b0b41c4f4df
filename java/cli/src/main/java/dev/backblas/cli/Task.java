package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.Preset;
import dev.backblas.TableEncoder;
import dev.backblas.data.Csv;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What is to be learned: samples to train on and samples held out, as they stand in the data, with one target: a quantity, or
 * the number of a class.
 *
 * @param name    of the data, and of the model file
 * @param about   what it is, in a few words
 * @param train   the samples to train on
 * @param heldOut the samples to be judged by
 * @param target  what it is called
 * @param labels  of the classes; empty where a quantity is to be learned
 * @param encoder how a row becomes a sample; null for images
 * @param inputs  how x is scaled for training, or null
 * @param width   of the images that the samples are; 0 where they are none
 * @param height  likewise
 * @param header  the columns of the table
 * @param rows    the held-out rows as texts
 */
record Task(String name, String about, Dataset train, Dataset heldOut, String target, List<String> labels,
            @Nullable TableEncoder encoder, @Nullable Scaling inputs, int width, int height, List<String> header, Rows rows) {

    private static final double HELD_OUT = 0.2;
    /** Labels that are fractions, and more of them than this, are a quantity. */
    private static final int LIKELY_CLASSES = 20;
    private static final int DIGIT = 8; // pixels a side

    /** What the user says about a table. */
    record Columns(@Nullable String target, List<String> drop, List<String> text, @Nullable String weight) {}

    /** A row as it stands in a file. */
    record Row(long line, List<String> fields) {}

    /** Finds some of the held-out rows, texts and all, in the table that they came from. */
    @FunctionalInterface
    interface Rows {
        Map<Long, Row> read(List<Long> heldOut) throws IOException;
    }

    boolean isRegression() {
        return labels.isEmpty();
    }

    /** Digits 8×8, pixels 0 … 16. For one output, the question is whether a digit is odd. */
    static Task digits(@Nullable Preset preset, long seed) throws IOException {
        final Task digits = table("digits", Tables.bundled("digits"), new Columns("label", List.of(), List.of(), null),
                                  preset == Preset.BINARY ? null : preset, seed);
        final Task task = new Task(digits.name, digits.about, digits.train, digits.heldOut, digits.target, digits.labels,
                                   digits.encoder, Scaling.by(16, DIGIT * DIGIT), DIGIT, DIGIT, digits.header, digits.rows);
        return preset == Preset.BINARY ? task.parity() : task;
    }

    /** The same images, and whether their label is odd. */
    private Task parity() {
        return new Task(name, about.replaceFirst("\\d+ classes.*", "is it odd?"), new Parity(train), new Parity(heldOut), "odd",
                        List.of("even", "odd"), null, inputs, width, height, header, rows);
    }

    /** Classes 0, 1, 2, … as even and odd. */
    private record Parity(Dataset of) implements Dataset {
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
            return 1;
        }

        @Override
        public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
            of.copy(i, x, xOffset, y, yOffset);
            y[yOffset] %= 2;
        }
    }

    /** A table: its last column is the target, unless another is named. */
    static Task table(String name, Csv csv, Columns columns, @Nullable Preset preset, long seed) throws IOException {
        final List<String> header = csv.header();
        if (header.size() < 2)
            throw new IOException(name + ": it has one column, '" + header.get(0) + "'; expected a target and one or more "
                + "others, separated by commas, semicolons or tabs");
        final String target = columns.target == null ? header.get(header.size() - 1) : columns.target;
        final TableEncoder encoder;
        try {
            final TableEncoder.Learner learner = csv.learner();
            if (preset == null) learner.target(target);
            else if (preset == Preset.REGRESSION) learner.quantities(target);
            else learner.classes(target);
            learner.drop(columns.drop.toArray(new String[0])).text(columns.text.toArray(new String[0]));
            if (columns.weight != null) learner.weight(columns.weight);
            encoder = csv.learn(learner);
        } catch (IllegalArgumentException e) {
            throw new IOException(name + ": " + e.getMessage().replaceFirst("^table: ", ""), e);
        } catch (IOException e) {
            throw new IOException(e.getMessage().replace(": table: ", ": "), e);
        }
        final List<String> labels = encoder.labels();
        if (preset != null) requireClasses(name, target, labels, preset);
        final Dataset all = csv.dataset(encoder);
        final int size = all.size(), heldOut = (int) Math.round(size * HELD_OUT);
        if (heldOut == 0 || heldOut == size)
            throw new IOException(
                name + ": " + size + (size == 1 ? " row" : " rows") + " cannot be split into a part to train on and a fifth "
                    + "held out; expected 3 or more");
        if (encoder.isClassification() && labels.size() < 2)
            throw new IOException(name + ": '" + target + "' is always " + labels.get(0) + "; there is nothing to learn");
        final int[] order = shuffled(size, seed), second = Arrays.copyOf(order, heldOut);
        final Dataset train = all.select(Arrays.copyOfRange(order, heldOut, size));
        final Scaling[] scaling = Scaling.standardizing(train);
        if (!encoder.isClassification() && scaling[1].isConstant())
            throw new IOException(name + ": '" + target + "' is always " + (float) scaling[1].mean()[0] + " where it is learned; "
                + "there is nothing to learn");
        final String stem = Path.of(name).getFileName().toString().replaceFirst("\\.gz$", "").replaceFirst("\\.[^.]*$", "");
        return new Task(stem, String.format("%,d rows, ", size) + encoder.columns().size() + " columns as " + encoder.inputs()
                + " inputs, " + (labels.isEmpty() ? "target " + target : labels.size() + " classes of " + target),
            train, all.select(second), target, labels, encoder, scaling[0], 0, 0, header, wanted -> rows(csv, wanted, second));
    }

    /** Whether a target can be what a system wants. */
    private static void requireClasses(String name, String target, List<String> labels, Preset preset) throws IOException {
        if (preset == Preset.REGRESSION) return;
        final boolean binary = preset == Preset.BINARY;
        if (binary && labels.size() != 2 || labels.size() > LIKELY_CLASSES && labels.stream().anyMatch(Task::isFraction))
            throw new IOException(
                name + ": " + preset.name().toLowerCase() + " needs " + (binary ? "two classes" : "classes") + ", but '" + target
                    + "' has " + labels.size() + " different value" + (labels.size() == 1 ? "" : "s") + "; use --system "
                    + (binary ? "softmax or regression" : "regression"));
    }

    private static boolean isFraction(String label) {
        try {
            return Double.parseDouble(label) != Math.rint(Double.parseDouble(label));
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /** Reads the table once more, for the rows behind some of the held-out samples. */
    private static Map<Long, Row> rows(Csv csv, List<Long> wanted, int[] heldOut) throws IOException {
        final Map<Long, Long> samples = new TreeMap<>(); // by their row
        for (long sample : wanted) samples.put((long) heldOut[(int) sample], sample);
        final Map<Long, Row> found = new TreeMap<>();
        try (Csv.Rows rows = csv.open()) {
            long number = 0;
            for (List<String> row = rows.next(); row != null; row = rows.next(), number++)
                if (samples.containsKey(number)) found.put(samples.get(number), new Row(rows.line(), row));
        }
        return found;
    }

    /** MNIST, or another data set of its form: four IDX files. For one output, whether a label is odd. */
    static Task images(Path directory, @Nullable Preset preset) throws IOException {
        final Images train = Images.read(directory, "train"), test = Images.read(directory, "t10k");
        if (train.pixels().itemSize() != test.pixels().itemSize())
            throw new IOException(directory + ": train images have " + train.pixels().itemSize() + " pixels and t10k images "
                + test.pixels().itemSize() + "; expected as many");
        final int most = Math.max(train.mostLabel(), test.mostLabel());
        if (most == 0) throw new IOException(directory + ": every label is 0; there is nothing to learn");
        final List<String> labels = IntStream.rangeClosed(0, most).mapToObj(String::valueOf).toList();
        final int pixels = train.pixels().itemSize();
        final Path name = directory.toRealPath().getFileName();
        final Task task = new Task(name == null ? "images" : name.toString(),
            String.format("%,d images of ", train.size() + test.size()) + train.width() + "x" + train.height() + ", " + pixels
                + " inputs, " + labels.size() + " classes of label",
            train.dataset(train.targets(), 1), test.dataset(test.targets(), 1), "label", labels, null, null,
            train.width(), train.height(), List.of(), wanted -> Map.of());
        return preset == Preset.BINARY ? task.parity() : task;
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
}
