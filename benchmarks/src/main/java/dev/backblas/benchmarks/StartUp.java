package dev.backblas.benchmarks;

import dev.backblas.Network;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** From {@code java} to the first prediction of a loaded model, as a whole process, and the memory that is then resident. */
public final class StartUp {

    private static final double MOST_SECONDS = 0.4;
    private static final Workload WORKLOAD = Workload.I1;

    private StartUp() {}

    /** Measures by turns, and prints a table. */
    public static void run(int rounds, PrintStream console) throws IOException {
        final Path model = Files.createTempFile("backblas", ".safetensors");
        try {
            new Problem(WORKLOAD).network(Backend.pureJava()).save(model);
            final Map<String, List<String>> commands = new LinkedHashMap<>();
            commands.put("a JVM alone", Jvm.command(List.of(), StartUp.class));
            commands.put("pure Java", Jvm.command(List.of("-Dbackblas.backend=java"), StartUp.class, model));
            commands.put("OpenBLAS", Jvm.command(List.of("-Dbackblas.backend=openblas"), StartUp.class, model));
            final Map<String, List<Double>> seconds = new LinkedHashMap<>(), megabytes = new LinkedHashMap<>();
            for (int round = 0; round < rounds; round++)
                commands.forEach((name, command) -> {
                    final long start = System.nanoTime();
                    final double resident = Double.parseDouble(Jvm.lines(command).get(0));
                    seconds.computeIfAbsent(name, n -> new ArrayList<>()).add((System.nanoTime() - start) * 1e-9);
                    megabytes.computeIfAbsent(name, n -> new ArrayList<>()).add(resident);
                });
            console.println("| process, " + WORKLOAD.title() + " | seconds | resident, MB | goal |");
            console.println("|---|---:|---:|---:|");
            commands.keySet().forEach(name -> {
                final double median = Results.median(seconds.get(name));
                final String goal = name.equals("OpenBLAS") ? "≤ " + MOST_SECONDS + " s" : "";
                console.printf(Locale.ROOT, "| %s | %.2f | %.0f | %s |%n", name, median, Results.median(megabytes.get(name)),
                               goal.isEmpty() || median <= MOST_SECONDS ? goal : goal + ", missed");
            });
        } finally {
            Files.delete(model);
        }
    }

    /** {@code StartUp [MODEL]}: loads it and predicts, or does nothing; prints the most megabytes that were resident. */
    public static void main(String[] args) throws IOException {
        if (args.length > 0) {
            final Network network = Network.load(Path.of(args[0]));
            network.predict(new float[network.inputs()]);
        }
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            final String peak = lines.filter(line -> line.startsWith("VmHWM:")).findFirst().orElseThrow();
            System.out.println(Double.parseDouble(peak.replaceAll("[^0-9]", "")) / 1024);
        }
    }
}
