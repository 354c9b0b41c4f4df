package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.function.ToDoubleBiFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What {@link MlpClassifier} and {@link MlpRegressor} share: the settings, the training, and a model that is replaced as a whole.
 *
 * <p>{@code fit} trains a new network and puts it in the place of the old one when it is done; until then, and from any number
 * of threads, predictions come from the old one. {@code fit} and {@code partialFit} of one estimator wait for each other.
 */
public abstract sealed class Mlp permits MlpClassifier, MlpRegressor {

    final Settings settings;
    private volatile @Nullable Model model;
    private volatile @Nullable Trainer at; // work
    private volatile boolean cancelled;
    private volatile History history = new History();
    private @Nullable Trainer latest; // closed; what its optimizer remembers goes on in partialFit

    Mlp(Settings settings, @Nullable Model model) {
        this.settings = settings;
        this.model = model;
    }

    /** How an estimator is made; a copy of the builder's, which never changes. */
    record Settings(List<Hidden> hidden, double inputDropout, Initialization initialization, boolean standardize,
                    @Nullable Loss loss, Optimizer optimizer, double rate, Schedule schedule, int epochs, int batch, double l2,
                    double l1, double clip, int patience, double tolerance, double validationShare,
                    @Nullable Dataset validation, List<Trainer.Listener> listeners, @Nullable Path checkpoint, boolean resume,
                    int threads, long seed, @Nullable Backend backend, @Nullable TableEncoder encoder) {}

    record Hidden(int units, Activation activation, double dropout) {}

    /**
     * The settings of an estimator; every one has a default.
     *
     * @param <B> the builder itself
     */
    public abstract static sealed class Builder<B extends Builder<B>> permits MlpClassifier.Builder, MlpRegressor.Builder {
        private final List<Hidden> hidden = new ArrayList<>(List.of(new Hidden(100, Activation.RELU, 0)));
        private boolean ownLayers; // whether hidden is no longer the default
        private Activation activation = Activation.RELU;
        private double dropout;
        private double inputDropout;
        private Initialization initialization = Initialization.GLOROT;
        private boolean standardize = true;
        private @Nullable Loss loss;
        private Optimizer optimizer = Optimizer.adam();
        private double rate = Double.NaN; // as the optimizer wants it
        private Schedule schedule = Schedule.constant();
        private int epochs = 200;
        private int batch = 200;
        private double l2 = 1e-4;
        private double l1;
        private double clip = Double.POSITIVE_INFINITY;
        private int patience = 10;
        private double tolerance = 1e-4;
        private double validationShare;
        private @Nullable Dataset validation;
        private final List<Trainer.Listener> listeners = new ArrayList<>();
        private @Nullable Path checkpoint;
        private boolean resume;
        private int threads = Runtime.getRuntime().availableProcessors();
        private long seed = 1;
        private @Nullable Backend backend;
        private @Nullable TableEncoder encoder;

        Builder() {}

        abstract B self();

        Settings settings() {
            return new Settings(List.copyOf(hidden), inputDropout, initialization, standardize, loss, optimizer,
                                Double.isNaN(rate) ? optimizer.equals(Optimizer.sgd()) ? 0.1 : 0.001 : rate, schedule, epochs,
                                batch, l2, l1, clip, patience, tolerance, validationShare, validation, List.copyOf(listeners),
                                checkpoint, resume, threads, seed, backend, encoder);
        }

        /**
         * Sets the hidden layers, all of {@link #activation}; one of 100 units unless set.
         *
         * @param units of each layer, 1 or more; without any the model is linear
         * @return this
         * @throws IllegalArgumentException for a layer of less than one unit
         */
        public B hidden(int... units) {
            for (int n : units) requireUnits(n);
            hidden.clear();
            ownLayers = true;
            for (int n : units) layer(n, activation);
            return self();
        }

        /**
         * Sets φ of the hidden layers of {@link #hidden}, called before or after.
         *
         * @param activation ReLU unless set; not softmax
         * @return this
         * @throws IllegalArgumentException for softmax
         */
        public B activation(Activation activation) {
            requireHidden(activation);
            this.activation = activation;
            hidden.replaceAll(layer -> new Hidden(layer.units(), activation, layer.dropout()));
            return self();
        }

        /**
         * Adds a hidden layer with an activation of its own; the first call replaces the default layer.
         *
         * @param units      its units, 1 or more
         * @param activation φ; not softmax
         * @return this
         * @throws IllegalArgumentException for less than one unit, or softmax
         */
        public B layer(int units, Activation activation) {
            return layer(units, activation, dropout);
        }

