package dev.backblas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What each room of the house never says, comments aside. */
class HouseRulesTest {

    private static final Path ROOT = Path.of("").toAbsolutePath().getParent().getParent();
    private static final Path CORE = Path.of("src/main/java/dev/backblas");
    /** In native/: the border, the library behind it, memory, and the programs that call the kernels. */
    private static final Set<String> NO_KERNELS =
        Set.of("jni.cpp", "pinned.hpp", "places.hpp", "openblas.cpp", "memory.cpp", "kernels_test.cpp", "kernels_bench.cpp");

    /** The files in {@code place} (one file, or a directory's own files) that hold a word in their code. */
    private static List<String> sayers(Path place, String words) throws IOException {
        final Pattern forbidden = Pattern.compile("\\b(" + words + ")\\b");
        final List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.isDirectory(place) ? Files.list(place) : Stream.of(place)) {
            final List<Path> sources = files.filter(Files::isRegularFile).toList();
            assertTrue(!sources.isEmpty(), place + " is empty");
            for (Path source : sources) {
                final String code = Files.readString(source).replaceAll("(?s)/\\*.*?\\*/|//[^\n]*", "");
                forbidden.matcher(code).results().forEach(match -> found.add(source.getFileName() + ": " + match.group()));
            }
        }
        return found;
    }

    @Test
    void theLibraryKnowsNoBlas() throws IOException {
        assertEquals(List.of(), sayers(CORE, "native|sgemm|JNI|OpenBlas|openBlas|netlib"));
    }

    @Test
    void backendsKnowNoNetworks() throws IOException {
        assertEquals(List.of(), sayers(CORE.resolve("backend"), "Layer|Loss|Dataset|Network|Trainer"));
    }

    @Test
    void theDoorHasNoBodies() throws IOException {
        final String door = Files.readString(CORE.resolve("backend/OpenBlas.java")).replaceAll("(?s)/\\*.*?\\*/|//[^\n]*", "");
        assertEquals(List.of(), Pattern.compile("\\)\\s*\\{[^}]").matcher(door).results().map(Object::toString).toList());
        assertTrue(door.contains("static native double run("));
    }

    @Test
    void theBorderDoesNoArithmeticAndTheKernelsKnowNoBorder() throws IOException {
        final Path natives = ROOT.resolve("native");
        assertEquals(List.of(), sayers(natives.resolve("jni.cpp"), "for|while|sum|gemm"));
        assertEquals(List.of(), sayers(natives.resolve("pinned.hpp"), "for|while"));
        try (Stream<Path> files = Files.list(natives)) {
            for (Path kernels : files.filter(file -> !NO_KERNELS.contains(file.getFileName().toString())).toList())
                assertEquals(List.of(), sayers(kernels, "jni|JNIEnv|thread|pthread|new|malloc"));
        }
    }

    @Test
    void linesAreShort() throws IOException {
        final List<String> tooLong = new ArrayList<>();
        for (String place : List.of("native", "java/core/src", "java/data/src", "java/cli/src", "benchmarks/src",
                                     "benchmarks/peers/src"))
            try (Stream<Path> files = Files.walk(ROOT.resolve(place))) {
                for (Path file : files.filter(name -> name.toString().matches(".*\\.(java|cpp|hpp)")).toList())
                    Files.readString(file).lines().filter(line -> line.length() > 130)
                        .forEach(line -> tooLong.add(file.getFileName() + ": " + line.strip()));
            }
        assertEquals(List.of(), tooLong);
    }

    /** The JNI border is passed by numbers and arrays of them alone, but for a few questions to the library. */
    @Test
    void onlyNumbersCross() throws IOException {
        final String door = Files.readString(CORE.resolve("backend/OpenBlas.java"));
        final List<String> others = Pattern.compile("static native (?!void)(\\w+) (\\w+)\\(").matcher(door).results()
            .map(match -> match.group(2)).toList();
        assertEquals(List.of("open", "isLinkedIn", "config", "core", "instructionSet", "pinsWithoutCopy",
                             "firstCacheLine", "run", "sumOfSquares", "allFinite"), others);
        Pattern.compile("static native (?:void|double) \\w+\\(([^)]*)\\)").matcher(door).results()
            .flatMap(match -> Stream.of(match.group(1).split(",")))
            .forEach(parameter ->
                assertTrue(parameter.strip().matches("(int|float|double|int\\[]|byte\\[]|float\\[]) \\w+"), parameter));
    }
}
