package dev.backblas;

import dev.backblas.Loss.Reduction;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntConsumer;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Trains a {@link Network} by gradient descent on mini-batches: W ← (1 − ηλ/n) W − η dW, b ← b − η db, or as another
 * {@link Optimizer} says. For those who want a say in the steps: {@link MlpClassifier} and {@link MlpRegressor} have one inside.
 *
 * <pre>{@code
 * try (Trainer trainer = Trainer.of(network, Loss.CROSS_ENTROPY).optimizer(Optimizer.adam()).rate(0.001).batch(128)
 *         .validation(0.1).metric(Metrics::accuracy).earlyStopping(5).build()) {
 *     History history = trainer.fit(data, 100);
 * }
 * }</pre>
 *
 * <p>A step allocates nothing, and is taken by several threads where it is large enough. With the same seeds, data, backend and
 * number of threads, a network ends in the same bits on one machine, across {@link #save} and {@link #resume} too. (The backend
 * {@code netlib} promises neither.) A trainer is used by one thread at a time, and closed when it has served.
 */
public final class Trainer implements AutoCloseable {

    /**
     * Fewer samples count as so many: each weight is read, and read and written once more, and of a large W each thread has its
     * part in its own cache. On 1 to 6 samples two threads are 1.0 to 2.3 times as fast as one with layers of 384 units and more,
     * 0.7 to 1.1 times with 256, 0.9 to 1.0 with 320 (steps as in {@code bench speedup --batch 1,2,4,6}, where {@link
     * Backend#workPerThread} is 1; Zen 5, whose processors were apart).
     */
    static final int FEW_SAMPLES = 8;

    private static final Schedule CONSTANT = Schedule.constant();

    /** Sums of different parts lie this many doubles, two cache lines, apart. */
    private static final int APART = 16;

    private final Network network;
    private final Loss loss;
    private final Reduction reduction;
    private final Optimizer optimizer;
    private final Schedule schedule;
    private final float rate;
    private final float l2, l1;
    private final float clip; // the largest norm of the gradient
    private final int batch;
    private final long seed;
    private final String settings; // that a checkpoint must agree with
    private final double share; // of the samples, that are kept for validation
    private final @Nullable Dataset validation;
    private final @Nullable ToDoubleBiFunction<Network, Dataset> metric;
    private final int patience; // of early stopping; 0 without
    private final double least; // that counts as an improvement
    private final List<Listener> listeners;
    private final @Nullable Path checkpoint;
    private final Backpropagation backpropagation;
    private final int mostThreads;
    private final Team team;
    private @Nullable Prefetch prefetch; // since an epoch has had use for it
    private final Trial trial; // whether it is worth it
    private final boolean dropsOut;
    private final boolean alike; // are all steps
    private final @Nullable Lbfgs lbfgs; // the optimizer, if it is the one that goes through all samples for a step
    private final double[] sums; // of C, or of squares, one for each part
    private final Shuffle shuffle = new Shuffle();
    private final AtomicBoolean busy = new AtomicBoolean();
    private boolean closed;
    private volatile boolean cancelled;

    // Where training is; all of it, but for the arrays of the optimizer, is in a checkpoint
    private int epoch; // begun
    private int start; // of the batch in order: 0 between epochs
    private double sum; // of C since the epoch began
    private long nanos; // since the epoch began
    private long steps; // ever taken
    private double eta; // of the latest step
    private double factor; // of the next step, where the schedule has been asked for it
    private boolean asked;
    private final double[] etas; // of the steps that are taken together
    private History history = new History();
    private final float @Nullable [] best; // the parameters of the best epoch, for early stopping
    private float @Nullable [] latest; // the parameters that training goes on from, while the network has the best

    // The batch at hand, and the tasks of a step, each in as many parts as there are threads
    private @Nullable Dataset data; // null where the batch is in place
    private int[] order = {}; // of its samples: one of these two
    private int[] shuffled = {}, straight = {};
    private int at; // where in order the batch begins
    private int phase; // of the way there and back
    private final IntConsumer propagate = this::propagate;
    private final IntConsumer update;
    private final IntConsumer follow;

    private Trainer(Builder builder) {
        network = builder.network;
        loss = builder.loss;
        reduction = builder.reduction;
        optimizer = builder.optimizer;
        schedule = builder.schedule;
        rate = builder.rate;
        l2 = builder.l2;
        l1 = builder.l1;
        clip = builder.clip;
        batch = builder.batch;
        seed = builder.seed;
        share = builder.share;
        validation = builder.validation;
        metric = builder.metric;
        patience = builder.patience;
        least = builder.least;
        listeners = List.copyOf(builder.listeners);
        checkpoint = builder.checkpoint;
        settings = network + ", " + optimizer + ", batch " + batch + ", seed " + seed + ", dropout "
            + Arrays.toString(builder.dropout);
        final Backend backend = network.backend();
        mostThreads = builder.threads;
        trial = builder.trial == null ? new Trial() : builder.trial;
        final int parts = parts(mostThreads, backend);
        final boolean clipped = clip < Float.POSITIVE_INFINITY;
        backpropagation = new Backpropagation(network, loss, batch, parts, builder.dropout.clone(), optimizer,
                                              optimizer.isPlain() && l1 == 0 && !clipped, clipped);
        update = clipped ? this::updateAndMeasure : backpropagation::update;
        follow = backpropagation::follow;
        dropsOut = !Arrays.equals(builder.dropout, new float[network.depth()]);
        alike = schedule == CONSTANT && optimizer.isPlain() && l1 == 0 && !clipped && !dropsOut;
        lbfgs = optimizer.memory() > 0 ? new Lbfgs(network.parameters(), optimizer.memory()) : null;
        if (lbfgs != null && (dropsOut || l1 > 0 || clipped))
            throw new IllegalArgumentException(
                "trainer: L-BFGS follows a smooth J; expected no dropout, no l1 and no norm to clip at");
        sums = new double[parts * APART];
        etas = new double[backpropagation.mostSteps()];
        best = patience > 0 ? new float[network.parameters().length] : null;
        team = new Team(parts);
    }

