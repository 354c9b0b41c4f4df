package dev.backblas;

/** {@link Loss#huber}. */
record Huber(float delta) implements Loss {

    Huber {
        if (!(delta > 0) || Float.isInfinite(delta))
            throw new IllegalArgumentException("huber: delta is " + delta + "; expected a finite number above 0");
    }

    @Override
    public double cost(int n, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        double sum = 0;
        for (int k = 0; k < n; k++) {
            final float r = a[aOffset + k] - y[yOffset + k], slope = Math.max(-delta, Math.min(delta, r));
            gradient[gradientOffset + k] = slope;
            sum += slope * (r - 0.5 * slope); // ½ r², and δ (|r| − ½ δ) where r was cut
        }
        return sum;
    }

    @Override
    public double cost(int n, int m, float[] a, int aOffset, float[] y, int yOffset, float[] gradient, int gradientOffset) {
        return cost(n * m, a, aOffset, y, yOffset, gradient, gradientOffset);
    }

    @Override
    public String toString() {
        return "HUBER(" + delta + ")";
    }
}
