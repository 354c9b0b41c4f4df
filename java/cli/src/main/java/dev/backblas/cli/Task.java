package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.Metrics;
import dev.backblas.Network;
import dev.backblas.Preset;
import dev.backblas.SampleStream;
import dev.backblas.Scaler;
import dev.backblas.TableEncoder;
import dev.backblas.data.Csv;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * What is to be learned: samples to train on and samples held out, as they stand in the data. Their targets are one or several
 * quantities, the number of a class, or 1 and 0 for each of several labels.
 *
 * @param name    of the data, and of the model file
 * @param about   what it is, in a few words
 * @param train   the samples to train on; null where they are a stream
 * @param stream  the same as a stream, for more than memory holds; or null
 * @param size    how many they are
 * @param heldOut the samples to be judged by
 * @param targets what they are called
 * @param labels  of the classes, or those of which a sample may have several; empty where quantities are to be learned
 * @param inputs  how x is scaled for training, or null where it is not
 * @param width   of the images that the samples are; 0 where they are none
 * @param height  likewise
 * @param table   that the samples come from, or null
 */
record Task(String name, String about, @Nullable Dataset train, @Nullable SampleStream stream, long size, Dataset heldOut,
            List<String> targets, List<String> labels, @Nullable Scaler inputs, int width, int height, @Nullable Table table) {

    private static final double HELD_OUT = 0.2;
    /** Values of the samples held out of a stream, at most: 16 MB. */
    private static final int MOST_HELD_OUT = 1 << 22;
    /** Labels that are fractions, and more of them than this, are a quantity. */
    private static final int LIKELY_CLASSES = 20;
    private static final int DIGIT = 8; // pixels a side

    /** What the user says about a table. */
    record Columns(@Nullable String target, List<String> drop, List<String> text, @Nullable String weight) {}

    /** A row as it stands in a file. */
    record Row(long line, List<String> fields) {}

    /**
     * Where samples come from.
     *
     * @param encoder how a row becomes a sample; null if the model is not to know
     * @param rows    the numbers of the held-out rows, from 0
     * @param remarks what the user should know of it
     */
    record Table(Csv csv, @Nullable TableEncoder encoder, List<String> header, long[] rows, List<String> remarks) {

        /** Reads the table once more, for the texts of some of the held-out rows, by their number among these. */
        Map<Long, Row> heldOut(List<Long> wanted) throws IOException {
            final Map<Long, Long> samples = new TreeMap<>(); // by their row
            for (long sample : wanted) samples.put(rows[(int) sample], sample);
            final Map<Long, Row> found = new TreeMap<>();
            try (Csv.Rows all = csv.open()) {
                long number = 0;
                for (List<String> row = all.next(); row != null; row = all.next(), number++)
                    if (samples.containsKey(number)) found.put(samples.get(number), new Row(all.line(), row));
            }
            return found;
        }
    }

    boolean isRegression() {
        return labels.isEmpty();
    }

    /** Whether a sample may have several labels, or none. */
    boolean isMultiLabel() {
        return !labels.isEmpty() && targets.size() > 1;
    }

    @Nullable TableEncoder encoder() {
        return table == null ? null : table.encoder();
    }

    /** What is measured after each epoch: the share that is right, or the root mean squared error of scaled quantities. */
    ToDoubleBiFunction<Network, Dataset> metric() {
        return isRegression() ? Metrics::rootMeanSquaredError : isMultiLabel() ? Metrics::exactMatch : Metrics::accuracy;
    }

    /** Digits 8×8, pixels 0 … 16. For one output, the question is whether a digit is odd. */
    static Task digits(@Nullable Preset preset, long seed) throws IOException {
        final Task digits = table("digits", Tables.bundled("digits"), new Columns("label", List.of(), List.of(), null),
                                  preset == Preset.BINARY ? null : preset, seed, false);
        final float[] none = new float[DIGIT * DIGIT], sixteen = new float[DIGIT * DIGIT];
        Arrays.fill(sixteen, 16);
        final Task task = new Task(digits.name, digits.about, digits.train, null, digits.size, digits.heldOut, digits.targets,
                                   digits.labels, Scaler.of(none, sixteen), DIGIT, DIGIT, digits.table);
        return preset == Preset.BINARY ? task.parity() : task;
    }

    /** The same images, and whether their label is odd. */
    private Task parity() {
        return new Task(name, about.replaceFirst("\\d+ classes.*", "is it odd?"), new Parity(train), null, size,
                        new Parity(heldOut), List.of("odd"), List.of("even", "odd"), inputs, width, height, null);
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

    /**
     * A table: its last column is the target, unless another is named, or several.
     *
     * @param streamed whether the samples to train on stay in the file
     */
    static Task table(String name, Csv csv, Columns columns, @Nullable Preset preset, long seed, boolean streamed)
        throws IOException {
        final List<String> header = csv.header();
        if (header.size() < 2)
            throw new IOException(name + ": it has one column, '" + header.get(0) + "'; expected a target and one or more "
                + "others, separated by commas, semicolons or tabs");
        final List<String> targets = targets(header, columns.target);
        requireColumns(name, header, targets, columns);
        final TableEncoder.Learner learner = csv.learner();
        if (targets.size() > 1 || preset == Preset.REGRESSION) learner.quantities(targets.toArray(new String[0]));
        else if (preset == null) learner.target(targets.get(0));
        else learner.classes(targets.get(0));
        learner.drop(columns.drop.toArray(new String[0])).text(columns.text.toArray(new String[0]));
        if (columns.weight != null) learner.weight(columns.weight);
        final TableEncoder encoder = csv.learn(learner);
        final long size = learner.rows();
        final int heldOut = (int) Math.min(Math.round(size * HELD_OUT),
            streamed ? Math.max(1, MOST_HELD_OUT / (encoder.inputs() + encoder.outputs())) : Integer.MAX_VALUE);
        if (heldOut == 0 || heldOut == size)
            throw new IOException(
                name + ": " + size + (size == 1 ? " row" : " rows") + " cannot be split into a part to train on and a fifth "
                    + "held out; expected 3 or more");
        if (encoder.isClassification() && encoder.labels().size() < 2)
            throw new IOException(name + ": '" + targets.get(0) + "' is always " + encoder.labels().get(0) + "; there is nothing "
                + "to learn");
        if (preset != null) requireClasses(name, encoder, preset);
        requirePoints(name, encoder, columns);

        final long[] rows = new long[heldOut];
        final Dataset train, judging;
        final SampleStream stream;
        final boolean binary;
        if (streamed) {
            final Split split = new Split(csv.stream(encoder), size, heldOut, seed);
            train = null;
            stream = split.training();
            judging = Dataset.read(split.heldOut(rows));
            binary = targets.size() > 1 && areLabels(csv.stream(encoder));
        } else {
            final Dataset all = csv.dataset(encoder);
            final int[] order = shuffled(all.size(), seed), first = Arrays.copyOf(order, heldOut);
            Arrays.setAll(rows, i -> first[i]);
            train = all.select(Arrays.copyOfRange(order, heldOut, order.length));
            stream = null;
            judging = all.select(first);
            binary = targets.size() > 1 && areLabels(all);
        }
        final boolean quantities = !encoder.isClassification() && !binary;
        final Scaler scaler;
        try {
            scaler = train == null ? null : Scaler.ofInputs(train, encoder);
            if (quantities) requireChange(name, Scaler.ofTargets(train == null ? judging : train, encoder), encoder);
        } catch (IllegalArgumentException e) {
            throw new IOException(name + ": " + e.getMessage(), e);
        }
        final List<String> labels = binary ? encoder.targetNames() : encoder.labels();
        final String stem = Path.of(name).getFileName().toString().replaceFirst("\\.gz$", "").replaceFirst("\\.[^.]*$", "");
        final String what = binary ? "labels " + String.join(", ", labels)
            : quantities ? (targets.size() == 1 ? "target " : "targets ") + String.join(", ", encoder.targetNames())
            : labels.size() + " classes of " + targets.get(0);
        return new Task(stem, String.format("%,d rows, %d columns as %d inputs, %s", size, encoder.columns().size(),
                encoder.inputs(), what), train, stream, size - heldOut, judging, encoder.targetNames(), labels, scaler, 0, 0,
            new Table(csv, encoder, header, rows, remarks(encoder, header, columns)));
    }

    // ---- What a table has to be

    /** The columns that are named: one, whose name may have a comma, or some with commas between them. */
    private static List<String> targets(List<String> header, @Nullable String named) {
        if (named == null) return List.of(header.get(header.size() - 1));
        return header.contains(named) ? List.of(named)
            : Arrays.stream(named.split(",")).map(String::strip).distinct().toList();
    }

    private static void requireColumns(String name, List<String> header, List<String> targets, Columns columns)
        throws IOException {
        final List<String> named = new ArrayList<>(targets);
        named.addAll(columns.drop);
        named.addAll(columns.text);
        if (columns.weight != null) named.add(columns.weight);
        for (String column : named)
            if (!header.contains(column))
                throw new IOException(name + ": there is no column '" + column + "'; the columns are "
                    + (header.size() <= 20 ? String.join(", ", header)
                        : String.join(", ", header.subList(0, 20)) + ", … (" + header.size() + " in all)")
                    + Choice.meant(column, header));
        for (String target : targets)
            if (columns.drop.contains(target) || target.equals(columns.weight))
                throw new IOException(name + ": '" + target + "' is the target; expected another column for "
                    + (target.equals(columns.weight) ? "--weight" : "--drop"));
    }

    /** Whether a target can be what a system wants. */
    private static void requireClasses(String name, TableEncoder encoder, Preset preset) throws IOException {
        if (preset == Preset.REGRESSION) return;
        final String system = preset.name().toLowerCase(Locale.ROOT);
        if (encoder.targets().size() > 1)
            throw new IOException(name + ": " + system + " has one target; expected --system regression, or none, for several");
        final List<String> labels = encoder.labels();
        final boolean binary = preset == Preset.BINARY;
        if (binary && labels.size() != 2 || labels.size() > LIKELY_CLASSES && labels.stream().anyMatch(Task::isFraction))
            throw new IOException(
                name + ": " + system + " needs " + (binary ? "two classes" : "classes") + ", but '"
                    + encoder.targetNames().get(0) + "' has " + labels.size() + " different value"
                    + (labels.size() == 1 ? "" : "s") + "; use --system " + (binary ? "softmax or regression" : "regression"));
    }

    private static void requireChange(String name, Scaler ofTargets, TableEncoder encoder) throws IOException {
        for (int k = 0; k < ofTargets.columns(); k++)
            if (Float.isInfinite(ofTargets.deviation()[k]))
                throw new IOException(name + ": '" + encoder.targetNames().get(k) + "' is always " + ofTargets.mean()[k]
                    + " where it is learned; there is nothing to learn");
    }

    /** Numbers with a decimal comma would be one text each. */
    private static void requirePoints(String name, TableEncoder encoder, Columns columns) throws IOException {
        final List<TableEncoder.Column> all = new ArrayList<>(encoder.columns());
        all.addAll(encoder.targets());
        for (TableEncoder.Column column : all)
            if (column.isText() && !columns.text.contains(column.name())
                && column.categories().stream().allMatch(text -> text.matches("[-+]?\\d+(,\\d+)?"))
                && column.categories().stream().anyMatch(text -> text.contains(",")))
                throw new IOException(name + ": column '" + column.name() + "' has decimal commas, such as '"
                    + column.categories().stream().filter(text -> text.contains(",")).findFirst().orElseThrow()
                    + "'; expected points (or --text, if they are names)");
    }

    private static boolean isFraction(String label) {
        return isNumber(label) && Double.parseDouble(label) != Math.rint(Double.parseDouble(label));
    }

    private static boolean isNumber(String text) {
        return text.matches("[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d{1,2})?");
    }

    /** What was left out, and what looks like a mistake but need not be one. */
    private static List<String> remarks(TableEncoder encoder, List<String> header, Columns columns) {
        final List<String> remarks = new ArrayList<>();
        if (header.stream().allMatch(Task::isNumber))
            remarks.add("the header line holds numbers, such as " + header.get(0) + ": is it a row? expected names");
        encoder.leftOut().forEach((column, reason) ->
            remarks.add("left out: " + (column.isEmpty() ? "the column without a name" : column) + " (" + reason + ")"));
        final List<TableEncoder.Column> all = new ArrayList<>(encoder.columns());
        all.addAll(encoder.targets());
        for (TableEncoder.Column column : all) {
            if (!column.isText() || columns.text.contains(column.name())) continue;
            final List<String> others = column.categories().stream().filter(text -> !isNumber(text)).toList();
            if (!others.isEmpty() && 2 * others.size() <= column.categories().size())
                remarks.add("taken for texts: " + column.name() + " (numbers, but for '" + others.get(0) + "')");
        }
        return remarks;
    }

    // ---- Several targets: quantities, or labels

    /** Whether all targets are 1 or 0. */
    private static boolean areLabels(Dataset data) {
        final float[] x = new float[data.inputs()], y = new float[data.outputs()];
        for (int i = 0; i < data.size(); i++) {
            data.copy(i, x, 0, y, 0);
            if (!areLabels(y, y.length)) return false;
        }
        return true;
    }

    private static boolean areLabels(SampleStream stream) throws IOException {
        final int most = 256;
        final float[] x = new float[stream.inputs() * most], y = new float[stream.outputs() * most];
        try (SampleStream.Cursor cursor = stream.open()) {
            for (int m; (m = cursor.read(x, y, new float[most], 0, most)) > 0; )
                if (!areLabels(y, stream.outputs() * m)) return false;
        }
        return true;
    }

    private static boolean areLabels(float[] y, int n) {
        for (int i = 0; i < n; i++) if (y[i] != 0 && y[i] != 1) return false;
        return true;
    }

    // ---- Images

    /** MNIST, or another data set of its form: four IDX files. For one output, whether a label is odd. */
    static Task images(Path directory, @Nullable Preset preset) throws IOException {
        final Images train = Images.read(directory, "train"), test = Images.read(directory, "t10k");
        if (train.pixels().itemSize() != test.pixels().itemSize())
            throw new IOException(directory + ": train images have " + train.pixels().itemSize() + " pixels and t10k images "
                + test.pixels().itemSize() + "; expected as many");
        final int most = Math.max(train.mostLabel(), test.mostLabel());
        if (most == 0) throw new IOException(directory + ": every label is 0; there is nothing to learn");
        final List<String> labels = IntStream.rangeClosed(0, most).mapToObj(String::valueOf).toList();
        final Path name = directory.toRealPath().getFileName();
        final Task task = new Task(name == null ? "images" : name.toString(),
            String.format("%,d images of %dx%d, %d inputs, %d classes of label", train.size() + test.size(), train.width(),
                          train.height(), train.pixels().itemSize(), labels.size()),
            train.dataset(train.targets(), 1), null, train.size(), test.dataset(test.targets(), 1), List.of("label"), labels,
            null, train.width(), train.height(), null);
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
