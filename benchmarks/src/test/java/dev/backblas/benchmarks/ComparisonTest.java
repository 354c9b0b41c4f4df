package dev.backblas.benchmarks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The comparison, its arithmetic and its tables. Nothing is timed, or rather: whatever comes out is taken. */
class ComparisonTest {

    private static final Entrant OURS = new Entrant("ours", 1, EnumSet.allOf(Workload.class), List.of(), false);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(Workload.class)
    void contenderAgreesWithReference(Workload workload) {
        for (int threads : new int[] {1, 2, 3}) {
            final Problem problem = new Problem(workload);
            try (Backblas ours = new Backblas(problem, threads)) {
                problem.check(ours);
            }
        }
    }

    @Test
    void wrongContenderIsRefused() {
        final Problem problem = new Problem(Workload.I1);
        final Contender zero = new Contender() {
            @Override
            public String description() {
                return "zero";
            }

            @Override
            public void run() {}

            @Override
            public float[] weights(int l) {
                return problem.weights(l); // as if no step had been taken
            }

            @Override
            public float[] biases(int l) {
                return problem.biases(l);
            }

            @Override
            public float[] outputs() {
                return new float[10];
            }
        };
        assertThrows(AssertionError.class, () -> problem.check(zero));
        assertThrows(AssertionError.class, () -> new Problem(Workload.W1).check(zero));
    }

    /** A ratio is the median of the rounds' ratios, which is not the ratio of the medians. */
    @Test
    void ratio() {
        final Results results = new Results();
        for (double rate : new double[] {100, 300, 200}) results.add(Workload.W1, "floor", rate);
        for (double rate : new double[] {200, 300, 800}) results.add(Workload.W1, "ours", rate);
        assertEquals(200, results.rate(Workload.W1, "floor"));
        assertEquals(300, results.rate(Workload.W1, "ours"));
        assertEquals(2, results.ratio(Workload.W1, "ours", "floor"));
        assertTrue(Double.isNaN(results.ratio(Workload.W1, "ours", "nobody")));
    }

    @Test
    void waits() {
        assertEquals(List.of(2.0, 5.5), Pauses.waits(List.of(
            "[500000ns] Performing GC after exiting critical section. Thread \"main\" 0 locked.",
            "[1000000ns] Setting _needs_gc. Thread \"VM Thread\" 1 locked.",
            "[0.001s][info][gc] GC(7) Pause Young (Normal) 3.100ms",
            "[6500000ns] Performing GC after exiting critical section. Thread \"main\" 0 locked.",
            "[7000000ns] Setting _needs_gc. Thread \"VM Thread\" 1 locked.",
            "[9000000ns] Performing GC after exiting critical section. Thread \"main\" 0 locked.")));
        assertEquals(List.of(0.0), Pauses.waits(List.of("# 20.59294")));
    }

    @Test
    void tables() {
        final Results results = new Results();
        results.add(Workload.W1, "floor", 1000);
        results.add(Workload.W1, "ours", 1100);
        results.add(Workload.W1, "ours x2", 1650);
        results.add(Workload.W1, "ours" + Comparison.BESIDE, 1000);
        results.add(Workload.W1, "ours x2" + Comparison.BESIDE, 950);
        results.add(Workload.W1, "java-vector", 880);
        results.add(Workload.W1, "java", 220);
        results.add(Workload.W1, "netlib", 330);
        results.add(Workload.W1, "pytorch", 500);
        results.add(Workload.W1, "pytorch x2", 600);
        results.add(Workload.W1, "dl4j", 100);
        results.add(Workload.W1, "jniblas x2", 2000);
        results.describe(OURS, "what it is");
        final String text = new Report(results).markdown("./backblas bench", Map.of("A", "1", "B", ""));
        for (String wanted : List.of(
                "`./backblas bench`", "A=1", "without B", "- ours: what it is",
                "| 1,000 | 1,100 | 1.10 | ≥ 1.0 |",
                "| 1,650 | 600 | 2.75 | ≥ 2.2 | jniblas x2 | 2,000 | 0.83 | ≥ 1.0, missed |",
                "| 1,100 | 1,650 | 1.50 | ≥ 1.6, missed | 0.95 | ≥ 0.9 |",
                "| 1,100 | 880 | 0.80 | ≥ 0.7 | 220 | 0.20 | ≥ 0.4, missed | 330 |"))
            assertTrue(text.contains(wanted), () -> "expected " + wanted + " in\n" + text);
    }

    /** One thread is not held to what all are. */
    @Test
    void noTableOfAllThreadsWhereThereIsOne() {
        final Results results = new Results();
        results.add(Workload.W1, "floor", 1000);
        results.add(Workload.W1, "ours", 1100);
        final String text = new Report(results).markdown("./backblas bench --threads 1", Map.of());
        assertTrue(text.contains("| 1,000 | 1,100 | 1.10 |") && !text.contains("All threads against one"), text);
    }

    /** Through its processes; pure Java, so that it runs in every build. */
    @Test
    void run() throws IOException {
        final List<Entrant> java = Entrant.all(directory, 1, false).stream().filter(e -> e.name().startsWith("java")).toList();
        final ByteArrayOutputStream printed = new ByteArrayOutputStream();
        new Comparison(List.of(Workload.W4), java, 2, 0.01, Map.of(), false)
            .run("it", new PrintStream(printed, true, StandardCharsets.UTF_8), directory);
        final String text = printed.toString(StandardCharsets.UTF_8);
        assertTrue(text.contains("- java: Backblas on pure Java"), text);
        assertTrue(text.contains(Files.readString(directory.resolve("comparison.md"))), text);
        assertEquals(1 + 2 * 2, Files.readAllLines(directory.resolve("comparison.csv")).size());
        assertTrue(Files.readString(directory.resolve("comparison.svg")).contains("<svg"));
    }

    @Test
    void failureOfAnEntrantIsTold() {
        final Entrant broken = new Entrant("broken", 1, EnumSet.allOf(Workload.class),
            Jvm.command(List.of(), Slices.class, "no.such.Contender"), false);
        final Comparison comparison = new Comparison(List.of(Workload.W4), List.of(broken), 1, 0.01, Map.of(), false);
        final IllegalStateException e =
            assertThrows(IllegalStateException.class, () -> comparison.run("it", System.out, directory));
        assertTrue(e.getMessage().startsWith("bench: broken failed"), e.getMessage());
        assertTrue(e.getMessage().contains("no.such.Contender"), e.getMessage());
    }

    @Test
    void missingPeersAreTold() {
        final IllegalStateException e =
            assertThrows(IllegalStateException.class, () -> Entrant.all(directory, 1, true));
        assertEquals("bench: the peers are not built: ./mvnw -Ppeers package -DskipTests", e.getMessage());
    }
}
