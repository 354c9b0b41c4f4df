package dev.backblas.benchmarks;

import dev.backblas.Network;
import dev.backblas.Trainer;
import dev.backblas.backend.Backend;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

/** This library, on the backend that the system property {@code backblas.backend} names. */
public final class Backblas implements Contender {

    /**
     * So many samples several threads take at most at a time, for one processor may be slower than another just now (Zen 3, I2 by
     * two: 1.05 times as fast as with half of the batch for each).
     */
    private static final int PART = 256;

    private final Problem problem;
    private final Network network;
    private final Trainer trainer;
    private final Batches batches;
    private final ExecutorService pool;
    private final List<Part> parts; // of a prediction
    private final AtomicInteger next = new AtomicInteger(); // of them, that no thread has taken
    private final List<Future<?>> others; // what all but the caller's thread are at

    public Backblas(Problem problem, int threads) {
        this(problem, Backend.fastest(), threads);
    }

    Backblas(Problem problem, Backend backend, int threads) {
        this.problem = problem;
        network = problem.network(backend);
        trainer = Trainer.of(network, problem.loss()).rate(Problem.RATE).batch(problem.m()).threads(threads).build();
        batches = new Batches(problem, trainer);
        final int m = problem.m(), size = threads == 1 ? m : Math.min(PART, (m + threads - 1) / threads);
        parts = IntStream.iterate(0, from -> from < m, from -> from + size)
            .mapToObj(from -> new Part(from, Math.min(m, from + size))).toList();
        final int T = Math.min(threads, parts.size());
        others = new ArrayList<>(Collections.nCopies(T - 1, null));
        pool = Executors.newFixedThreadPool(Math.max(1, T - 1));
    }

    /** The samples [from, to), predicted into an array of their own. */
    private final class Part {
        private final float[] x;
        private final int m;
        private final float[] out;

        Part(int from, int to) {
            m = to - from;
            x = Arrays.copyOfRange(problem.x(), from * network.inputs(), to * network.inputs());
            out = new float[network.outputs() * m];
        }

        void predict() {
            network.predict(x, m, out);
        }
    }

    @Override
    public String description() {
        return "Backblas on " + network.backend().description().replaceAll(", (linked into|bundled with) [^,]*", ""); // a path
    }

    @Override
    public void run() {
        if (problem.training()) trainer.step(problem.x(), problem.y(), problem.m());
        else predict();
    }

    /** The caller predicts parts itself: it need not be woken for it. */
    private void predict() {
        next.set(0);
        others.replaceAll(done -> pool.submit(this::predictParts));
        predictParts();
        try {
            for (Future<?> other : others) other.get();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void predictParts() {
        for (int i = next.getAndIncrement(); i < parts.size(); i = next.getAndIncrement()) parts.get(i).predict();
    }

    @Override
    public void run(int times) {
        if (problem.training()) batches.steps(times);
        else Contender.super.run(times);
    }

    @Override
    public float[] weights(int l) {
        return Problem.array(network.weights(l));
    }

    @Override
    public float[] biases(int l) {
        return Problem.array(network.biases(l));
    }

    @Override
    public float[] outputs() {
        final float[] all = new float[network.outputs() * problem.m()];
        int offset = 0;
        for (Part part : parts) {
            System.arraycopy(part.out, 0, all, offset, part.out.length);
            offset += part.out.length;
        }
        return all;
    }

    @Override
    public void close() {
        trainer.close();
        pool.shutdownNow();
    }
}
