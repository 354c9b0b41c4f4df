package dev.backblas.benchmarks;

import dev.backblas.Loss;
import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Steps of one network by several numbers of threads, by turns: what holds one of them up holds up the others. */
final class Steps implements AutoCloseable {

    private static final double RATE = 1e-6; // the widest and deepest must not diverge
    private static final double WARM_UP = 0.5;
    private static final double FIRST_WARM_UP = 5; // of a virtual machine: nothing is compiled yet
    private static final double WAKING = 0.02; // a thread that slept, and its processor
    private static final double SECONDS = 0.1;
    private static final int ROUNDS = 5;

    private final List<Trainer> trainers;
    private final List<Runnable> steps;

    /** Of a network of ReLU layers, but for the last, on a batch that stays where it is. */
    Steps(int[] units, int batch, int... threads) {
        final int last = units.length - 1;
        final Network.Builder builder = Network.builder(units[0]);
        for (int l = 1; l <= last; l++) builder.layer(units[l], l < last ? Activation.RELU : Activation.IDENTITY);
        final Network network = builder.build();
        final float[] x = new float[units[0] * batch], y = new float[units[last] * batch];
        final Random random = new Random(1);
        for (int i = 0; i < x.length; i++) x[i] = random.nextFloat();
        for (int i = 0; i < y.length; i++) y[i] = random.nextFloat();
        trainers = IntStream.of(threads).mapToObj(most -> Trainer.of(network, Loss.SQUARED_ERROR).rate(RATE).batch(batch)
            .threads(most).build()).toList();
        steps = trainers.stream().<Runnable>map(trainer -> () -> trainer.step(x, y, batch)).toList();
    }

    /** How many threads take a step, of each number that was asked for. */
    int[] threads() {
        return trainers.stream().mapToInt(Trainer::threads).toArray();
    }

    /** For each number of threads, its steps per second in each round. */
    List<List<Double>> perSecond() {
        for (Runnable step : steps) Slices.runsPerSecond(step, WARM_UP);
        final List<List<Double>> rates = Stream.<List<Double>>generate(ArrayList::new).limit(steps.size()).toList();
        for (int round = 0; round < ROUNDS; round++)
            for (int i = 0; i < steps.size(); i++) {
                Slices.runsPerSecond(steps.get(i), WAKING);
                rates.get(i).add(Slices.runsPerSecond(steps.get(i), SECONDS));
            }
        return rates;
    }

    /** Lets the virtual machine compile what it will need. */
    static void warmUp(int[] units, int batch, int... threads) {
        try (Steps steps = new Steps(units, batch, threads)) {
            for (Runnable step : steps.steps) Slices.runsPerSecond(step, FIRST_WARM_UP);
        }
    }

    @Override
    public void close() {
        trainers.forEach(Trainer::close);
    }
}
