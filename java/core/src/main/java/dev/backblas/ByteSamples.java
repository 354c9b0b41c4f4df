package dev.backblas;

/** A {@link Dataset} of images that stay bytes until a batch is made of them. */
record ByteSamples(byte[] pixels, float[] y, int inputs, int outputs) implements Dataset {

    ByteSamples {
        Samples.requireSizes(pixels.length, y, inputs, outputs);
    }

    @Override
    public int size() {
        return pixels.length / inputs;
    }

    @Override
    public void copy(int i, float[] x, int xOffset, float[] y, int yOffset) {
        for (int k = 0, start = i * inputs; k < inputs; k++)
            x[xOffset + k] = (pixels[start + k] & 0xff) * (1 / 255f);
        System.arraycopy(this.y, i * outputs, y, yOffset, outputs);
    }
}
