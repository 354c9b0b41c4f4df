package dev.backblas;

import dev.backblas.backend.Activation;
import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A dense network: layers, weights and biases. It is what a {@link Trainer} trains and what predicts; {@link MlpClassifier} and
 * {@link MlpRegressor} make one, and know labels and standardisation, too.
 *
 * <pre>{@code
 * Network network = Network.builder(784).layer(128, Activation.RELU).layer(10, Activation.SOFTMAX).build();
 * }</pre>
 *
 * <p>{@link #predict(float[])} may be called from any number of threads at once; it takes no lock. While a {@link Trainer}
 * trains this network, others should predict on a {@link #copy()}.
 */
public final class Network {

    /**
     * Samples that go through the network together in {@link #predict(float[], int, float[])}: their A stay in the cache (by AVX2
     * 784-1024-1024-10 is 1.03 times as fast as with 512 of them, 1.04 times as with 128).
     */
    private static final int PREDICTION_TILE = 256;

    /** Floats of one row of activations that a thread keeps, unless a single sample needs more. */
    private static final int LARGEST_SCRATCH = 1 << 22;

    /** Activations of the hidden layers, for odd and even layers in turn; each thread's grows to the largest that it needed. */
    private static final ThreadLocal<float[]> SCRATCH = new ThreadLocal<>();

    /** Each thread's way through this network. */
    private final Program.PerThread programs;

    private final List<Layer> layers;
    private final float[] parameters; // W¹ b¹ W² b² …, end to end
    private final int[] w; // where in parameters Wˡ begins: in × out of layer l, l = 1…L
    private final int[] b; // where bˡ begins: out
    private final int widest; // the largest hidden layer
    private final int tile; // the most samples that go through it together
    private final Backend backend;

    Network(List<Layer> layers, Backend backend) {
        this.layers = List.copyOf(layers);
        this.backend = backend;
        programs = new Program.PerThread(backend);
        w = new int[layers.size() + 1];
        b = new int[layers.size() + 1];
        int widest = 0;
        long end = 0;
        for (int l = 1; l <= layers.size(); l++) {
            w[l] = (int) end;
            b[l] = (int) end + layer(l).weights();
            end += layer(l).weights() + (long) layer(l).out();
            if (end > Integer.MAX_VALUE - 8)
                throw new IllegalArgumentException(
                    "network: its first " + l + " layers have " + end + " parameters, which do not fit one array; expected "
                        + "fewer than 2^31");
            if (l < layers.size()) widest = Math.max(widest, layer(l).out());
        }
        parameters = new float[(int) end];
        this.widest = widest;
        tile = Math.max(1, Math.min(PREDICTION_TILE, LARGEST_SCRATCH / Math.max(1, widest)));
    }

    /**
     * Begins a network.
     *
     * @param inputs the values of one sample, 1 or more
     * @return a builder without layers
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
         * Adds a layer; the last is the output.
         *
         * @param units      its units, 1 or more
         * @param activation φ; softmax in the last layer only
         * @return this
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

        /**
         * Sets how weights start.
         *
         * @param initialization {@link Initialization#AUTO} unless set
         * @return this
         */
        public Builder initialization(Initialization initialization) {
            this.initialization = Objects.requireNonNull(initialization, "initialization");
            return this;
        }

        /**
         * Sets the seed of the first weights. The same seed gives the same weights on every machine.
         *
         * @param seed 1 unless set
         * @return this
         */
        public Builder seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Sets where products are computed.
         *
         * @param backend {@link Backend#fastest()} unless set
         * @return this
         */
        public Builder backend(Backend backend) {
            this.backend = Objects.requireNonNull(backend, "backend");
            return this;
        }

        /**
         * Draws the first weights; may be called again, for another network of the same start.
         *
         * @return a network of those weights
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
                initialization.resolve(layer).fill(layer, network.weights(l), network.biases(l), random);
            }
            return network;
        }
    }

    /** {@return the number of inputs: the values of one sample} */
    public int inputs() {
        return layers.get(0).in();
    }

    /** {@return the number of outputs for one sample} */
    public int outputs() {
        return layers.get(layers.size() - 1).out();
    }

    /** {@return L, the number of layers that have weights} */
    public int depth() {
        return layers.size();
    }

    /**
     * {@return the shape of layer l}
     *
     * @param l 1 … {@link #depth()}
     * @throws IllegalArgumentException if there is no layer of that number
     */
    public Layer layer(int l) {
        if (l < 1 || l > layers.size())
            throw new IllegalArgumentException(
                "network: there is no layer " + l + "; expected 1 to " + layers.size() + " (layers count from 1)");
        return layers.get(l - 1);
    }

    /**
     * {@return all weights and biases: W¹ b¹ W² b² …, end to end} The network's own array: writing changes it.
     *
     * @see #weightsOffset
     * @see #biasesOffset
     */
    public float[] parameters() {
        return parameters;
    }

    /**
     * {@return where in {@link #parameters()} Wˡ begins: in × out, column k holding the weights into unit k}
     *
     * @param l 1 … {@link #depth()}
     * @throws IllegalArgumentException if there is no layer of that number
     */
    public int weightsOffset(int l) {
        layer(l);
        return w[l];
    }

    /**
     * {@return where in {@link #parameters()} bˡ begins: out}
     *
     * @param l 1 … {@link #depth()}
     * @throws IllegalArgumentException if there is no layer of that number
     */
    public int biasesOffset(int l) {
        layer(l);
        return b[l];
    }

    /**
     * {@return Wˡ of layer l: in × out, column k holding the weights into unit k} A view: writing changes the network.
     *
     * @param l 1 … {@link #depth()}
     * @throws IllegalArgumentException if there is no layer of that number
     */
    public FloatBuffer weights(int l) {
        return FloatBuffer.wrap(parameters, weightsOffset(l), layer(l).weights()).slice();
    }

    /**
     * {@return bˡ of layer l} A view: writing changes the network.
     *
     * @param l 1 … {@link #depth()}
     * @throws IllegalArgumentException if there is no layer of that number
     */
    public FloatBuffer biases(int l) {
        return FloatBuffer.wrap(parameters, biasesOffset(l), layer(l).out()).slice();
    }

    /** {@return what computes the products of this network} */
    public Backend backend() {
        return backend;
    }

    /** {@return a network of the same weights, in memory of its own} */
    public Network copy() {
        final Network copy = new Network(layers, backend);
        System.arraycopy(parameters, 0, copy.parameters, 0, parameters.length);
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
     * The outputs for m samples. It allocates nothing once a thread has warmed up (on netlib it does).
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
        predict(x, 0, m, out, 0);
    }

    /** The outputs for m samples from {@code xOffset} on; the arguments are known to be right. */
    void predict(float[] x, int xOffset, int m, float[] out, int outOffset) {
        final int tile = Math.min(m, this.tile);
        final Program program = programs.get();
        try {
            for (int j = 0; j < m; j += tile) {
                forward(program.clear(), x, xOffset + j * inputs(), Math.min(tile, m - j), scratch(2 * widest * tile),
                        widest * tile, out, outOffset + j * outputs());
                program.run();
            }
        } finally {
            program.clear(); // it must not keep x and out from being collected
        }
    }

    private static float[] scratch(int size) {
        float[] scratch = SCRATCH.get();
        if (scratch == null || scratch.length < size) SCRATCH.set(scratch = new float[size]);
        return scratch;
    }

    /** Writes the way of m samples through the network. */
    private void forward(Program program, float[] x, int xOffset, int m, float[] scratch, int half, float[] out, int outOffset) {
        float[] a = x; // Aˡ⁻¹
        int offset = xOffset;
        for (int l = 1; l <= depth(); l++) {
            final Layer layer = layer(l);
            final boolean last = l == depth();
            final float[] next = last ? out : scratch;
            final int nextOffset = last ? outOffset : (l - 1) % 2 * half;
            program.affine(layer.in(), layer.out(), m, parameters, w[l], parameters, b[l], a, offset, layer.activation(), next,
                           nextOffset);
            a = next;
            offset = nextOffset;
        }
    }

    static void requireLength(String operation, String name, float[] array, int m, int rows) {
        if (Objects.requireNonNull(array, name).length < (long) rows * m)
            throw new IllegalArgumentException(
                operation + ": " + name + " has " + array.length + " values; expected " + m + " samples of " + rows + ", "
                    + (long) rows * m);
    }

    /** @throws IllegalStateException naming the first weight or bias that is not finite */
    void requireFinite(String operation) {
        for (int l = 1; l <= depth(); l++) {
            requireFinite(operation, "weight", l, w[l], b[l]);
            requireFinite(operation, "bias", l, b[l], b[l] + layer(l).out());
        }
    }

    private void requireFinite(String operation, String kind, int l, int from, int to) {
        for (int i = from; i < to; i++)
            if (!Float.isFinite(parameters[i]))
                throw new IllegalStateException(
                    operation + ": " + kind + " " + (i - from) + " of layer " + l + " is " + parameters[i]);
    }

    /**
     * Writes the network as a safetensors file that PyTorch and Hugging Face tools open: tensors {@code 0.weight} (out × in, row
     * by row), {@code 0.bias}, {@code 1.weight}, … and the activations in its metadata. The file is written beside and
     * renamed when it is complete, so an old one is never lost to a failed write; a symbolic link is replaced, not followed.
     *
     * @param file where to; a name that ends in {@code .safetensors}, by custom
     * @throws IOException           naming the file, if it cannot be written
     * @throws IllegalStateException if a weight is not finite; nothing is written
     */
    public void save(Path file) throws IOException {
        requireFinite("save");
        ModelFile.save(this, file);
    }

    /**
     * Reads a network that {@link #save} wrote, for {@link Backend#fastest()}. Of the file of an estimator it is the network
     * alone, which wants its inputs standardised: {@link MlpClassifier#load(Path)} and {@link MlpRegressor#load(Path)} do that.
     *
     * @param file what was written
     * @return the network, ready to predict
     * @throws IOException naming the file and what is wrong with it, if it cannot be read or is damaged
     */
    public static Network load(Path file) throws IOException {
        return load(file, Backend.fastest());
    }

    /**
     * Reads a network that {@link #save} wrote, for a given backend.
     *
     * @param file    what was written
     * @param backend what computes its products
     * @return the network, ready to predict
     * @throws IOException naming the file and what is wrong with it, if it cannot be read or is damaged
     */
    public static Network load(Path file, Backend backend) throws IOException {
        return ModelFile.load(file, Objects.requireNonNull(backend, "backend"));
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
