package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A neural network that tells classes apart, in the shape of scikit-learn's {@code MLPClassifier}: {@code fit}, {@code predict},
 * {@code predictProba}, {@code score}. Labels are of any type that has {@code equals} and {@code hashCode}.
 *
 * <pre>{@code
 * MlpClassifier<String> model = MlpClassifier.builder().hidden(50).build();
 * model.fit(x, species);                          // float[][] x, List<String> or String[] species
 * String kind = model.predict(new float[] {…});
 * model.save(Path.of("species.safetensors"));
 * }</pre>
 *
 * <p>Two classes make a single sigmoid output, more a softmax. With {@link #fitMultiLabel}, where a sample may have several
 * labels or none, each label has a sigmoid output of its own, and {@link #predictLabels} says which are as likely as not.
 *
 * <p>Predictions may be made from any number of threads at once, also during a {@code fit}.
 *
 * @param <L> the labels
 */
public final class MlpClassifier<L> extends Mlp {

    private static final int MOST_CLASSES = 1 << 24; // a float tells no more apart

    private final Map<?, ? extends Number> classWeights;
    private final boolean balanced;

    private MlpClassifier(Settings settings, Map<?, ? extends Number> classWeights, boolean balanced, @Nullable Model model) {
        super(settings, model);
        this.classWeights = classWeights;
        this.balanced = balanced;
    }

    /** {@return the settings of a new classifier, all at their defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /** The settings of a classifier. */
    public static final class Builder extends Mlp.Builder<Builder> {
        private Map<?, ? extends Number> classWeights = Map.of();
        private boolean balanced;

        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Sets what a sample of each class counts for, times the weight of its own; 1 for a class that is not named.
         *
         * @param weights by label; finite, 0 or more
         * @return this
         * @throws IllegalArgumentException if one is out of range
         */
        public Builder classWeights(Map<?, ? extends Number> weights) {
            Objects.requireNonNull(weights, "weights").forEach((label, weight) -> {
                if (!(weight.doubleValue() >= 0) || !Float.isFinite(weight.floatValue()))
                    throw new IllegalArgumentException(
                        "class weights: that of '" + label + "' is " + weight + "; expected a finite number, 0 or more");
            });
            classWeights = Map.copyOf(weights);
            balanced = false;
            return this;
        }

        /**
         * Lets every class count for as much in all: a sample counts n / (k · nₖ), k classes, nₖ of its class out of n.
         *
         * @return this
         */
        public Builder balanced() {
            classWeights = Map.of();
            balanced = true;
            return this;
        }

        /**
         * {@return a classifier of these settings, which knows nothing yet}
         *
         * @param <L> the labels
         */
        public <L> MlpClassifier<L> build() {
            return new MlpClassifier<>(settings(), classWeights, balanced, null);
        }
    }

    @Override
    ToDoubleBiFunction<Network, Dataset> metric(Model fresh) {
        return fresh.multiLabel() ? Metrics::exactMatch : Metrics::accuracy;
    }

    // ---- Training

    /**
     * Learns classes, forgetting what was known. They are numbered in the order of their labels where these can be compared, else
     * as they appear.
     *
     * @param x      rows of as many values each
     * @param labels the label of each row; of two or more classes
     * @return this
     * @throws IllegalArgumentException if the lengths do not fit together, there is one class only, or a value is not finite,
     *                                  naming its row and column
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public MlpClassifier<L> fit(float[][] x, List<? extends L> labels) {
        final List<L> classes = Labels.classes("fit", labels);
        return fit(Dataset.of(x, Labels.targets("fit", labels, classes)), classes);
    }

    /**
     * As {@link #fit(float[][], List)}.
     *
     * @param x      rows of as many values each
     * @param labels the label of each row; of two or more classes
     * @return this
     */
    public MlpClassifier<L> fit(float[][] x, L[] labels) {
        return fit(x, Arrays.asList(Objects.requireNonNull(labels, "labels")));
    }

    /**
     * Learns classes from samples with one target, the number of their class: 0 for the first of the labels, 1 for the next, ….
     * The samples count by their {@link Dataset#weight}.
     *
     * @param data   samples with one target
     * @param labels of the classes, two or more, all different
     * @return this
     * @throws IllegalArgumentException if a target is no such number, or a value is not finite, naming its row and column
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public synchronized MlpClassifier<L> fit(Dataset data, List<? extends L> labels) {
        return fit("fit", data, labels, false);
    }

    private MlpClassifier<L> fit(String operation, Dataset data, List<? extends L> labels, boolean multiLabel) {
        Objects.requireNonNull(data, "data");
        final Examination seen = new Examination(operation, data.inputs(), data.outputs(), labels, multiLabel);
        seen.visit(operation, data);
        final Model fresh = seen.model();
        train(fresh, loss(fresh), seen.prepared(fresh, data), validation -> seen.validation(fresh, validation));
        return this;
    }

    /**
     * Learns from more samples than memory holds, with targets as in {@link #fit(Dataset, List)}, which are read once before the
     * first epoch and once in each.
     *
     * @param stream opened once before the first epoch and once in each
     * @param labels of the classes, two or more, all different
     * @return this
     * @throws IOException              if the stream cannot be read; the model is the old one then
     * @throws IllegalArgumentException if a target is not the number of a class, or a value is not finite, naming its row and
     *                                  column
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public synchronized MlpClassifier<L> fit(SampleStream stream, List<? extends L> labels) throws IOException {
        return fit("fit", stream, labels, false);
    }

    private MlpClassifier<L> fit(String operation, SampleStream stream, List<? extends L> labels, boolean multiLabel)
        throws IOException {
        Objects.requireNonNull(stream, "stream");
        final Examination seen = new Examination(operation, stream.inputs(), stream.outputs(), labels, multiLabel);
        seen.visit(operation, stream);
        final Model fresh = seen.model();
        train(fresh, loss(fresh), stream, seen.samples, chunk -> seen.prepared(fresh, chunk),
              validation -> seen.validation(fresh, validation));
        return this;
    }

    /**
     * Learns labels of which a sample may have several, or none.
     *
     * @param x      rows of as many values each
     * @param labels those of each row
     * @return this
     * @throws IllegalArgumentException if the lengths do not fit together, no sample has a label, or a value is not finite
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public MlpClassifier<L> fitMultiLabel(float[][] x, List<? extends Collection<? extends L>> labels) {
        final List<L> classes = Labels.classesOfSeveral("fitMultiLabel", labels);
        return fitMultiLabel(Dataset.of(x, Labels.targetsOfSeveral(labels, classes)), classes);
    }

    /**
     * Learns labels of which a sample may have several, or none, from samples with a target for each label: 1 for those that it
     * has, 0 for the others.
     *
     * @param data   samples with a target for each label
     * @param labels one or more, all different
     * @return this
     * @throws IllegalArgumentException if a target is not in [0, 1], or a value is not finite
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public synchronized MlpClassifier<L> fitMultiLabel(Dataset data, List<? extends L> labels) {
        return fit("fitMultiLabel", data, labels, true);
    }

    /**
     * {@link #fitMultiLabel(Dataset, List)} from more samples than memory holds, which are read once before the first epoch and
     * once in each.
     *
     * @param stream opened for each pass
     * @param labels one or more, all different
     * @return this
     * @throws IOException              if the stream cannot be read; the model is the old one then
     * @throws IllegalArgumentException if a target is not in [0, 1], or a value is not finite
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public synchronized MlpClassifier<L> fitMultiLabel(SampleStream stream, List<? extends L> labels) throws IOException {
        return fit("fitMultiLabel", stream, labels, true);
    }

    /**
     * Goes through these samples once, starting from what is known.
     *
     * @param x      rows of as many values each
     * @param labels the label of each row
     * @return this
     * @throws IllegalStateException    before {@code fit} or {@link #partialFit(float[][], List, List)}, which say what classes
     *                                  there are; or if the training diverges: the model is the old one then
     * @throws IllegalArgumentException for a label that is none of the model's, or a value that is not finite
     */
    public MlpClassifier<L> partialFit(float[][] x, List<? extends L> labels) {
        if (!isFitted())
            throw new IllegalStateException(
                "partialFit: the classes are not known yet; expected them as the third argument, or a call of fit before");
        return partialFit(x, labels, labels());
    }

    /**
     * As {@link #partialFit(float[][], List)}.
     *
     * @param x      rows of as many values each
     * @param labels the label of each row
     * @return this
     */
    public MlpClassifier<L> partialFit(float[][] x, L[] labels) {
        return partialFit(x, Arrays.asList(Objects.requireNonNull(labels, "labels")));
    }

    /**
     * Goes through these samples once, starting from what is known. The first call, if there was no {@code fit}, sets the classes
     * and learns the standardisation, and both then stay.
     *
     * @param x       rows of as many values each
     * @param labels  the label of each row
     * @param classes all labels there will ever be, in the order of their numbers
     * @return this
     * @throws IllegalArgumentException if the classes are not those of the model, a label is none of them, or a value is not
     *                                  finite
     * @throws IllegalStateException    if the training diverges; the model is the old one then
     */
    public MlpClassifier<L> partialFit(float[][] x, List<? extends L> labels, List<? extends L> classes) {
        return partialFit(Dataset.of(x, Labels.targets("partialFit", labels, classes)), classes);
    }

    /**
     * As {@link #partialFit(float[][], List, List)}, of samples as {@link #fit(Dataset, List)} wants them.
     *
     * @param data    samples with one target, the number of their class
     * @param classes all labels there will ever be, in the order of their numbers
     * @return this
     */
    public synchronized MlpClassifier<L> partialFit(Dataset data, List<? extends L> classes) {
        Objects.requireNonNull(data, "data");
        Objects.requireNonNull(classes, "classes");
        if (isFitted() && !labels().equals(classes))
            throw new IllegalArgumentException(
                "partialFit: the classes are " + Labels.shortened(classes) + ", but those of the model are "
                    + Labels.shortened(labels()));
        final Examination seen =
            new Examination("partialFit", data.inputs(), data.outputs(), classes, isFitted() && isMultiLabel());
        seen.visit("partialFit", data);
        final Model old = isFitted() ? model("partialFit") : seen.model();
        if (data.inputs() != old.network().inputs())
            throw new IllegalArgumentException(
                "partialFit: samples have " + data.inputs() + " values, but the model has " + old.network().inputs() + " inputs");
        trainFurther(old, loss(old), seen.prepared(old, data));
        return this;
    }

    private Loss loss(Model model) {
        if (settings.loss() != null) return settings.loss();
        return model.network().layer(model.network().depth()).activation() == Activation.SOFTMAX
            ? Loss.CROSS_ENTROPY : Loss.BINARY_CROSS_ENTROPY;
    }

    /** Sees the samples before the training: checks their targets, and what each class weighs. */
    private final class Examination implements SampleVisitor {
        private final String operation;
        private final List<? extends L> labels;
        private final boolean multiLabel;
        private final int inputs;
        private final Scaler.Learner ofX;
        private final double[] weights; // of the samples of each class
        private long samples;

        Examination(String operation, int inputs, int outputs, List<? extends L> labels, boolean multiLabel) {
            final int k = Objects.requireNonNull(labels, "labels").size(), least = multiLabel ? 1 : 2;
            if (k < least || k > MOST_CLASSES)
                throw new IllegalArgumentException(
                    operation + ": there " + (k == 1 ? "is 1 class (" + labels.get(0) + ")" : "are " + k + " classes")
                        + "; expected " + least + (k < least ? " or more" : " to " + MOST_CLASSES));
            if (Labels.numbers(labels).size() < k)
                throw new IllegalArgumentException(operation + ": two classes have the same label; expected all to differ");
            if (outputs != (multiLabel ? k : 1))
                throw new IllegalArgumentException(
                    operation + ": samples have " + outputs + " targets; expected "
                        + (multiLabel ? k + ", one for each label" : "1, the number of their class"));
            if (multiLabel && isWeighted())
                throw new IllegalArgumentException(
                    operation + ": class weights are for samples of one class each; expected sample weights");
            this.operation = operation;
            this.labels = labels;
            this.multiLabel = multiLabel;
            this.inputs = inputs;
            ofX = new Scaler.Learner(inputs);
            weights = new double[k];
        }

        @Override
        public void sample(long row, float[] x, int xOffset, float[] y, int yOffset, float weight) {
            ofX.add(x, xOffset);
            samples++;
            check(row, y, yOffset);
            if (!multiLabel) weights[(int) y[yOffset]] += weight;
        }

        private void check(long row, float[] y, int yOffset) {
            if (multiLabel)
                for (int c = 0; c < labels.size(); c++) {
                    if (!(y[yOffset + c] >= 0 && y[yOffset + c] <= 1))
                        throw new IllegalArgumentException(
                            operation + ": target " + c + " of row " + row + " is " + y[yOffset + c] + "; expected 0 to 1");
                }
            else {
                final float c = y[yOffset];
                if (!(c >= 0 && c < labels.size() && c == (int) c))
                    throw new IllegalArgumentException(
                        operation + ": the target of row " + row + " is " + c + "; expected the number of a class, 0 to "
                            + (labels.size() - 1));
            }
        }

        /** Samples for validation, which are checked, too. */
        Dataset validation(Model model, Dataset data) {
            if (data.inputs() != inputs || data.outputs() != (multiLabel ? labels.size() : 1))
                throw new IllegalArgumentException(
                    operation + ": samples for validation have " + data.inputs() + " values and " + data.outputs()
                        + " targets; expected as many as those to learn from");
            final SampleVisitor check = (row, x, xOffset, y, yOffset, weight) -> check(row, y, yOffset);
            check.visit(operation + ": validation", data);
            return prepared(model, data);
        }

        Model model() {
            final int outputs = labels.size() == 2 && !multiLabel ? 1 : labels.size();
            final Activation output = outputs == 1 || multiLabel ? Activation.SIGMOID : Activation.SOFTMAX;
            final Scaler scaler = settings.standardize() ? ofX.scaler("x", inputNames()) : null;
            return new Model(network(inputs, outputs, output), scaler, null, List.copyOf(labels), multiLabel,
                             settings.encoder());
        }

        /** What the network wants, each sample weighed by its class. */
        Dataset prepared(Model model, Dataset data) {
            final int outputs = model.network().outputs();
            return new Prepared(data, model.inputs(), null, multiLabel || outputs == 1 ? 0 : outputs,
                                isWeighted() ? weights(data) : null);
        }

        private float[] weights(Dataset data) {
            final double total = Arrays.stream(weights).sum();
            final float[] x = new float[inputs], y = new float[1], of = new float[data.size()];
            for (int i = 0; i < of.length; i++) {
                data.copy(i, x, 0, y, 0);
                final int c = (int) y[0];
                final double ofClass = balanced ? total / (weights.length * weights[c]) : classWeight(labels.get(c));
                if (data.weight(i) > 0) of[i] = (float) (data.weight(i) * ofClass); // a class may weigh nothing at all
            }
            return of;
        }
    }

    private boolean isWeighted() {
        return balanced || !classWeights.isEmpty();
    }

    private double classWeight(Object label) {
        final Number weight = classWeights.get(label);
        return weight == null ? 1 : weight.doubleValue();
    }

    // ---- Prediction

    /**
     * {@return the labels of the classes, in the order of their numbers}
     *
     * @throws IllegalStateException before {@code fit}
     */
    @SuppressWarnings("unchecked") // only labels of L come in, and a load checks them
    public List<L> labels() {
        return (List<L>) model("labels").labels();
    }

    /**
     * {@return whether a sample may have several labels}
     *
     * @throws IllegalStateException before {@code fit}
     */
    public boolean isMultiLabel() {
        return model("isMultiLabel").multiLabel();
    }

    /**
     * {@return the label of the most probable class of one sample}
     *
     * @param x {@link #inputs()} values
     * @throws IllegalArgumentException if {@code x} has another length than the model's inputs, or a value is not finite
     * @throws IllegalStateException    before {@code fit}
     */
    public L predict(float[] x) {
        return predict(new float[][] {x}).get(0);
    }

    /**
     * {@return the label of the most probable class of each row; as {@link #predict(float[])}}
     *
     * @param x rows of {@link #inputs()} values
     */
    public List<L> predict(float[][] x) {
        final Model model = model("predict");
        final int n = model.labels().size();
        final float[] p = probabilities("predict", model, x);
        return IntStream.range(0, x.length).mapToObj(i -> label(model, Metrics.largest(p, i * n, n))).toList();
    }

    /**
     * {@return the labels of one sample that are as likely as not, the likeliest first: none, one or several}
     *
     * @param x {@link #inputs()} values
     */
    public Set<L> predictLabels(float[] x) {
        return predictLabels(new float[][] {x}).get(0);
    }

    /**
     * {@return the labels of each row that are as likely as not; as {@link #predictLabels(float[])}}
     *
     * @param x rows of {@link #inputs()} values
     */
    public List<Set<L>> predictLabels(float[][] x) {
        final Model model = model("predictLabels");
        final int n = model.labels().size();
        final float[] p = probabilities("predictLabels", model, x);
        return IntStream.range(0, x.length).mapToObj(i -> {
            final Set<L> labels = new LinkedHashSet<>();
            IntStream.range(i * n, (i + 1) * n).filter(k -> p[k] >= 0.5f).boxed().sorted((a, b) -> Float.compare(p[b], p[a]))
                .forEach(k -> labels.add(label(model, k - i * n)));
            return labels;
        }).toList();
    }

    /**
     * The probability of each class for one sample, in the order of {@link #labels}.
     *
     * @param x {@link #inputs()} values
     * @return one for each class, in a new array; their sum is 1, unless there may be several labels
     */
    public float[] predictProba(float[] x) {
        return probabilities("predictProba", model("predictProba"), new float[][] {x});
    }

    /**
     * {@return the probability of each class for each row; as {@link #predictProba(float[])}}
     *
     * @param x rows of {@link #inputs()} values
     */
    public float[][] predictProba(float[][] x) {
        return Model.rows(probabilities("predictProba", model("predictProba"), x), x.length);
    }

    /**
     * The probability of each class for m samples; allocates nothing once a thread has warmed up.
     *
     * @param x   inputs × m: sample after sample
     * @param m   the samples, at least 1
     * @param out classes × m; written
     */
    public void predictProba(float[] x, int m, float[] out) {
        probabilities("predictProba", model("predictProba"), x, m, out);
    }

    private static float[] probabilities(String operation, Model model, float[][] x) {
        final float[] flat = model.flat(operation, x), out = new float[Backpropagation.matrix(model.labels().size(), x.length)];
        probabilities(operation, model, flat, x.length, out);
        return out;
    }

    private static void probabilities(String operation, Model model, float[] x, int m, float[] out) {
        Network.requireLength(operation, "out", out, m, model.labels().size());
        model.forward(operation, x, m, out);
        if (model.network().outputs() == 1 && !model.multiLabel())
            for (int j = m - 1; j >= 0; j--) { // from behind: what is still to be read lies before what is written
                final float p = out[j];
                out[2 * j] = 1 - p;
                out[2 * j + 1] = p;
            }
    }

    @SuppressWarnings("unchecked") // as labels()
    private L label(Model model, int k) {
        return (L) model.labels().get(k);
    }

    /**
     * {@return {@link #score(Dataset)} of rows}
     *
     * @param x      rows of {@link #inputs()} values
     * @param labels the right one of each row
     */
    public double score(float[][] x, List<? extends L> labels) {
        final Model model = model("score");
        return score(model, Dataset.of(x, Labels.targets("score", labels, model.labels())));
    }

    /**
     * {@return {@link #score(Dataset)} of rows}
     *
     * @param x      rows of {@link #inputs()} values
     * @param labels the right one of each row
     */
    public double score(float[][] x, L[] labels) {
        return score(x, Arrays.asList(Objects.requireNonNull(labels, "labels")));
    }

    /**
     * {@return the share of samples whose class is right, weighted, in [0, 1]} Where there may be several labels, of those with
     * all of them right.
     *
     * @param data targets as in {@link #fit(Dataset, List)} or {@link #fitMultiLabel(Dataset, List)}
     * @throws IllegalStateException before {@code fit}
     */
    public double score(Dataset data) {
        return score(model("score"), data);
    }

    private static double score(Model model, Dataset data) {
        final int n = model.network().outputs(), targets = model.multiLabel() ? n : 1;
        if (Objects.requireNonNull(data, "data").outputs() != targets)
            throw new IllegalArgumentException(
                "score: samples have " + data.outputs() + " targets; expected " + targets + ", as in fit");
        final double[] rightAndAll = new double[2];
        model.forEach("score", data, (p, offset, y, yOffset, weight) -> {
            boolean right = true;
            if (model.multiLabel())
                for (int k = 0; k < n; k++) right &= p[offset + k] >= 0.5f == y[yOffset + k] >= 0.5f;
            else right = y[yOffset] == (n == 1 ? p[offset] > 0.5f ? 1 : 0 : Metrics.largest(p, offset, n));
            if (right) rightAndAll[0] += weight;
            rightAndAll[1] += weight;
        });
        return rightAndAll[0] / rightAndAll[1];
    }

    /**
     * Writes the model as a safetensors file, with everything a prediction needs; see {@link Network#save}.
     *
     * @param file where to; a name that ends in {@code .safetensors}, by custom
     * @throws IOException           naming the file, if it cannot be written; an old file is still there then
     * @throws IllegalStateException before {@code fit}, or if labels are of a type that a file cannot hold: it holds String,
     *                               Integer and the other boxes, and enum constants by name
     */
    public void save(Path file) throws IOException {
        ModelFile.save(model("save"), true, file);
    }

    /**
     * Reads a classifier that {@link #save} wrote, for {@link Backend#fastest()}, whatever the type of its labels. Its settings
     * for training are the defaults.
     *
     * @param file what was written
     * @return the classifier, ready to predict
     * @throws IOException naming the file and what is wrong with it, if it cannot be read, is damaged, or holds something else
     */
    public static MlpClassifier<Object> load(Path file) throws IOException {
        return load(file, Object.class);
    }

    /**
     * As {@link #load(Path)}, with labels of one type.
     *
     * @param <L>    the labels
     * @param file   what was written
     * @param labels their type, which may be an enumeration
     * @return the classifier, ready to predict
     * @throws IOException naming the file and what is wrong with it, such as labels of another type
     */
    public static <L> MlpClassifier<L> load(Path file, Class<L> labels) throws IOException {
        return load(file, labels, builder());
    }

    /**
     * As {@link #load(Path, Class)}, with settings for {@link #partialFit(float[][], List)} and the backend.
     *
     * @param <L>      the labels
     * @param file     what was written
     * @param labels   their type, which may be an enumeration
     * @param settings for what it learns from now on; the layers of the model are the file's
     * @return the classifier, ready to predict
     * @throws IOException naming the file and what is wrong with it, such as labels of another type
     */
    public static <L> MlpClassifier<L> load(Path file, Class<L> labels, Builder settings) throws IOException {
        return new MlpClassifier<>(settings.settings(), settings.classWeights, settings.balanced,
                                   ModelFile.load(file, labels, settings.backend()));
    }

    /**
     * {@return a classifier of a network that was trained elsewhere, such as one of {@link WeightImport}; not copied}
     *
     * @param <L>     the labels
     * @param network ends in a softmax over the classes, or in one sigmoid for the second of two
     * @param labels  of the classes, in the order of their numbers
     * @param scaler  what the inputs go through before, or null
     * @throws IllegalArgumentException if they do not fit together
     */
    public static <L> MlpClassifier<L> of(Network network, List<? extends L> labels, @Nullable Scaler scaler) {
        return of(network, labels, scaler, null);
    }

    /**
     * {@return a classifier as of {@link #of(Network, List, Scaler)}, which knows the columns of a table}
     *
     * @param <L>     the labels
     * @param network ends in a softmax over the classes, or in one sigmoid for the second of two
     * @param labels  of the classes, in the order of their numbers
     * @param scaler  what the inputs go through before, or null
     * @param encoder how a row of a table becomes a sample, or null
     * @throws IllegalArgumentException if they do not fit together
     */
    public static <L> MlpClassifier<L> of(Network network, List<? extends L> labels, @Nullable Scaler scaler,
                                          @Nullable TableEncoder encoder) {
        return of(network, labels, false, scaler, encoder);
    }

    /**
     * {@return a classifier, for samples that may have several labels or none, of a network that was trained elsewhere; not
     * copied}
     *
     * @param <L>     the labels
     * @param network ends in a sigmoid for each label
     * @param labels  one or more, all different
     * @param scaler  what the inputs go through before, or null
     * @param encoder how a row of a table becomes a sample, or null
     * @throws IllegalArgumentException if they do not fit together
     */
    public static <L> MlpClassifier<L> ofMultiLabel(Network network, List<? extends L> labels, @Nullable Scaler scaler,
                                                    @Nullable TableEncoder encoder) {
        return of(network, labels, true, scaler, encoder);
    }

    private static <L> MlpClassifier<L> of(Network network, List<? extends L> labels, boolean multiLabel,
                                           @Nullable Scaler scaler, @Nullable TableEncoder encoder) {
        final Builder settings = builder();
        final Model model = new Model(network, scaler, null, List.copyOf(labels), multiLabel, encoder);
        requireOutputs(model);
        return new MlpClassifier<>(settings.settings(), settings.classWeights, settings.balanced, model);
    }

    /** @throws IllegalArgumentException if the network has not the outputs that the labels want */
    static void requireOutputs(Model model) {
        final Network network = model.network();
        final int k = model.labels().size();
        final Activation output = network.layer(network.depth()).activation();
        final boolean fits = model.multiLabel() ? k >= 1 && network.outputs() == k && output == Activation.SIGMOID
            : k == 2 && network.outputs() == 1 && output == Activation.SIGMOID
                || k >= 2 && network.outputs() == k && output == Activation.SOFTMAX;
        if (!fits || Set.copyOf(model.labels()).size() < k)
            throw new IllegalArgumentException(
                "the network ends in " + network.outputs() + " outputs of " + output + ", which do not fit " + k
                    + " different labels: expected as many, "
                    + (model.multiLabel() ? "of sigmoid" : "of softmax, or one of sigmoid for two labels"));
    }

    /** What it is: the layers, the classes, what is standardised. */
    @Override
    public String toString() {
        return describe("MlpClassifier", outputs -> {
            final List<L> labels = labels();
            return (isMultiLabel() ? "any of " : "") + labels.size() + " classes " + Labels.shortened(labels);
        });
    }
}
