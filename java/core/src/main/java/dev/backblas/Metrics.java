package dev.backblas;

/** How well a network does on samples it may not have seen: for {@link Trainer.Builder#metric}, or after training. */
public final class Metrics {

    /** Samples that are predicted together. */
    private static final int TILE = 256;
    /** Floats of a tile, unless a single sample has more. */
    private static final int LARGEST = 1 << 24;

    private Metrics() {}

    /** Sees the prediction and the target of one sample: {@code outputs} values each, from their offsets. */
    @FunctionalInterface
    private interface Visitor {
        void sample(float[] predicted, float[] y, int offset);
    }

    /**
     * {@return the share of samples, in [0, 1], whose largest output stands where their largest target does} With a single
     * output, of those for which both are on the same side of ½.
     *
     * @param network which predicts
     * @param data    what is right; one or more samples
     * @throws IllegalArgumentException if the data do not fit the network
     */
    public static double accuracy(Network network, Dataset data) {
        final int n = network.outputs();
        final int[] right = new int[1];
        forEach(network, data, (predicted, y, offset) -> {
            final boolean same = n == 1
                ? predicted[offset] >= 0.5f == y[offset] >= 0.5f
                : largest(predicted, offset, n) == largest(y, offset, n);
            if (same) right[0]++;
        });
        return (double) right[0] / data.size();
    }

    /**
     * {@return the share of samples all of whose outputs are on the same side of ½ as their targets, for several labels; in
     * [0, 1]}
     *
     * @param network which predicts
     * @param data    what is right; one or more samples
     * @throws IllegalArgumentException if the data do not fit the network
     */
    public static double exactMatch(Network network, Dataset data) {
        final int n = network.outputs();
        final int[] right = new int[1];
        forEach(network, data, (predicted, y, offset) -> {
            boolean all = true;
            for (int k = offset; k < offset + n; k++) all &= predicted[k] >= 0.5f == y[k] >= 0.5f;
            if (all) right[0]++;
        });
        return (double) right[0] / data.size();
    }

    /**
     * {@return the root of the mean of (a − y)² over all samples and outputs, in the unit of y}
     *
     * @param network which predicts
     * @param data    what is right; one or more samples
     * @throws IllegalArgumentException if the data do not fit the network
     */
    public static double rootMeanSquaredError(Network network, Dataset data) {
        final int n = network.outputs();
        final double[] sum = new double[1];
        forEach(network, data, (predicted, y, offset) -> {
            for (int k = offset; k < offset + n; k++) sum[0] += Math.pow((double) predicted[k] - y[k], 2);
        });
        return Math.sqrt(sum[0] / data.size() / n);
    }

    /** Which of n values is the largest, the first of several: 0 … n − 1. */
    static int largest(float[] values, int offset, int n) {
        int best = 0;
        for (int k = 1; k < n; k++) if (values[offset + k] > values[offset + best]) best = k;
        return best;
    }

    private static void forEach(Network network, Dataset data, Visitor visitor) {
        if (data.inputs() != network.inputs() || data.outputs() != network.outputs())
            throw new IllegalArgumentException(
                "metrics: samples have " + data.inputs() + " inputs and " + data.outputs() + " outputs, but the network has "
                    + network.inputs() + " and " + network.outputs());
        if (data.size() < 1) throw new IllegalArgumentException("metrics: there is no sample; expected 1 or more");
        final int in = network.inputs(), out = network.outputs();
        final int tile = Math.min(data.size(), Math.max(1, Math.min(TILE, LARGEST / Math.max(in, out))));
        final float[] x = new float[in * tile], y = new float[out * tile], predicted = new float[out * tile];
        for (int start = 0; start < data.size(); start += tile) {
            final int m = Math.min(tile, data.size() - start);
            for (int j = 0; j < m; j++) data.copy(start + j, x, j * in, y, j * out);
            network.predict(x, m, predicted);
            for (int j = 0; j < m; j++) visitor.sample(predicted, y, j * out);
        }
    }
}
