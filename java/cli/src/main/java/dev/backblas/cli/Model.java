package dev.backblas.cli;

import dev.backblas.Dataset;
import dev.backblas.MlpClassifier;
import dev.backblas.MlpRegressor;
import dev.backblas.Network;
import dev.backblas.TableEncoder;
import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A model of any kind, as the commands see it.
 *
 * @param kind       classifier, multilabel-classifier, regressor, or network for one without labels
 * @param network    what computes
 * @param labels     of the classes; empty where quantities are predicted
 * @param targets    what is predicted: the target of classes, or the name of each label or quantity
 * @param encoder    how a row of a table becomes a sample, or null where it has to be one already
 * @param predictor  the probability of each class, or the quantities
 */
record Model(String kind, Network network, List<String> labels, List<String> targets, @Nullable TableEncoder encoder,
             Predictor predictor) {

    /** Values that are predicted together. */
    private static final int TILE = 1 << 18;

    @FunctionalInterface
    interface Predictor {
        /** From x, inputs × m, to out, outputs × m. */
        void predict(float[] x, int m, float[] out);
    }

    /** Reads a model file. */
    static Model load(Path file, @Nullable String backend) throws IOException {
        final Backend chosen = backend == null ? Backend.fastest() : Backend.named(backend);
        final ModelHeader header = ModelHeader.read(file);
        return switch (header.kind()) {
            case "network" -> of(Network.load(file, chosen));
            case "regressor" -> of(MlpRegressor.load(file, MlpRegressor.builder().backend(chosen)));
            default -> of(MlpClassifier.load(file, Object.class, MlpClassifier.builder().backend(chosen)));
        };
    }

    static Model of(MlpClassifier<?> mlp) {
        final TableEncoder encoder = mlp.encoder();
        return new Model(mlp.isMultiLabel() ? "multilabel-classifier" : "classifier", mlp.network(),
            mlp.labels().stream().map(String::valueOf).toList(), encoder == null ? List.of("label") : encoder.targetNames(),
            encoder, mlp::predictProba);
    }

    static Model of(MlpRegressor mlp) {
        final TableEncoder encoder = mlp.encoder();
        return new Model("regressor", mlp.network(), List.of(), encoder == null ? numbered("output", mlp.outputs())
            : encoder.targetNames(), encoder, mlp::predict);
    }

    /** A network alone: its classes have numbers, not names. */
    static Model of(Network network) {
        final int outputs = network.outputs();
        final Activation last = network.layer(network.depth()).activation();
        if (outputs == 1 && last == Activation.SIGMOID)
            return new Model("network", network, List.of("0", "1"), List.of("label"), null, (x, m, out) -> {
                network.predict(x, m, out);
                for (int j = m - 1; j >= 0; j--) { // from behind: what is still to be read lies before what is written
                    final float p = out[j];
                    out[2 * j] = 1 - p;
                    out[2 * j + 1] = p;
                }
            });
        final boolean classes = outputs > 1 && (last == Activation.SOFTMAX || last == Activation.SIGMOID);
        return new Model("network", network, classes ? IntStream.range(0, outputs).mapToObj(String::valueOf).toList() : List.of(),
                         classes ? List.of("label") : numbered("output", outputs), null, network::predict);
    }

    private static List<String> numbered(String name, int n) {
        return n == 1 ? List.of(name) : IntStream.range(0, n).mapToObj(i -> name + "_" + i).toList();
    }

    /** The same under names of the labels and the targets. */
    Model named(List<String> labels, List<String> targets) {
        return new Model(kind, network, labels, targets, encoder, predictor);
    }

    int inputs() {
        return network.inputs();
    }

    /** The values of a prediction: a probability for each class, or the quantities. */
    int outputs() {
        return labels.isEmpty() ? targets.size() : labels.size();
    }

    /** The values of what is true: the number of a class, 1 or 0 for each label, or the quantities. */
    int truths() {
        return isMultiLabel() ? labels.size() : labels.isEmpty() ? targets.size() : 1;
    }

    boolean isMultiLabel() {
        return kind.startsWith("multilabel");
    }

    /** How many samples to predict at a time. */
    int tile() {
        return Math.max(1, Math.min(1024, TILE / Math.max(inputs(), outputs())));
    }

    /** An evaluation of predictions of this model. */
    Evaluation evaluation() {
        if (isMultiLabel()) return new Evaluation.Labels(labels);
        if (!labels.isEmpty()) return new Evaluation.Classes(labels);
        return targets.size() == 1 ? new Evaluation.Quantity(targets.get(0)) : new Evaluation.Quantities(targets);
    }

    /** How well the model does on these samples. */
    Evaluation evaluate(Dataset data) {
        final Evaluation evaluation = evaluation();
        final int tile = tile(), truths = truths();
        final float[] x = new float[inputs() * tile], y = new float[truths * tile], out = new float[outputs() * tile];
        for (int start = 0; start < data.size(); start += tile) {
            final int m = Math.min(tile, data.size() - start);
            for (int j = 0; j < m; j++) data.copy(start + j, x, j * inputs(), y, j * truths);
            predictor.predict(x, m, out);
            evaluation.add(out, y, m);
        }
        return evaluation;
    }
}
