package dev.backblas.benchmarks;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every peer, in a process of its own, agrees with the reference at every workload that it enters. Nothing is timed. */
class PeersTest {

    private static final Map<String, String> NAMES = Map.of(
        "jniblas", "netlib JNIBLAS", "pytorch", "PyTorch 2", "dl4j", "deeplearning4j-nn-1", "onnxruntime", "ONNX Runtime 1",
        "smile", "Smile 3");

    @TempDir
    private Path directory;

    static Stream<Arguments> peers() {
        final Path home = Path.of("").toAbsolutePath().getParent().getParent();
        return Entrant.all(home, 2, true).stream().filter(entrant -> NAMES.containsKey(entrant.name()))
            .flatMap(entrant -> entrant.enters().stream().map(workload -> Arguments.of(entrant, workload)));
    }

    @ParameterizedTest
    @MethodSource("peers")
    void agreesWithReference(Entrant entrant, Workload workload) {
        try (Rival rival = new Rival(entrant, workload, Map.of(), directory.resolve("log"))) {
            assertTrue(rival.description().contains(NAMES.get(entrant.name())), rival.description());
            assertTrue(rival.slice(0.01) > 0);
        }
    }
}
