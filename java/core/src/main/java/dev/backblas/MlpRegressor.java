package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleBiFunction;
import org.jspecify.annotations.Nullable;

/**
 * A neural network that predicts quantities, in the shape of scikit-learn's {@code MLPRegressor}: {@code fit}, {@code predict},
 * {@code score}.
 *
 * <pre>{@code
 * MlpRegressor model = MlpRegressor.builder().hidden(50).build().fit(x, y);   // float[][] x, float[] y
 * float price = model.predict(new float[] {…})[0];
 * model.save(Path.of("price.safetensors"));
 * }</pre>
 *
 * <p>Predictions may be made from any number of threads at once, also during a {@code fit}.
 */
public final class MlpRegressor extends Mlp {

    private final Activation output;

    private MlpRegressor(Settings settings, @Nullable Activation output, @Nullable Model model) {
        super(settings, model);
        this.output = output != null ? output
            : loss().outputs().contains(Activation.IDENTITY) ? Activation.IDENTITY : Activation.SOFTPLUS;
    }

    private Loss loss() {
        return settings.loss() == null ? Loss.SQUARED_ERROR : settings.loss();
    }

    @Override
    ToDoubleBiFunction<Network, Dataset> metric(Model fresh) {
        return Metrics::rootMeanSquaredError;
    }

    /** {@return the settings of a new regressor, all at their defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /** The settings of a regressor. */
    public static final class Builder extends Mlp.Builder<Builder> {
        private @Nullable Activation output;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets φ of the output. With another than the identity, targets are not standardised.
         *
         * @param activation unless set the identity, or softplus where the loss is not defined on that, as {@link Loss#POISSON}
         * @return this
         */
        public Builder output(Activation activation) {
            output = Objects.requireNonNull(activation, "activation");
            return this;
        }

        /** {@return a regressor of these settings, which knows nothing yet} */
        public MlpRegressor build() {
            return new MlpRegressor(settings(), output, null);
        }
    }

    /**
     * Learns one quantity, forgetting what was known.
     *
     * @param x rows of as many values each
     * @param y a target for each row
     * @return this
     * @throws IllegalArgumentException if the lengths do not fit together, or a value is not finite, naming its row and column
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public MlpRegressor fit(float[][] x, float[] y) {
        return fit(Dataset.of(x, column(y)));
    }

    /**
     * Learns several quantities at once; as {@link #fit(float[][], float[])}.
     *
     * @param x rows of as many values each
     * @param y a row of as many targets for each row of x
     * @return this
     */
    public MlpRegressor fit(float[][] x, float[][] y) {
        return fit(Dataset.of(x, y));
    }

    /**
     * Learns the targets of these samples, each with its {@link Dataset#weight}; as {@link #fit(float[][], float[])}.
     *
     * @param data samples whose targets are the quantities
     * @return this
     */
    public synchronized MlpRegressor fit(Dataset data) {
        final Examination seen = new Examination(Objects.requireNonNull(data, "data").inputs(), data.outputs());
        seen.visit("fit", data);
        final Model fresh = seen.model();
        train(fresh, loss(), prepared(fresh, data), validation -> validation(fresh, validation));
        return this;
    }

    /**
     * Learns from more samples than memory holds, which are read once before the first epoch and once in each; as
     * {@link #fit(float[][], float[])}.
     *
     * @param stream opened once before the first epoch and once in each
     * @return this
     * @throws IOException if the stream cannot be read; the model is the old one then
     */
    public synchronized MlpRegressor fit(SampleStream stream) throws IOException {
        final Examination seen = new Examination(Objects.requireNonNull(stream, "stream").inputs(), stream.outputs());
        seen.visit("fit", stream);
        final Model fresh = seen.model();
        train(fresh, loss(), stream, seen.samples, chunk -> prepared(fresh, chunk),
              validation -> validation(fresh, validation));
        return this;
    }

    /**
     * {@link #partialFit(Dataset)} of rows.
     *
     * @param x rows of as many values each
     * @param y a target for each row
     * @return this
     */
    public MlpRegressor partialFit(float[][] x, float[] y) {
        return partialFit(Dataset.of(x, column(y)));
    }

    /**
     * {@link #partialFit(Dataset)} of rows.
     *
     * @param x rows of as many values each
     * @param y as many targets for each row
     * @return this
     */
    public MlpRegressor partialFit(float[][] x, float[][] y) {
        return partialFit(Dataset.of(x, y));
    }

