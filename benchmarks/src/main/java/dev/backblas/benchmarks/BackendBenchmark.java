package dev.backblas.benchmarks;

import dev.backblas.backend.Backend;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the benchmarks share: a backend, which each fork names in its output, and the flags of the forks. Before its clock
 * starts, each is compared with the {@link Reference}.
 *
 * <p>After {@code ./mvnw package} they run under JMH, with its options ({@code -h} lists them):
 *
 * <pre>
 * java -cp "java/cli/target/backblas-cli.jar:java/cli/target/lib/*" org.openjdk.jmh.Main StepBenchmark -p backend=openblas
 * </pre>
 *
 * and with others in place of the last three words:
 *
 * <pre>
 * StepBenchmark -p shape=W1,W2 -p threads=1,2
 * KernelBenchmark.affine -p product=784x128x1,784x128x2 -p phi=SIGMOID
 * PredictBenchmark -t 2 -p batch=1 -jvmArgs -Dbackblas.openblas=/path/of/another.so
 * </pre>
 *
 * ({@code -jvmArgsAppend} would replace the flags below, and pure Java do without the Vector API.)
 */
@State(Scope.Thread)
@Fork(value = 3, jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public abstract class BackendBenchmark {

    /** What a line of a fork's output begins with that says what really runs. */
    static final String RUNS_ON = "# Runs on: ";

    private static final Set<String> TOLD = ConcurrentHashMap.newKeySet();

    @Param({"openblas", "java"})
    public String backend;

    /** The backend of this name and no other; the fork says, once, what it really is. */
    final Backend backend() {
        final Backend found = Backend.named(backend);
        if (!found.name().equals(backend))
            throw new IllegalStateException("benchmark: the backend is " + found.name() + "; expected " + backend);
        tell(found.description());
        return found;
    }

    static void tell(String description) {
        if (TOLD.add(description)) System.out.println("\n" + RUNS_ON + description); // JMH stands inside a line
    }

    /** Counts samples, so that the results have a row of samples per second. */
    @State(Scope.Thread)
    @AuxCounters(AuxCounters.Type.OPERATIONS)
    public static class Counter {
        public long samples;
    }
}