    /** In how many parts, each for a thread, a step is taken. */
    private int parts(int most, Backend backend) {
        if (!backend.allowsConcurrentTiles()) return 1;
        final long first = network.biasesOffset(1); // its weights: nothing is sent back to the inputs
        final long work = (3L * network.parameters().length - first) * Math.max(batch, FEW_SAMPLES) / network.depth();
        final int parts = (int) Math.max(1, Math.min(most, work / backend.workPerThread(batch)));
        return Backpropagation.parts(network, loss, batch, parts);
    }

    /**
     * Begins a trainer.
     *
     * @param network what is trained: not copied, and not to be used by others meanwhile
     * @param loss    the cost C of one sample
     * @return its settings, all at their defaults
     * @throws IllegalArgumentException if the loss is not defined on the activation of the network's last layer
     */
    public static Builder of(Network network, Loss loss) {
        return new Builder(network, loss);
    }

    /** Sees how training goes, on the thread that trains. */
    public interface Listener {

        /**
         * A step has been taken by {@link Trainer#fit}.
         *
         * @param epoch    1 for the first
         * @param samples  the samples of this epoch that are done
         * @param size     all of them
         * @param meanLoss the mean of C over these so far
         */
        default void step(int epoch, int samples, int size, double meanLoss) {}

        /**
         * An epoch of {@link Trainer#fit} is over.
         *
         * @param epoch what came of it
         */
        default void epoch(History.Epoch epoch) {}
    }

    /** How to train; every setting has a default. */
    public static final class Builder {
        private final Network network;
        private final Loss loss;
        private Reduction reduction = Reduction.MEAN;
        private Optimizer optimizer = Optimizer.sgd();
        private Schedule schedule = CONSTANT;
        private float rate = 0.1f;
        private float l2;
        private float l1;
        private float clip = Float.POSITIVE_INFINITY;
        private final float[] dropout;
        private int batch = 32;
        private int threads = Runtime.getRuntime().availableProcessors();
        private long seed = 1;
        private double share;
        private @Nullable Dataset validation;
        private @Nullable ToDoubleBiFunction<Network, Dataset> metric;
        private int patience;
        private double least;
        private final List<Listener> listeners = new ArrayList<>();
        private @Nullable Path checkpoint;
        private @Nullable Trial trial; // null for one of each trainer's own

        private Builder(Network network, Loss loss) {
            requireOutputs(Objects.requireNonNull(network, "network"), Objects.requireNonNull(loss, "loss"));
            this.network = network;
            this.loss = loss;
            dropout = new float[network.depth()];
        }

        /**
         * Sets whether J is the mean of C over the batch or its sum.
         *
         * @param reduction {@link Reduction#MEAN} unless set
         * @return this
         */
        public Builder reduction(Reduction reduction) {
            this.reduction = Objects.requireNonNull(reduction, "reduction");
            return this;
        }

        /**
         * Sets how steps follow the gradient.
         *
         * @param optimizer {@link Optimizer#sgd()} unless set
         * @return this
         */
        public Builder optimizer(Optimizer optimizer) {
            this.optimizer = Objects.requireNonNull(optimizer, "optimizer");
            return this;
        }

        /**
         * Sets how the rate changes.
         *
         * @param schedule {@link Schedule#constant()} unless set
         * @return this
         */
        public Builder schedule(Schedule schedule) {
            this.schedule = Objects.requireNonNull(schedule, "schedule");
            return this;
        }