        /**
         * Adds a hidden layer with an activation and a dropout of its own; the first call replaces the default layer.
         *
         * @param units      its units, 1 or more
         * @param activation φ; not softmax
         * @param dropout    as in {@link #dropout}
         * @return this
         * @throws IllegalArgumentException if one is out of range
         */
        public B layer(int units, Activation activation, double dropout) {
            requireUnits(units);
            requireHidden(activation);
            if (!ownLayers) hidden.clear();
            ownLayers = true;
            hidden.add(new Hidden(units, activation, requireDropout(dropout)));
            return self();
        }

        /**
         * Sets the probability with which a unit of each hidden layer, set before or after, drops out of a step: N. Srivastava et
         * al., "Dropout", 2014.
         *
         * @param p 0 unless set; in [0, 1)
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B dropout(double p) {
            dropout = requireDropout(p);
            hidden.replaceAll(layer -> new Hidden(layer.units(), layer.activation(), p));
            return self();
        }

        /**
         * Sets the probability with which an input drops out of a step; often smaller than {@link #dropout}.
         *
         * @param p 0 unless set; in [0, 1)
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B inputDropout(double p) {
            inputDropout = requireDropout(p);
            return self();
        }

        private static double requireDropout(double p) {
            if (!(p >= 0 && (float) p < 1))
                throw new IllegalArgumentException("dropout: it is " + p + "; expected a number in [0, 1)");
            return p;
        }

        private static void requireUnits(int units) {
            if (units < 1)
                throw new IllegalArgumentException("hidden layer: it has " + units + " units; expected 1 or more");
        }

        private static void requireHidden(Activation activation) {
            if (Objects.requireNonNull(activation, "activation") == Activation.SOFTMAX)
                throw new IllegalArgumentException("hidden layer: softmax is for the output; expected another activation");
        }

        /**
         * Sets how weights start. {@link Initialization#GLOROT} is scikit-learn's, too: on small tables it scores better than
         * {@link Initialization#HE}, whose first functions are rougher (0.832 against 0.804 on Boston, mean R² of 20 seeds).
         *
         * @param initialization {@link Initialization#GLOROT} unless set
         * @return this
         */
        public B initialization(Initialization initialization) {
            this.initialization = Objects.requireNonNull(initialization, "initialization");
            return self();
        }

        /**
         * Sets whether inputs (and, in regression, targets) are brought to mean 0 and deviation 1, by numbers that {@code fit}
         * learns and the model keeps. Images of bytes, which are in [0, 1] already, are better left alone.
         *
         * @param standardize yes unless set
         * @return this
         */
        public B standardize(boolean standardize) {
            this.standardize = standardize;
            return self();
        }

        /**
         * Sets what is to become small, such as a loss of one's own.
         *
         * @param loss unless set, the cross-entropy in classification, the squared error in regression
         * @return this
         */
        public B loss(Loss loss) {
            this.loss = Objects.requireNonNull(loss, "loss");
            return self();
        }

        /**
         * Sets how steps follow the gradient.
         *
         * @param optimizer {@link Optimizer#adam()} unless set
         * @return this
         */
        public B optimizer(Optimizer optimizer) {
            this.optimizer = Objects.requireNonNull(optimizer, "optimizer");
            return self();
        }

        /**
         * Sets how the rate changes.
         *
         * @param schedule {@link Schedule#constant()} unless set
         * @return this
         */
        public B schedule(Schedule schedule) {
            this.schedule = Objects.requireNonNull(schedule, "schedule");
            return self();
        }

