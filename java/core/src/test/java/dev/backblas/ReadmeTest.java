package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Compiles and runs every Java example of the README, in an empty directory; it must print what its last comment says. */
class ReadmeTest {

    private static final Path README = Path.of("").toAbsolutePath().getParent().getParent().resolve("README.md");

    @TempDir
    Path directory;

    @TestFactory
    Stream<DynamicTest> examples() throws IOException {
        final List<String> examples = Pattern.compile("(?s)```java\n(.*?)```").matcher(Files.readString(README)).results()
            .map(match -> match.group(1)).toList();
        assertTrue(examples.size() >= 2, "the README has " + examples.size() + " examples");
        final List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            final String name = "Example" + i, example = examples.get(i);
            tests.add(DynamicTest.dynamicTest(name, () -> compileAndRun(name, example)));
        }
        return tests.stream();
    }

    private void compileAndRun(String name, String example) throws IOException, InterruptedException {
        final String imports = example.lines().filter(line -> line.startsWith("import ")).collect(Collectors.joining("\n"));
        final String body = example.lines().filter(line -> !line.startsWith("import ")).collect(Collectors.joining("\n"));
        final Path source = Files.writeString(directory.resolve(name + ".java"), imports + "\npublic class " + name
            + " { public static void main(String[] args) throws Exception {\n" + body + "\n} }\n");
        final ByteArrayOutputStream messages = new ByteArrayOutputStream();
        final int result = ToolProvider.getSystemJavaCompiler().run(
            null, messages, messages, "-Xlint:all,-classfile,-path", "-Werror", "-proc:none",
            "-cp", System.getProperty("java.class.path"), "-d", directory.toString(), source.toString());
        assertEquals(0, result, messages.toString(StandardCharsets.UTF_8));

        final Process java = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED", "-cp", directory + ":" + System.getProperty("java.class.path"), name)
            .directory(directory.toFile()).redirectErrorStream(true).start();
        final String printed = new String(java.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, java.waitFor(), printed);
        final List<String> promised = Pattern.compile("// prints (.*)").matcher(example).results().map(m -> m.group(1)).toList();
        assertTrue(!promised.isEmpty(), "the example promises no output");
        for (String promise : promised)
            assertTrue(printed.contains(promise.strip()), "promised '" + promise + "' but printed:\n" + printed);
    }
}
