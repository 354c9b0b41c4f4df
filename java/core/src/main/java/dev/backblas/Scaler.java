package dev.backblas;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Standardisation, column by column: x' = (x − mean) / deviation. Learned by an estimator's {@code fit} and kept in its model;
 * made by {@link #of} only for a model that was trained elsewhere.
 *
 * <p>A column that never changes, up to the rounding of a float, becomes 0.
 */
public final class Scaler {

    private final float[] mean;
    private final float[] deviation; // infinite where a column is constant

    private Scaler(float[] mean, float[] deviation) {
        this.mean = mean;
        this.deviation = deviation;
    }

    /**
     * {@return a scaler of given numbers, such as those of another library's}
     *
     * @param mean      of each column, finite
     * @param deviation of each column, above 0; infinite for a column that is to become 0
     * @throws IllegalArgumentException if there is no column, the lengths differ, or a number is out of range
     */
    public static Scaler of(float[] mean, float[] deviation) {
        if (mean.length == 0 || mean.length != deviation.length)
            throw new IllegalArgumentException(
                "scaler: there are " + mean.length + " means and " + deviation.length
                    + " deviations; expected as many, 1 or more");
        for (int c = 0; c < mean.length; c++)
            if (!Float.isFinite(mean[c]) || !(deviation[c] > 0))
                throw new IllegalArgumentException(
                    "scaler: column " + c + " has the mean " + mean[c] + " and the deviation " + deviation[c]
                        + "; expected a finite mean and a deviation above 0");
        return new Scaler(mean.clone(), deviation.clone());
    }

    /**
     * {@return the standardisation of the inputs of these samples}
     *
     * @param data    the samples, whose inputs are finite
     * @param encoder knows the names of their columns, for messages; or null
     * @throws IllegalArgumentException if a column varies by less or more than floats can be divided by
     */
    public static Scaler ofInputs(Dataset data, @Nullable TableEncoder encoder) {
        return learned(data, true).scaler("x", encoder == null ? null : encoder.inputNames());
    }

    /**
     * {@return the standardisation of the targets of these samples}
     *
     * @param data    the samples, whose targets are finite
     * @param encoder as in {@link #ofInputs}
     * @throws IllegalArgumentException if a column varies by less or more than floats can be divided by
     */
    public static Scaler ofTargets(Dataset data, @Nullable TableEncoder encoder) {
        return learned(data, false).scaler("y", encoder == null ? null : encoder.targetNames());
    }

    private static Learner learned(Dataset data, boolean inputs) {
        final float[] x = new float[data.inputs()], y = new float[data.outputs()];
        final Learner learner = new Learner(inputs ? x.length : y.length);
        for (int i = 0; i < data.size(); i++) {
            data.copy(i, x, 0, y, 0);
            learner.add(inputs ? x : y, 0);
        }
        return learner;
    }

    static void requireColumns(@Nullable Scaler scaler, int columns, String what) {
        if (scaler != null && scaler.columns() != columns)
            throw new IllegalArgumentException(
                "scaler: it has " + scaler.columns() + " columns; expected " + columns + ", as there are " + what);
    }

    /** {@return the number of columns} */
    public int columns() {
        return mean.length;
    }

    /** {@return the mean of each column, in a new array} */
    public float[] mean() {
        return mean.clone();
    }

    /** {@return the deviation of each column, in a new array; infinite where the column was constant} */
    public float[] deviation() {
        return deviation.clone();
    }

    /** Standardises m samples in place. */
    void apply(float[] x, int offset, int m) {
        for (int j = 0, i = offset; j < m; j++)
            for (int c = 0; c < mean.length; c++, i++) x[i] = (x[i] - mean[c]) / deviation[c];
    }

    /** Standardises m samples into another array. */
    void apply(float[] x, int offset, int m, float[] to, int toOffset) {
        for (int j = 0, i = offset, k = toOffset; j < m; j++)
            for (int c = 0; c < mean.length; c++, i++, k++) to[k] = (x[i] - mean[c]) / deviation[c];
    }

    /** The way back, in place: x = deviation · x' + mean. A constant column comes back as its mean. */
    void invert(float[] x, int offset, int m) {
        for (int j = 0, i = offset; j < m; j++)
            for (int c = 0; c < mean.length; c++, i++)
                x[i] = Float.isInfinite(deviation[c]) ? mean[c] : x[i] * deviation[c] + mean[c];
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Scaler s && Arrays.equals(mean, s.mean) && Arrays.equals(deviation, s.deviation);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(mean) + Arrays.hashCode(deviation);
    }

    @Override
    public String toString() {
        return "Scaler of " + mean.length + " columns";
    }

    /** Sees samples one after the other; mean and variance by B. P. Welford's recurrence, 1962, which does not cancel. */
    static final class Learner {
        private final double[] mean;
        private final double[] squares; // Σ (x − mean)²
        private long samples;

        Learner(int columns) {
            mean = new double[columns];
            squares = new double[columns];
        }

        void add(float[] x, int offset) {
            final double share = 1.0 / ++samples;
            for (int c = 0; c < mean.length; c++) {
                final double distance = x[offset + c] - mean[c];
                mean[c] += distance * share;
                squares[c] += distance * (x[offset + c] - mean[c]);
            }
        }

        /**
         * What was learned.
         *
         * @param what  what the columns are of
         * @param names of the columns, or null
         * @throws IllegalArgumentException if a column varies by less or more than floats can be divided by
         */
        Scaler scaler(String what, @Nullable List<String> names) {
            final float[] centre = new float[mean.length], deviation = new float[mean.length];
            for (int c = 0; c < mean.length; c++) {
                centre[c] = (float) mean[c];
                final double spread = Math.sqrt(squares[c] / samples);
                if (!(spread > 1e-6 * Math.abs(mean[c]))) deviation[c] = Float.POSITIVE_INFINITY;
                else if (spread > 1e-30 && spread < 1e30) deviation[c] = (float) spread;
                else throw new IllegalArgumentException(
                    (names == null ? "fit: column " + c + " of " + what : "column '" + names.get(c) + "'") + " varies by "
                        + spread + "; expected 1e-30 to 1e30: change its unit");
            }
            return new Scaler(centre, deviation);
        }
    }
}