        /**
         * Sets how many times {@code fit} goes through the samples, unless {@link #earlyStopping} ends it before.
         *
         * @param most 200 unless set; 1 or more
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public B epochs(int most) {
            this.epochs = atLeastOne("epochs", most);
            return self();
        }

        /**
         * Sets the samples of a step.
         *
         * @param samples 200 unless set, or all if there are fewer; 1 or more
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public B batch(int samples) {
            this.batch = atLeastOne("batch", samples);
            return self();
        }

        /**
         * Sets η, the learning rate.
         *
         * @param rate unless set 0.1 for {@link Optimizer#sgd()}, 0.001 for the others; finite and above 0
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B rate(double rate) {
            if (!((float) rate > 0) || !Float.isFinite((float) rate))
                throw new IllegalArgumentException("rate: it is " + rate + "; expected a finite number above 0");
            this.rate = rate;
            return self();
        }

        /**
         * Sets α of the penalty (α/2m) Σ W² on the weights, m being the samples of a step: scikit-learn's {@code alpha}.
         *
         * @param alpha 0.0001 unless set; finite, 0 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B l2(double alpha) {
            l2 = requirePenalty("l2", alpha);
            return self();
        }

        /**
         * Sets α₁ of the penalty (α₁/m) Σ |W| on the weights, m being the samples of a step.
         *
         * @param alpha α₁, 0 unless set; finite, 0 or more
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B l1(double alpha) {
            l1 = requirePenalty("l1", alpha);
            return self();
        }

        private static double requirePenalty(String name, double alpha) {
            if (!(alpha >= 0) || !Float.isFinite((float) alpha))
                throw new IllegalArgumentException(name + ": it is " + alpha + "; expected a finite number, 0 or more");
            return alpha;
        }

        /**
         * Sets the largest norm of the gradient of a step; see {@link Trainer.Builder#clipNorm}.
         *
         * @param most none unless set; above 0
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B clipNorm(double most) {
            if (!((float) most > 0))
                throw new IllegalArgumentException("clipNorm: it is " + most + "; expected a number above 0");
            clip = most;
            return self();
        }

        /**
         * Sets when {@code fit} ends before its last epoch: after some epochs in a row that have not lowered the loss (of the
         * validation samples, if there are any). The best weights are restored.
         *
         * @param patience  those epochs, 10 unless set; 1 or more
         * @param tolerance by how much the loss must fall to count, 0.0001 unless set; 0 or more
         * @return this
         * @throws IllegalArgumentException if one is out of range
         */
        public B earlyStopping(int patience, double tolerance) {
            if (!(tolerance >= 0))
                throw new IllegalArgumentException("earlyStopping: the tolerance is " + tolerance + "; expected 0 or more");
            this.patience = atLeastOne("earlyStopping: the patience", patience);
            this.tolerance = tolerance;
            return self();
        }

        /**
         * Lets {@code fit} go through all its epochs; the last weights stay.
         *
         * @return this
         */
        public B noEarlyStopping() {
            patience = 0;
            return self();
        }

        /**
         * Sets the share of the samples that {@code fit} keeps for validation, chosen at random.
         *
         * @param share none unless set; in (0, 1)
         * @return this
         * @throws IllegalArgumentException if it is out of range
         */
        public B validation(double share) {
            if (!(share > 0 && share < 1))
                throw new IllegalArgumentException("validation: the share is " + share + "; expected a number in (0, 1)");
            validationShare = share;
            validation = null;
            return self();
        }

        /**
         * Sets samples that {@code fit} measures the loss of after each epoch.
         *
         * @param data with targets of the form that {@code fit} takes; none unless set
         * @return this
         */
        public B validation(Dataset data) {
            validation = Objects.requireNonNull(data, "data");
            validationShare = 0;
            return self();
        }

        /**
         * Adds who is told how {@code fit} goes.
         *
         * @param listener called on the thread that calls {@code fit}
         * @return this
         */
        public B listener(Trainer.Listener listener) {
            listeners.add(Objects.requireNonNull(listener, "listener"));
            return self();
        }

        /**
         * Where {@code fit} writes a checkpoint after each epoch; see {@link Trainer.Builder#checkpoint}. Not for streams.
         * {@code fit} throws an {@link UncheckedIOException} naming the file if it cannot be written, or not be resumed from.
         *
         * @param file   replaced by complete ones only
         * @param resume whether {@code fit} goes on from there if the file exists: with the same samples and settings, the model
         *               ends in the same bits as one whose training never stopped
         * @return this
         */
        public B checkpoint(Path file, boolean resume) {
            checkpoint = Objects.requireNonNull(file, "file");
            this.resume = resume;
            return self();
        }

        /**
         * Sets how many threads may take a step together; small steps take fewer.
         *
         * @param most all processors unless set; 1 or more
         * @return this
         * @throws IllegalArgumentException if it is below 1
         */
        public B threads(int most) {
            this.threads = atLeastOne("threads", most);
            return self();
        }

        /**
         * Sets the seed of the first weights, of the order of samples, of dropout and of the choice of validation samples.
         *
         * @param seed 1 unless set
         * @return this
         */
        public B seed(long seed) {
            this.seed = seed;
            return self();
        }

        /**
         * Sets where products are computed.
         *
         * @param backend {@link Backend#fastest()} unless set
         * @return this
         */
        public B backend(Backend backend) {
            this.backend = Objects.requireNonNull(backend, "backend");
            return self();
        }

        /**
         * Sets how the samples came from a table; kept in the model, for {@link Mlp#encoder()}.
         *
         * @param encoder none unless set
         * @return this
         */
        public B encoder(TableEncoder encoder) {
            this.encoder = Objects.requireNonNull(encoder, "encoder");
            return self();
        }

        Backend backend() {
            return backend == null ? Backend.fastest() : backend;
        }

