package dev.backblas.backend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a main class of the tests in a virtual machine of its own: the native library is loaded once for each process. */
final class ForkedJvm {

    private static final int TIMEOUT_SECONDS = 120;

    /** Settings of whoever runs the tests that would change what the tests see. */
    private static final String FOREIGN = "(OPENBLAS|OMP|GOTO)_.*|LD_PRELOAD|.*JAVA_(TOOL_)?OPTIONS";

    private final List<String> flags = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();
    private String classPath = System.getProperty("java.class.path");

    ForkedJvm(String... flags) {
        this.flags.addAll(List.of(flags));
    }

    ForkedJvm environment(String name, String value) {
        environment.put(name, value);
        return this;
    }

    ForkedJvm classPath(String classPath) {
        this.classPath = classPath;
        return this;
    }

    /** Fails the test if the main class does not end well, and in time. */
    Result run(Class<?> main) throws IOException, InterruptedException {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // A crash is told on the standard error, and the log speaks English
        command.addAll(List.of("-XX:+ErrorFileToStderr", "-XX:-CreateCoredumpOnCrash", "-Duser.language=en"));
        command.addAll(flags);
        command.addAll(List.of("-cp", classPath, main.getName()));
        final Path out = Files.createTempFile("forked", ".out"), err = Files.createTempFile("forked", ".err");
        try {
            final ProcessBuilder builder = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
            builder.environment().keySet().removeIf(name -> name.matches(FOREIGN));
            builder.environment().putAll(environment);
            final Process process = builder.start();
            final boolean ended = process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly().waitFor();
            final Result result = new Result(lines(out), lines(err));
            if (!ended) fail(main.getName() + " " + flags + " did not end within " + TIMEOUT_SECONDS + " s: " + result);
            assertEquals(0, process.exitValue(), () -> main.getName() + " " + flags + ": " + result);
            return result;
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private static List<String> lines(Path file) throws IOException {
        return new String(Files.readAllBytes(file), Charset.forName(System.getProperty("native.encoding"))).lines().toList();
    }

    /** The lines that were printed. */
    record Result(List<String> out, List<String> err) {

        /** What the lines {@code key: value} say. */
        List<String> values(String key) {
            return out.stream().filter(line -> line.startsWith(key + ": "))
                .map(line -> line.substring(key.length() + 2)).toList();
        }

        /** What the one line {@code key: value} says. */
        String value(String key) {
            assertEquals(1, values(key).size(), () -> "lines that say " + key + " in " + this);
            return values(key).get(0);
        }

        long number(String key) {
            return Long.parseLong(value(key));
        }
    }
}
