package dev.backblas;

import dev.backblas.backend.Backend;
import dev.backblas.backend.Program;
import java.util.Objects;

/** A {@link Dataset} of images that stay bytes until a batch is made of them. */
record ByteSamples(byte[] pixels, float[] y, int inputs, int outputs) implements Resident.Columns {

    private static final float SCALE = 1 / 255f;

    ByteSamples {
        Samples.requireSizes(Objects.requireNonNull(pixels, "pixels").length, Objects.requireNonNull(y, "y"), inputs, outputs);
    }

    @Override
    public int size() {
        return pixels.length / inputs;
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        for (int k = 0, start = i * inputs; k < inputs; k++)
            x[xOffset + k] = (pixels[start + k] & 0xff) * SCALE;
        System.arraycopy(this.y, i * outputs, y, yOffset, outputs);
    }

    @Override
    public void gather(Backend backend, int[] rows, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        backend.gather(inputs, pixels, SCALE, rows, from, to, x, xOffset);
        backend.gather(outputs, this.y, rows, from, to, y, yOffset);
    }

    @Override
    public void gatherX(Program program, int[] columns, int from, int m, float[] x, int xOffset) {
        program.gather(inputs, m, pixels, SCALE, columns, from, x, xOffset);
    }

    @Override
    public void gatherY(Program program, int[] columns, int from, int m, float[] y, int yOffset) {
        program.gather(outputs, m, this.y, columns, from, y, yOffset);
    }
}
