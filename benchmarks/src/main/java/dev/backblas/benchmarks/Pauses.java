package dev.backblas.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What training does to a neighbour under the G1 collector: a thread that allocates all the time measures its own longest
 * stall, with training in the background and without. Before JDK 22 an array in native hands holds the collector up; training
 * in pure Java shows what the processors and the collector alone do. The virtual machine itself tells when a collection was asked
 * for while arrays were pinned, and when it could begin.
 */
public final class Pauses {

    private static final List<String> FLAGS = List.of("-XX:+UseG1GC", "-Xmx512m", "-Xlog:gc:stdout",
                                                      "-Xlog:gc+jni=debug:stdout:uptimenanos");
    private static final Pattern PAUSE = Pattern.compile("Pause .* ([0-9.]+)ms");
    private static final Pattern ASKED = Pattern.compile("\\[(\\d+)ns] Setting _needs_gc"),
        BEGUN = Pattern.compile("\\[(\\d+)ns] Performing GC after exiting critical section");
    private static final double MOST = 5; // ms
    private static final int SECONDS = 4;
    private static final double WARM_UP = 2; // s; pure Java lays its arrays until they lie well

    /** Of the neighbour: it allocates this much at a time, and keeps as many of them. */
    private static final int BYTES = 1 << 10;
    private static final int KEPT = 1000;

    private static final String NOTHING = "nothing";
    private static final String WIDE = "4096-4096, batch 128";

    private Pauses() {}

    /** Measures by turns, a process each, and prints a table of pauses and one of allocation. */
    public static void run(int rounds, PrintStream console) {
        console.println("| training in the background | longest stall, ms: no training | pure Java | OpenBLAS "
            + "| longest pause of the collector, ms: no training | pure Java | OpenBLAS "
            + "| wait of the collector for a call, ms: nine in ten | longest | goal |");
        console.println("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        for (String training : List.of(Workload.W1.name(), Workload.W2.name(), WIDE)) {
            final Map<String, List<Double>> stalls = new LinkedHashMap<>(), pauses = new LinkedHashMap<>();
            final List<Double> most = new ArrayList<>(), longest = new ArrayList<>();
            for (int round = 0; round < rounds; round++) {
                measure(NOTHING, "java", stalls, pauses);
                measure(training, "java", stalls, pauses);
                final List<Double> waits = waits(measure(training, "openblas", stalls, pauses));
                most.add(waits.get(9 * (waits.size() - 1) / 10));
                longest.add(waits.get(waits.size() - 1));
            }
            final StringBuilder row = new StringBuilder("| ").append(training).append(" |");
            for (Map<String, List<Double>> all : List.of(stalls, pauses))
                all.values().forEach(times -> row.append(String.format(Locale.ROOT, " %.1f |", Results.median(times))));
            final double wait = Results.median(longest);
            console.printf(Locale.ROOT, "%s %.1f | %.1f | ≤ %.0f%s |%n", row, Results.median(most), wait, MOST,
                           wait <= MOST ? "" : ", missed");
        }
        console.println();
        console.println("| workload | bytes allocated in a step: pure Java | OpenBLAS |");
        console.println("|---|---:|---:|");
        for (Workload workload : Workload.values())
            console.printf(Locale.ROOT, "| %s %s | %.0f | %.0f |%n", workload, workload.title(),
                           allocated(Backend.pureJava(), workload), allocated(Backend.openBlas(), workload));
    }

    /** Runs a process, and adds its longest stall and its longest pause of the collector, in milliseconds. Returns its lines. */
    private static List<String> measure(String training, String backend, Map<String, List<Double>> stalls,
                                Map<String, List<Double>> pauses) {
        final List<String> flags = new ArrayList<>(FLAGS);
        flags.add("-Dbackblas.backend=" + backend);
        final List<String> lines = Jvm.lines(Jvm.command(flags, Pauses.class, training));
        final String who = training.equals(NOTHING) ? NOTHING : backend;
        pauses.computeIfAbsent(who, w -> new ArrayList<>()).add(
            lines.stream().map(PAUSE::matcher).filter(Matcher::find).mapToDouble(pause -> Double.parseDouble(pause.group(1)))
                .max().orElse(0));
        stalls.computeIfAbsent(who, w -> new ArrayList<>()).add(
            lines.stream().filter(line -> line.startsWith(Slices.ANSWER))
                .mapToDouble(line -> Double.parseDouble(line.substring(Slices.ANSWER.length()))).findFirst().orElseThrow());
        return lines;
    }

    /** In milliseconds, in order; one of 0 where no collection was ever asked for while an array was pinned. */
    static List<Double> waits(List<String> lines) {
        final List<Double> waits = new ArrayList<>();
        long asked = 0;
        for (String line : lines) {
            final Matcher asking = ASKED.matcher(line), beginning = BEGUN.matcher(line);
            if (asking.find()) asked = Long.parseLong(asking.group(1));
            else if (asked > 0 && beginning.find()) waits.add((Long.parseLong(beginning.group(1)) - asked) * 1e-6);
        }
        return waits.isEmpty() ? List.of(0.0) : waits.stream().sorted().toList();
    }

    /** {@code Pauses TRAINING}: prints the neighbour's longest stall, in milliseconds, among the lines of the collector. */
    public static void main(String[] args) throws InterruptedException {
        final Runnable step = step(args[0]);
        Slices.runsPerSecond(step, 1); // warm-up
        final Neighbour neighbour = new Neighbour();
        neighbour.start();
        Slices.runsPerSecond(step, SECONDS);
        neighbour.leaving = true;
        neighbour.join();
        System.out.println(Slices.ANSWER + neighbour.longest * 1e-6);
        System.exit(0);
    }

    private static Runnable step(String training) {
        if (training.equals(NOTHING)) return () -> {
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        };
        if (!training.equals(WIDE)) return new Backblas(new Problem(Workload.valueOf(training)), 1)::run;
        final int n = 4096, m = 128;
        final Network network = Network.builder(n).layer(n, Activation.RELU).layer(n, Activation.IDENTITY).build();
        final Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).rate(1e-6).batch(m).threads(1).build();
        final float[] x = new float[n * m], y = new float[n * m];
        return () -> trainer.step(x, y, m);
    }

    private static final class Neighbour extends Thread {
        private final byte[][] kept = new byte[KEPT][];
        private volatile boolean leaving;
        private long longest; // ns

        @Override
        public void run() {
            long last = System.nanoTime();
            for (int i = 0; !leaving; i = (i + 1) % KEPT) {
                kept[i] = new byte[BYTES];
                final long now = System.nanoTime();
                longest = Math.max(longest, now - last);
                last = now;
            }
        }
    }

    /** The bytes that one step, or one prediction, allocates on its own thread once it has warmed up. */
    static double allocated(Backend backend, Workload workload) {
        final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        final int steps = 100;
        try (Backblas ours = new Backblas(new Problem(workload), backend, 1)) {
            Slices.runsPerSecond(() -> ours.run(), WARM_UP);
            final long asked = threads.getCurrentThreadAllocatedBytes(); // asking may allocate too
            final long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < steps; i++) ours.run();
            return (double) (threads.getCurrentThreadAllocatedBytes() - before - (before - asked)) / steps;
        }
    }
}
