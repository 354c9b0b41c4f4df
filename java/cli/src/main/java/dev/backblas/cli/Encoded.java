package dev.backblas.cli;

import dev.backblas.Dataset;
import org.jspecify.annotations.Nullable;

/**
 * Samples as a network learns them: inputs and quantities scaled, the number of a class as one of so many outputs. A view.
 *
 * @param of      the samples as they stand
 * @param ofX     how x is scaled, or null
 * @param ofY     how y is scaled, or null
 * @param classes above 1: y becomes one of so many outputs
 */
record Encoded(Dataset of, @Nullable Scaling ofX, @Nullable Scaling ofY, int classes) implements Dataset {

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
        return Math.max(1, classes);
    }

    @Override
    public float weight(int i) {
        return of.weight(i);
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        of.copy(i, x, xOffset, y, yOffset);
        if (ofX != null) ofX.apply(x, xOffset);
        if (ofY != null) ofY.apply(y, yOffset);
        if (classes > 1) {
            final int number = (int) y[yOffset];
            for (int k = 0; k < classes; k++) y[yOffset + k] = k == number ? 1 : 0;
        }
    }
}
