package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What {@link MlpClassifier} and {@link MlpRegressor} share: the settings, the training, and a model that is replaced as a whole.
 *
 * <p>{@code fit} trains a new network and puts it in the place of the old one when it is done; until then, and from any number
 * of threads, predictions come from the old one. {@code fit} and {@code partialFit} of one estimator wait for each other.
 */
public abstract sealed class Mlp permits MlpClassifier, MlpRegressor {

    /** Floats of standardised samples that a thread keeps, unless a single sample needs more. */
    private static final int LARGEST_SCRATCH = 1 << 18;
    private static final ThreadLocal<float[]> SCRATCH = new ThreadLocal<>();

    final Settings settings;
    private volatile @Nullable Model model;

    Mlp(Settings settings, @Nullable Model model) {
        this.settings = settings;
        this.model = model;
    }

    /**
     * What {@code fit} makes, and what a file holds.
     *
     * @param inputs     the standardisation of x, or null
     * @param targets    the standardisation of y in regression, or null
     * @param labels     of the classes, in the order of their numbers; empty in regression
     * @param multiLabel whether a sample may have several labels, or none
     */
    record Model(Network network, @Nullable Scaler inputs, @Nullable Scaler targets, List<Object> labels, boolean multiLabel,
                 @Nullable TableEncoder encoder) {

        /** The same on a network of its own. */
        Model copy() {
            return new Model(network.copy(), inputs, targets, labels, multiLabel, encoder);
        }
    }

    /** How an estimator is made; a copy of the builder's, which never changes. */
    record Settings(List<Hidden> hidden, Initialization initialization, boolean standardize, int epochs, int batch, double rate,
                    double l2, double tolerance, int patience, int threads, long seed, @Nullable Backend backend,
                    @Nullable TableEncoder encoder) {}

    record Hidden(int units, Activation activation) {}

    /**
     * The settings of an estimator; every one has a default.
     *
     * @param <B> the builder itself
     */
    public abstract static sealed class Builder<B extends Builder<B>> permits MlpClassifier.Builder, MlpRegressor.Builder {
        private final List<Hidden> hidden = new ArrayList<>(List.of(new Hidden(100, Activation.RELU)));
        private boolean ownLayers; // whether hidden is no longer the default
        private Activation activation = Activation.RELU;
        private Initialization initialization = Initialization.AUTO;
        private boolean standardize = true;
        private int epochs = 200;
        private int batch = 200;
        private double rate = 0.1;
        private double l2 = 1e-4;
        private double tolerance = 1e-4;
        private int patience = 10;
        private int threads = Runtime.getRuntime().availableProcessors();
        private long seed = 1;
        private @Nullable Backend backend;
        private @Nullable TableEncoder encoder;

        Builder() {}

        abstract B self();

        Settings settings() {
            return new Settings(List.copyOf(hidden), initialization, standardize, epochs, batch, rate, l2, tolerance, patience,
                                threads, seed, backend, encoder);
        }

        /**
         * The hidden layers, all of {@link #activation}; one of 100 units unless set. None at all, and the model is linear.
         *
         * @throws IllegalArgumentException for a layer of less than one unit
         */
        public B hidden(int... units) {
            hidden.clear();
            ownLayers = true;
            for (int n : units) layer(n, activation);
            return self();
        }

        /** φ of the hidden layers: of those set by {@link #hidden}, before or after; ReLU unless set. */
        public B activation(Activation activation) {
            requireHidden(activation);
            this.activation = activation;
            hidden.replaceAll(layer -> new Hidden(layer.units(), activation));
            return self();
        }

        /**
         * Adds a hidden layer with an activation of its own; the first call replaces the default layer.
         *
         * @throws IllegalArgumentException for less than one unit, or softmax
         */
        public B layer(int units, Activation activation) {
            if (units < 1)
                throw new IllegalArgumentException("hidden layer: it has " + units + " units; expected 1 or more");
            requireHidden(activation);
            if (!ownLayers) hidden.clear();
            ownLayers = true;
            hidden.add(new Hidden(units, activation));
            return self();
        }

        private static void requireHidden(Activation activation) {
            if (activation == Activation.SOFTMAX)
                throw new IllegalArgumentException("hidden layer: softmax is for the output; expected another activation");
        }

