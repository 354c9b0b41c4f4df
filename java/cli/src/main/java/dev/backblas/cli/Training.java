package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.History;
import dev.backblas.Mlp;
import dev.backblas.MlpClassifier;
import dev.backblas.MlpRegressor;
import dev.backblas.Network;
import dev.backblas.Scaler;
import dev.backblas.TableEncoder;
import dev.backblas.Trainer;
import dev.backblas.backend.Activation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The training of a network: in memory by a {@link Trainer}, which serves the five systems too, or from a stream by an estimator.
 */
abstract sealed class Training implements AutoCloseable {

    @FunctionalInterface
    private interface Saving {
        void to(Path file) throws IOException;
    }

    final Task task;
    final Recipe recipe;
    private @Nullable Model model; // what came of it
    private @Nullable Saving saving;

    private Training(Task task, Recipe recipe) {
        this.task = task;
        this.recipe = recipe;
    }

    /**
     * Makes ready to train a network.
     *
     * @param network    that is trained, or for a stream: that is like the one to be trained
     * @param checkpoint where to write one after each epoch, or null
     */
    static Training of(Task task, Recipe recipe, Network network, Trainer.Listener listener, @Nullable Path checkpoint) {
        return task.stream() == null ? new InMemory(task, recipe, network, listener, checkpoint)
            : new Streamed(task, recipe, network, listener);
    }

    /** Goes through the epochs. */
    abstract List<History.Epoch> run() throws IOException;

    /** Asks {@link #run} to end soon; from any thread. */
    abstract void cancel();

    /** The threads that take a step together, or the most that may. */
    abstract int threads();

    /** What a root mean squared error of scaled targets is to be multiplied by for their unit; NaN where they have several. */
    abstract double unit();

    final void made(MlpRegressor mlp) {
        made(Model.of(mlp), mlp::save);
    }

    final void made(MlpClassifier<?> mlp) {
        made(Model.of(mlp), mlp::save);
    }

    final void made(Network network) {
        made(Model.of(network), network::save);
    }

    private void made(Model model, Saving saving) {
        this.model = model.named(task.labels(), task.targets());
        this.saving = saving;
    }

    /** What came of {@link #run}. */
    Model model() {
        return model;
    }

    /** Writes it. */
    void save(Path file) throws IOException {
        saving.to(file);
    }

    @Override
    public void close() {}

    static final class InMemory extends Training {
        private final Network network;
        private final @Nullable Scaler target;
        private final Dataset train;
        private final Trainer trainer;

        InMemory(Task task, Recipe recipe, Network network, Trainer.Listener listener, @Nullable Path checkpoint) {
            super(task, recipe);
            this.network = network;
            target = task.isRegression() ? Scaler.ofTargets(task.train(), task.encoder()) : null;
            train = prepared(task.train());
            final Recipe.Settings settings = recipe.settings();
            final Trainer.Builder builder = Trainer.of(network, recipe.loss()).reduction(recipe.reduction())
                .optimizer(recipe.optimizer()).seed(settings.seed).batch(recipe.batch()).rate(recipe.rate()).l2(recipe.l2())
                .schedule(recipe.schedule()).listener(listener).metric(task.metric());
            if (settings.l1 != null) builder.l1(settings.l1);
            if (settings.dropout != null) builder.dropout(settings.dropout);
            if (settings.inputDropout != null) builder.dropout(0, settings.inputDropout);
            if (settings.clip != null) builder.clipNorm(settings.clip);
            if (settings.threads != null) builder.threads(settings.threads);
            if (settings.patience != null) builder.earlyStopping(settings.patience).validation(0.1);
            else builder.validation(prepared(task.heldOut())); // only looked at: what decides when to stop must not judge too
            if (checkpoint != null) builder.checkpoint(checkpoint);
            trainer = builder.build();
        }

        private Dataset prepared(Dataset data) {
            final Dataset scaled = task.inputs() == null && target == null ? data : data.scaled(task.inputs(), target);
            final boolean oneOf = !task.isRegression() && !task.isMultiLabel() && recipe.outputs() > 1;
            return oneOf ? scaled.oneHot(recipe.outputs()) : scaled;
        }

        /** Goes on from a checkpoint. Returns how many epochs it has behind it. */
        int resume(Path checkpoint) throws IOException {
            trainer.resume(checkpoint);
            return trainer.history().size();
        }

