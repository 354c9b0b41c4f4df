package dev.backblas;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How a row of a table, texts under named columns, becomes a sample: which columns are inputs, which are numbers and which texts,
 * and what is to be predicted. Learned once from the training rows, then kept in the model, so that new rows are read in the
 * same way, whatever the order of their columns.
 *
 * <p>A number becomes one value. A text becomes one value for each text that was seen, 1 for the one it is and 0 for the others;
 * a text that was not seen becomes zeros, as an empty field does. Where rows come from (a CSV file, a database) is not its
 * business.
 *
 * <pre>{@code
 * TableEncoder.Learner learner = TableEncoder.learner(List.of("age", "city", "stays")).target("stays");
 * for (List<String> row : rows) learner.add(++line, row);
 * TableEncoder encoder = learner.encoder();
 * }</pre>
 */
public final class TableEncoder {

    /** More different texts than this are no categories. */
    private static final int MOST_CATEGORIES = 1000;
    /** Unless told, whole numbers of up to this many values are classes; fractions never are, nor quantities beyond it. */
    private static final int LIKELY_CLASSES = 20;
    /** In so many rows or more, a text that is another one in most of them is a name, not a category. */
    private static final int ENOUGH_ROWS = 20;
    /** Of columns, in a message. */
    private static final int MOST_NAMES = 20;

    /**
     * A column.
     *
     * @param name       in the header
     * @param categories the texts that were seen, in order; empty for a column of numbers
     */
    public record Column(String name, List<String> categories) {

        /**
         * Keeps the categories unchanged.
         *
         * @param name       in the header
         * @param categories copied
         */
        public Column {
            categories = List.copyOf(categories);
        }

        /** {@return whether it holds texts} */
        public boolean isText() {
            return !categories.isEmpty();
        }

        /** How many values of a sample it makes. */
        int width() {
            return isText() ? categories.size() : 1;
        }
    }

    private final List<Column> columns;
    private final List<Column> targets;
    private final @Nullable String weight;
    private final Map<String, String> leftOut;

    TableEncoder(List<Column> columns, List<Column> targets, @Nullable String weight, Map<String, String> leftOut) {
        this.columns = List.copyOf(columns);
        this.targets = List.copyOf(targets);
        this.weight = weight;
        this.leftOut = Map.copyOf(leftOut);
    }

    /** {@return the columns that are inputs, in the order of their values in a sample} */
    public List<Column> columns() {
        return columns;
    }

    /** {@return the columns to be predicted: one of categories, for classes, or some of numbers} */
    public List<Column> targets() {
        return targets;
    }

    /** {@return whether a class is to be predicted, not quantities} */
    public boolean isClassification() {
        return targets.size() == 1 && targets.get(0).isText();
    }

    /** {@return the labels of the classes, in the order of their numbers; none where quantities are to be predicted} */
    public List<String> labels() {
        return isClassification() ? targets.get(0).categories() : List.of();
    }

    /** {@return the name of the column with the weights of the samples, or null} */
    public @Nullable String weight() {
        return weight;
    }

    /**
     * {@return the columns that were not taken, by name, with the reason, such as too many different texts} Empty after a model
     * is loaded.
     */
    public Map<String, String> leftOut() {
        return leftOut;
    }

    /** {@return the number of values of a sample} */
    public int inputs() {
        return columns.stream().mapToInt(Column::width).sum();
    }

    /** {@return the number of targets of a sample} */
    public int outputs() {
        return targets.size();
    }

    /** {@return what each value of a sample is, such as {@code age} or {@code city=Paris}} */
    public List<String> inputNames() {
        final List<String> names = new ArrayList<>();
        for (Column column : columns)
            if (column.isText()) for (String category : column.categories()) names.add(column.name() + "=" + category);
            else names.add(column.name());
        return names;
    }

