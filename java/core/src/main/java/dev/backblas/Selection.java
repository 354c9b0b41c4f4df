package dev.backblas;

/** Some samples of another {@link Dataset}, in some order: a view. */
record Selection(Dataset of, int[] rows) implements Dataset {

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
}
