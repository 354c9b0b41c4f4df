package dev.backblas;

import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.util.Objects;

/** A {@link Dataset} in two arrays of floats. */
record Samples(float[] x, float[] y, int inputs, int outputs) implements Resident.Columns {

    Samples {
        requireSizes(Objects.requireNonNull(x, "x").length, Objects.requireNonNull(y, "y"), inputs, outputs);
        requireFinite("dataset", "x", x, 0, x.length / inputs, inputs, 0);
    }

    static void requireSizes(int values, float[] y, int inputs, int outputs) {
        if (inputs < 1 || outputs < 1)
            throw new IllegalArgumentException(
                "dataset: " + inputs + " inputs and " + outputs + " outputs a sample; expected 1 or more of each");
        if (values == 0 || values % inputs != 0 || (long) values / inputs * outputs != y.length)
            throw new IllegalArgumentException(
                "dataset: x has " + values + " values and y has " + y.length + "; expected " + inputs + " and " + outputs
                    + " for each of the same number of samples, 1 or more");
        requireFinite("dataset", "y", y, 0, y.length / outputs, outputs, 0);
    }

    static void requireFinite(String operation, String name, float[] values, int offset, int rows, int columns, long firstRow) {
        for (int i = 0; i < rows * columns; i++)
            if (!Float.isFinite(values[offset + i]))
                throw new IllegalArgumentException(
                    operation + ": " + name + " is " + values[offset + i] + " in row " + (firstRow + i / columns) + ", column "
                        + i % columns + "; expected a finite number");
    }

    static void requireRow(String name, float[][] rows, int j) {
        if (rows[j] == null)
            throw new IllegalArgumentException("dataset: row " + j + " of " + name + " is null; expected values");
    }

    /** The rows [from, to), end to end. */
    static float[] flat(String name, float[][] rows, int from, int to) {
        final int n = rows[0].length;
        final float[] flat = new float[Backpropagation.matrix(n, to - from)];
        for (int j = from; j < to; j++) {
            requireRow(name, rows, j);
            if (rows[j].length != n)
                throw new IllegalArgumentException(
                    "dataset: row " + j + " of " + name + " has " + rows[j].length + " values; expected " + n + ", as row 0");
            System.arraycopy(rows[j], 0, flat, (j - from) * n, n);
        }
        return flat;
    }

    @Override
    public int size() {
        return x.length / inputs;
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        System.arraycopy(this.x, i * inputs, x, xOffset, inputs);
        System.arraycopy(this.y, i * outputs, y, yOffset, outputs);
    }

    @Override
    public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        backend.gather(inputs, this.x, rows, from, to, x, xOffset);
        backend.gather(outputs, this.y, rows, from, to, y, yOffset);
    }

    @Override
    public void gatherX(Program program, int[] columns, int from, int m, float[] x, int xOffset) {
        program.gather(inputs, m, this.x, columns, from, x, xOffset);
    }

    @Override
    public void gatherY(Program program, int[] columns, int from, int m, float[] y, int yOffset) {
        program.gather(outputs, m, this.y, columns, from, y, yOffset);
    }
}