    /** {@return what each target of a sample is: the names of {@link #targets}} */
    public List<String> targetNames() {
        return targets.stream().map(Column::name).toList();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TableEncoder e && columns.equals(e.columns) && targets.equals(e.targets)
            && String.valueOf(weight).equals(String.valueOf(e.weight));
    }

    @Override
    public int hashCode() {
        return 31 * columns.hashCode() + targets.hashCode();
    }

    @Override
    public String toString() {
        return "TableEncoder of " + columns.size() + " columns to " + inputs() + " inputs; target "
            + String.join(", ", targetNames());
    }

    // ---- Learning

    /**
     * Begins to learn from rows under a header.
     *
     * @param header the names of the columns, all different
     * @return who is to see the rows
     * @throws IllegalArgumentException if two columns have the same name
     */
    public static Learner learner(List<String> header) {
        return new Learner(header);
    }

    /** Sees the training rows, and then knows how to encode them. It keeps a bounded number of texts, no rows. */
    public static final class Learner {
        private final List<String> header;
        private final Set<String> targets = new TreeSet<>();
        private @Nullable Boolean classes; // null: as the column looks
        private final Set<String> dropped = new HashSet<>();
        private final Set<String> texts = new HashSet<>();
        private @Nullable String weight;
        private final Seen[] seen;
        private long rows;

        /** What was seen of a column. */
        private static final class Seen {
            final Map<String, Float> values = new HashMap<>(); // up to one more than can be categories; NaN for a text
            boolean text;
            boolean fraction;
            long missing; // fields without a text
            long missingAt;
        }

        private Learner(List<String> header) {
            this.header = List.copyOf(header);
            final Set<String> names = new HashSet<>();
            for (String name : header)
                if (!names.add(name))
                    throw new IllegalArgumentException("two columns are named '" + name + "'; expected one");
            seen = new Seen[header.size()];
            Arrays.setAll(seen, i -> new Seen());
        }

        private String column(String name) {
            if (!header.contains(name))
                throw new IllegalArgumentException("there is no column '" + name + "'; the columns are " + some(header));
            return name;
        }

        /**
         * What is to be predicted: classes if the column holds texts or a few whole numbers, else a quantity. The last column
         * unless set.
         *
         * @param name of the column
         * @return this
         * @throws IllegalArgumentException if there is no such column
         */
        public Learner target(String name) {
            targets.clear();
            targets.add(column(name));
            classes = null;
            return this;
        }

        /**
         * Sets a class to be predicted, be its labels texts or numbers; as {@link #target}.
         *
         * @param name of the column
         * @return this
         * @throws IllegalArgumentException if there is no such column
         */
        public Learner classes(String name) {
            target(name);
            classes = true;
            return this;
        }

        /**
         * Sets the quantities to be predicted; as {@link #target}.
         *
         * @param names of the columns, which must hold numbers
         * @return this
         * @throws IllegalArgumentException if there is no such column
         */
        public Learner quantities(String... names) {
            targets.clear();
            for (String name : names) targets.add(column(name));
            classes = false;
            return this;
        }

        /**
         * Leaves columns out.
         *
         * @param names of the columns
         * @return this
         * @throws IllegalArgumentException if there is no such column
         */
        public Learner drop(String... names) {
            for (String name : names) dropped.add(column(name));
            return this;
        }

        /**
         * Takes numbers for texts, such as a code; and names for categories.
         *
         * @param names of the columns
         * @return this
         * @throws IllegalArgumentException if there is no such column
         */
        public Learner text(String... names) {
            for (String name : names) texts.add(column(name));
            return this;
        }

        /**
         * Sets the column with the weights of the samples, which is no input.
         *
         * @param name of the column, which must hold numbers of 0 or more
         * @return this
         * @throws IllegalArgumentException if there is no such column
         */
        public Learner weight(String name) {
            weight = column(name);
            return this;
        }

