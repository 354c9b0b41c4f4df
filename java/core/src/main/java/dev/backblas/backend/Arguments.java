package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/** What every kernel asks of its arguments; native code trusts what has passed here. */
final class Arguments {

    private Arguments() {}

    static void affine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a, int aOffset,
                       Activation phi, float[] next, int nextOffset) {
        final String op = "affine";
        sizes(op, in, out, m);
        matrix(op, "W", in, out, w, wOffset);
        if (b != null) matrix(op, "b", out, 1, b, bOffset);
        matrix(op, "A", in, m, a, aOffset);
        activation(op, phi);
        matrix(op, "A'", out, m, next, nextOffset);
        apart(op, "A'", next, nextOffset, out * m, "W", w, wOffset, in * out);
        if (b != null) apart(op, "A'", next, nextOffset, out * m, "b", b, bOffset, out);
        apart(op, "A'", next, nextOffset, out * m, "A", a, aOffset, in * m);
    }

    static void inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset, Activation phi,
                              float @Nullable [] a, int aOffset, float[] previous, int previousOffset) {
        final String op = "inputGradient";
        sizes(op, in, out, m);
        matrix(op, "W", in, out, w, wOffset);
        matrix(op, "delta", out, m, delta, deltaOffset);
        activation(op, phi);
        if (phi == Activation.SOFTMAX)
            throw new IllegalArgumentException(op + ": softmax is for the output layer; it cannot have made A");
        if (phi != Activation.IDENTITY) matrix(op, "A", in, m, a, aOffset); // else it is not read
        matrix(op, "delta'", in, m, previous, previousOffset);
        apart(op, "delta'", previous, previousOffset, in * m, "W", w, wOffset, in * out);
        apart(op, "delta'", previous, previousOffset, in * m, "delta", delta, deltaOffset, out * m);
        if (phi != Activation.IDENTITY) apart(op, "delta'", previous, previousOffset, in * m, "A", a, aOffset, in * m);
    }

    static void weightGradient(int in, int out, int m, int from, int to, float[] a, int aOffset, float[] delta, int deltaOffset,
                               float[] c, int cOffset, float @Nullable [] cBias, int cBiasOffset) {
        final String op = "weightGradient";
        sizes(op, in, out, m);
        tile(op, "out", out, from, to);
        matrix(op, "A", in, m, a, aOffset);
        matrix(op, "delta", out, m, delta, deltaOffset);
        matrix(op, "C", in, out, c, cOffset);
        apart(op, "C", c, cOffset, in * out, "A", a, aOffset, in * m);
        apart(op, "C", c, cOffset, in * out, "delta", delta, deltaOffset, out * m);
        if (cBias != null) {
            matrix(op, "c", out, 1, cBias, cBiasOffset);
            apart(op, "c", cBias, cBiasOffset, out, "A", a, aOffset, in * m);
            apart(op, "c", cBias, cBiasOffset, out, "delta", delta, deltaOffset, out * m);
            apart(op, "c", cBias, cBiasOffset, out, "C", c, cOffset, in * out);
        }
    }

    /** Units or rows, of which there are {@code size}. */
    static void tile(String op, String name, int size, int from, int to) {
        if (from < 0 || from > to || to > size)
            throw new IllegalArgumentException(
                op + ": the tile is [" + from + ", " + to + "); expected 0 <= from <= to <= " + name + ", and " + name + " is "
                    + size);
    }

    static void update(UpdateRule rule, int from, int to, float[] theta, float[] gradient, float @Nullable [] m,
                       float @Nullable [] v, float[] numbers, int numbersOffset) {
        final String op = "update";
        if (rule == null) throw new IllegalArgumentException(op + ": the rule is null; expected one");
        if (from < 0 || from > to)
            throw new IllegalArgumentException(op + ": the parameters are [" + from + ", " + to + "); expected 0 <= from <= to");
        matrix(op, "theta", to, 1, theta, 0);
        matrix(op, "g", to, 1, gradient, 0);
        if (rule.states() > 0) matrix(op, "m", to, 1, m, 0);
        if (rule.states() > 1) matrix(op, "v", to, 1, v, 0);
        matrix(op, "its numbers", UpdateRule.NUMBERS, 1, numbers, numbersOffset);
        final float[][] written = {theta, rule.states() > 0 ? m : null, rule.states() > 1 ? v : null};
        final String[] names = {"theta", "m", "v"};
        for (int i = 0; i < written.length; i++) {
            if (written[i] == null) continue;
            apart(op, names[i], written[i], from, to - from, "g", gradient, from, to - from);
            apart(op, names[i], written[i], from, to - from, "its numbers", numbers, numbersOffset, UpdateRule.NUMBERS);
            for (int k = 0; k < i; k++)
                if (written[k] != null) apart(op, names[i], written[i], from, to - from, names[k], written[k], from, to - from);
        }
    }

    static void activate(int n, Activation phi, float[] z, int zOffset, float[] a, int aOffset) {
        final String op = "activate";
        sizes(op, n, 1, 1);
        activation(op, phi);
        if (phi == Activation.SOFTMAX)
            throw new IllegalArgumentException(op + ": softmax is no function of one value; expected another");
        matrix(op, "Z", n, 1, z, zOffset);
        matrix(op, "A", n, 1, a, aOffset);
        apart(op, "A", a, aOffset, n, "Z", z, zOffset, n);
    }

    static void dropout(int n, float p, float[] x, int xOffset, float[] out, int outOffset, float[] key, int keyOffset) {
        final String op = "dropout";
        sizes(op, n, 1, 1);
        if (!(p >= 0 && p < 1)) throw new IllegalArgumentException(op + ": p is " + p + "; expected a number in [0, 1)");
        matrix(op, "X", n, 1, x, xOffset);
        matrix(op, "X'", n, 1, out, outOffset);
        matrix(op, "its key", 2, 1, key, keyOffset);
        if (x != out || xOffset != outOffset) apart(op, "X'", out, outOffset, n, "X", x, xOffset, n);
        apart(op, "X'", out, outOffset, n, "its key", key, keyOffset, 2);
    }

    static void cost(Cost cost, int n, int m, float[] a, int aOffset, float[] y, int yOffset, float @Nullable [] weights,
                     int weightsOffset, float[] delta, int deltaOffset) {
        final String op = "cost";
        if (cost == null) throw new IllegalArgumentException(op + ": C is null; expected one");
        sizes(op, n, 1, m);
        matrix(op, "A", n, m, a, aOffset);
        matrix(op, "Y", n, m, y, yOffset);
        matrix(op, "delta", n, m, delta, deltaOffset);
        apart(op, "delta", delta, deltaOffset, n * m, "A", a, aOffset, n * m);
        apart(op, "delta", delta, deltaOffset, n * m, "Y", y, yOffset, n * m);
        if (weights == null) return;
        matrix(op, "the weights", m, 1, weights, weightsOffset);
        apart(op, "delta", delta, deltaOffset, n * m, "the weights", weights, weightsOffset, m);
    }

    static void backward(int n, int m, Activation phi, float[] a, int aOffset, float[] delta, int deltaOffset) {
        final String op = "backward";
        sizes(op, n, 1, m);
        activation(op, phi);
        matrix(op, "A", n, m, a, aOffset);
        matrix(op, "delta", n, m, delta, deltaOffset);
        apart(op, "delta", delta, deltaOffset, n * m, "A", a, aOffset, n * m);
    }

    static void sum(int n, int m, int terms, int step, int from, int to, float[] x, int xOffset, Activation phi,
                    float @Nullable [] a, int aOffset, float[] delta, int deltaOffset) {
        final String op = "sum";
        sizes(op, n, terms, m);
        tile(op, "n", n, from, to);
        activation(op, phi);
        if (phi == Activation.SOFTMAX)
            throw new IllegalArgumentException(op + ": softmax is for the output layer; it cannot have made A");
        if (terms > 1 && step < (long) n * m)
            throw new IllegalArgumentException(
                op + ": each X begins " + step + " behind the one before, but is " + n + "x" + m + "; expected no overlap");
        final long size = (terms - 1L) * step + (long) n * m;
        matrix(op, "X", n, m, x, xOffset);
        if (size > x.length - xOffset)
            throw new IllegalArgumentException(
                op + ": the last of " + terms + " X ends at " + (xOffset + size) + ", but their array has " + x.length
                    + " elements; expected at least as many");
        if (phi != Activation.IDENTITY) matrix(op, "A", n, m, a, aOffset); // else it is not read
        matrix(op, "delta", to - from, m, delta, deltaOffset);
        apart(op, "delta", delta, deltaOffset, (to - from) * m, "X", x, xOffset, (int) size);
        if (phi != Activation.IDENTITY) apart(op, "delta", delta, deltaOffset, (to - from) * m, "A", a, aOffset, n * m);
    }

    static void finite(int n, float[] x, int xOffset) {
        final String op = "finite";
        sizes(op, n, 1, 1);
        matrix(op, "X", n, 1, x, xOffset);
    }

    static void gather(int n, @Nullable Object source, int @Nullable [] columns, int from, int to, float[] x, int xOffset) {
        final String op = "gather";
        if (n < 1) throw new IllegalArgumentException(op + ": n is " + n + "; expected 1 or more");
        if (source == null || columns == null)
            throw new IllegalArgumentException(op + ": the array of " + (source == null ? "S" : "columns") + " is null");
        if (from < 0 || from > to || to > columns.length)
            throw new IllegalArgumentException(op + ": the columns are [" + from + ", " + to
                + "); expected 0 <= from <= to <= " + columns.length + ", the numbers there are");
        matrix(op, "X", n, to - from, x, xOffset);
        if (source == x) throw new IllegalArgumentException(op + ": S and X are one array; expected two");
    }

    /** Those that are gathered must be there. */
    static void columns(int size, int[] columns, int from, int to) {
        int outside = 0;
        for (int j = from; j < to; j++) outside |= columns[j] | size - 1 - columns[j]; // negative if any is
        if (outside >= 0) return;
        for (int j = from; j < to; j++)
            if (columns[j] < 0 || columns[j] >= size)
                throw new IllegalArgumentException(
                    "gather: there is no column " + columns[j] + "; expected 0 to " + (size - 1));
    }

    static void values(String op, int n, float[] x, int xOffset) {
        if (n < 0) throw new IllegalArgumentException(op + ": n is " + n + "; expected 0 or more");
        matrix(op, "x", n, 1, x, xOffset);
    }

    private static void sizes(String op, int in, int out, int m) {
        if (in < 1 || out < 1 || m < 1)
            throw new IllegalArgumentException(
                op + ": in is " + in + ", out is " + out + ", m is " + m + "; expected each to be 1 or more");
    }

    private static void activation(String op, @Nullable Activation phi) {
        if (phi == null) throw new IllegalArgumentException(op + ": phi is null; expected an activation");
    }

    private static void matrix(String op, String name, int rows, int columns, float @Nullable [] x, int offset) {
        if (x == null) throw new IllegalArgumentException(op + ": the array of " + name + " is null");
        if (offset < 0 || (long) rows * columns > (long) x.length - offset)
            throw new IllegalArgumentException(
                op + ": " + name + " is " + rows + "x" + columns + " from offset " + offset + ", but its array has "
                    + x.length + " elements; expected at least " + (Math.max(offset, 0) + (long) rows * columns)
                    + (offset < 0 ? " and no negative offset" : ""));
    }

    private static void apart(String op, String output, float[] x, int xOffset, int xSize, String other, float[] y,
                              int yOffset, int ySize) {
        if (x == y && xOffset < yOffset + ySize && yOffset < xOffset + xSize)
            throw new IllegalArgumentException(
                op + ": the output " + output + " overlaps " + other + " in the same array; expected memory of its own");
    }
}