        @Override
        List<History.Epoch> run() {
            final List<History.Epoch> history = trainer.fit(train, recipe.epochs()).epochs();
            made();
            return history;
        }

        /** Of the trained network: an estimator's model, or the network alone where no estimator has such outputs. */
        private void made() {
            final TableEncoder encoder = task.encoder();
            final Activation last = network.layer(network.depth()).activation();
            if (target != null) made(MlpRegressor.of(network, task.inputs(), target, encoder));
            else if (task.isMultiLabel())
                made(MlpClassifier.ofMultiLabel(network, task.labels(), task.inputs(), encoder));
            else if (last == Activation.SOFTMAX || network.outputs() == 1)
                made(MlpClassifier.of(network, task.labels(), task.inputs(), encoder));
            else {
                if (task.inputs() != null) foldIntoInputs(network, task.inputs());
                made(network);
            }
        }

        /** Wᵀx' + b = (W/d)ᵀx + (b − (W/d)ᵀmean), in the first layer: the network then takes x. */
        private static void foldIntoInputs(Network network, Scaler scaler) {
            final float[] theta = network.parameters(), mean = scaler.mean(), deviation = scaler.deviation();
            final int in = network.inputs(), w = network.weightsOffset(1), b = network.biasesOffset(1);
            for (int k = 0; k < network.layer(1).out(); k++) {
                double shift = 0;
                for (int i = 0; i < in; i++) {
                    final double scaled = (double) theta[w + k * in + i] / deviation[i];
                    shift += scaled * mean[i];
                    theta[w + k * in + i] = (float) scaled;
                }
                theta[b + k] -= (float) shift;
            }
        }

        @Override
        void cancel() {
            trainer.cancel();
        }

        @Override
        int threads() {
            return trainer.threads();
        }

        @Override
        double unit() {
            return target == null || target.columns() > 1 ? Double.NaN : target.deviation()[0];
        }

        @Override
        public void close() {
            trainer.close();
        }
    }

    static final class Streamed extends Training {
        private final int threads;
        private final Mlp estimator;

        Streamed(Task task, Recipe recipe, Network like, Trainer.Listener listener) {
            super(task, recipe);
            final Integer most = recipe.settings().threads;
            threads = most == null ? Runtime.getRuntime().availableProcessors() : most;
            estimator = task.isRegression() ? settings(MlpRegressor.builder(), like, listener).build()
                : settings(MlpClassifier.builder(), like, listener).build();
        }

        private <B extends Mlp.Builder<B>> B settings(B builder, Network like, Trainer.Listener listener) {
            final Recipe.Settings settings = recipe.settings();
            final double perSample = (double) recipe.batch() / task.size(); // an estimator's penalties are those of a step
            builder.hidden(recipe.widths()).activation(recipe.hidden()).optimizer(recipe.optimizer()).rate(recipe.rate())
                .schedule(recipe.schedule()).epochs(recipe.epochs()).batch(recipe.batch()).l2(recipe.l2() * perSample)
                .noEarlyStopping().validation(task.heldOut()).listener(listener).threads(threads).seed(settings.seed)
                .backend(like.backend()).encoder(task.encoder());
            if (settings.l1 != null) builder.l1(settings.l1 * perSample);
            if (settings.dropout != null) builder.dropout(settings.dropout);
            if (settings.inputDropout != null) builder.inputDropout(settings.inputDropout);
            if (settings.clip != null) builder.clipNorm(settings.clip);
            return builder;
        }

        @Override
        @SuppressWarnings("unchecked") // its labels are texts
        List<History.Epoch> run() throws IOException {
            if (estimator instanceof MlpRegressor mlp) made(mlp.fit(task.stream()));
            else {
                final MlpClassifier<String> mlp = (MlpClassifier<String>) estimator;
                made(task.isMultiLabel() ? mlp.fitMultiLabel(task.stream(), task.labels())
                    : mlp.fit(task.stream(), task.labels()));
            }
            return estimator.history();
        }

        @Override
        void cancel() {
            estimator.cancel();
        }

        @Override
        int threads() {
            return threads;
        }

        @Override
        double unit() {
            return Double.NaN;
        }
    }
}
