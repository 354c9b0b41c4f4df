package dev.backblas.cli;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import java.io.BufferedInputStream;
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
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * A table of numbers.
 *
 * @param name    what messages call it
 * @param columns their names, in order
 * @param values  row after row
 */
record Table(String name, List<String> columns, float[] values) {

    int rows() {
        return values.length / columns.size();
    }

    float value(int row, int column) {
        return values[row * columns.size() + column];
    }

    /** The column of this name. */
    int column(String name) {
        final int column = columns.indexOf(name);
        if (column < 0)
            throw new IllegalArgumentException(
                this.name + ": there is no column '" + name + "'; the columns are " + String.join(", ", columns));
        if (columns.lastIndexOf(name) != column)
            throw new IllegalArgumentException(this.name + ": two columns are named '" + name + "'; expected one");
        return column;
    }

    /** Reads a CSV file with a header line, gzipped or not. */
    static Table read(Path file) throws IOException {
        if (!Files.exists(file)) throw new IOException(file + ": no such file");
        if (Files.isDirectory(file)) throw new IOException(file + ": it is a directory; expected a file");
        if (!Files.isReadable(file)) throw new IOException(file + ": it cannot be read: permission denied");
        try (InputStream in = new FileInputStream(file.toFile())) { // which reads pipes too
            return read(file.toString(), in, true);
        }
    }

    /** Reads a table that comes with Backblas; without a header it is one of images and their labels. */
    static Table bundled(String file, boolean header) {
        try (InputStream in = Table.class.getResourceAsStream("data/" + file)) {
            return read(file, in, header);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Table read(String name, InputStream raw, boolean header) throws IOException {
        final InputStream plain;
        try {
            plain = gunzip(raw);
        } catch (IOException e) {
            throw new IOException(name + ": " + reason(e), e);
        }
        final InputStreamReader text = new InputStreamReader(plain, StandardCharsets.UTF_8.newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT).onUnmappableCharacter(CodingErrorAction.REPORT));
        try (CsvReader<CsvRecord> records = CsvReader.builder()
                .extraFieldStrategy(FieldMismatchStrategy.IGNORE).missingFieldStrategy(FieldMismatchStrategy.IGNORE)
                .trimWhitespacesAroundQuotes(true).ofCsvRecord(text)) {
            List<String> columns = null;
            float[] values = new float[1 << 16];
            int size = 0;
            for (CsvRecord record : records) {
                final int width = record.getFieldCount();
                if (columns == null) {
                    final boolean named = header;
                    columns = IntStream.range(0, width)
                        .mapToObj(i -> named ? unmarked(record.getField(i)).strip() : i < width - 1 ? "pixel " + i : "label")
                        .toList();
                    if (header) continue;
                }
                final String line = name + ", line " + record.getStartingLineNumber();
                if (width != columns.size())
                    throw new IOException(line + ": it has " + width + " fields; expected " + columns.size() + ", as the "
                        + (header ? "header has" : "first line has"));
                if (size > Integer.MAX_VALUE - 8 - width)
                    throw new IOException(line + ": the table is too large; expected fewer than 2^31 values");
                if (size + width > values.length)
                    values = Arrays.copyOf(values, (int) Math.min(Integer.MAX_VALUE - 8, Math.max(size + width, 2L * size)));
                for (int i = 0; i < width; i++)
                    values[size++] = number(record.getField(i), line + ", column '" + columns.get(i) + "'");
            }
            if (columns == null) throw new IOException(name + ": it is empty; expected a header line and rows of numbers");
            if (size == 0) throw new IOException(name + ": it has a header line but no row");
            return new Table(name, columns, Arrays.copyOf(values, size));
        } catch (CsvParseException e) {
            throw new IOException(name + ": " + e.getMessage(), e);
        } catch (UncheckedIOException e) {
            throw new IOException(name + ": " + reason(e.getCause()), e);
        }
    }

    private static float number(String field, String where) throws IOException {
        final float value;
        try {
            if (field.matches(".*[dDfFxX]\\s*|.*[xX].*")) throw new NumberFormatException(); // 1f, 1d and 0x1p3 are Java's
            value = Float.parseFloat(field);
        } catch (NumberFormatException e) {
            throw new IOException(where + ": '" + shortened(field) + "' is not a number", e);
        }
        if (!Float.isFinite(value))
            throw new IOException(where + ": '" + shortened(field) + "' is not a finite number");
        return value;
    }

    private static String shortened(String field) {
        return field.length() <= 40 ? field : field.substring(0, 40) + "…";
    }

    private static String unmarked(String first) {
        return first.startsWith("\ufeff") ? first.substring(1) : first;
    }

    private static InputStream gunzip(InputStream in) throws IOException {
        final BufferedInputStream buffered = new BufferedInputStream(in, 1 << 16);
        buffered.mark(2);
        final boolean zipped = buffered.read() == 0x1f && buffered.read() == 0x8b;
        buffered.reset();
        return zipped ? new GZIPInputStream(buffered, 1 << 16) : buffered;
    }

    private static String reason(IOException e) {
        if (e instanceof EOFException) return "the gzip stream is cut short";
        if (e instanceof CharacterCodingException) return "it is not text in UTF-8";
        return "it cannot be read: " + (e.getMessage() == null ? e.toString() : e.getMessage());
    }
}
