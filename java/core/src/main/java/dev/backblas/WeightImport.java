package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A network from the weights of another library, in a safetensors file: its layers are named one by one.
 *
 * <pre>{@code
 * Network network = WeightImport.of(Path.of("torch.safetensors"))
 *     .linear("0.weight", "0.bias", Activation.RELU)
 *     .linear("2.weight", "2.bias", Activation.SOFTMAX)
 *     .load();
 * }</pre>
 *
 * <table>
 * <caption>What others call their tensors</caption>
 * <tr><th>library</th><th>tensors of layer l = 0, 1, …</th><th>method</th></tr>
 * <tr><td>PyTorch, {@code nn.Sequential} of {@code nn.Linear}, whose other modules count too</td>
 *     <td>{@code 0.weight} [out, in], {@code 0.bias} [out], {@code 2.weight}, …</td><td>{@link #linear}</td></tr>
 * <tr><td>PyTorch, a module of one's own</td><td>{@code fc1.weight} [out, in], {@code fc1.bias} [out], …</td>
 *     <td>{@link #linear}</td></tr>
 * <tr><td>scikit-learn, {@code coefs_} and {@code intercepts_} of an {@code MLPClassifier} or {@code MLPRegressor}, saved under
 *     these names by {@code safetensors.numpy.save_file}</td>
 *     <td>{@code coefs_.0} [in, out], {@code intercepts_.0} [out], …</td><td>{@link #dense}</td></tr>
 * <tr><td>Keras, {@code Dense}</td><td>{@code kernel} [in, out], {@code bias} [out]</td><td>{@link #dense}</td></tr>
 * </table>
 *
 * <p>Tensors may be of F64, F32, F16 or BF16; others in the file are not looked at. A model that ends in two or more logits, as
 * with PyTorch's {@code CrossEntropyLoss}, is imported with a softmax; scikit-learn's of two classes ends in one sigmoid. An
 * estimator is made of the network by {@link MlpClassifier#of} or {@link MlpRegressor#of}.
 */
public final class WeightImport {

    private record Source(String weight, @Nullable String bias, boolean transposed, Activation activation) {}

    private final Path file;
    private final List<Source> sources = new ArrayList<>();

    private WeightImport(Path file) {
        this.file = file;
    }

    /**
     * Begins an import.
     *
     * @param file in the safetensors format; not opened yet
     * @return an import without layers
     */
    public static WeightImport of(Path file) {
        return new WeightImport(file);
    }

    /**
     * Adds a layer whose weights are [out, in], as PyTorch's.
     *
     * @param weight     the name of its weights
     * @param bias       the name of its biases, [out]; null if it has none
     * @param activation φ
     * @return this
     */
    public WeightImport linear(String weight, @Nullable String bias, Activation activation) {
        sources.add(new Source(weight, bias, false, activation));
        return this;
    }

    /**
     * Adds a layer whose weights are [in, out], as scikit-learn's and Keras's.
     *
     * @param weight     the name of its weights
     * @param bias       the name of its biases, [out]; null if it has none
     * @param activation φ
     * @return this
     */
    public WeightImport dense(String weight, @Nullable String bias, Activation activation) {
        sources.add(new Source(weight, bias, true, activation));
        return this;
    }

    /**
     * Reads the network, for {@link Backend#fastest()}; as {@link #load(Backend)}.
     *
     * @return the network, ready to predict
     * @throws IOException           naming the file and what is wrong with it
     * @throws IllegalStateException if no layer was added
     */
    public Network load() throws IOException {
        return load(Backend.fastest());
    }

    /**
     * Reads the network.
     *
     * @param backend what computes its products
     * @return the network, ready to predict
     * @throws IOException           naming the file and what is wrong with it, if it cannot be read, is damaged, or its tensors
     *                               do not fit together
     * @throws IllegalStateException if no layer was added
     */
    public Network load(Backend backend) throws IOException {
        if (sources.isEmpty())
            throw new IllegalStateException("import: there is no layer; expected one or more calls of linear or dense");
        return ModelFile.read(file, in -> {
            final List<Layer> layers = new ArrayList<>();
            for (Source source : sources) {
                final int[] shape = in.shape(source.weight);
                if (shape.length != 2)
                    throw new IOException("the tensor " + source.weight + " has " + shape.length + " dimensions; expected 2");
                final int inputs = source.transposed ? shape[0] : shape[1], outputs = source.transposed ? shape[1] : shape[0];
                final Layer before = layers.isEmpty() ? null : layers.get(layers.size() - 1);
                if (before != null && before.out() != inputs)
                    throw new IOException("the tensor " + source.weight + " takes " + inputs + " inputs; expected " + before.out()
                        + ", what the layer before gives" + (outputs == before.out()
                            ? " (is it " + (source.transposed ? "linear, [out, in]" : "dense, [in, out]") + "?)" : ""));
                if (before != null && before.activation() == Activation.SOFTMAX)
                    throw new IOException("layer " + layers.size() + " is softmax; expected it in the last layer only");
                layers.add(new Layer(inputs, outputs, source.activation));
            }
            for (Source source : sources) in.requireInside(source.weight); // before memory is taken for what a header may claim
            final Network network = new Network(layers, backend);
            for (int l = 1; l <= network.depth(); l++) {
                final Source source = sources.get(l - 1);
                in.readAsFloats(source.weight, network.weights(l));
                if (source.transposed) transpose(network.weights(l), layers.get(l - 1));
                if (source.bias == null) continue; // 0
                final int[] shape = in.shape(source.bias);
                if (shape.length != 1 || shape[0] != layers.get(l - 1).out())
                    throw new IOException("the tensor " + source.bias + " is " + Arrays.toString(shape) + "; expected ["
                        + layers.get(l - 1).out() + "]");
                in.readAsFloats(source.bias, network.biases(l));
            }
            network.requireFinite("load");
            return network;
        });
    }

    /** From in × out, row by row, to column by column. */
    private static void transpose(FloatBuffer w, Layer layer) {
        final float[] rows = new float[layer.weights()];
        w.get(0, rows);
        for (int i = 0; i < layer.in(); i++)
            for (int k = 0; k < layer.out(); k++) w.put(k * layer.in() + i, rows[i * layer.out() + k]);
    }
}
