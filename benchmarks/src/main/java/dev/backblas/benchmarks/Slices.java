package dev.backblas.benchmarks;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.nio.charset.StandardCharsets;
import java.util.function.IntConsumer;

/**
 * The process of one contender: {@code Slices CLASS WORKLOAD THREADS}. It lets {@link Problem#check} judge the contender and
 * says what it is; then every line with a number of seconds is answered with the samples per second of so long a slice.
 */
public final class Slices {

    /** Begins each line that is an answer: libraries print too. */
    static final String ANSWER = "# ";

    /** The clock is read once in so many seconds: to read it costs as much as a small step. */
    private static final double BETWEEN_READINGS = 1e-3;

    /** Such a part of a slice comes before it and is not counted; kernels_bench does the same. */
    private static final int WARM_UP = 15;

    private Slices() {}

    public static void main(String[] args) throws ReflectiveOperationException, IOException {
        final PrintStream out = System.out;
        System.setOut(System.err);
        final Problem problem = new Problem(Workload.valueOf(args[1]));
        final Constructor<?> constructor = Class.forName(args[0]).getConstructor(Problem.class, int.class);
        try (Contender contender = (Contender) constructor.newInstance(problem, Integer.parseInt(args[2]));
             BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            problem.check(contender);
            out.println(ANSWER + contender.description());
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                final double seconds = Double.parseDouble(line);
                runsPerSecond((int times) -> contender.run(times), seconds / WARM_UP); // others had the caches meanwhile
                out.println(ANSWER + problem.m() * runsPerSecond((int times) -> contender.run(times), seconds));
            }
        }
        System.exit(0); // whatever threads a library may have left
    }

    /** How often it runs in a second, measured over so many seconds or more. */
    static double runsPerSecond(Runnable task, double seconds) {
        return runsPerSecond((int times) -> {
            for (int i = 0; i < times; i++) task.run();
        }, seconds);
    }

    /** The same of what is told how often to run. */
    static double runsPerSecond(IntConsumer task, double seconds) {
        final long start = System.nanoTime();
        long runs = 0;
        int chunk = 1;
        double elapsed = 0;
        while (elapsed < seconds) {
            task.accept(chunk);
            runs += chunk;
            elapsed = (System.nanoTime() - start) * 1e-9;
            chunk = (int) Math.max(1, runs / elapsed * BETWEEN_READINGS);
        }
        return runs / elapsed;
    }
}