        /** How weights start; {@link Initialization#AUTO} unless set. */
        public B initialization(Initialization initialization) {
            this.initialization = initialization;
            return self();
        }

        /**
         * Whether inputs (and, in regression, targets) are brought to mean 0 and deviation 1, by numbers that {@code fit} learns
         * and the model keeps; yes unless set. Images of bytes, which are in [0, 1] already, are better left alone.
         */
        public B standardize(boolean standardize) {
            this.standardize = standardize;
            return self();
        }

        /** The most times that {@code fit} goes through the samples; 200 unless set. */
        public B epochs(int most) {
            this.epochs = atLeastOne("epochs", most);
            return self();
        }

        /** The samples of a step; 200, or all if there are fewer, unless set. */
        public B batch(int samples) {
            this.batch = atLeastOne("batch", samples);
            return self();
        }

        /** η, the learning rate. Finite and above 0. */
        public B rate(double rate) {
            if (!((float) rate > 0) || !Float.isFinite((float) rate))
                throw new IllegalArgumentException("rate: it is " + rate + "; expected a finite number above 0");
            this.rate = rate;
            return self();
        }

        /**
         * α of the penalty (α/2m) Σ W² on the weights, m being the samples of a step: scikit-learn's {@code alpha}; 0.0001 unless
         * set. Finite, 0 or more.
         */
        public B l2(double alpha) {
            if (!(alpha >= 0) || !Float.isFinite((float) alpha))
                throw new IllegalArgumentException("l2: it is " + alpha + "; expected a finite number, 0 or more");
            this.l2 = alpha;
            return self();
        }

        /**
         * When {@code fit} ends before its last epoch: after {@code patience} epochs in a row that have not lowered the loss by
         * {@code tolerance}; 0.0001 and 10 unless set. A negative tolerance never ends it.
         */
        public B stopping(double tolerance, int patience) {
            if (Double.isNaN(tolerance))
                throw new IllegalArgumentException("stopping: the tolerance is NaN; expected a number");
            this.tolerance = tolerance;
            this.patience = atLeastOne("stopping: patience", patience);
            return self();
        }

        /** The most threads that train together; all processors unless set. */
        public B threads(int most) {
            this.threads = atLeastOne("threads", most);
            return self();
        }

        /** The seed of the first weights and of the order of samples; 1 unless set. */
        public B seed(long seed) {
            this.seed = seed;
            return self();
        }

        /** Where products are computed; {@link Backend#fastest()} unless set. */
        public B backend(Backend backend) {
            this.backend = backend;
            return self();
        }

