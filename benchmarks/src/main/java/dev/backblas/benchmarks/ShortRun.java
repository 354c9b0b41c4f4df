package dev.backblas.benchmarks;

import dev.backblas.backend.Backend;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Training and prediction on OpenBLAS and on pure Java, one thread each, as a Markdown table.
 *
 * <p>The two take turns, a fork each, so that both meet the same weather on the machine; a figure is the median over all
 * iterations. {@link BackendBenchmark} says how to measure longer.
 */
public final class ShortRun {

    private static final int ITERATIONS = 4;

    private final int rounds;
    private final TimeValue warmUp; // the Java compiler wants a second or two
    private final TimeValue iteration;
    private final Set<String> runsOn = new TreeSet<>(); // as the forks told

    ShortRun(int rounds, int warmUpMillis, int iterationMillis) {
        this.rounds = rounds;
        warmUp = TimeValue.milliseconds(warmUpMillis);
        iteration = TimeValue.milliseconds(iterationMillis);
    }

    /** A row of the table: a step of training on the batch of its shape, or a prediction. */
    record Workload(boolean training, Shape shape, int batch) {
        static Workload train(Shape shape) {
            return new Workload(true, shape, shape.batch());
        }

        static Workload predict(Shape shape, int batch) {
            return new Workload(false, shape, batch);
        }

        @Override
        public String toString() {
            return (training ? "train " : "predict ") + shape.units() + ", batch " + batch;
        }
    }

    public static void main(String[] args) {
        run(System.out, List.of(args).contains("--quick"));
    }

    /**
     * Measures, for about three minutes, and prints a line for each workload, then the machine and the table.
     *
     * @param quick the smaller half of the workloads, in about 40 seconds
     * @throws IllegalStateException without OpenBLAS, with the cause; or if a fork fails, with all that it said
     */
    public static void run(PrintStream out, boolean quick) {
        Backend.openBlas();
        final Stream<Shape> trained = quick ? Stream.of(Shape.W1, Shape.W3, Shape.W4) : Stream.of(Shape.values());
        final Stream<Shape> predicting = quick ? Stream.of(Shape.W1) : Stream.of(Shape.W1, Shape.W2);
        final List<Workload> workloads = Stream.concat(
            trained.map(Workload::train),
            predicting.flatMap(shape -> Stream.of(1, 1024).map(m -> Workload.predict(shape, m)))).toList();
        new ShortRun(quick ? 1 : 2, 2000, 300).print(out, workloads);
    }

    void print(PrintStream out, List<Workload> workloads) {
        final List<String> rows = new ArrayList<>();
        for (Workload workload : workloads) {
            final List<Double> openBlas = new ArrayList<>(), java = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                measure(workload, "openblas", openBlas);
                measure(workload, "java", java);
            }
            final double ratio = median(openBlas) / median(java);
            rows.add(String.format(Locale.ROOT, "| %s | %s | %s | %.2f |", workload, rounded(median(openBlas)),
                                   rounded(median(java)), ratio));
            out.printf(Locale.ROOT, "%d/%d %s: OpenBLAS is %.2f times as fast as pure Java%n", rows.size(), workloads.size(),
                       workload, ratio);
        }
        out.printf("%n%s, JDK %s, 1 thread; %s%n%n", processor(), Runtime.version(), String.join("; ", runsOn));
        out.println("| workload | OpenBLAS, samples/s | pure Java, samples/s | ratio |");
        out.println("|---|---:|---:|---:|");
        rows.forEach(out::println);
    }

    /** Runs one fork and adds the samples per second of each of its iterations. */
    private void measure(Workload workload, String backend, List<Double> samplesPerSecond) {
        final Class<?> benchmark = workload.training ? StepBenchmark.class : PredictBenchmark.class;
        final ChainedOptionsBuilder options = new OptionsBuilder()
            .include(benchmark.getName())
            .param("backend", backend)
            .param("shape", workload.shape.name())
            .forks(1)
            .warmupIterations(1).warmupTime(warmUp)
            .measurementIterations(ITERATIONS).measurementTime(iteration)
            .shouldFailOnError(true);
        if (!workload.training) options.param("batch", String.valueOf(workload.batch));
        final ByteArrayOutputStream said = new ByteArrayOutputStream();
        final PrintStream console = System.out;
        try (PrintStream chatter = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            System.setOut(chatter); // where JMH repeats what a fork prints
            new Runner(options.build(), OutputFormatFactory.createFormatInstance(chatter, VerboseMode.NORMAL))
                .runSingle().getBenchmarkResults().stream()
                .flatMap(fork -> fork.getIterationResults().stream())
                .forEach(i -> samplesPerSecond.add(i.getSecondaryResults().get("samples").getScore()));
        } catch (RunnerException e) {
            throw new IllegalStateException(
                "bench: " + workload + " on " + backend + " failed\n" + said.toString(StandardCharsets.UTF_8), e);
        } finally {
            System.setOut(console);
        }
        said.toString(StandardCharsets.UTF_8).lines()
            .filter(line -> line.startsWith(BackendBenchmark.RUNS_ON))
            .map(line -> line.substring(BackendBenchmark.RUNS_ON.length()))
            .forEach(line -> runsOn.add(line.replaceAll(", (linked into|bundled with) [^,]*", ""))); // a path
    }

    private static double median(List<Double> values) {
        final List<Double> sorted = values.stream().sorted().toList();
        final int n = sorted.size();
        return (sorted.get((n - 1) / 2) + sorted.get(n / 2)) / 2;
    }

    /** Three digits; there is no more in a short run. */
    private static String rounded(double value) {
        return String.format(Locale.ROOT, "%,.0f", new BigDecimal(value).round(new MathContext(3)));
    }

    private static String processor() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name")).findFirst()
                .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse(System.getProperty("os.arch"));
        } catch (IOException notLinux) {
            return System.getProperty("os.arch");
        }
    }
}
