package dev.backblas;

import dev.backblas.Loss.Reduction;
import dev.backblas.backend.Backend;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Trains a {@link Network} by gradient descent on mini-batches: W ← (1 − ηλ/n) W − η dW, b ← b − η db.
 *
 * <p>A step allocates nothing, and is taken by several threads where it is large enough. With the same seeds, data, backend and
 * number of threads, a network ends in the same bits on one machine. (The backend {@code netlib} promises neither.) A trainer is
 * used by one thread at a time, and closed when it has served.
 */
public final class Trainer implements AutoCloseable {

    /**
     * Each thread gets at least this many multiplications of a step (3 Σ in·out·m), or it is not worth waiting for: two threads
     * are 1.0 times as fast as one on a step of 0.2 million, 1.2 on 0.5, 1.4 on 1.8, 1.6 on 5 (StepBenchmark, threads = 1, 2).
     */
    static final long WORK_PER_THREAD = 500_000;

    /** Sums of different parts lie this many doubles, two cache lines, apart. */
    private static final int APART = 16;

    private final Network network;
    private final Loss loss;
    private final Reduction reduction;
    private final float rate;
    private final float l2;
    private final int batch;
    private final long seed;
    private final Backpropagation backpropagation;
    private final Team team;
    private final float[] x; // inputs × batch
    private final float[] y; // outputs × batch
    private final double[] sums; // of C, one for each part of the batch
    private final AtomicBoolean busy = new AtomicBoolean();
    private boolean closed;
    private int epoch;
    private int[] order = {}; // of the samples, shuffled anew each epoch

    // The batch at hand, and the two tasks of a step, each in as many parts as there are threads
    private @Nullable Dataset data; // null where the batch is in place
    private int start; // of the batch in order
    private final IntConsumer propagate = this::propagate;
    private final IntConsumer update;

    private Trainer(Builder builder) {
        network = builder.network;
        loss = builder.loss;
        reduction = builder.reduction;
        rate = builder.rate;
        l2 = builder.l2;
        batch = builder.batch;
        seed = builder.seed;
        final Backend backend = network.backend();
        final int threads = threads(builder.threads, backend);
        backpropagation = new Backpropagation(network, loss, batch, threads);
        update = backpropagation::update;
        x = new float[Backpropagation.matrix(network.inputs(), batch)];
        y = new float[Backpropagation.matrix(network.outputs(), batch)];
        sums = new double[threads * APART];
        team = new Team(threads);
    }

    private int threads(int most, Backend backend) {
        if (!backend.allowsConcurrentTiles()) return 1;
        final long work = 3L * network.parameters().length * batch;
        return (int) Math.max(1, Math.min(Math.min(most, batch), work / WORK_PER_THREAD));
    }

    /**
     * Begins a trainer of this network.
     *
     * @throws IllegalArgumentException if the loss is not defined on the activation of the network's last layer
     */
    public static Builder of(Network network, Loss loss) {
        return new Builder(network, loss);
    }

    /** How to train; every setting has a default. */
    public static final class Builder {
        private final Network network;
        private final Loss loss;
        private Reduction reduction = Reduction.MEAN;
        private float rate = 0.1f;
        private float l2;
        private int batch = 32;
        private int threads = Runtime.getRuntime().availableProcessors();
        private long seed = 1;

        private Builder(Network network, Loss loss) {
            loss.requireOutput(network.layer(network.depth()).activation());
            this.network = network;
            this.loss = loss;
        }

        /** Whether J is the mean of C over the batch (the default) or its sum. */
        public Builder reduction(Reduction reduction) {
            this.reduction = reduction;
            return this;
        }

        /** η, the learning rate; 0.1 unless set. Finite and above 0. */
        public Builder rate(double rate) {
            if (!((float) rate > 0) || !Float.isFinite((float) rate)) // 1e-50 is 0 as a float
                throw new IllegalArgumentException("trainer: the rate is " + rate + "; expected a finite number above 0");
            this.rate = (float) rate;
            return this;
        }

        /** λ of the penalty (λ/2n) Σ W² over a training set of n samples; 0 unless set. Finite, 0 or more. */
        public Builder l2(double lambda) {
            if (!(lambda >= 0) || !Float.isFinite((float) lambda))
                throw new IllegalArgumentException("trainer: l2 is " + lambda + "; expected a finite number, 0 or more");
            this.l2 = (float) lambda;
            return this;
        }

        /** The samples of a step; 32 unless set. At least 1. */
        public Builder batch(int samples) {
            if (samples < 1) throw new IllegalArgumentException("trainer: the batch is " + samples + "; expected 1 or more");
            this.batch = samples;
            return this;
        }

        /** The most threads that may take a step together; small steps take fewer. All processors unless set. */
        public Builder threads(int most) {
            if (most < 1) throw new IllegalArgumentException("trainer: threads is " + most + "; expected 1 or more");
            this.threads = most;
            return this;
        }

        /** The seed of the shuffle; 1 unless set. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Makes A and δ for one batch and starts the threads.
         *
         * @throws IllegalArgumentException if a batch of some layer does not fit one array
         */
        public Trainer build() {
            return new Trainer(this);
        }
    }

    /** The threads that really take a step. */
    public int threads() {
        return team.size();
    }

    /** The network that is trained: the one that was given, not a copy. */
    public Network network() {
        return network;
    }

