package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A dense network: layers, weights and biases.
 *
 * <p>{@link #predict(float[])} may be called from any number of threads at once; it takes no lock. While a {@link Trainer}
 * trains this network, others should predict on a {@link #copy()}.
 */
public final class Network {

    /** Samples that go through the network together in {@link #predict(float[], int, float[])}: their A stay in the cache. */
    private static final int PREDICTION_TILE = 256;

    /** Floats of one row of activations that a thread keeps, unless a single sample needs more. */
    private static final int LARGEST_SCRATCH = 1 << 22;

    /** Two rows of activations, for the layers in turn; each thread's grows to the largest that it needed. */
    private static final ThreadLocal<float[][]> SCRATCH = ThreadLocal.withInitial(() -> new float[2][0]);

    private final List<Layer> layers;
    private final float[][] w; // w[l]: in × out of layer l, l = 1…L
    private final float[][] b; // b[l]: out
    private final int widest; // the largest hidden layer
    private final Backend backend;

    Network(List<Layer> layers, Backend backend) {
        this.layers = List.copyOf(layers);
        this.backend = backend;
        w = new float[layers.size() + 1][];
        b = new float[layers.size() + 1][];
        int widest = 0;
        for (int l = 1; l <= layers.size(); l++) {
            w[l] = new float[layer(l).weights()];
            b[l] = new float[layer(l).out()];
            if (l < layers.size()) widest = Math.max(widest, layer(l).out());
        }
        this.widest = widest;
    }

    /**
     * Begins a network of {@code inputs} inputs.
     *
     * @throws IllegalArgumentException if {@code inputs} is below 1
     */
    public static Builder builder(int inputs) {
        return new Builder(inputs);
    }

    /** Adds layer after layer; {@link #build} draws the weights. */
    public static final class Builder {
        private final int inputs;
        private final List<Layer> layers = new ArrayList<>();
        private Initialization initialization = Initialization.AUTO;
        private long seed = 1;
        private @Nullable Backend backend;

        private Builder(int inputs) {
            if (inputs < 1)
                throw new IllegalArgumentException("network: it has " + inputs + " inputs; expected 1 or more");
            this.inputs = inputs;
        }

        /**
         * Adds a layer of {@code units} units.
         *
         * @throws IllegalArgumentException if {@code units} is below 1, or softmax is followed by another layer
         */
        public Builder layer(int units, Activation activation) {
            final Layer last = layers.isEmpty() ? null : layers.get(layers.size() - 1);
            if (last != null && last.activation() == Activation.SOFTMAX)
                throw new IllegalArgumentException(
                    "network: layer " + layers.size() + " is softmax, which is for the output layer; expected none after it");
            layers.add(new Layer(last == null ? inputs : last.out(), units, activation));
            return this;
        }

        /** How weights start; {@link Initialization#AUTO} unless set. */
        public Builder initialization(Initialization initialization) {
            this.initialization = initialization;
            return this;
        }

        /** The seed of the first weights; 1 unless set. The same seed gives the same weights on every machine. */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /** Where products are computed; {@link Backend#fastest()} unless set. */
        public Builder backend(Backend backend) {
            this.backend = backend;
            return this;
        }

        /**
         * Draws the first weights; may be called again, for another network of the same start.
         *
         * @throws IllegalStateException if there is no layer
         */
        public Network build() {
            if (layers.isEmpty())
                throw new IllegalStateException(
                    "network: it has no layer; expected one or more calls of layer(units, activation)");
            final Network network = new Network(layers, backend == null ? Backend.fastest() : backend);
            final Random random = new Random(seed);
            for (int l = 1; l <= network.depth(); l++) {
                final Layer layer = network.layer(l);
                initialization.resolve(layer).fill(layer, network.w[l], network.b[l], random);
            }
            return network;
        }
    }

    /** The inputs of one sample. */
    public int inputs() {
        return layers.get(0).in();
    }

    /** The outputs of one sample. */
    public int outputs() {
        return layers.get(layers.size() - 1).out();
    }

    /** L, the number of layers that have weights. */
    public int depth() {
        return layers.size();
    }

    /**
     * Layer l of 1 … {@link #depth()}.
     *
     * @throws IllegalArgumentException if there is no layer of that number
     */
    public Layer layer(int l) {
        if (l < 1 || l > layers.size())
            throw new IllegalArgumentException(
                "network: there is no layer " + l + "; expected 1 to " + layers.size() + " (layers count from 1)");
        return layers.get(l - 1);
    }

    /** Wˡ of layer l: in × out, column k holding the weights into unit k. The network's own array: writing changes it. */
    public float[] weights(int l) {
        layer(l);
        return w[l];
    }

    /** bˡ of layer l. The network's own array: writing changes it. */
    public float[] biases(int l) {
        layer(l);
        return b[l];
    }

    /** The number of weights and biases. */
    public long parameters() {
        return layers.stream().mapToLong(layer -> (long) layer.weights() + layer.out()).sum();
    }

    /** Where the products of this network are computed. */
    public Backend backend() {
        return backend;
    }

    /** A network of the same weights, in memory of its own. */
    public Network copy() {
        final Network copy = new Network(layers, backend);
        for (int l = 1; l <= depth(); l++) {
            System.arraycopy(w[l], 0, copy.w[l], 0, w[l].length);
            System.arraycopy(b[l], 0, copy.b[l], 0, b[l].length);
        }
        return copy;
    }

    /**
     * The output for one sample.
     *
     * @param x {@link #inputs()} values
     * @return {@link #outputs()} values, in a new array
     * @throws IllegalArgumentException if {@code x} has another length
     */
    public float[] predict(float[] x) {
        if (x.length != inputs())
            throw new IllegalArgumentException(
                "predict: the sample has " + x.length + " values, but the network has " + inputs() + " inputs");
        final float[] out = new float[outputs()];
        predict(x, 1, out);
        return out;
    }

    /**
     * The outputs for m samples. On OpenBLAS it allocates nothing once a thread has warmed up.
     *
     * @param x   X, inputs × m: sample after sample
     * @param m   the samples, at least 1
     * @param out Aᴸ, outputs × m; written
     * @throws IllegalArgumentException if {@code x} or {@code out} is too short, or both are one array
     */
    public void predict(float[] x, int m, float[] out) {
        if (m < 1) throw new IllegalArgumentException("predict: m is " + m + "; expected 1 or more");
        requireLength("predict", "x", x, m, inputs());
        requireLength("predict", "out", out, m, outputs());
        if (x == out) throw new IllegalArgumentException("predict: x and out are one array; expected two");
        final int tile = Math.min(m, Math.max(1, Math.min(PREDICTION_TILE, LARGEST_SCRATCH / Math.max(1, widest))));
        final float[][] scratch = SCRATCH.get();
        for (int i = 0; i < Math.min(2, depth() - 1); i++)
            if (scratch[i].length < (long) widest * tile) scratch[i] = new float[widest * tile];
        for (int j = 0; j < m; j += tile) forward(x, j, Math.min(tile, m - j), scratch, out);
    }

    private void forward(float[] x, int from, int m, float[][] scratch, float[] out) {
        float[] a = x; // Aˡ⁻¹
        int offset = from * inputs();
        for (int l = 1; l <= depth(); l++) {
            final Layer layer = layer(l);
            final boolean last = l == depth();
            final float[] next = last ? out : scratch[(l - 1) % 2];
            final int nextOffset = last ? from * outputs() : 0;
            backend.affine(layer.in(), layer.out(), m, w[l], 0, b[l], 0, a, offset, layer.activation(), next, nextOffset);
            a = next;
            offset = nextOffset;
        }
    }

    static void requireLength(String operation, String name, float[] array, int m, int rows) {
        if (array.length < (long) rows * m)
            throw new IllegalArgumentException(
                operation + ": " + name + " has " + array.length + " values; expected " + m + " samples of " + rows + ", "
                    + (long) rows * m);
    }

    /** @throws IllegalStateException naming the first weight or bias that is not finite */
    void requireFinite(String operation) {
        for (int l = 1; l <= depth(); l++) {
            requireFinite(operation, "weight", l, w[l]);
            requireFinite(operation, "bias", l, b[l]);
        }
    }

    private static void requireFinite(String operation, String kind, int l, float[] values) {
        for (int i = 0; i < values.length; i++)
            if (!Float.isFinite(values[i]))
                throw new IllegalStateException(operation + ": " + kind + " " + i + " of layer " + l + " is " + values[i]);
    }

    /**
     * Writes the network as a safetensors file that PyTorch and Hugging Face tools open: tensors {@code 0.weight} (out × in, row
     * by row), {@code 0.bias}, {@code 1.weight}, … and the activations in its metadata. The file is written beside and
     * renamed when it is complete, so an old one is never lost to a failed write; a symbolic link is replaced, not followed.
     *
     * @throws IOException           naming the file, if it cannot be written
     * @throws IllegalStateException if a weight is not finite; nothing is written
     */
    public void save(Path file) throws IOException {
        requireFinite("save");
        ModelFile.save(this, file);
    }

    /**
     * Reads a network that {@link #save} wrote, for {@link Backend#fastest()}.
     *
     * @throws IOException naming the file and what is wrong with it, if it cannot be read or is damaged
     */
    public static Network load(Path file) throws IOException {
        return load(file, Backend.fastest());
    }

    /**
     * Reads a network that {@link #save} wrote, for a given backend.
     *
     * @throws IOException naming the file and what is wrong with it, if it cannot be read or is damaged
     */
    public static Network load(Path file, Backend backend) throws IOException {
        return ModelFile.load(file, backend);
    }

    /** The shape, such as {@code 784-128:relu-10:softmax}. */
    @Override
    public String toString() {
        final StringBuilder shape = new StringBuilder().append(inputs());
        for (Layer layer : layers)
            shape.append('-').append(layer.out()).append(':').append(layer.activation().name().toLowerCase(Locale.ROOT));
        return shape.toString();
    }
}
