package dev.backblas;

import dev.backblas.backend.Backend;

/** Some samples of another {@link Dataset}, in some order: a view. */
record Selection(Dataset of, int[] rows) implements Resident {

    /** A selection of a selection is one of the whole; {@code rows} is kept. */
    static Selection of(Dataset data, int[] rows) {
        if (!(data instanceof Selection selection)) return new Selection(data, rows);
        for (int i = 0; i < rows.length; i++) rows[i] = selection.rows[rows[i]];
        return new Selection(selection.of, rows);
    }

    @Override
    public int size() {
        return rows.length;
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
        return of.weight(rows[i]);
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        of.copy(rows[i], x, xOffset, y, yOffset);
    }

    @Override
    public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        final int[] below = new int[to - from];
        for (int j = 0; j < below.length; j++) below[j] = this.rows[rows[from + j]];
        Resident.gather(of, backend, below, 0, below.length, x, xOffset, y, yOffset);
    }
}
