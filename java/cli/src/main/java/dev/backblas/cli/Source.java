package dev.backblas.cli;

import dev.backblas.Idx;
import dev.backblas.TableEncoder;
import dev.backblas.data.Csv;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Samples for a model that is there, some at a time: a file may be larger than memory. */
abstract class Source implements Closeable {

    /**
     * Opens data by name.
     *
     * @param data    digits, boston, a CSV file, - for a CSV on standard input, IDX images or a directory of IDX files
     * @param targets whether targets are needed
     */
    static Source open(String data, Model model, boolean targets) throws IOException {
        final Path file = Path.of(data);
        if (Files.isDirectory(file)) return new Pictures(data, Images.read(file, "t10k"), model);
        if (data.equals("-"))
            return table(Tables.STANDARD_INPUT, Csv.of(Tables.STANDARD_INPUT, () -> System.in), model, targets);
        if (!Files.exists(file) && Tables.isBundled(data)) return table(data, Tables.bundled(data), model, targets);
        if (!Images.isImages(file))
            return table(data, Files.isRegularFile(file) ? Tables.separated(Csv.of(file)) : Csv.of(file), model, targets);
        if (targets)
            throw new IOException(data + ": it holds images without labels; expected the directory with both");
        return new Pictures(data, new Images(Idx.read(file, 3), null), model);
    }

    /** The names of the fields of a row; none for images. */
    abstract List<String> header();

    /**
     * Reads the next samples.
     *
     * @param most how many at most
     * @param x    receives inputs × most
     * @param y    receives truths × most targets, as the model has them; null where none are wanted
     * @param rows receives the fields of each; null where they are not wanted
     * @return how many there were, 0 at the end
     */
    abstract int read(int most, float[] x, float @Nullable [] y, @Nullable List<List<String>> rows) throws IOException;

    /** Texts in a table that training has not seen. */
    long unseen() {
        return 0;
    }

    /** Says on standard error how many those are, if any. */
    void warnOfUnseen() {
        final long n = unseen();
        if (n > 0)
            System.err.printf(n == 1 ? "%,d text was not seen in training; it counts as none of those that were%n"
                                     : "%,d texts were not seen in training; they count as none of those that were%n", n);
    }

    @Override
    public void close() throws IOException {}

    private static Source table(String name, Csv csv, Model model, boolean targets) throws IOException {
        final Csv.Rows rows = csv.open();
        try {
            return new Table(name, rows, model, targets);
        } catch (IllegalArgumentException e) {
            rows.close();
            throw new IOException(name + ": " + e.getMessage(), e);
        }
    }

    private static final class Table extends Source {
        private final String name;
        private final Csv.Rows rows;
        private final TableEncoder.Rows encoded;
        private final int inputs, truths;

        Table(String name, Csv.Rows rows, Model model, boolean targets) {
            this.name = name;
            this.rows = rows;
            inputs = model.inputs();
            truths = model.truths();
            final TableEncoder encoder = model.encoder() != null ? model.encoder() : numbers(rows.header(), model);
            encoded = encoder.rows(rows.header());
            if (targets) encoded.requireTargets();
        }

        /** For a model that knows of no table: its inputs are the columns, and what comes after them is the target. */
        private static TableEncoder numbers(List<String> header, Model model) {
            final int inputs = model.inputs();
            if (header.size() != inputs && header.size() != inputs + 1)
                throw new IllegalArgumentException(
                    "it has " + header.size() + " columns, but the model has " + inputs + " inputs; expected as many, or one "
                        + "more, the target, at the end");
            final List<String> names = new ArrayList<>(header);
            if (names.size() == inputs) names.add("target of " + names);
            return TableEncoder.learner(names).quantities(names.get(inputs)).add(0, Collections.nCopies(inputs + 1, "0"))
                .encoder();
        }

        @Override
        List<String> header() {
            return rows.header();
        }

        @Override
        int read(int most, float[] x, float @Nullable [] y, @Nullable List<List<String>> kept) throws IOException {
            for (int j = 0; j < most; j++) {
                final List<String> row = rows.next();
                if (row == null) return j;
                try {
                    encoded.inputs(rows.line(), row, x, j * inputs);
                    if (y != null) encoded.targets(rows.line(), row, y, j * truths);
                } catch (IllegalArgumentException e) {
                    throw new IOException(name + ": " + e.getMessage(), e);
                }
                if (kept != null) kept.add(row);
            }
            return most;
        }

        @Override
        long unseen() {
            return encoded.unseen();
        }

        @Override
        public void close() throws IOException {
            rows.close();
        }
    }

    /** Pixels in [0, 1] for an estimator, as it was trained; as they stand in the file for a network alone. */
    private static final class Pictures extends Source {
        private final Images images;
        private final float unit;
        private int next;

        Pictures(String name, Images images, Model model) throws IOException {
            this.images = images;
            unit = model.kind().equals("network") ? 1 : 255;
            if (images.pixels().itemSize() != model.inputs())
                throw new IOException(name + ": its images have " + images.pixels().itemSize() + " pixels, but the model has "
                    + model.inputs() + " inputs");
        }

        @Override
        List<String> header() {
            return List.of();
        }

        @Override
        int read(int most, float[] x, float @Nullable [] y, @Nullable List<List<String>> rows) {
            final int m = Math.min(most, images.size() - next), pixels = images.pixels().itemSize();
            final byte[] values = images.pixels().values();
            for (int i = 0; i < m * pixels; i++) x[i] = (values[next * pixels + i] & 0xff) / unit;
            for (int j = 0; j < m; j++) {
                if (y != null) y[j] = images.label(next + j);
                if (rows != null) rows.add(List.of());
            }
            next += m;
            return m;
        }
    }
}
