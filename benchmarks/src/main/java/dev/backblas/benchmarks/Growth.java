package dev.backblas.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How the cost of a step grows with the width, the depth, the batch and the threads: one of them varies, the others stay. The
 * charts are in GFLOP/s, under the processor's peak of fused multiply-adds.
 */
public final class Growth {

    private static final int ALL = Runtime.getRuntime().availableProcessors();

    private Growth() {}

    /** A network of {@code depth} layers of {@code width} units each, and its batch. */
    private record Point(int width, int depth, int batch) {

        private static final Point MIDDLE = new Point(512, 4, 128);

        Point with(String axis, int value) {
            return switch (axis) {
                case "width" -> new Point(value, depth, batch);
                case "depth" -> new Point(width, value, batch);
                case "batch" -> new Point(width, depth, value);
                default -> throw new IllegalArgumentException("growth: there is no axis " + axis);
            };
        }

        int[] units() {
            return IntStream.generate(() -> width).limit(depth + 1).toArray();
        }

        /** In 10⁹: a multiplication and an addition for each weight and sample in three products, in two for the first layer. */
        double operations() {
            return 2e-9 * width * width * batch * (3 * depth - 1);
        }
    }

    private static IntStream values(String axis) {
        final int least = axis.equals("width") ? 16 : 1;
        final int most = switch (axis) {
            case "depth" -> 16;
            case "threads" -> ALL;
            default -> 4096;
        };
        return IntStream.concat(IntStream.iterate(least, v -> v < most, v -> 2 * v), IntStream.of(most));
    }

    /**
     * Measures, prints every figure, and draws a chart for each axis.
     *
     * @param home the directory of the project, where {@code kernels_bench} measures the peak if it is built
     * @param out  the directory of {@code growth.csv} and {@code growth-*.svg}
     */
    public static void run(Path home, PrintStream console, Path out) throws IOException {
        Files.createDirectories(out);
        final double peak = Entrant.peak(home);
        final List<String> csv = new ArrayList<>(List.of("axis,backend,value,threads,samples per second,GFLOP/s"));
        console.println(csv.get(0));
        for (String axis : List.of("width", "depth", "batch", "threads")) {
            final Map<String, List<Double>> series = new LinkedHashMap<>(), limits = new LinkedHashMap<>();
            for (String backend : List.of("openblas", "java"))
                for (String line : Jvm.lines(Jvm.command(
                        Stream.concat(Jvm.hugePages().stream(), Stream.of(Jvm.VECTOR, "-Dbackblas.backend=" + backend)).toList(),
                        Growth.class, axis))) {
                    csv.add(axis + "," + backend + "," + line);
                    console.println(csv.get(csv.size() - 1));
                    final String[] figures = line.split(",");
                    final int threads = Integer.parseInt(figures[1]);
                    final String team = threads == 1 || axis.equals("threads") ? "" : " x" + threads;
                    put(series, backend + team, Double.parseDouble(figures[3]));
                    if (peak > 0 && backend.equals("java")) put(limits, "FMA peak" + team, threads * peak);
                }
            final List<String> values = values(axis).mapToObj(String::valueOf).toList();
            Charts.write(Charts.lines("GFLOP/s over the " + axis, values, series, limits),
                         out.resolve("growth-" + axis + ".svg"));
        }
        Files.write(out.resolve("growth.csv"), csv);
    }

    private static void put(Map<String, List<Double>> series, String name, double value) {
        series.computeIfAbsent(name, n -> new ArrayList<>()).add(value);
    }

    /** {@code Growth AXIS}: a line for each value, and for one thread and all where the axis is another. */
    public static void main(String[] args) {
        final String axis = args[0];
        final int[] oneAndAll = IntStream.of(1, ALL).distinct().toArray();
        Steps.warmUp(Point.MIDDLE.units(), Point.MIDDLE.batch, oneAndAll);
        if (axis.equals("threads")) {
            final int[] threads = values(axis).toArray();
            print(Point.MIDDLE, threads, threads);
        } else {
            values(axis).forEach(value ->
                print(Point.MIDDLE.with(axis, value), IntStream.of(oneAndAll).map(threads -> value).toArray(), oneAndAll));
        }
    }

    /** A line for each number of threads, which begins with its value on the axis. */
    private static void print(Point point, int[] values, int[] threads) {
        try (Steps steps = new Steps(point.units(), point.batch, threads)) {
            final List<List<Double>> rates = steps.perSecond();
            for (int i = 0; i < threads.length; i++) {
                final double stepsPerSecond = Results.median(rates.get(i));
                System.out.printf(Locale.ROOT, "%d,%d,%.0f,%.2f%n", values[i], threads[i], point.batch * stepsPerSecond,
                                  point.operations() * stepsPerSecond);
            }
        }
    }
}