        /**
         * Sets η, the learning rate.
         *
         * @param rate 0.1 unless set; finite and above 0
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder rate(double rate) {
            if (!((float) rate > 0) || !Float.isFinite((float) rate)) // 1e-50 is 0 as a float
                throw new IllegalArgumentException("trainer: the rate is " + rate + "; expected a finite number above 0");
            this.rate = (float) rate;
            return this;
        }

        /**
         * Sets λ of the penalty (λ/2n) Σ W² over a training set of n samples.
         *
         * @param lambda 0 unless set; finite, 0 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder l2(double lambda) {
            l2 = penalty("l2", lambda);
            return this;
        }

        /**
         * Sets λ₁ of the penalty (λ₁/n) Σ |W| over a training set of n samples.
         *
         * @param lambda λ₁, 0 unless set; finite, 0 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder l1(double lambda) {
            l1 = penalty("l1", lambda);
            return this;
        }

        private static float penalty(String name, double lambda) {
            if (!(lambda >= 0) || !Float.isFinite((float) lambda))
                throw new IllegalArgumentException(
                    "trainer: " + name + " is " + lambda + "; expected a finite number, 0 or more");
            return (float) lambda;
        }

        /**
         * Sets the largest norm of the gradient of a batch, over all parameters and without penalties; a longer one is shortened
         * to it: R. Pascanu et al., "On the difficulty of training recurrent neural networks", 2013.
         *
         * @param most none unless set; above 0
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder clipNorm(double most) {
            if (!((float) most > 0))
                throw new IllegalArgumentException("trainer: the norm to clip at is " + most + "; expected a number above 0");
            clip = (float) most;
            return this;
        }

        /**
         * Sets the probability with which a unit of each hidden layer drops out of a step: N. Srivastava et al., "Dropout", 2014.
         * The others count for 1 / (1 − p) meanwhile (inverted dropout), so that nothing is scaled when the network predicts.
         *
         * @param p 0 unless set; in [0, 1)
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder dropout(double p) {
            for (int l = 1; l < dropout.length; l++) dropout(l, p);
            return this;
        }

        /**
         * {@link #dropout(double)} of one layer.
         *
         * @param l 1 … the last but one; or 0 for the inputs
         * @param p 0 unless set; in [0, 1)
         * @return this
         * @throws IllegalArgumentException if one is out of range
         */
        public Builder dropout(int l, double p) {
            if (!(p >= 0 && (float) p < 1))
                throw new IllegalArgumentException("trainer: dropout is " + p + "; expected a number in [0, 1)");
            if (l < 0 || l >= dropout.length)
                throw new IllegalArgumentException(
                    "trainer: dropout of layer " + l + "; expected 0 (the inputs) to " + (dropout.length - 1)
                        + ", the layers before the last");
            dropout[l] = (float) p;
            return this;
        }

        /**
         * Sets the samples of a step.
         *
         * @param samples 32 unless set; 1 or more
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public Builder batch(int samples) {
            if (samples < 1) throw new IllegalArgumentException("trainer: the batch is " + samples + "; expected 1 or more");
            this.batch = samples;
            return this;
        }

        /**
         * Sets how many threads may take a step together; small steps take fewer. Where a single one takes the steps of a narrow
         * network, a second brings the samples of the next, to 4 MB that the trainer then has.
         *
         * @param most all processors unless set; 1 or more
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public Builder threads(int most) {
            if (most < 1) throw new IllegalArgumentException("trainer: threads is " + most + "; expected 1 or more");
            this.threads = most;
            return this;
        }

        /**
         * Sets the seed of the shuffle, of dropout and of the choice of validation samples.
         *
         * @param seed 1 unless set
         * @return this
         */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Sets samples that {@link Trainer#fit} measures the loss of after each epoch.
         *
         * @param data none unless set
         * @return this
         */
        public Builder validation(Dataset data) {
            validation = Objects.requireNonNull(data, "data");
            share = 0;
            return this;
        }

        /**
         * Sets the share of the samples given to {@link Trainer#fit} that it keeps for validation, chosen at random.
         *
         * @param share none unless set; in (0, 1)
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public Builder validation(double share) {
            if (!(share > 0 && share < 1))
                throw new IllegalArgumentException(
                    "trainer: the share of validation samples is " + share + "; expected a number in (0, 1)");
            this.share = share;
            validation = null;
            return this;
        }

        /**
         * Sets what else {@link Trainer#fit} measures after each epoch: on the validation samples, or without them on those that
         * it trains on.
         *
         * @param metric such as {@code Metrics::accuracy}; none unless set
         * @return this
         */
        public Builder metric(ToDoubleBiFunction<Network, Dataset> metric) {
            this.metric = Objects.requireNonNull(metric, "metric");
            return this;
        }

        /**
         * {@link #earlyStopping(int, double)} for which any smaller loss counts.
         *
         * @param patience the epochs in a row without a new best; 1 or more
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public Builder earlyStopping(int patience) {
            return earlyStopping(patience, 0);
        }

        /**
         * {@link Trainer#fit} ends when the loss (of the validation samples, if there are any) has not become smaller for some
         * epochs, and leaves the network with the weights of the best one: L. Prechelt, "Early Stopping — But When?", 1998.
         *
         * @param patience the epochs in a row without a new best; 1 or more
         * @param least    by how much a loss must be smaller to count; 0 or more
         * @return this
         * @throws IllegalArgumentException if one is out of range
         */
        public Builder earlyStopping(int patience, double least) {
            if (patience < 1)
                throw new IllegalArgumentException(
                    "trainer: the patience of early stopping is " + patience + "; expected 1 or more");
            if (!(least >= 0))
                throw new IllegalArgumentException(
                    "trainer: the least improvement is " + least + "; expected a number of 0 or more");
            this.patience = patience;
            this.least = least;
            return this;
        }

        /**
         * Adds who is told how {@link Trainer#fit} goes. As it sees each step, they are taken one by one: small ones take longer.
         *
         * @param listener called on the thread that trains
         * @return this
         */
        public Builder listener(Listener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return this;
        }

        /**
         * Where {@link Trainer#fit} writes a checkpoint after each epoch, and when it is cancelled; see {@link Trainer#resume}.
         * The file is replaced when the new one is complete: whatever happens, one of the two is there, whole.
         *
         * @param file none unless set
         * @return this
         */
        public Builder checkpoint(Path file) {
            checkpoint = Objects.requireNonNull(file, "file");
            return this;
        }

        /** For tests, which cannot depend on time. */
        Builder trial(Trial trial) {
            this.trial = trial;
            return this;
        }

        /**
         * Makes A and δ for one batch and starts the threads.
         *
         * @return a trainer, to be closed
         * @throws IllegalArgumentException if a batch of some layer does not fit one array, or L-BFGS is to go with dropout,
         *                                  L1 or clipping
         */
        public Trainer build() {
            return new Trainer(this);
        }
    }