    /**
     * Goes through these samples once, starting from what is known. The first call, if there was no {@code fit}, learns the
     * standardisation, which then stays.
     *
     * @param data samples whose targets are the quantities
     * @return this
     * @throws IllegalArgumentException if the samples do not fit the model, or a value is not finite
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public synchronized MlpRegressor partialFit(Dataset data) {
        final Examination seen = new Examination(Objects.requireNonNull(data, "data").inputs(), data.outputs());
        seen.visit("partialFit", data);
        final Model old = isFitted() ? model("partialFit") : seen.model();
        if (data.inputs() != old.network().inputs() || data.outputs() != old.network().outputs())
            throw new IllegalArgumentException(
                "partialFit: samples have " + data.inputs() + " values and " + data.outputs() + " targets, but the model has "
                    + old.network().inputs() + " inputs and " + old.network().outputs() + " outputs");
        trainFurther(old, loss(), prepared(old, data));
        return this;
    }

    /** Sees the samples before the training. */
    private final class Examination implements SampleVisitor {
        private final int inputs, outputs;
        private final Scaler.Learner ofX, ofY;
        private long samples;

        Examination(int inputs, int outputs) {
            this.inputs = inputs;
            this.outputs = outputs;
            ofX = new Scaler.Learner(inputs);
            ofY = new Scaler.Learner(outputs);
        }

        @Override
        public void sample(long row, float[] x, int xOffset, float[] y, int yOffset, float weight) {
            ofX.add(x, xOffset);
            ofY.add(y, yOffset);
            samples++;
        }

        Model model() {
            final boolean standardize = settings.standardize(), targets = standardize && output == Activation.IDENTITY;
            return new Model(network(inputs, outputs, output), standardize ? ofX.scaler("x", inputNames()) : null,
                             targets ? ofY.scaler("y", targetNames()) : null, List.of(), false, settings.encoder());
        }
    }

    private static Dataset validation(Model model, Dataset data) {
        if (data.inputs() != model.network().inputs() || data.outputs() != model.network().outputs())
            throw new IllegalArgumentException(
                "fit: samples for validation have " + data.inputs() + " values and " + data.outputs()
                    + " targets; expected as many as those to learn from");
        final SampleVisitor check = (row, x, xOffset, y, yOffset, weight) -> {};
        check.visit("fit: validation", data);
        return prepared(model, data);
    }

    private static Dataset prepared(Model model, Dataset data) {
        return new Prepared(data, model.inputs(), model.targets(), 0, null);
    }

    private static float[][] column(float[] y) {
        final float[][] column = new float[Objects.requireNonNull(y, "y").length][1];
        for (int i = 0; i < y.length; i++) column[i][0] = y[i];
        return column;
    }

    /**
     * {@return the number of quantities}
     *
     * @throws IllegalStateException before {@code fit}
     */
    public int outputs() {
        return network().outputs();
    }

    /**
     * The prediction for one sample.
     *
     * @param x {@link #inputs()} values
     * @return a value for each quantity, in a new array
     * @throws IllegalArgumentException if {@code x} has another length than the model's inputs, or a value is not finite
     * @throws IllegalStateException    before {@code fit}
     */
    public float[] predict(float[] x) {
        final Model model = model("predict");
        return predict(model, model.flat("predict", new float[][] {x}), 1);
    }

    /**
     * {@return the predictions for some samples: a row for each} As {@link #predict(float[])}.
     *
     * @param x rows of {@link #inputs()} values
     */
    public float[][] predict(float[][] x) {
        final Model model = model("predict");
        return Model.rows(predict(model, model.flat("predict", x), x.length), x.length);
    }

    /**
     * The predictions for m samples; allocates nothing once a thread has warmed up.
     *
     * @param x   inputs × m: sample after sample
     * @param m   the samples, at least 1
     * @param out outputs × m; written
     */
    public void predict(float[] x, int m, float[] out) {
        predict(model("predict"), x, m, out);
    }

    private static float[] predict(Model model, float[] x, int m) {
        final float[] out = new float[Backpropagation.matrix(model.network().outputs(), m)];
        predict(model, x, m, out);
        return out;
    }

    private static void predict(Model model, float[] x, int m, float[] out) {
        model.forward("predict", x, m, out);
        if (model.targets() != null) model.targets().invert(out, 0, m);
    }

    /**
     * {@return {@link #score(Dataset)} of rows}
     *
     * @param x rows of {@link #inputs()} values
     * @param y the right value for each row
     */
    public double score(float[][] x, float[] y) {
        return score(Dataset.of(x, column(y)));
    }