        private static int atLeastOne(String name, int value) {
            if (value < 1) throw new IllegalArgumentException(name + ": it is " + value + "; expected 1 or more");
            return value;
        }
    }

    /** {@return whether there is a model: after {@code fit}, {@code partialFit} or a load} */
    public boolean isFitted() {
        return model != null;
    }

    /** @throws IllegalStateException if there is none */
    Model model(String operation) {
        final Model model = this.model;
        if (model == null)
            throw new IllegalStateException(operation + ": the estimator knows nothing yet; call fit first, or load a model");
        return model;
    }

    /**
     * {@return the number of values of a sample}
     *
     * @throws IllegalStateException before {@code fit}
     */
    public int inputs() {
        return model("inputs").network().inputs();
    }

    /**
     * {@return the network behind the predictions} Its inputs are standardised by {@link #scaler()}, if there is one.
     *
     * @throws IllegalStateException before {@code fit}
     */
    public Network network() {
        return model("network").network();
    }

    /**
     * {@return the standardisation of the inputs, or null where there is none}
     *
     * @throws IllegalStateException before {@code fit}
     */
    public @Nullable Scaler scaler() {
        return model("scaler").inputs();
    }

    /**
     * {@return how a row of a table becomes a sample, or null if the model did not come from one}
     *
     * @throws IllegalStateException before {@code fit}
     */
    public @Nullable TableEncoder encoder() {
        return model("encoder").encoder();
    }

    /** What messages call the inputs, or null. */
    final @Nullable List<String> inputNames() {
        return settings.encoder() == null ? null : settings.encoder().inputNames();
    }

    /** What messages call the targets, or null. */
    final @Nullable List<String> targetNames() {
        return settings.encoder() == null ? null : settings.encoder().targetNames();
    }

    // ---- Training

    /**
     * Trains {@code fresh} and makes it the model.
     *
     * @param validation makes of the samples for validation what the network wants
     */
    final void train(Model fresh, Loss loss, Dataset prepared, UnaryOperator<Dataset> validation) {
        final Trainer.Builder builder = settingsOf(fresh.network(), loss, prepared.size()).schedule(settings.schedule);
        if (settings.patience > 0) builder.earlyStopping(settings.patience, settings.tolerance);
        if (settings.validationShare > 0) builder.validation(settings.validationShare);
        if (settings.validation != null) builder.validation(validation.apply(settings.validation));
        if (settings.validationShare > 0 || settings.validation != null) builder.metric(metric(fresh));
        if (settings.checkpoint != null) builder.checkpoint(settings.checkpoint);
        settings.listeners.forEach(builder::listener);
        try (Trainer trainer = builder.build()) {
            at = trainer;
            if (settings.checkpoint != null && settings.resume && Files.exists(settings.checkpoint))
                trainer.resume(settings.checkpoint);
            history = trainer.fit(prepared, settings.epochs);
            latest = trainer;
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        } finally {
            at = null;
        }
        model = fresh;
    }

    /** What is measured of the validation samples, on the network alone. */
    abstract ToDoubleBiFunction<Network, Dataset> metric(Model fresh);

    /**
     * The same with samples that are never in memory all at once.
     *
     * @param samples how many there are
     * @param prepare makes of some samples what the network wants
     */
    final void train(Model fresh, Loss loss, SampleStream stream, long samples, UnaryOperator<Dataset> prepare,
                     UnaryOperator<Dataset> prepareValidation) throws IOException {
        if (settings.validationShare > 0 || settings.checkpoint != null)
            throw new IllegalStateException(
                "fit: a stream has no share of its samples for validation, and no checkpoint; expected other settings");
        final Chunk chunk = new Chunk(stream.inputs(), stream.outputs(), settings.batch);
        final int rows = (int) Math.min(chunk.rows(), samples);
        final double chunks = Math.ceil((double) samples / rows);
        final Dataset validation = settings.validation == null ? null : prepareValidation.apply(settings.validation);
        final ToDoubleBiFunction<Network, Dataset> metric = metric(fresh);
        final History history = new History(); // of epochs, where that of the trainer is of chunks
        final Network network = fresh.network();
        float[] best = network.parameters();
        try (Trainer trainer = settingsOf(network, loss, rows)
                .schedule((done, ofChunks) -> settings.schedule.factor(done / chunks, history)).build()) {
            at = trainer;
            cancelled = false;
            for (int epoch = 1; epoch <= settings.epochs && !cancelled; epoch++) {
                final long begun = System.nanoTime();
                final double cost = epoch(trainer, stream, chunk, prepare, epoch, samples);
                final double seconds = (System.nanoTime() - begun) * 1e-9;
                history.add(new History.Epoch(epoch, cost, validation == null ? Double.NaN : trainer.loss(validation),
                    validation == null ? Double.NaN : metric.applyAsDouble(network, validation), trainer.history().last().rate(),
                    seconds));
                for (Trainer.Listener listener : settings.listeners) listener.epoch(history.last());
                if (settings.patience == 0) continue;
                final int at = history.best(settings.tolerance);
                if (at == history.size() - 1) best = network.parameters().clone();
                if (history.size() - 1 - at >= settings.patience) break;
            }
            if (settings.patience > 0) System.arraycopy(best, 0, network.parameters(), 0, best.length);
            latest = trainer;
        } finally {
            at = null;
        }
        this.history = history;
        model = fresh;
    }

