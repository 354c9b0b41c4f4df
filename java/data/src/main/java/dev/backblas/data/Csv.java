package dev.backblas.data;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import dev.backblas.Dataset;
import dev.backblas.SampleStream;
import dev.backblas.TableEncoder;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * A CSV file in UTF-8, gzipped or not, with a header line: quoted fields, any separator.
 *
 * <pre>{@code
 * Csv csv = Csv.of(Path.of("iris.csv"));
 * TableEncoder encoder = csv.learn(csv.learner().target("species"));
 * MlpClassifier<String> model = MlpClassifier.builder().encoder(encoder).build();
 * model.fit(csv.dataset(encoder), encoder.labels());
 * }</pre>
 *
 * <p>Nothing is kept between calls: each reads the file anew, and holds no more of it than it must.
 */
public final class Csv {

    /** Opens the bytes of a table, as often as it is asked. */
    @FunctionalInterface
    public interface Source {
        /**
         * Opens them at their first byte.
         *
         * @return the bytes, which whoever reads closes
         * @throws IOException if they cannot be opened
         */
        InputStream open() throws IOException;
    }

    private final String name;
    private final Source source;
    private final char separator;
    private final @Nullable List<String> header; // null: the first line

    private Csv(String name, Source source, char separator, @Nullable List<String> header) {
        this.name = name;
        this.source = source;
        this.separator = separator;
        this.header = header;
    }

    /**
     * {@return the table in this file, which is opened when it is read}
     *
     * @param file a path; a pipe can be read once only
     */
    public static Csv of(Path file) {
        return of(file.toString(), () -> {
            if (!Files.exists(file)) throw new IOException("no such file");
            if (Files.isDirectory(file)) throw new IOException("it is a directory; expected a file");
            if (!Files.isReadable(file)) throw new IOException("it cannot be read: permission denied");
            return new FileInputStream(file.toFile()); // which reads pipes too
        });
    }

    /**
     * {@return the table in bytes from anywhere}
     *
     * @param name   what messages call them
     * @param source opened anew by each call that reads
     */
    public static Csv of(String name, Source source) {
        return new Csv(name, source, ',', null);
    }

    /**
     * {@return the same table, its fields separated otherwise}
     *
     * @param separator {@code ';'} or {@code '\t'}, say; a comma unless set
     */
    public Csv separator(char separator) {
        return new Csv(name, source, separator, header);
    }

    /**
     * {@return the same table, whose first line is a row already}
     *
     * @param names of the columns
     */
    public Csv header(List<String> names) {
        return new Csv(name, source, separator, List.copyOf(names));
    }

    /**
     * {@return the names of the columns}
     *
     * @throws IOException naming the file and what is wrong with it
     */
    public List<String> header() throws IOException {
        try (Rows rows = open()) {
            return rows.header();
        }
    }

    /**
     * Begins to learn how rows become samples; {@link #learn} shows it the rows.
     *
     * @return a learner that knows the columns
     * @throws IOException naming the file and what is wrong with it
     */
    public TableEncoder.Learner learner() throws IOException {
        return named(() -> TableEncoder.learner(header()));
    }

    /**
     * Reads the file and learns how its rows become samples, in little memory.
     *
     * @param learner of {@link #learner}, told its target
     * @return what was learned
     * @throws IOException naming the file, the line and what is wrong with it
     */
    public TableEncoder learn(TableEncoder.Learner learner) throws IOException {
        return named(() -> {
            try (Rows rows = open()) {
                for (List<String> row = rows.next(); row != null; row = rows.next()) learner.add(rows.line(), row);
            }
            return learner.encoder();
        });
    }

    /**
     * Reads the file into memory, as samples with their targets and weights.
     *
     * @param encoder of {@link #learn}, or of a model
     * @return the samples, in the order of the rows
     * @throws IOException naming the file, the line and what is wrong with it
     */
    public Dataset dataset(TableEncoder encoder) throws IOException {
        return named(() -> Dataset.read(stream(encoder)));
    }

    /**
     * {@return the file as a stream of samples with their targets and weights, for one that is larger than memory}
     *
     * @param encoder of {@link #learn}, or of a model
     */
    public SampleStream stream(TableEncoder encoder) {
        return new SampleStream() {
            @Override
            public int inputs() {
                return encoder.inputs();
            }

            @Override
            public int outputs() {
                return encoder.outputs();
            }

            @Override
            public Cursor open() throws IOException {
                final Rows rows = Csv.this.open();
                try {
                    return named(() -> cursor(rows, encoder));
                } catch (IOException e) {
                    rows.close();
                    throw e;
                }
            }
        };
    }