    /**
     * {@return {@link #score(Dataset)} of rows}
     *
     * @param x rows of {@link #inputs()} values
     * @param y the right values for each row
     */
    public double score(float[][] x, float[][] y) {
        return score(Dataset.of(x, y));
    }

    /**
     * {@return R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)², weighted, the mean over the outputs; 1 at best, 0 for who always says the mean}
     * An output whose targets are all the same counts 1 if it is right and 0 if not.
     *
     * @param data samples whose targets are right
     * @throws IllegalStateException before {@code fit}
     */
    public double score(Dataset data) {
        final Model model = model("score");
        final int n = model.network().outputs();
        if (Objects.requireNonNull(data, "data").outputs() != n)
            throw new IllegalArgumentException(
                "score: samples have " + data.outputs() + " targets, but the model has " + n + " outputs");
        final double[] mean = new double[n], squares = new double[n], errors = new double[n];
        final double[] total = new double[1];
        model.forEach("score", data, (predicted, offset, y, yOffset, weight) -> {
            if (weight == 0) return;
            if (model.targets() != null) model.targets().invert(predicted, offset, 1);
            total[0] += weight;
            for (int k = 0; k < n; k++) {
                final double distance = y[yOffset + k] - mean[k];
                mean[k] += distance * weight / total[0];
                squares[k] += weight * distance * (y[yOffset + k] - mean[k]);
                errors[k] += weight * Math.pow((double) predicted[offset + k] - y[yOffset + k], 2);
            }
        });
        double sum = 0;
        for (int k = 0; k < n; k++) sum += squares[k] > 0 ? 1 - errors[k] / squares[k] : errors[k] == 0 ? 1 : 0;
        return sum / n;
    }

    /**
     * Writes the model as a safetensors file, with everything a prediction needs; see {@link Network#save}.
     *
     * @param file where to; a name that ends in {@code .safetensors}, by custom
     * @throws IOException           naming the file, if it cannot be written; an old file is still there then
     * @throws IllegalStateException before {@code fit}
     */
    public void save(Path file) throws IOException {
        ModelFile.save(model("save"), false, file);
    }

    /**
     * Reads a regressor that {@link #save} wrote, for {@link Backend#fastest()}. Its settings for training are the defaults.
     *
     * @param file what was written
     * @return the regressor, ready to predict
     * @throws IOException naming the file and what is wrong with it, if it cannot be read, is damaged, or holds something else
     */
    public static MlpRegressor load(Path file) throws IOException {
        return load(file, builder());
    }

    /**
     * As {@link #load(Path)}, with settings for {@link #partialFit} and the backend.
     *
     * @param file     what was written
     * @param settings for what it learns from now on; the layers of the model are the file's
     * @return the regressor, ready to predict
     * @throws IOException naming the file and what is wrong with it
     */
    public static MlpRegressor load(Path file, Builder settings) throws IOException {
        return new MlpRegressor(settings.settings(), settings.output, ModelFile.load(file, null, settings.backend()));
    }

    /**
     * {@return a regressor of a network that was trained elsewhere, such as one of {@link WeightImport}; not copied}
     *
     * @param network an output for each quantity
     * @param inputs  what the inputs go through before, or null
     * @param targets whose way back the outputs go, or null
     * @throws IllegalArgumentException if they do not fit together
     */
    public static MlpRegressor of(Network network, @Nullable Scaler inputs, @Nullable Scaler targets) {
        return of(network, inputs, targets, null);
    }

    /**
     * {@return a regressor as of {@link #of(Network, Scaler, Scaler)}, which knows the columns of a table}
     *
     * @param network an output for each quantity
     * @param inputs  what the inputs go through before, or null
     * @param targets whose way back the outputs go, or null
     * @param encoder how a row of a table becomes a sample, or null
     * @throws IllegalArgumentException if they do not fit together
     */
    public static MlpRegressor of(Network network, @Nullable Scaler inputs, @Nullable Scaler targets,
                                  @Nullable TableEncoder encoder) {
        return new MlpRegressor(builder().settings(), null, new Model(network, inputs, targets, List.of(), false, encoder));
    }

    /** What it is: the layers, the outputs, what is standardised. */
    @Override
    public String toString() {
        return describe("MlpRegressor", outputs -> outputs + (outputs == 1 ? " output" : " outputs"));
    }
}
