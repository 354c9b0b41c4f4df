package dev.backblas.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Compiles and runs the Java examples of the README and of the packages' Javadoc, in their order and in one directory, which
 * holds the files that they read. Each must print what its comments promise, … standing for anything.
 */
class ExamplesTest {

    private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();
    private static final Path BUNDLED = ROOT.resolve("java/cli/src/main/resources/dev/backblas/cli/data");

    private static final String MARKDOWN = "(?s)```java\n(.*?)\n```", JAVADOC = "(?s)<pre>\\{@code\n(.*?)\n \\* }</pre>";

    @TempDir
    static Path directory;

    @BeforeAll
    static void files() throws IOException {
        customers();
        Files.copy(BUNDLED.resolve("boston.csv"), directory.resolve("boston.csv"));
        images();
    }

    /** Those over 50 stay, and in Paris those under 30. */
    private static void customers() throws IOException {
        final List<String> lines = new ArrayList<>(List.of("age,city,stays"));
        final Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            final int age = 18 + random.nextInt(60);
            final boolean paris = random.nextBoolean();
            lines.add(age + (paris ? ",Paris," : ",Rome,") + (age > 50 || paris && age < 30 ? "yes" : "no"));
        }
        Files.write(directory.resolve("customers.csv"), lines);
    }

    /** The bundled digits, 8×8, under the names of MNIST's files: every sixth to test on. */
    private static void images() throws IOException {
        final List<int[]> digits;
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(BUNDLED.resolve("digits.csv.gz"))), StandardCharsets.US_ASCII))) {
            digits = reader.lines().map(line -> Arrays.stream(line.split(",")).mapToInt(Integer::parseInt).toArray()).toList();
        }
        idx("train", IntStream.range(0, digits.size()).filter(i -> i % 6 != 0).mapToObj(digits::get).toList());
        idx("t10k", IntStream.range(0, digits.size()).filter(i -> i % 6 == 0).mapToObj(digits::get).toList());
    }

    private static void idx(String part, List<int[]> digits) throws IOException {
        try (DataOutputStream images = create(part + "-images-idx3-ubyte.gz");
             DataOutputStream labels = create(part + "-labels-idx1-ubyte.gz")) {
            for (int header : new int[] {0x803, digits.size(), 8, 8}) images.writeInt(header);
            for (int header : new int[] {0x801, digits.size()}) labels.writeInt(header);
            for (int[] digit : digits) {
                for (int i = 0; i < 64; i++) images.write(Math.min(255, 16 * digit[i]));
                labels.write(digit[64]);
            }
        }
    }

    private static DataOutputStream create(String name) throws IOException {
        return new DataOutputStream(new GZIPOutputStream(Files.newOutputStream(directory.resolve(name))));
    }

    @TestFactory
    Stream<DynamicContainer> examples() throws IOException {
        return Stream.of(
            examples("Readme", ROOT.resolve("README.md"), MARKDOWN),
            examples("Package", ROOT.resolve("java/core/src/main/java/dev/backblas/package-info.java"), JAVADOC),
            examples("Kernels", ROOT.resolve("java/core/src/main/java/dev/backblas/backend/package-info.java"), JAVADOC),
            examples("Data", ROOT.resolve("java/data/src/main/java/dev/backblas/data/package-info.java"), JAVADOC));
    }

    private static DynamicContainer examples(String name, Path file, String pattern) throws IOException {
        final List<String> examples = Pattern.compile(pattern).matcher(Files.readString(file)).results()
            .map(match -> match.group(1).replaceAll("(?m)^ \\* ?", "")).toList();
        assertTrue(!examples.isEmpty(), file + " has no example");
        return DynamicContainer.dynamicContainer(name, IntStream.range(0, examples.size()).mapToObj(
            i -> DynamicTest.dynamicTest(name + (i + 1), () -> compileAndRun(name + (i + 1), examples.get(i)))));
    }

    private static void compileAndRun(String name, String example) throws IOException, InterruptedException {
        final String imports = example.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        final String body = example.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        final Path source = Files.writeString(directory.resolve(name + ".java"), imports + "\npublic class " + name
            + " { public static void main(String[] args) throws Exception {\n" + body + "\n} }\n");
        final ByteArrayOutputStream messages = new ByteArrayOutputStream();
        final int result = ToolProvider.getSystemJavaCompiler().run(
            null, messages, messages, "-encoding", "UTF-8", "-Xlint:all,-classfile,-path", "-Werror", "-proc:none",
            "-cp", System.getProperty("java.class.path"), "-d", directory.toString(), source.toString());
        assertEquals(0, result, messages.toString(StandardCharsets.UTF_8));

        final Process java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-cp", directory + ":" + System.getProperty("java.class.path"), name)
            .directory(directory.toFile()).redirectErrorStream(true).start();
        final String printed = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, java.waitFor(), printed);
        final List<String> promised = Pattern.compile("// prints (.*)").matcher(example).results().map(m -> m.group(1)).toList();
        assertTrue(!promised.isEmpty(), "the example promises no output");
        for (String promise : promised) {
            final String line = Pattern.quote(promise.strip()).replace("…", "\\E.*\\Q");
            assertTrue(printed.lines().anyMatch(l -> l.matches(line)), "promised '" + promise + "' but printed:\n" + printed);
        }
    }
}
