package dev.backblas.benchmarks;

import dev.backblas.Dataset;
import dev.backblas.Trainer;
import dev.backblas.backend.Backend;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * What it costs to bring in the samples: an epoch over shuffled mini-batches of floats, or of bytes, against as many steps on
 * one batch that stays where it is, by one thread and by all, by turns.
 */
public final class Epochs {

    /** More images of 784 floats than a cache holds. */
    private static final int SAMPLES = 20_000;
    private static final double MOST = 0.05;
    private static final double SECONDS = 0.3;
    private static final int TURNS = 3; // steps on the resident batch, epochs of floats, of bytes

    /**
     * Where memory happens to lie in cache lines and pages, a process is faster or slower throughout: in each of these it lies 8
     * bytes further on, but for the largest arrays, which begin where the collector's regions do.
     */
    private static final int PROCESSES = 8;

    private static List<byte[]> before; // lies before all else: in the thread's own piece of the heap, and behind that

    private Epochs() {}

    /** Measures the training workloads, each in several processes, and prints a table. */
    public static void run(int rounds, PrintStream console) {
        console.println("| workload | one thread: resident batch, samples/s | epoch of floats, cost | epoch of bytes, cost "
            + "| all: resident batch, samples/s | epoch of floats, cost | epoch of bytes, cost | goal | round trip, ns |");
        console.println("|---|---:|---:|---:|---:|---:|---:|---:|---:|");
        for (Workload workload : Workload.trained()) {
            final List<double[]> rates = new ArrayList<>();
            for (int process = 0; process < PROCESSES; process++)
                for (String line : Jvm.lines(Jvm.command(Jvm.hugePages(), Epochs.class, workload, rounds, process)))
                    rates.add(Stream.of(line.split(" ")).mapToDouble(Double::parseDouble).toArray());
            console.printf(Locale.ROOT, "| %s %s%s%s | ≤ %.0f %% | %.0f |%n", workload, workload.title(), costs(rates, 0),
                           costs(rates, TURNS), 100 * MOST, median(rates, r -> r[2 * TURNS]));
        }
    }

    /** The columns of one number of threads, whose rates begin there. */
    private static String costs(List<double[]> rates, int first) {
        final StringBuilder columns = new StringBuilder(" | " + Report.figure(median(rates, r -> r[first])));
        for (int turn = 1; turn < TURNS; turn++) {
            final int epoch = first + turn;
            final double cost = median(rates, r -> r[first] / r[epoch] - 1);
            columns.append(String.format(Locale.ROOT, " | %.1f %%%s", 100 * cost, cost <= MOST ? "" : ", missed"));
        }
        return columns.toString();
    }

    private static double median(List<double[]> rates, ToDoubleFunction<double[]> of) {
        return Results.median(rates.stream().mapToDouble(of).boxed().toList());
    }

    /** {@code Epochs WORKLOAD ROUNDS PROCESS}: a line for each round, the samples per second of all turns, the round trip. */
    public static void main(String[] args) {
        final int shift = 8 * Integer.parseInt(args[2]);
        before = List.of(new byte[shift], new byte[400_000 + shift]);
        final Problem problem = new Problem(Workload.valueOf(args[0]));
        final int m = problem.m(), samples = SAMPLES / m * m;
        final Shape shape = problem.shape();
        final Dataset floats = shape.samples(samples), bytes = shape.images(samples);
        try (Trainer one = trainer(problem, 1); Trainer all = trainer(problem, Runtime.getRuntime().availableProcessors())) {
            final List<Runnable> turns = new ArrayList<>();
            for (Trainer trainer : List.of(one, all)) {
                final Batches resident = new Batches(problem, trainer);
                turns.add(() -> resident.steps(samples / m));
                turns.add(() -> trainer.epoch(floats));
                turns.add(() -> trainer.epoch(bytes));
            }
            turns.forEach(turn -> Slices.runsPerSecond(turn, 1)); // warm-up
            RoundTrip.nanos();
            for (int round = 0; round < Integer.parseInt(args[1]); round++) {
                final StringBuilder line = new StringBuilder();
                for (Runnable turn : turns) line.append(samples * Slices.runsPerSecond(turn, SECONDS)).append(' ');
                System.out.println(line.append(RoundTrip.nanos()));
            }
        }
    }

    private static Trainer trainer(Problem problem, int threads) {
        return Trainer.of(problem.network(Backend.fastest()), problem.loss()).rate(Problem.RATE).batch(problem.m())
            .threads(threads).build();
    }
}