        /**
         * Sees a row.
         *
         * @param line what messages call it: its line in a file, say
         * @param row  a field for each column
         * @return this
         * @throws IllegalArgumentException for more or fewer fields
         */
        public Learner add(long line, List<String> row) {
            requireWidth(line, row, header);
            rows++;
            for (int i = 0; i < seen.length; i++) {
                final Seen column = seen[i];
                final String field = row.get(i).strip();
                if (isMissing(field)) {
                    if (column.missing++ == 0) column.missingAt = line;
                    if (!field.isEmpty() && column.values.size() <= MOST_CATEGORIES) column.values.put(field, Float.NaN);
                    continue;
                }
                final float value = parse(field);
                if (Float.isNaN(value)) column.text = true;
                else if (value != Math.rint(value)) column.fraction = true;
                if (column.values.size() <= MOST_CATEGORIES) column.values.put(field, value);
            }
            return this;
        }

        /**
         * {@return what was learned}
         *
         * @throws IllegalArgumentException if there was no row, no column is left to learn from, a column of numbers has gaps, or
         *                                  the target cannot be one
         */
        public TableEncoder encoder() {
            if (rows == 0) throw new IllegalArgumentException("there is no row; expected 1 or more");
            final Set<String> wanted = targets.isEmpty() ? Set.of(header.get(header.size() - 1)) : targets;
            final List<Column> columns = new ArrayList<>(), ofTargets = new ArrayList<>();
            final Map<String, String> leftOut = new LinkedHashMap<>();
            for (int i = 0; i < seen.length; i++) {
                final String name = header.get(i);
                if (wanted.contains(name)) ofTargets.add(target(name, seen[i]));
                else if (dropped.contains(name)) leftOut.put(name, "dropped");
                else if (!name.equals(weight)) {
                    final String reason = reasonToLeaveOut(name, seen[i]);
                    if (reason == null) columns.add(input(name, seen[i]));
                    else leftOut.put(name, reason);
                }
            }
            if (columns.isEmpty())
                throw new IllegalArgumentException(
                    "no column is left to predict " + String.join(", ", wanted) + " from; expected 1 or more"
                        + (leftOut.isEmpty() ? "" : "; left out: " + leftOut.entrySet().stream()
                            .map(entry -> entry.getKey() + " (" + entry.getValue() + ")").collect(Collectors.joining(", "))));
            return new TableEncoder(columns, ofTargets, weight, leftOut);
        }

        /** {@return how many rows it has seen} */
        public long rows() {
            return rows;
        }

        private @Nullable String reasonToLeaveOut(String name, Seen column) {
            if (name.isEmpty()) return "it has no name, as numbers of rows have";
            if (column.missing == rows) return "it is empty";
            if (!column.text && !texts.contains(name)) return null;
            final int different = column.values.size();
            if (different > MOST_CATEGORIES)
                return "it has more than " + MOST_CATEGORIES + " different texts" + amongNumbers(column);
            if (rows >= ENOUGH_ROWS && different > rows / 2 && !texts.contains(name))
                return "it has " + different + " different texts in " + rows + " rows, as names have" + amongNumbers(column);
            return null;
        }

        /** One bad field makes texts of a column of numbers: that field is to be seen. */
        private static String amongNumbers(Seen column) {
            return column.values.values().stream().allMatch(value -> value.isNaN()) ? ""
                : "; '" + aText(column) + "' is none of its numbers";
        }

        private Column input(String name, Seen column) {
            if (column.text || texts.contains(name)) return new Column(name, categories(column));
            requireNoGap(name, column);
            return new Column(name, List.of());
        }

        private Column target(String name, Seen column) {
            final int different = column.values.size();
            final boolean ofClasses =
                classes != null ? classes : column.text || !column.fraction && different <= LIKELY_CLASSES;
            if (!ofClasses && column.text)
                throw new IllegalArgumentException(
                    "the target '" + name + "' holds texts, such as '" + aText(column) + "'; expected numbers");
            requireNoGap(name, column);
            if (!ofClasses) return new Column(name, List.of());
            if (different > MOST_CATEGORIES)
                throw new IllegalArgumentException(
                    "the target '" + name + "' has more than " + MOST_CATEGORIES + " different "
                        + (column.text ? "texts" : "values") + "; expected fewer classes");
            return new Column(name, categories(column));
        }