    /** {@return the number of threads that really take a step} */
    public int threads() {
        return team.size();
    }

    /** {@return the network that is trained: the one that was given, not a copy} */
    public Network network() {
        return network;
    }

    /** {@return what came of the epochs so far, those before a {@link #resume} included} */
    public History history() {
        return history;
    }

    /**
     * Trains until that many epochs are done, those before counted: so a trainer that resumes is told the same as one that has
     * never stopped. It ends earlier by early stopping, or by {@link #cancel}. With early stopping, the network ends with the
     * best weights; the latest are kept aside, and further training, or {@link #save}, goes on from these.
     *
     * @param data   the samples; those for validation are taken from them if a share was asked for
     * @param epochs how many in all
     * @return {@link #history()}
     * @throws IllegalArgumentException if the data do not fit the network, or a target not the loss
     * @throws IllegalStateException    if the loss is no longer finite; the step that would have followed is not taken
     * @throws UncheckedIOException     if a checkpoint cannot be written
     */
    public History fit(Dataset data, int epochs) {
        requireFitting("fit", data);
        if (validation != null) requireFitting("validation", validation);
        begin("fit");
        try {
            Dataset training = data;
            Dataset held = validation;
            if (share > 0) {
                final int[] rows = permutation(data.size());
                final int first = (int) Math.round(share * rows.length);
                if (first < 1 || first == rows.length)
                    throw new IllegalArgumentException(
                        "fit: " + share + " of " + rows.length + " samples for validation leaves none on one side");
                held = data.select(Arrays.copyOf(rows, first));
                training = data.select(Arrays.copyOfRange(rows, first, rows.length));
            }
            goOn();
            while (history.size() < epochs && !isStopped()) {
                if (!epoch(training, true)) {
                    if (checkpoint != null) write(checkpoint);
                    break;
                }
                final double validationLoss = held == null ? Double.NaN : meanLoss(held);
                add(validationLoss, metric == null ? Double.NaN : metric.applyAsDouble(network, held == null ? training : held));
                if (checkpoint != null) write(checkpoint);
                for (Listener listener : listeners) listener.epoch(history.last());
            }
            if (best != null && history.size() > 0) {
                latest = network.parameters().clone();
                copy(best, network.parameters());
            }
            return history;
        } finally {
            cancelled = false;
            busy.setRelease(false);
        }
    }

    /** Puts the latest weights in the place of the best. */
    private void goOn() {
        if (latest == null) return;
        copy(latest, network.parameters());
        latest = null;
    }

    private boolean isStopped() {
        return patience > 0 && history.size() - 1 - history.best(least) >= patience && history.size() > 0;
    }

    /**
     * Asks {@link #fit} to end: the one at work after the batch at hand, or the few small ones that are taken together, or else
     * the next at once. The network is as it was after that batch; where there is early stopping, as after the best epoch. A
     * further {@code fit} on the same data goes on amid the epoch. May be called by any thread.
     */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Goes through all samples once, in a new random order, a step for each batch; the last may be smaller.
     *
     * @param data all samples; none is kept for validation
     * @return the mean of C over the samples, each measured before its own step, without the penalty
     * @throws IllegalArgumentException if the data do not fit the network, or a target not the loss
     * @throws IllegalStateException    if the loss is no longer finite; the step that would have followed is not taken
     */
    public double epoch(Dataset data) {
        requireFitting("epoch", data);
        begin("epoch");
        try {
            goOn();
            epoch(data, false);
            add(Double.NaN, Double.NaN);
            return history.last().loss();
        } finally {
            busy.setRelease(false);
        }
    }

    /**
     * {@return the mean of C over the samples, as the network is; nothing drops out}
     *
     * @param data is only looked at
     * @throws IllegalArgumentException if the data do not fit the network, or a target not the loss
     */
    public double loss(Dataset data) {
        requireFitting("loss", data);
        begin("loss");
        try {
            return meanLoss(data);
        } finally {
            busy.setRelease(false);
        }
    }

    /** @throws IllegalArgumentException if the loss is not defined on the activation of the network's last layer */
    static void requireOutputs(Network network, Loss loss) {
        final Activation phi = network.layer(network.depth()).activation();
        if (!loss.outputs().contains(phi))
            throw new IllegalArgumentException(
                "loss: " + loss + " needs a "
                    + loss.outputs().stream().map(Activation::name).collect(Collectors.joining(" or "))
                    + " output layer, but the network ends in " + phi);
    }

    private void requireFitting(String operation, Dataset data) {
        requireFitting(operation, network, data);
    }

    static void requireFitting(String operation, Network network, Dataset data) {
        Objects.requireNonNull(data, "data");
        if (data.inputs() != network.inputs() || data.outputs() != network.outputs())
            throw new IllegalArgumentException(
                operation + ": samples have " + data.inputs() + " inputs and " + data.outputs()
                    + " outputs, but the network has " + network.inputs() + " and " + network.outputs());
        if (data.size() < 1)
            throw new IllegalArgumentException(operation + ": there are " + data.size() + " samples; expected 1 or more");
    }

