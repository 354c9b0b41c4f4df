package dev.backblas;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What an estimator knows: what {@code fit} makes, and what a file holds.
 *
 * @param inputs     the standardisation of x, or null
 * @param targets    the standardisation of y in regression, or null
 * @param labels     of the classes, in the order of their numbers; empty in regression
 * @param multiLabel whether a sample may have several labels, or none
 * @param encoder    how a row of a table becomes a sample, or null
 */
record Model(Network network, @Nullable Scaler inputs, @Nullable Scaler targets, List<Object> labels, boolean multiLabel,
             @Nullable TableEncoder encoder) {

    /** Floats of standardised samples that a thread keeps, unless a single sample needs more. */
    private static final int LARGEST_SCRATCH = 1 << 18;
    private static final ThreadLocal<float[]> SCRATCH = new ThreadLocal<>();

    Model {
        Scaler.requireColumns(inputs, network.inputs(), "inputs");
        Scaler.requireColumns(targets, network.outputs(), "outputs");
        if (encoder != null && encoder.inputs() != network.inputs())
            throw new IllegalArgumentException(
                "encoder: it makes " + encoder.inputs() + " values of a row; expected " + network.inputs()
                    + ", as there are inputs");
    }

    /** The same on a network of its own. */
    Model copy() {
        return new Model(network.copy(), inputs, targets, labels, multiLabel, encoder);
    }

    /** The outputs of the network for m samples, standardised on the way. */
    void forward(String operation, float[] x, int m, float[] out) {
        final int in = network.inputs();
        if (m < 1) throw new IllegalArgumentException(operation + ": m is " + m + "; expected 1 or more");
        Network.requireLength(operation, "x", x, m, in);
        Network.requireLength(operation, "out", out, m, network.outputs());
        if (x == out) throw new IllegalArgumentException(operation + ": x and out are one array; expected two");
        if (!network.backend().allFinite(m * in, x, 0)) Samples.requireFinite(operation, "x", x, 0, m, in, 0);
        if (inputs == null) {
            network.predict(x, 0, m, out, 0);
            return;
        }
        final int tile = Math.min(m, Math.max(1, LARGEST_SCRATCH / in));
        float[] scaled = SCRATCH.get();
        if (scaled == null || scaled.length < tile * in) SCRATCH.set(scaled = new float[tile * in]);
        for (int j = 0; j < m; j += tile) {
            final int n = Math.min(tile, m - j);
            inputs.apply(x, j * in, n, scaled, 0);
            network.predict(scaled, 0, n, out, j * network.outputs());
        }
    }

    /** Sees one sample that has been predicted: outputs from their offset, targets from theirs. */
    @FunctionalInterface
    interface Judge {
        void sample(float[] predicted, int offset, float[] y, int yOffset, double weight);
    }

    /** Shows every sample of a dataset with the outputs for it. */
    void forEach(String operation, Dataset data, Judge judge) {
        final int in = Objects.requireNonNull(data, "data").inputs(), targets = data.outputs(), out = network.outputs();
        if (in != network.inputs())
            throw new IllegalArgumentException(
                operation + ": samples have " + in + " values, but the model has " + network.inputs() + " inputs");
        if (data.size() < 1) throw new IllegalArgumentException(operation + ": there is no sample; expected 1 or more");
        final int tile = Math.min(data.size(), Math.max(1, LARGEST_SCRATCH / Math.max(in, Math.max(targets, out))));
        final float[] x = new float[in * tile], y = new float[targets * tile], predicted = new float[out * tile];
        for (int start = 0; start < data.size(); start += tile) {
            final int m = Math.min(tile, data.size() - start);
            for (int j = 0; j < m; j++) data.copy(start + j, x, j * in, y, j * targets);
            forward(operation, x, m, predicted);
            for (int j = 0; j < m; j++) judge.sample(predicted, j * out, y, j * targets, data.weight(start + j));
        }
    }

    /** Samples in rows, end to end. */
    float[] flat(String operation, float[][] x) {
        final int in = network.inputs();
        if (Objects.requireNonNull(x, "x").length == 0)
            throw new IllegalArgumentException(operation + ": there is no row; expected 1 or more");
        final float[] flat = new float[Backpropagation.matrix(in, x.length)];
        for (int i = 0; i < x.length; i++) {
            if (x[i] == null || x[i].length != in)
                throw new IllegalArgumentException(
                    operation + ": row " + i + (x[i] == null ? " is null" : " has " + x[i].length + " values") + "; expected "
                        + in + ", the inputs of the model");
            System.arraycopy(x[i], 0, flat, i * in, in);
        }
        return flat;
    }

    /** The way back. */
    static float[][] rows(float[] flat, int rows) {
        final int columns = flat.length / rows;
        final float[][] out = new float[rows][columns];
        for (int i = 0; i < rows; i++) System.arraycopy(flat, i * columns, out[i], 0, columns);
        return out;
    }
}