    private SampleStream.Cursor cursor(Rows rows, TableEncoder encoder) {
        final TableEncoder.Rows encoded = encoder.rows(rows.header());
        final int in = encoder.inputs(), out = encoder.outputs();
        return new SampleStream.Cursor() {
            @Override
            public int read(float[] x, float[] y, float[] weights, int from, int to) throws IOException {
                return named(() -> {
                    for (int j = from; j < to; j++) {
                        final List<String> row = rows.next();
                        if (row == null) return j - from;
                        encoded.inputs(rows.line(), row, x, j * in);
                        encoded.targets(rows.line(), row, y, j * out);
                        weights[j] = encoded.weight(rows.line(), row);
                    }
                    return to - from;
                });
            }

            @Override
            public void close() throws IOException {
                rows.close();
            }
        };
    }

    /**
     * Opens the file at its first row.
     *
     * @return the rows, which whoever reads closes
     * @throws IOException naming the file and what is wrong with it
     */
    public Rows open() throws IOException {
        return named(() -> new Rows(gunzip(source.open())));
    }

    /** The rows of the file, one after the other. */
    public final class Rows implements Closeable {
        private final CsvReader<CsvRecord> reader;
        private final Iterator<CsvRecord> records;
        private final List<String> columns;
        private long line;

        private Rows(InputStream plain) throws IOException {
            reader = CsvReader.builder().fieldSeparator(separator)
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE).missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .trimWhitespacesAroundQuotes(true)
                .ofCsvRecord(new InputStreamReader(plain, StandardCharsets.UTF_8.newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT)));
            records = reader.iterator();
            try {
                if (header == null) {
                    final List<String> first = next();
                    if (first == null) throw new IOException("it is empty; expected a header line and rows");
                    columns = IntStream.range(0, first.size())
                        .mapToObj(i -> (i == 0 ? unmarked(first.get(0)) : first.get(i)).strip())
                        .toList();
                } else columns = header;
            } catch (IOException | RuntimeException e) {
                reader.close();
                throw e;
            }
        }

        /** {@return the names of the columns} */
        public List<String> header() {
            return columns;
        }

        /** {@return the line at which the latest row begins, counted from 1} */
        public long line() {
            return line;
        }

        /**
         * {@return the fields of the next row, or null at the end; there may be more or fewer than columns}
         *
         * @throws IOException naming the file and what is wrong with it
         */
        public @Nullable List<String> next() throws IOException {
            return named(() -> {
                if (!records.hasNext()) return null;
                final CsvRecord record = records.next();
                line = record.getStartingLineNumber();
                return record.getFields();
            });
        }

        @Override
        public void close() throws IOException {
            reader.close();
        }
    }

    @FunctionalInterface
    private interface Reading<T extends @Nullable Object> {
        T read() throws IOException;
    }

    /** What goes wrong while reading names the file. */
    private static final class NamedException extends IOException {
        private static final long serialVersionUID = 1;

        NamedException(String message, Exception cause) {
            super(message, cause);
        }
    }

    private <T extends @Nullable Object> T named(Reading<T> reading) throws IOException {
        try {
            return reading.read();
        } catch (NamedException e) {
            throw e;
        } catch (UncheckedIOException e) {
            throw new NamedException(name + ": " + reason(e.getCause()), e);
        } catch (IOException e) {
            throw new NamedException(name + ": " + reason(e), e);
        } catch (CsvParseException | IllegalArgumentException e) {
            throw new NamedException(name + ": " + e.getMessage(), e);
        }
    }

    private static String unmarked(String first) {
        return first.startsWith("\ufeff") ? first.substring(1) : first;
    }

    private static InputStream gunzip(InputStream in) throws IOException {
        final BufferedInputStream buffered = new BufferedInputStream(in, 1 << 16);
        try {
            buffered.mark(2);
            final boolean zipped = buffered.read() == 0x1f && buffered.read() == 0x8b;
            buffered.reset();
            return zipped ? new GZIPInputStream(buffered, 1 << 16) : buffered;
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    private static String reason(IOException e) {
        if (e instanceof EOFException) return "the gzip stream is cut short";
        if (e instanceof ZipException) return "the gzip stream is damaged: " + e.getMessage();
        if (e instanceof CharacterCodingException) return "it is not text in UTF-8";
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