    private double epoch(Trainer trainer, SampleStream stream, Chunk chunk, UnaryOperator<Dataset> prepare, int epoch,
                         long samples) throws IOException {
        double sum = 0;
        long done = 0;
        try (SampleStream.Cursor cursor = stream.open()) {
            for (int m = chunk.fill(cursor); m > 0 && !(cancelled && done > 0); m = chunk.fill(cursor)) {
                sum += m * trainer.epoch(prepare.apply(chunk.samples(m)));
                done += m;
                for (Trainer.Listener listener : settings.listeners)
                    listener.step(epoch, clamp(done), clamp(samples), sum / done);
            }
        }
        if (done == 0) throw new IOException("fit: the stream has no sample any more; expected as many in each epoch");
        return sum / done;
    }

    private static int clamp(long samples) {
        return (int) Math.min(samples, Integer.MAX_VALUE);
    }

    /** One more pass over the samples, for a copy of {@code old} that becomes the model. */
    final void trainFurther(Model old, Loss loss, Dataset prepared) {
        final Model next = old.copy();
        final Trainer before = latest;
        try (Trainer trainer = settingsOf(next.network(), loss, prepared.size()).schedule(settings.schedule).build()) {
            if (before != null) trainer.takeOver(before);
            trainer.epoch(prepared);
            latest = trainer;
            history = trainer.history();
        }
        model = next;
    }

    private Trainer.Builder settingsOf(Network network, Loss loss, int samples) {
        final int batch = Math.min(settings.batch, samples);
        final double perStep = (double) samples / batch; // the trainer's penalties are shared by all samples
        final Trainer.Builder builder = Trainer.of(network, loss).optimizer(settings.optimizer).rate(settings.rate)
            .l2(settings.l2 * perStep).l1(settings.l1 * perStep).clipNorm(settings.clip).batch(batch)
            .dropout(0, settings.inputDropout).threads(settings.threads).seed(settings.seed);
        for (int l = 1; l < network.depth() && l <= settings.hidden.size(); l++)
            builder.dropout(l, settings.hidden.get(l - 1).dropout());
        return builder;
    }

    /**
     * Asks the {@code fit} at work, if there is one, to end after the batch at hand (with a stream, after what is in memory);
     * what it has learned so far becomes the model. May be called by any thread.
     */
    public void cancel() {
        cancelled = true;
        final Trainer trainer = at;
        if (trainer != null) trainer.cancel();
    }

    /**
     * {@return what came of the epochs of the latest {@code fit}, and of the passes since} Empty before, and after a load. In the
     * standardised unit of the targets.
     */
    public List<History.Epoch> history() {
        return history.epochs();
    }

    final Network network(int inputs, int outputs, Activation output) {
        final Network.Builder builder = Network.builder(inputs).initialization(settings.initialization).seed(settings.seed);
        for (Hidden layer : settings.hidden) builder.layer(layer.units(), layer.activation());
        if (settings.backend != null) builder.backend(settings.backend);
        return builder.layer(outputs, output).build();
    }

    /** What it is, such as {@code 13 inputs, standardised: 13-100:relu-1:identity}. */
    final String describe(String name, IntFunction<String> outputs) {
        final Model model = this.model;
        if (model == null) {
            final StringBuilder hidden = new StringBuilder();
            for (Hidden layer : settings.hidden)
                hidden.append(hidden.length() == 0 ? "" : "-").append(layer.units()).append(':')
                    .append(layer.activation().name().toLowerCase(Locale.ROOT));
            return name + " (not fitted; hidden layers: " + (hidden.length() == 0 ? "none" : hidden) + ")";
        }
        return name + " (" + model.network() + "; " + outputs.apply(model.network().outputs())
            + (model.inputs() == null ? "" : "; inputs standardised") + (model.targets() == null ? "" : "; targets standardised")
            + ")";
    }
}