    /**
     * Goes through all samples once, in a new random order, a step for each batch; the last may be smaller.
     *
     * @return the mean of C over the samples, each measured before its own step, without the penalty
     * @throws IllegalArgumentException if the data do not fit the network, or a target not the loss
     * @throws IllegalStateException    if the loss is no longer finite; the step that would have followed is not taken
     */
    public double epoch(Dataset data) {
        if (data.inputs() != network.inputs() || data.outputs() != network.outputs())
            throw new IllegalArgumentException(
                "epoch: samples have " + data.inputs() + " inputs and " + data.outputs() + " outputs, but the network has "
                    + network.inputs() + " and " + network.outputs());
        final int size = data.size(); // once: all threads must agree
        if (size < 1) throw new IllegalArgumentException("epoch: there are " + size + " samples; expected 1 or more");
        begin("epoch");
        try {
            epoch++;
            this.data = data instanceof Selection selection ? selection.of() : data;
            shuffle(data, size);
            double sum = 0;
            for (start = 0; start < size; start += batch) sum += step(x, y, Math.min(batch, size - start), size);
            network.requireFinite(diverged());
            return sum / size;
        } finally {
            this.data = null;
            busy.setRelease(false);
        }
    }

    /**
     * One step on a batch in the caller's own arrays, which are not copied. L2 takes the batch for the whole training set.
     *
     * @param x X, inputs × m: sample after sample
     * @param y Y, outputs × m
     * @param m the samples, 1 to the batch size of this trainer
     * @return the mean of C over the samples, before the step, without the penalty
     * @throws IllegalArgumentException if an array is too short, an x is not finite, or a target does not fit the loss
     * @throws IllegalStateException    if the loss is not finite; the step is not taken
     */
    public double step(float[] x, float[] y, int m) {
        if (m < 1 || m > batch)
            throw new IllegalArgumentException(
                "step: m is " + m + "; expected 1 to " + batch + ", the batch size of this trainer");
        Network.requireLength("step", "x", x, m, network.inputs());
        Network.requireLength("step", "y", y, m, network.outputs());
        requireFinite("x", x, m, network.inputs());
        requireFinite("y", y, m, network.outputs());
        begin("step");
        try {
            return step(x, y, m, m) / m;
        } finally {
            busy.setRelease(false);
        }
    }

    private void requireFinite(String name, float[] values, int m, int n) {
        if (network.backend().allFinite(n * m, values, 0)) return;
        int i = 0;
        while (Float.isFinite(values[i])) i++;
        throw new IllegalArgumentException(
            "step: " + name + " is " + values[i] + " in sample " + i / n + ", column " + i % n + "; expected a finite number");
    }

    /** One step on the batch at hand, out of a training set of {@code size}. Returns the sum of C over the batch. */
    private double step(float[] x, float[] y, int m, int size) {
        backpropagation.batch(x, y, m);
        backpropagation.descent(rate, reduction == Reduction.MEAN ? 1f / m : 1, l2 / size);
        team.run(propagate);
        double sum = 0;
        for (int t = 0; t < team.size(); t++) sum += sums[t * APART];
        if (!Double.isFinite(sum)) throw new IllegalStateException(diverged() + ": the loss is " + sum);
        team.run(update);
        return sum;
    }

    private void propagate(int t) {
        if (data != null) load(data, backpropagation.first(t), backpropagation.first(t + 1));
        sums[t * APART] = backpropagation.propagate(t);
    }

    /** Brings the samples [from, to) of the batch into x and y. */
    private void load(Dataset data, int from, int to) {
        final int in = network.inputs(), out = network.outputs();
        if (data instanceof Resident resident)
            resident.gather(network.backend(), order, start + from, start + to, x, from * in, y, from * out);
        else for (int j = from; j < to; j++) data.copy(order[start + j], x, j * in, y, j * out);
    }

    private String diverged() {
        return "training diverged" + (epoch > 0 ? " in epoch " + epoch : "") + " (lower the rate, now " + rate
            + ", or scale the inputs)";
    }

    /** Fisher and Yates; the order of an epoch depends on the seed and the number of the epoch alone. */
    private void shuffle(Dataset data, int size) {
        if (order.length != size) order = new int[size];
        if (data instanceof Selection selection) System.arraycopy(selection.rows(), 0, order, 0, size);
        else for (int i = 0; i < size; i++) order[i] = i;
        final SplittableRandom random = new SplittableRandom(seed + epoch * 0x9E3779B97F4A7C15L);
        for (int i = size - 1; i > 0; i--) {
            final int j = (int) ((random.nextInt() & 0xffffffffL) * (i + 1) >>> 32); // 0 … i
            final int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
    }

    private void begin(String operation) {
        if (!busy.compareAndSet(false, true))
            throw new IllegalStateException(
                operation + ": another thread is using this trainer; expected one at a time (a trainer for each thread)");
        if (closed) {
            busy.setRelease(false);
            throw new IllegalStateException(operation + ": the trainer is closed");
        }
    }

    /**
     * Ends the threads of this trainer. The network stays usable; closing again does nothing.
     *
     * @throws IllegalStateException if another thread is using the trainer
     */
    @Override
    public void close() {
        if (!busy.compareAndSet(false, true))
            throw new IllegalStateException("close: another thread is using this trainer; expected it to be done");
        if (!closed) {
            closed = true;
            team.close();
        }
        busy.setRelease(false);
    }
}