    /** Begins an epoch, or goes on with one that was cancelled. Returns whether it is over, and not cancelled again. */
    private boolean epoch(Dataset data, boolean fit) {
        if (fit && cancelled) return false;
        if (lbfgs != null) {
            iterate(lbfgs, data, fit);
            return true;
        }
        final int size = data.size(); // once: all threads must agree
        if (start >= size || start == 0) {
            epoch++;
            start = 0;
            sum = 0;
            nanos = 0;
        }
        final long began = System.nanoTime(), begun = began - nanos;
        boolean goesOn = false;
        try {
            shuffle(data, size);
            final int first = start;
            final boolean together = !fit || listeners.isEmpty(), suits = together && suitsPrefetch(size - first);
            final Prefetch prefetch = suits && trial.next() ? prefetch(data) : null;
            while (start < size) {
                final int m = Math.min(batch, size - start);
                final boolean brought = prefetch != null && m == batch;
                final int most = brought ? prefetch.steps() : together ? mostSteps(size - start) : 1;
                final int times = aim(most, m, size, epoch - 1, start);
                sum = brought ? take(prefetch, m, times, sum) : take(start, m, times, sum);
                start += times * m;
                nanos = System.nanoTime() - begun;
                if (fit) for (Listener listener : listeners) listener.step(epoch, start, size, sum / start);
                if (fit && cancelled && start < size) {
                    goesOn = true;
                    return false;
                }
            }
            if (suits) trial.took(prefetch != null, (double) (System.nanoTime() - began) / (size - first));
            network.requireFinite(diverged());
            sum /= size;
            return true;
        } finally {
            release();
            if (!goesOn) start = 0; // an epoch that is over, or has failed
        }
    }

    /** Makes these the samples at hand, in the order of the epoch, which depends on the seed and its number alone. */
    private void shuffle(Dataset data, int size) {
        final int[] prepared = prefetch == null ? null : prefetch.order(size, rows(data), epoch, shuffled);
        if (prepared != null) {
            takeInOrder(data, shuffled = prepared);
            return;
        }
        shuffled = take(data, size, shuffled);
        shuffle.apply(shuffled, seedOfOrder(epoch));
    }

    private long seedOfOrder(int epoch) {
        return seed + epoch * Shuffle.GOLDEN;
    }

    /** Whether another thread could bring these samples. */
    private boolean suitsPrefetch(int samples) {
        return mostThreads > 1 && team.size() == 1 && columns() != null && backpropagation.repeats()
            && Prefetch.suits(network.inputs(), network.outputs(), batch, backpropagation.mostSteps(), samples);
    }

    /** Begins to bring the samples by another thread. */
    private Prefetch prefetch(Dataset data) {
        if (prefetch == null)
            prefetch = new Prefetch(network.backend(), network.inputs(), network.outputs(), batch, backpropagation.mostSteps());
        prefetch.begin(Objects.requireNonNull(columns()), order, rows(data), start, epoch, seedOfOrder(epoch + 1));
        return prefetch;
    }

    /** {@link #take} of samples that have been brought, while the next are. */
    private double take(Prefetch prefetch, int m, int times, double cost) {
        backpropagation.batch(prefetch.x(), prefetch.y(), null, m, true);
        prefetch.start(times);
        try {
            return repeat(null, null, prefetch.at(), m, times, cost);
        } finally {
            prefetch.finish();
        }
    }

    /** An epoch of L-BFGS: one iteration. */
    private void iterate(Lbfgs lbfgs, Dataset data, boolean fit) {
        final int size = data.size();
        final long begun = System.nanoTime();
        epoch++;
        start = 0;
        sum = Double.NaN;
        eta = rate;
        lbfgs.step(gradient -> {
            final double cost = gradient(data, gradient);
            if (Double.isNaN(sum)) { // the first time is where the iteration begins
                sum = cost / size;
                if (!Double.isFinite(cost)) throw new IllegalStateException(diverged() + ": the loss is " + cost);
            }
            return objective(cost, size, gradient);
        });
        steps++;
        eta = lbfgs.length();
        network.requireFinite(diverged());
        nanos = System.nanoTime() - begun;
        if (fit) for (Listener listener : listeners) listener.step(epoch, size, size, sum);
    }

    /** Makes the gradient of Σ C that of J, and returns J. */
    private double objective(double cost, int size, float[] gradient) {
        final float scale = scale(size), decay = l2 / size;
        final float[] theta = network.parameters();
        double penalty = 0;
        for (int i = 0; i < gradient.length; i++) gradient[i] *= scale;
        if (decay > 0)
            for (int l = 1; l <= network.depth(); l++)
                for (int i = network.weightsOffset(l); i < network.biasesOffset(l); i++) {
                    gradient[i] += decay * theta[i];
                    penalty += (double) theta[i] * theta[i];
                }
        return scale * cost + 0.5 * decay * penalty;
    }

