package dev.backblas.benchmarks;

import dev.backblas.Dataset;
import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Backend;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * What it costs to bring in the samples: an epoch over shuffled mini-batches of floats, or of bytes, against as many steps on
 * one batch that stays where it is. One thread, by turns.
 */
public final class Epochs {

    /** More images of 784 floats than a cache holds. */
    private static final int SAMPLES = 20_000;
    private static final double MOST = 0.05;
    private static final double SECONDS = 0.3;

    /**
     * Where memory happens to lie in cache lines and pages, a process is faster or slower throughout: in each of these it lies 8
     * bytes further on, but for the largest arrays, which begin where the collector's regions do.
     */
    private static final int PROCESSES = 8;

    private static List<byte[]> before; // lies before all else: in the thread's own piece of the heap, and behind that

    private Epochs() {}

    /** Measures the training workloads, each in several processes, and prints a table. */
    public static void run(int rounds, PrintStream console) {
        console.println("| workload | resident batch, samples/s | epoch of floats, cost | epoch of bytes, cost | goal |");
        console.println("|---|---:|---:|---:|---:|");
        for (Workload workload : Workload.trained()) {
            final List<Double> resident = new ArrayList<>(), floats = new ArrayList<>(), bytes = new ArrayList<>();
            for (int process = 0; process < PROCESSES; process++)
                for (String line : Jvm.lines(Jvm.command(hugePages(), Epochs.class, workload, rounds, process))) {
                    final String[] rates = line.split(" ");
                    resident.add(Double.parseDouble(rates[0]));
                    floats.add(Double.parseDouble(rates[0]) / Double.parseDouble(rates[1]) - 1);
                    bytes.add(Double.parseDouble(rates[0]) / Double.parseDouble(rates[2]) - 1);
                }
            console.printf(Locale.ROOT, "| %s %s | %s | %.1f %% | %.1f %% | ≤ %.0f %% |%n", workload, workload.title(),
                           Report.figure(Results.median(resident)), 100 * Results.median(floats), 100 * Results.median(bytes),
                           100 * MOST);
        }
    }

    /** Asked for, if the JVM that runs this does. */
    private static List<String> hugePages() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(flag -> flag.endsWith("UseTransparentHugePages")).toList();
    }

    /** {@code Epochs WORKLOAD ROUNDS PROCESS}: a line for each round, the samples per second of the three. */
    public static void main(String[] args) {
        final int shift = 8 * Integer.parseInt(args[2]);
        before = List.of(new byte[shift], new byte[400_000 + shift]);
        final Problem problem = new Problem(Workload.valueOf(args[0]));
        final Network network = problem.network(Backend.fastest());
        final int m = problem.m(), samples = SAMPLES / m * m;
        final Random random = new Random(1);
        final float[] x = new float[samples * network.inputs()], y = new float[samples * network.outputs()];
        final byte[] pixels = new byte[x.length];
        random.nextBytes(pixels);
        for (int j = 0; j < samples; j++) {
            problem.workload().shape().drawInput(random, x, j);
            problem.workload().shape().drawTarget(random, y, j);
        }
        final Dataset floats = Dataset.of(x, y, network.inputs(), network.outputs());
        final Dataset bytes = Dataset.ofBytes(pixels, y, network.inputs(), network.outputs());
        try (Trainer trainer = Trainer.of(network, problem.loss()).rate(Problem.RATE).batch(m).threads(1).build()) {
            final Batches resident = new Batches(problem, trainer);
            final List<Runnable> turns = List.of(
                () -> resident.steps(samples / m),
                () -> trainer.epoch(floats),
                () -> trainer.epoch(bytes));
            turns.forEach(turn -> Slices.runsPerSecond(turn, 1)); // warm-up
            for (int round = 0; round < Integer.parseInt(args[1]); round++) {
                final StringBuilder line = new StringBuilder();
                for (Runnable turn : turns) line.append(samples * Slices.runsPerSecond(turn, SECONDS)).append(' ');
                System.out.println(line);
            }
        }
    }
}
