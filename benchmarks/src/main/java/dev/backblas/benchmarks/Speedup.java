package dev.backblas.benchmarks;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How many times as fast all threads take a step as one does, by turns. The thresholds of a second thread, in {@code Trainer} and
 * {@code Backpropagation}, were chosen by such steps: set to 1, they let every step have two.
 */
public final class Speedup {

    private static final int ALL = Runtime.getRuntime().availableProcessors();

    private Speedup() {}

    /** Measures each network at each batch, in a process for each network, and prints a table. */
    public static void run(List<int[]> networks, int[] batches, PrintStream console) {
        console.println("| network | batch | one thread, samples/s | all, samples/s | threads | ratio | least | most "
            + "| round trip, ns |");
        console.println("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        final String backend = "-Dbackblas.backend=" + System.getProperty("backblas.backend", "auto");
        final List<String> flags = Stream.concat(Jvm.hugePages().stream(), Stream.of(Jvm.VECTOR, backend)).toList();
        for (int[] units : networks)
            for (String line : Jvm.lines(Jvm.command(flags, Speedup.class, join(units, "-"), join(batches, ","))))
                console.println(line);
    }

    private static String join(int[] values, String between) {
        return IntStream.of(values).mapToObj(String::valueOf).collect(Collectors.joining(between));
    }

    /** {@code Speedup UNITS BATCHES}: a row for each batch. */
    public static void main(String[] args) {
        try {
            measure(args[0], ints(args[1], ","));
        } catch (OutOfMemoryError e) {
            System.err.println("bench speedup: " + args[0] + " at a batch of " + args[1] + " does not fit the "
                + (Runtime.getRuntime().maxMemory() >> 20) + " MB of a process; expected a smaller network or batch");
            System.exit(1);
        } catch (IllegalArgumentException e) { // too large for an array
            System.err.println("bench speedup: " + e.getMessage());
            System.exit(1);
        }
    }

    private static void measure(String network, int[] batches) {
        final int[] units = ints(network, "-");
        Steps.warmUp(units, batches[0], 1, ALL);
        RoundTrip.nanos();
        for (int batch : batches)
            try (Steps steps = new Steps(units, batch, 1, ALL)) {
                final List<List<Double>> rates = steps.perSecond();
                final List<Double> one = rates.get(0), all = rates.get(1);
                final List<Double> ratios =
                    IntStream.range(0, one.size()).mapToObj(i -> all.get(i) / one.get(i)).sorted().toList();
                System.out.printf(Locale.ROOT, "| %s | %d | %s | %s | %d | %.2f | %.2f | %.2f | %.0f |%n", network, batch,
                                  Report.figure(batch * Results.median(one)), Report.figure(batch * Results.median(all)),
                                  steps.threads()[1], Results.median(ratios), ratios.get(0), ratios.get(ratios.size() - 1),
                                  RoundTrip.nanos());
            }
    }

    private static int[] ints(String text, String between) {
        return Arrays.stream(text.split(between)).mapToInt(Integer::parseInt).toArray();
    }
}
