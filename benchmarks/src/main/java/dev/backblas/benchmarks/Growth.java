package dev.backblas.benchmarks;

import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * How the cost of a step grows with the width, the depth, the batch and the threads: one of them varies, the others stay. The
 * charts are in GFLOP/s, under the processor's peak of fused multiply-adds.
 */
public final class Growth {

    private static final int ALL = Runtime.getRuntime().availableProcessors();
    private static final double RATE = 1e-6; // the widest and deepest must not diverge
    private static final double WARM_UP = 0.5;
    private static final double FIRST_WARM_UP = 5; // of a virtual machine: nothing is compiled yet
    private static final double SECONDS = 0.1;
    private static final int SLICES = 3;

    private Growth() {}

    /** A network of {@code depth} layers of {@code width} units each, and how it is trained. */
    private record Point(int width, int depth, int batch, int threads) {

        private static final Point MIDDLE = new Point(512, 4, 128, 1);

        Point with(String axis, int value) {
            return switch (axis) {
                case "width" -> new Point(value, depth, batch, threads);
                case "depth" -> new Point(width, value, batch, threads);
                case "batch" -> new Point(width, depth, value, threads);
                case "threads" -> new Point(width, depth, batch, value);
                default -> throw new IllegalArgumentException("growth: there is no axis " + axis);
            };
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
        for (int threads : IntStream.of(1, ALL).distinct().toArray())
            stepsPerSecond(Point.MIDDLE.with("threads", threads), FIRST_WARM_UP);
        values(axis).forEach(value -> {
            for (int threads : IntStream.of(1, ALL).distinct().toArray())
                if (!axis.equals("threads")) print(value, Point.MIDDLE.with("threads", threads).with(axis, value));
            if (axis.equals("threads")) print(value, Point.MIDDLE.with(axis, value));
        });
    }

    private static void print(int value, Point point) {
        final double stepsPerSecond = stepsPerSecond(point, WARM_UP);
        System.out.printf(Locale.ROOT, "%d,%d,%.0f,%.2f%n", value, point.threads, point.batch * stepsPerSecond,
                          point.operations() * stepsPerSecond);
    }

    private static double stepsPerSecond(Point point, double warmUp) {
        final Network.Builder builder = Network.builder(point.width);
        for (int l = 1; l <= point.depth; l++)
            builder.layer(point.width, l < point.depth ? Activation.RELU : Activation.IDENTITY);
        final Network network = builder.build();
        final float[] x = new float[point.width * point.batch], y = new float[x.length];
        final Random random = new Random(1);
        for (int i = 0; i < x.length; i++) x[i] = random.nextFloat();
        try (Trainer trainer = Trainer.of(network, Loss.SQUARED_ERROR).rate(RATE).batch(point.batch).threads(point.threads)
                .build()) {
            final Runnable step = () -> trainer.step(x, y, point.batch);
            Slices.runsPerSecond(step, warmUp);
            return Results.median(
                IntStream.range(0, SLICES).mapToObj(i -> Slices.runsPerSecond(step, SECONDS)).toList());
        }
    }
}