        private static String aText(Seen column) {
            return shortened(column.values.entrySet().stream().filter(e -> Float.isNaN(e.getValue())).map(Map.Entry::getKey)
                .findFirst().orElse("…"));
        }

        private static void requireNoGap(String name, Seen column) {
            if (column.missing > 0)
                throw new IllegalArgumentException(
                    "line " + column.missingAt + ", column '" + name + "': the field is empty"
                        + (column.missing == 1 ? "" : ", the first of " + column.missing + " of this column")
                        + "; expected a value (fill it in, or leave out the row or the column)");
        }

        /** In the order of the numbers where all are, else of the texts; an empty field is none of them. */
        private static List<String> categories(Seen column) {
            final List<String> categories = new ArrayList<>(column.values.keySet());
            categories.sort(column.text ? null : (a, b) -> Float.compare(parse(a), parse(b)));
            return categories;
        }
    }

    // ---- Encoding

    /**
     * Encodes the rows under this header, which may have its columns in another order, more of them, or no target.
     *
     * @param header the names of the columns
     * @return who encodes them, one after the other
     * @throws IllegalArgumentException if an input is not among them
     */
    public Rows rows(List<String> header) {
        return new Rows(header);
    }

    /** The rows of one table. It counts what it has not seen before; each thread needs its own. */
    public final class Rows {
        private final List<String> header;
        private final int[] at; // where each column is in the header
        private final List<Map<String, Integer>> numbers = new ArrayList<>(); // of the categories of each column
        private final int[] targetAt; // −1: not there
        private final List<Map<String, Integer>> targetNumbers = new ArrayList<>();
        private final int weightAt; // −1: not there
        private long unseen;

        private Rows(List<String> header) {
            this.header = List.copyOf(header);
            at = columns.stream().mapToInt(column -> {
                final int i = header.indexOf(column.name());
                if (i < 0)
                    throw new IllegalArgumentException(
                        "there is no column '" + column.name() + "', which the model needs; the columns are " + some(header));
                if (header.lastIndexOf(column.name()) != i)
                    throw new IllegalArgumentException("two columns are named '" + column.name() + "'; expected one");
                return i;
            }).toArray();
            targetAt = targets.stream().mapToInt(column -> header.indexOf(column.name())).toArray();
            weightAt = weight == null ? -1 : header.indexOf(weight);
            for (Column column : columns) numbers.add(Labels.numbers(column.categories()));
            for (Column column : targets) targetNumbers.add(Labels.numbers(column.categories()));
        }

        /** {@return whether every target is among the columns} */
        public boolean hasTargets() {
            return Arrays.stream(targetAt).allMatch(i -> i >= 0);
        }

        /**
         * Makes sure that {@link #targets} will find what it needs.
         *
         * @throws IllegalArgumentException naming a target that is not among the columns, if there is one
         */
        public void requireTargets() {
            for (Column column : targets)
                if (!header.contains(column.name()))
                    throw new IllegalArgumentException(
                        "there is no column '" + column.name() + "', the target; the columns are " + some(header));
        }

        /** {@return how many texts were met so far that no category stands for; they became zeros, as empty fields do} */
        public long unseen() {
            return unseen;
        }

        /**
         * Encodes the inputs of a row.
         *
         * @param line   what messages call it
         * @param row    a field for each column of the header
         * @param x      receives {@link TableEncoder#inputs()} values
         * @param offset from here on
         * @throws IllegalArgumentException naming line and column, if a field is not what it should be
         */
        public void inputs(long line, List<String> row, float[] x, int offset) {
            requireWidth(line, row, header);
            for (int c = 0, k = offset; c < at.length; c++) {
                final Column column = columns.get(c);
                final String field = row.get(at[c]);
                if (!column.isText()) {
                    x[k++] = number(line, column.name(), field);
                    continue;
                }
                Arrays.fill(x, k, k + column.width(), 0);
                final String text = field.strip();
                final Integer number = numbers.get(c).get(text);
                if (number != null) x[k + number] = 1;
                else if (!text.isEmpty()) unseen++;
                k += column.width();
            }
        }