    /** The sum of C over the data as they lie; its gradient is written. */
    private double gradient(Dataset data, float[] gradient) {
        final int size = data.size();
        try {
            straight = take(data, size, straight);
            double sum = 0;
            for (at = 0; at < size && Double.isFinite(sum); at += batch) {
                backpropagation.collect(at > 0);
                batch(Math.min(batch, size - at), true);
                sum += propagate();
                if (Double.isFinite(sum)) team.run(update);
                else backpropagation.requireTargets(0);
            }
            System.arraycopy(backpropagation.collected(), 0, gradient, 0, gradient.length);
            return sum;
        } finally {
            release();
        }
    }

    /** The latest epoch is over. */
    private void add(double validationLoss, double metric) {
        history.add(new History.Epoch(epoch, sum, validationLoss, metric, eta, nanos * 1e-9));
        if (best != null && history.best(least) == history.size() - 1) copy(network.parameters(), best);
    }

    private double meanLoss(Dataset data) {
        final int size = data.size();
        try {
            straight = take(data, size, straight);
            double sum = 0;
            at = 0;
            for (int times, m; at < size; at += times * m) {
                m = Math.min(batch, size - at);
                times = mostSteps(size - at);
                batch(m, false);
                if (columns() != null && backpropagation.repeats()) sum = backpropagation.steps(at, times, sum);
                else sum += propagate();
                if (Double.isNaN(sum)) backpropagation.requireTargets(0);
                if (!Double.isFinite(sum)) break;
            }
            return sum / size;
        } finally {
            release();
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
     * @throws IllegalStateException    if the loss is not finite, or the optimizer is L-BFGS; the step is not taken
     */
    public double step(float[] x, float[] y, int m) {
        if (m < 1 || m > batch)
            throw new IllegalArgumentException(
                "step: m is " + m + "; expected 1 to " + batch + ", the batch size of this trainer");
        beginSteps("step", x, y, m);
        try {
            aim(1, m, m, history.size(), 0);
            backpropagation.batch(x, y, null, m, false);
            return propagateAndUpdate(x, y, 0, m) / m;
        } finally {
            busy.setRelease(false);
        }
    }

    /**
     * A step on each of the batches that lie one behind the other in the caller's own arrays, which are not copied; the last may
     * be smaller. Small steps are taken faster so than one by one, as many of them cross to native code together. L2 takes each
     * batch for the whole training set.
     *
     * @param x       X, inputs × samples: sample after sample
     * @param y       Y, outputs × samples
     * @param samples those of all batches, 1 or more
     * @return the mean of C over the samples, each measured before its own step, without the penalty
     * @throws IllegalArgumentException if an array is too short, or both are one: before any step. If an x is not finite, or a
     *                                  target does not fit the loss: that step and those after are not taken
     * @throws IllegalStateException    if the optimizer is L-BFGS: before any step. If the loss is not finite: that step and
     *                                  those after are not taken
     */
    public double steps(float[] x, float[] y, int samples) {
        if (samples < 1)
            throw new IllegalArgumentException("steps: there are " + samples + " samples; expected 1 or more");
        if (x == y) throw new IllegalArgumentException("steps: x and y are one array; expected two");
        beginSteps("steps", x, y, samples);
        try {
            double cost = 0;
            for (int from = 0, times, m; from < samples; from += times * m) {
                m = Math.min(batch, samples - from);
                times = aim(mostSteps(samples - from), m, m, history.size(), 0);
                if (!network.backend().allowsConcurrentTiles()) {
                    final float[] place = backpropagation.place();
                    System.arraycopy(x, from * network.inputs(), place, backpropagation.placeOfX(), m * network.inputs());
                    System.arraycopy(y, from * network.outputs(), place, backpropagation.placeOfY(), m * network.outputs());
                    backpropagation.batch(null, order, false, m, false, true);
                    cost += propagateAndUpdate(x, y, from, m);
                } else if (backpropagation.repeats()) {
                    backpropagation.batch(x, y, null, m, false);
                    cost = repeat(x, y, from, m, times, cost);
                } else {
                    backpropagation.batch(x, y, null, from, m, false);
                    cost += propagateAndUpdate(x, y, from, m);
                }
            }
            return cost / samples;
        } finally {
            busy.setRelease(false);
        }
    }

    private void beginSteps(String operation, float[] x, float[] y, int samples) {
        Network.requireLength(operation, "x", x, samples, network.inputs());
        Network.requireLength(operation, "y", y, samples, network.outputs());
        if (!(loss instanceof BuiltInLoss)) requireFinite("y", y, 0, samples, network.outputs()); // one's own may fail to notice
        if (lbfgs != null)
            throw new IllegalStateException(operation + ": L-BFGS takes all samples at once; expected a call of epoch or fit");
        begin(operation);
        goOn();
    }

    private void requireFinite(String name, float[] values, int from, int m, int n) {
        final int begin = from * n;
        if (network.backend().allFinite(n * m, values, begin)) return;
        int i = begin;
        while (Float.isFinite(values[i])) i++;
        throw new IllegalArgumentException(
            "step: " + name + " is " + values[i] + " in sample " + i / n + ", column " + i % n + "; expected a finite number");
    }

    /** How many steps may be taken together, where so many samples are left. */
    private int mostSteps(int samples) {
        final boolean inPlace = data == null ? network.backend().allowsConcurrentTiles() : columns() != null;
        return !inPlace ? 1 : Math.max(1, Math.min(backpropagation.mostSteps(), samples / batch));
    }

    /**
     * Sets the next steps, on m samples each out of a training set of {@code size}: as many as can be taken together, and so many
     * at most. Returns how many.
     *
     * @param epochs that were done before
     * @param from   of this one, or 0 where the steps belong to none: the samples that were
     */
    private int aim(int most, int m, int size, int epochs, int from) {
        final int more = size > m ? m : 0; // samples of the epoch a step
        int i = 0;
        while (i < most && aim(i, m, size, epochs + (double) (from + i * more) / size)) {
            i++;
            if (alike) return most;
        }
        return i;
    }

    /** Sets step i of those that are taken together. Returns whether it can be one of them. */
    private boolean aim(int i, int m, int size, double epochs) {
        if (!asked)
            try {
                factor = schedule.factor(epochs, history);
            } catch (RuntimeException e) {
                if (i > 0) return false; // those before are still to be taken; then it is asked once more
                throw e;
            }
        asked = true;
        final double eta = rate * factor;
        if (!((float) eta > 0) || !Float.isFinite((float) eta)) {
            if (i > 0) return false;
            throw new IllegalStateException(
                "schedule: its factor is " + factor + " after " + epochs + " epochs; expected a finite number above 0");
        }
        if (!backpropagation.descent(i, steps + 1 + i, (float) eta, scale(m), l2 / size, l1 / size)) return false;
        asked = false;
        etas[i] = this.eta = eta;
        if (dropsOut) dropOut(i);
        return true;
    }

    /** Takes the steps that were set, on the samples at hand from {@code from} on. Returns the cost with the sum of their C. */
    private double take(int from, int m, int times, double cost) {
        at = from;
        batch(m, true);
        return columns() != null && backpropagation.repeats() ? repeat(null, null, from, m, times, cost)
            : cost + propagateAndUpdate(null, null, 0, m);
    }

    /** Sets the batch of m samples at hand. */
    private void batch(int m, boolean training) {
        final Resident.Columns columns = columns();
        backpropagation.batch(columns, order, !(data instanceof Resident.Columns), m, true, training);
        if (columns != null) backpropagation.at(at);
    }

    /**
     * The samples at hand, if the program gathers them. Where arrays are copied for native code, and tiles so cannot be
     * concurrent, the whole training set would be.
     */
    private Resident.@Nullable Columns columns() {
        return data instanceof Resident.Columns columns && network.backend().allowsConcurrentTiles() ? columns : null;
    }

    /** So many steps in a single program, again and again; x and y are null where the samples are known to be finite. */
    private double repeat(float @Nullable [] x, float @Nullable [] y, int from, int m, int times, double cost) {
        final double sum = backpropagation.steps(from, times, cost);
        steps += backpropagation.taken();
        if (Double.isFinite(sum)) return sum;
        if (!alike) eta = etas[backpropagation.taken()];
        throw whyNot(x, y, from + backpropagation.taken() * m, m, sum);
    }

    /** One step, by all threads. Returns the sum of C over the batch. */
    private double propagateAndUpdate(float @Nullable [] x, float @Nullable [] y, int from, int m) {
        final double sum = propagate();
        if (!Double.isFinite(sum)) throw whyNot(x, y, from, m, sum);
        team.run(update);
        if (clip < Float.POSITIVE_INFINITY) {
            final double norm = scale(m) * Math.sqrt(sum());
            if (!Double.isFinite(norm))
                throw new IllegalStateException(diverged() + ": the norm of the gradient is " + norm);
            if (norm > clip) backpropagation.shorten((float) (clip / norm));
            team.run(follow);
        }
        steps++;
        return sum;
    }

    /** What Σ C over m samples is multiplied by to make J. */
    private float scale(int m) {
        return reduction == Reduction.MEAN ? 1f / m : 1;
    }

    /** Why the sum of C over the batch that begins with this sample is not finite. */
    private IllegalStateException whyNot(float @Nullable [] x, float @Nullable [] y, int from, int m, double sum) {
        if (x != null && y != null) {
            requireFinite("x", x, from, m, network.inputs());
            requireFinite("y", y, from, m, network.outputs());
        }
        backpropagation.requireTargets(from);
        return new IllegalStateException(diverged() + ": the loss is " + sum);
    }

    /** Which units drop out depends on the seed and the number of the step alone: D. Steele et al.'s SplitMix64 of both. */
    private void dropOut(int i) {
        long key = seed + (steps + 1 + i) * Shuffle.GOLDEN;
        key = (key ^ key >>> 30) * 0xBF58476D1CE4E5B9L;
        key = (key ^ key >>> 27) * 0x94D049BB133111EBL;
        key ^= key >>> 31;
        backpropagation.dropout(i, (int) (key & 0xffffff), (int) (key >>> 24 & 0xffffff));
    }

    private double sum() {
        double sum = 0;
        for (int t = 0; t < team.size(); t++) sum += sums[t * APART];
        return sum;
    }

    /** The way there and back, by all threads. Returns the sum of C over the batch. */
    private double propagate() {
        double sum = 0;
        for (phase = 0; phase < backpropagation.phases() && Double.isFinite(sum); phase++) {
            team.run(propagate);
            sum += sum();
        }
        return sum;
    }

    private void propagate(int t) {
        if (phase == 0 && data != null && columns() == null) load(data, backpropagation.first(t), backpropagation.first(t + 1));
        sums[t * APART] = backpropagation.propagate(phase, t);
    }

    private void updateAndMeasure(int t) {
        backpropagation.update(t);
        sums[t * APART] = backpropagation.squaredNorm(t);
    }

    /** Brings the samples [from, to) of the batch, and their weights, to their place. */
    private void load(Dataset data, int from, int to) {
        final float[] place = backpropagation.place();
        final int in = network.inputs(), out = network.outputs();
        final int x = backpropagation.placeOfX(), y = backpropagation.placeOfY(), weights = backpropagation.placeOfWeights();
        if (!(data instanceof Resident.Columns)) for (int j = from; j < to; j++) place[weights + j] = data.weight(order[at + j]);
        if (data instanceof Resident resident)
            resident.gather(network.backend(), order, at + from, at + to, place, x + from * in, place, y + from * out);
        else {
            for (int j = from; j < to; j++) data.copy(order[at + j], place, x + j * in, place, y + j * out);
            backpropagation.requireIntact();
        }
    }

    /** Lets go of the samples at hand. */
    private void release() {
        data = null;
        backpropagation.release();
        if (prefetch != null) prefetch.release();
    }

    private String diverged() {
        return "training diverged" + (epoch > 0 ? " in epoch " + epoch : "") + " (lower the rate, now " + (float) eta
            + ", or scale the inputs)";
    }

    /** Makes these the samples at hand, in the order in which they lie. Returns it: in {@code order}, if that has their size. */
    private int[] take(Dataset data, int size, int[] order) {
        if (order.length != size) order = new int[size];
        Shuffle.write(rows(data), order, 0, size);
        takeInOrder(data, order);
        return order;
    }

    private void takeInOrder(Dataset data, int[] order) {
        this.order = order;
        this.data = data instanceof Selection selection ? selection.of() : data;
        backpropagation.align();
    }

    private static int @Nullable [] rows(Dataset data) {
        return data instanceof Selection selection ? selection.rows() : null;
    }

    private int[] permutation(int size) {
        final int[] rows = new int[size];
        Shuffle.write(null, rows, 0, size);
        shuffle.apply(rows, seed);
        return rows;
    }

    /**
     * Writes a checkpoint: the latest weights, what the optimizer remembers, the position in the training set, the history, and
     * with early stopping the best weights, too. It is written beside and renamed when it is complete.
     *
     * @param file where to; replaced by a complete one only
     * @throws IOException naming the file, if it cannot be written
     */
    public void save(Path file) throws IOException {
        begin("save");
        try {
            checkpoint().write(file);
        } finally {
            busy.setRelease(false);
        }
    }

    private void write(Path file) {
        try {
            checkpoint().write(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private Checkpoint checkpoint() {
        final float[] parameters = latest == null ? network.parameters() : latest;
        final List<float[]> arrays = new ArrayList<>(List.of(parameters));
        arrays.addAll(List.of(memories()));
        if (best != null) arrays.add(history.size() > 0 ? best : parameters);
        return new Checkpoint(settings, epoch, start, sum, nanos, steps, history, arrays.toArray(float[][]::new));
    }

    /**
     * Goes on where the trainer stopped that wrote this checkpoint: with the same settings, data, backend and number of threads,
     * the network ends in the same bits as if it had not. The network gets the latest weights, not the best, which {@link #fit}
     * ends with. Network, optimizer, batch, seed and dropout must be the same; the rest may change.
     *
     * @param file what {@link #save} or {@link #fit} wrote
     * @throws IOException naming the file and what is wrong, if it cannot be read, is damaged, or is of another kind of trainer;
     *                     this one is then as before
     */
    public void resume(Path file) throws IOException {
        begin("resume");
        try {
            final Checkpoint from = Checkpoint.read(file, settings, network.parameters().length);
            final float[][] memories = memories();
            if (from.arrays().length < 1 + memories.length)
                throw new IOException(file + ": is not a checkpoint that can be read: it lacks what the optimizer remembers");
            copy(from.arrays()[0], network.parameters());
            latest = null;
            for (int i = 0; i < memories.length; i++) copy(from.arrays()[1 + i], memories[i]);
            if (best != null) copy(from.arrays()[from.arrays().length > 1 + memories.length ? 1 + memories.length : 0], best);
            epoch = from.epoch();
            start = from.start();
            sum = from.sum();
            nanos = from.nanos();
            steps = from.steps();
            history = from.history();
        } finally {
            busy.setRelease(false);
        }
    }

    /** Goes on where another trainer of such a network stopped, which has the same optimizer; with the weights of this one. */
    void takeOver(Trainer from) {
        final float[][] memories = memories(), before = from.memories();
        for (int i = 0; i < memories.length; i++) copy(before[i], memories[i]);
        epoch = from.epoch;
        steps = from.steps;
        history = from.history;
    }

    /** What the optimizer remembers. */
    private float[][] memories() {
        return lbfgs == null ? backpropagation.memories() : lbfgs.memories();
    }

    private static void copy(float[] from, float[] to) {
        System.arraycopy(from, 0, to, 0, to.length);
    }

    private void begin(String operation) {
        if (!busy.compareAndSet(false, true))
            throw new IllegalStateException(
                operation + ": another thread is using this trainer; expected one at a time (a trainer for each thread)");
        asked = false;
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
            if (prefetch != null) prefetch.close();
            prefetch = null;
        }
        busy.setRelease(false);
    }
}
