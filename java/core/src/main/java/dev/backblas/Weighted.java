package dev.backblas;

import dev.backblas.backend.Backend;

/** A {@link Dataset} whose samples count for more or less. */
record Weighted(Dataset of, float[] weights) implements Resident {

    Weighted {
        if (weights.length != of.size())
            throw new IllegalArgumentException(
                "dataset: there are " + weights.length + " weights; expected one for each of the " + of.size() + " samples");
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
        return of.outputs();
    }

    @Override
    public float weight(int i) {
        return weights[i];
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        of.copy(i, x, xOffset, y, yOffset);
    }

    @Override
    public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        Resident.gather(of, backend, rows, from, to, x, xOffset, y, yOffset);
    }
}