        /** How the samples came from a table; kept in the model, for {@link Mlp#encoder()}. */
        public B encoder(TableEncoder encoder) {
            this.encoder = encoder;
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

    /** Whether there is a model: after {@code fit}, {@code partialFit} or a load. */
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
     * The values of a sample.
     *
     * @throws IllegalStateException before {@code fit}
     */
    public int inputs() {
        return model("inputs").network().inputs();
    }

    /**
     * The network behind the predictions; its inputs are standardised by {@link #scaler()}, if there is one.
     *
     * @throws IllegalStateException before {@code fit}
     */
    public Network network() {
        return model("network").network();
    }

    /**
     * The standardisation of the inputs, or null where there is none.
     *
     * @throws IllegalStateException before {@code fit}
     */
    public @Nullable Scaler scaler() {
        return model("scaler").inputs();
    }

    /**
     * How a row of a table becomes a sample, or null if the model did not come from one.
     *
     * @throws IllegalStateException before {@code fit}
     */
    public @Nullable TableEncoder encoder() {
        return model("encoder").encoder();
    }

    static @Nullable Scaler requireColumns(@Nullable Scaler scaler, int columns) {
        if (scaler != null && scaler.columns() != columns)
            throw new IllegalArgumentException(
                "estimator: the scaler has " + scaler.columns() + " columns; expected " + columns + ", as the network");
        return scaler;
    }

    static @Nullable TableEncoder requireInputs(@Nullable TableEncoder encoder, Network network) {
        if (encoder != null && encoder.inputs() != network.inputs())
            throw new IllegalArgumentException(
                "estimator: the encoder makes " + encoder.inputs() + " values of a row; expected " + network.inputs()
                    + ", the inputs of the network");
        return encoder;
    }

    // ---- Training

    /** One time through the samples; returns the mean cost. */
    @FunctionalInterface
    private interface Pass<E extends Exception> {
        double run() throws E;
    }

    /** Trains {@code fresh} and makes it the model. */
    final void train(Model fresh, Loss loss, Dataset prepared) {
        try (Trainer trainer = trainer(fresh.network(), loss, prepared.size())) {
            repeat(() -> trainer.epoch(prepared));
        }
        model = fresh;
    }

    /**
     * The same with samples that are never in memory all at once.
     *
     * @param prepare makes of some samples what the network wants
     */
    final void train(Model fresh, Loss loss, SampleStream stream, UnaryOperator<Dataset> prepare) throws IOException {
        final Chunk chunk = new Chunk(stream.inputs(), stream.outputs(), settings.batch);
        try (Trainer trainer = trainer(fresh.network(), loss, chunk.rows())) {
            repeat(() -> {
                double sum = 0;
                long samples = 0;
                try (SampleStream.Cursor cursor = stream.open()) {
                    for (int m = chunk.fill(cursor); m > 0; m = chunk.fill(cursor)) {
                        sum += m * trainer.epoch(prepare.apply(chunk.samples(m)));
                        samples += m;
                    }
                }
                return sum / samples;
            });
        }
        model = fresh;
    }

    private <E extends Exception> void repeat(Pass<E> epoch) throws E {
        double best = Double.POSITIVE_INFINITY;
        int waited = 0;
        for (int n = 0; n < settings.epochs && waited < settings.patience; n++) {
            final double cost = epoch.run();
            waited = cost > best - settings.tolerance ? waited + 1 : 0;
            best = Math.min(best, cost);
        }
    }

    /** One more pass over the samples, for a copy of {@code old} that becomes the model. */
    final void trainFurther(Model old, Loss loss, Dataset prepared) {
        final Model next = old.copy();
        try (Trainer trainer = trainer(next.network(), loss, prepared.size())) {
            trainer.epoch(prepared);
        }
        model = next;
    }

    private Trainer trainer(Network network, Loss loss, int samples) {
        final int batch = Math.min(settings.batch, samples);
        return Trainer.of(network, loss).rate(settings.rate).l2(settings.l2 * samples / batch).batch(batch)
            .threads(settings.threads).seed(settings.seed).build();
    }

    final Network network(int inputs, int outputs, Activation output) {
        final Network.Builder builder = Network.builder(inputs).initialization(settings.initialization).seed(settings.seed);
        for (Hidden layer : settings.hidden) builder.layer(layer.units(), layer.activation());
        if (settings.backend != null) builder.backend(settings.backend);
        return builder.layer(outputs, output).build();
    }

    /** Sees one sample: inputs and targets from their offsets. */
    @FunctionalInterface
    interface Visitor {
        void sample(long row, float[] x, int xOffset, float[] y, int yOffset, float weight);
    }

    /** Shows all samples once, and refuses what is not finite, with its row and column. */
    static void forEach(String operation, Dataset data, Visitor visitor) {
        final float[] x = new float[data.inputs()], y = new float[data.outputs()];
        for (int i = 0; i < data.size(); i++) {
            data.copy(i, x, 0, y, 0);
            visit(operation, i, x, 0, x.length, y, 0, y.length, data.weight(i), visitor);
        }
        if (data.size() < 1) throw new IllegalArgumentException(operation + ": there is no sample; expected 1 or more");
    }

    /** The same of a stream. */
    static void forEach(String operation, SampleStream stream, Visitor visitor) throws IOException {
        final int in = stream.inputs(), out = stream.outputs(), most = 256;
        final float[] x = new float[Backpropagation.matrix(in, most)], y = new float[Backpropagation.matrix(out, most)];
        final float[] weights = new float[most];
        long row = 0;
        try (SampleStream.Cursor cursor = stream.open()) {
            while (true) {
                Arrays.fill(weights, 1);
                final int m = cursor.read(x, y, weights, 0, most);
                if (m == 0) break;
                for (int j = 0; j < m; j++)
                    visit(operation, row++, x, j * in, in, y, j * out, out, weights[j], visitor);
            }
        }
        if (row == 0) throw new IllegalArgumentException(operation + ": there is no sample; expected 1 or more");
    }

    private static void visit(String operation, long row, float[] x, int xOffset, int in, float[] y, int yOffset, int out,
                              float weight, Visitor visitor) {
        requireFinite(operation, "x", x, xOffset, 1, in, row);
        requireFinite(operation, "y", y, yOffset, 1, out, row);
        if (!(weight >= 0) || !Float.isFinite(weight))
            throw new IllegalArgumentException(
                operation + ": the weight of row " + row + " is " + weight + "; expected a finite number, 0 or more");
        visitor.sample(row, x, xOffset, y, yOffset, weight);
    }

    private static void requireFinite(String operation, String name, float[] values, int offset, int rows, int columns,
                                      long firstRow) {
        for (int i = 0; i < rows * columns; i++)
            if (!Float.isFinite(values[offset + i]))
                throw new IllegalArgumentException(
                    operation + ": " + name + " is " + values[offset + i] + " in row " + (firstRow + i / columns) + ", column "
                        + i % columns + "; expected a finite number");
    }

    // ---- Prediction

    /** The outputs of the network for m samples, standardised on the way. */
    static void forward(Model model, String operation, float[] x, int m, float[] out) {
        final Network network = model.network();
        final int in = network.inputs();
        if (m < 1) throw new IllegalArgumentException(operation + ": m is " + m + "; expected 1 or more");
        Network.requireLength(operation, "x", x, m, in);
        Network.requireLength(operation, "out", out, m, network.outputs());
        if (x == out) throw new IllegalArgumentException(operation + ": x and out are one array; expected two");
        if (!network.backend().allFinite(m * in, x, 0)) requireFinite(operation, "x", x, 0, m, in, 0);
        final Scaler scaler = model.inputs();
        if (scaler == null) {
            network.predict(x, 0, m, out, 0);
            return;
        }
        final int tile = Math.min(m, Math.max(1, LARGEST_SCRATCH / in));
        float[] scaled = SCRATCH.get();
        if (scaled == null || scaled.length < tile * in) SCRATCH.set(scaled = new float[tile * in]);
        for (int j = 0; j < m; j += tile) {
            final int n = Math.min(tile, m - j);
            scaler.apply(x, j * in, n, scaled, 0);
            network.predict(scaled, 0, n, out, j * network.outputs());
        }
    }

    /** The rows, end to end. */
    static float[] flat(String operation, float[][] x, int columns) {
        if (x.length == 0) throw new IllegalArgumentException(operation + ": there is no row; expected 1 or more");
        final float[] flat = new float[Backpropagation.matrix(columns, x.length)];
        for (int i = 0; i < x.length; i++) {
            if (x[i].length != columns)
                throw new IllegalArgumentException(
                    operation + ": row " + i + " has " + x[i].length + " values, but the model has " + columns + " inputs");
            System.arraycopy(x[i], 0, flat, i * columns, columns);
        }
        return flat;
    }

    static float[][] rows(float[] flat, int rows) {
        final int columns = flat.length / rows;
        final float[][] out = new float[rows][columns];
        for (int i = 0; i < rows; i++) System.arraycopy(flat, i * columns, out[i], 0, columns);
        return out;
    }

    /** Sees one sample that has been predicted: outputs from their offset, targets from theirs. */
    @FunctionalInterface
    interface Judge {
        void sample(float[] predicted, int offset, float[] y, int yOffset, double weight);
    }

    /** Predicts every sample of a dataset, some at a time. */
    static void predictEach(Model model, String operation, Dataset data, Judge judge) {
        final int in = data.inputs(), targets = data.outputs(), out = model.network().outputs();
        if (in != model.network().inputs())
            throw new IllegalArgumentException(
                operation + ": samples have " + in + " values, but the model has " + model.network().inputs() + " inputs");
        if (data.size() < 1) throw new IllegalArgumentException(operation + ": there is no sample; expected 1 or more");
        final int tile = Math.min(data.size(), Math.max(1, LARGEST_SCRATCH / Math.max(in, Math.max(targets, out))));
        final float[] x = new float[in * tile], y = new float[targets * tile], predicted = new float[out * tile];
        for (int start = 0; start < data.size(); start += tile) {
            final int m = Math.min(tile, data.size() - start);
            for (int j = 0; j < m; j++) data.copy(start + j, x, j * in, y, j * targets);
            forward(model, operation, x, m, predicted);
            for (int j = 0; j < m; j++) judge.sample(predicted, j * out, y, j * targets, data.weight(start + j));
        }
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
