package dev.backblas.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Processes of the Java that runs this, on its class path. */
final class Jvm {

    static final String VECTOR = "--add-modules=jdk.incubator.vector";

    private Jvm() {}

    /** The flag that asks for them, if the JVM that runs this has it. */
    static List<String> hugePages() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(flag -> flag.endsWith("UseTransparentHugePages")).toList();
    }

    static List<String> command(List<String> flags, Class<?> main, Object... arguments) {
        return command(System.getProperty("java.class.path"), flags, main, arguments);
    }

    static List<String> command(String classPath, List<String> flags, Class<?> main, Object... arguments) {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED"); // JDK 24 and later want to be told
        command.addAll(flags);
        command.addAll(List.of("-cp", classPath, main.getName()));
        Stream.of(arguments).map(String::valueOf).forEach(command::add);
        return command;
    }

    /** The lines that a command prints on its standard output. */
    static List<String> lines(List<String> command) {
        try {
            final Process process = new ProcessBuilder(command).redirectError(Redirect.INHERIT).start();
            final List<String> lines;
            try (BufferedReader out = new BufferedReader(
                    new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                lines = out.lines().toList();
            }
            final int exit = process.waitFor();
            if (exit != 0) {
                final int classPath = command.indexOf("-cp");
                final List<String> program = classPath < 0 ? command : command.subList(classPath + 2, command.size());
                throw new IllegalStateException("bench: exit code " + exit + " of " + String.join(" ", program));
            }
            return lines;
        } catch (IOException e) {
            throw new IllegalStateException("bench: " + command.get(0) + " does not start: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("bench: interrupted", e);
        }
    }
}
