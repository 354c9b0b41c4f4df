package dev.backblas.cli;

import dev.backblas.data.Csv;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Tables by name: those that come with Backblas, and files. */
final class Tables {

    static final String STANDARD_INPUT = "standard input";

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

    /** A CSV to read several times: a file, or what comes through a pipe or standard input (-), kept while the program runs. */
    static Csv file(String name) throws IOException {
        final Path file = Path.of(name);
        if (!name.equals("-") && (!Files.exists(file) || Files.isRegularFile(file) || Files.isDirectory(file)))
            return separated(Csv.of(file));
        final Path copy = Files.createTempFile("backblas", ".csv");
        copy.toFile().deleteOnExit();
        if (name.equals("-")) Files.copy(System.in, copy, StandardCopyOption.REPLACE_EXISTING);
        else Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        return separated(Csv.of(name.equals("-") ? STANDARD_INPUT : name, () -> Files.newInputStream(copy)));
    }

    /** Separated by what makes the most columns of its header: commas, semicolons or tabs. */
    static Csv separated(Csv csv) {
        Csv most = csv;
        for (char separator : new char[] {';', '\t'})
            if (columns(csv.separator(separator)) > columns(most)) most = csv.separator(separator);
        return most;
    }

    /** 0 where the header cannot be read, as quotes may not end before another separator; who reads the rows will say why. */
    private static int columns(Csv csv) {
        try {
            return csv.header().size();
        } catch (IOException unreadable) {
            return 0;
        }
    }
}