        /**
         * Encodes the targets of a row: quantities, or the number of a class.
         *
         * @param line   what messages call it
         * @param row    a field for each column of the header
         * @param y      receives {@link TableEncoder#outputs()} values
         * @param offset from here on
         * @throws IllegalArgumentException naming line and column, if a field is not what it should be, or a label is unknown
         */
        public void targets(long line, List<String> row, float[] y, int offset) {
            requireWidth(line, row, header);
            for (int t = 0; t < targetAt.length; t++) {
                final Column column = targets.get(t);
                if (targetAt[t] < 0) requireTargets();
                final String field = row.get(targetAt[t]);
                if (!column.isText()) {
                    y[offset + t] = number(line, column.name(), field);
                    continue;
                }
                final Integer number = targetNumbers.get(t).get(field.strip());
                if (number == null)
                    throw new IllegalArgumentException(
                        "line " + line + ", column '" + column.name() + "': '" + shortened(field)
                            + "' is none of the classes that were learned");
                y[offset + t] = number;
            }
        }

        /**
         * {@return the weight of a row; 1 where there is no column of weights}
         *
         * @param line what messages call it
         * @param row  a field for each column of the header
         * @throws IllegalArgumentException naming line and column, if the weight is not a number of 0 or more
         */
        public float weight(long line, List<String> row) {
            if (weightAt < 0) return 1;
            final float value = number(line, header.get(weightAt), row.get(weightAt));
            if (value < 0)
                throw new IllegalArgumentException(
                    "line " + line + ", column '" + weight + "': the weight is " + value + "; expected 0 or more");
            return value;
        }
    }

    private static void requireWidth(long line, List<String> row, List<String> header) {
        if (row.size() != header.size())
            throw new IllegalArgumentException(
                "line " + line + ": it has " + row.size() + (row.size() == 1 ? " field" : " fields") + "; expected "
                    + header.size() + ", as the header has" + (row.stream().anyMatch(field -> field.indexOf('\n') >= 0)
                        ? " (one spans lines: is a quote not closed?)" : ""));
    }

    private static float number(long line, String column, String field) {
        final String text = field.strip();
        final float value = isMissing(text) ? Float.NaN : parse(text);
        if (Float.isNaN(value))
            throw new IllegalArgumentException(
                "line " + line + ", column '" + column + "': "
                    + (text.isEmpty() ? "the field is empty; expected a number" : "'" + shortened(text) + "' is not a number"));
        return value;
    }

    /** How tables write that there is nothing. */
    private static boolean isMissing(String field) {
        return switch (field) {
            case "", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?" -> true;
            default -> false;
        };
    }

    /** A finite number, or NaN for anything else. */
    private static float parse(String field) {
        if (field.isEmpty()) return Float.NaN;
        final char last = field.charAt(field.length() - 1);
        if (!(last >= '0' && last <= '9' || last == '.') || field.indexOf('x') >= 0 || field.indexOf('X') >= 0)
            return Float.NaN; // 1f, 1d and 0x1p3 are Java's
        try {
            final float value = Float.parseFloat(field);
            return Float.isFinite(value) ? value : Float.NaN;
        } catch (NumberFormatException e) {
            return Float.NaN;
        }
    }

    private static String some(List<String> names) {
        return names.size() <= MOST_NAMES ? String.join(", ", names)
            : String.join(", ", names.subList(0, MOST_NAMES)) + ", … (" + names.size() + " in all)";
    }

    private static String shortened(String field) {
        return field.length() <= 40 ? field : field.substring(0, 40) + "…";
    }
}
