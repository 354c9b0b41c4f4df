package dev.backblas.cli;

import dev.backblas.data.Csv;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Tables by name: those that come with Backblas, and files. */
final class Tables {

    private static final int PIXELS = 64; // of a digit
    private static final List<String> DIGITS =
        Stream.concat(IntStream.range(0, PIXELS).mapToObj(i -> "pixel " + i), Stream.of("label")).toList();

    private Tables() {}

    static boolean isBundled(String name) {
        return name.equals("digits") || name.equals("boston");
    }

    static Csv bundled(String name) {
        final String file = name.equals("digits") ? "digits.csv.gz" : "boston.csv";
        final Csv csv =
            Csv.of(name, () -> Objects.requireNonNull(Tables.class.getResourceAsStream("data/" + file), file));
        return name.equals("digits") ? csv.header(DIGITS) : csv;
    }

    /** A file that is read several times; what comes through a pipe is kept for as long as the program runs. */
    static Csv file(Path file) throws IOException {
        if (!Files.exists(file) || Files.isRegularFile(file) || Files.isDirectory(file)) return Csv.of(file);
        final Path copy = Files.createTempFile("backblas", ".csv");
        copy.toFile().deleteOnExit();
        Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        return Csv.of(file.toString(), () -> Files.newInputStream(copy));
    }
}
