package dev.backblas;

import dev.backblas.backend.Backend;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Dataset} as a network wants it: inputs standardised, targets standardised or made one-hot of the number of a class,
 * samples weighted. A view.
 *
 * @param of      the samples
 * @param ofX     the standardisation of x, or null
 * @param ofY     the standardisation of y, or null
 * @param classes above 0: y is the number of a class and becomes one of so many outputs; 0: y stays as wide as it is
 * @param weights of the samples, or null where those of {@code of} stand
 */
record Prepared(Dataset of, @Nullable Scaler ofX, @Nullable Scaler ofY, int classes, float @Nullable [] weights)
        implements Resident {

    Prepared {
        if (weights != null) requireWeights(weights, of.size());
    }

    private static void requireWeights(float[] weights, int samples) {
        if (weights.length != samples)
            throw new IllegalArgumentException(
                "dataset: there are " + weights.length + " weights; expected one for each of the " + samples + " samples");
        for (int i = 0; i < weights.length; i++)
            if (!(weights[i] >= 0) || !Float.isFinite(weights[i]))
                throw new IllegalArgumentException(
                    "dataset: the weight of sample " + i + " is " + weights[i] + "; expected a finite number, 0 or more");
    }

    @Override
    public int size() {
        return of.size();
    }

    @Override
    public int inputs() {
        return of.inputs();
    }

    @Override
    public int outputs() {
        return classes > 0 ? classes : of.outputs();
    }

    @Override
    public float weight(int i) {
        return weights == null ? of.weight(i) : weights[i];
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        of.copy(i, x, xOffset, y, yOffset);
        prepare(x, xOffset, y, yOffset, 1);
    }

    @Override
    public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        Resident.gather(of, backend, rows, from, to, x, xOffset, y, yOffset);
        prepare(x, xOffset, y, yOffset, to - from);
    }

    private void prepare(float[] x, int xOffset, float[] y, int yOffset, int m) {
        if (ofX != null) ofX.apply(x, xOffset, m);
        if (ofY != null) ofY.apply(y, yOffset, m);
        if (classes > 0)
            for (int j = m - 1; j >= 0; j--) { // from behind: what is still to be read lies before what is written
                final int hot = (int) y[yOffset + j];
                for (int k = 0; k < classes; k++) y[yOffset + j * classes + k] = k == hot ? 1 : 0;
            }
    }
}
