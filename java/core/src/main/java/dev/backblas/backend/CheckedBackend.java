package dev.backblas.backend;

import org.jspecify.annotations.Nullable;

/**
 * Checks every argument, then computes: what lies behind {@code compute…} may trust all it is given. Products too small to be
 * worth a call are done by {@link Loops} at once.
 */
abstract sealed class CheckedBackend implements Backend permits JavaBackend, NetlibBackend, OpenBlasBackend {

    abstract void computeAffine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                                int aOffset, Activation phi, float[] next, int nextOffset);

    abstract void computeInputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                                       Activation phi, float @Nullable [] a, int aOffset, float[] previous,
                                       int previousOffset);

    abstract void computeWeightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset,
                                        float[] delta, int deltaOffset, float beta, float[] c, int cOffset, float gamma,
                                        float @Nullable [] cBias, int cBiasOffset);

    @Override
    public final void affine(int in, int out, int m, float[] w, int wOffset, float @Nullable [] b, int bOffset, float[] a,
                             int aOffset, Activation phi, float[] next, int nextOffset) {
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
        if (Loops.areFaster(in, out, m, phi))
            Loops.affine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
        else computeAffine(in, out, m, w, wOffset, b, bOffset, a, aOffset, phi, next, nextOffset);
    }

    @Override
    public final void inputGradient(int in, int out, int m, float[] w, int wOffset, float[] delta, int deltaOffset,
                                    Activation phi, float @Nullable [] a, int aOffset, float[] previous,
                                    int previousOffset) {
        final String op = "inputGradient";
        sizes(op, in, out, m);
        matrix(op, "W", in, out, w, wOffset);
        matrix(op, "delta", out, m, delta, deltaOffset);
        activation(op, phi);
        if (phi == Activation.SOFTMAX)
            throw new IllegalArgumentException(op + ": softmax is for the output layer; it cannot have made A");
        if (phi == Activation.IDENTITY) a = null; // it is not read
        else matrix(op, "A", in, m, a, aOffset);
        matrix(op, "delta'", in, m, previous, previousOffset);
        apart(op, "delta'", previous, previousOffset, in * m, "W", w, wOffset, in * out);
        apart(op, "delta'", previous, previousOffset, in * m, "delta", delta, deltaOffset, out * m);
        if (a != null) apart(op, "delta'", previous, previousOffset, in * m, "A", a, aOffset, in * m);
        if (Loops.areFaster(in, out, m))
            Loops.inputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
        else computeInputGradient(in, out, m, w, wOffset, delta, deltaOffset, phi, a, aOffset, previous, previousOffset);
    }

    @Override
    public final void weightGradient(int in, int out, int m, int from, int to, float alpha, float[] a, int aOffset,
                                     float[] delta, int deltaOffset, float beta, float[] c, int cOffset, float gamma,
                                     float @Nullable [] cBias, int cBiasOffset) {
        final String op = "weightGradient";
        sizes(op, in, out, m);
        if (from < 0 || from > to || to > out)
            throw new IllegalArgumentException(
                op + ": the tile is [" + from + ", " + to + "); expected 0 <= from <= to <= out, and out is " + out);
        matrix(op, "A", in, m, a, aOffset);
        matrix(op, "delta", out, m, delta, deltaOffset);
        matrix(op, "C", in, out, c, cOffset);
        apart(op, "C", c, cOffset, in * out, "A", a, aOffset, in * m);
        apart(op, "C", c, cOffset, in * out, "delta", delta, deltaOffset, out * m);
        if (cBias != null) {
            matrix(op, "c", out, 1, cBias, cBiasOffset);
            apart(op, "c", cBias, cBiasOffset, out, "A", a, aOffset, in * m);
            apart(op, "c", cBias, cBiasOffset, out, "delta", delta, deltaOffset, out * m);
            if (cBias == c)
                throw new IllegalArgumentException(op + ": C and c are one array; expected two, for both are written");
        }
        if (Loops.areFaster(in, to - from, m))
            Loops.weightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                                 cBiasOffset);
        else computeWeightGradient(in, out, m, from, to, alpha, a, aOffset, delta, deltaOffset, beta, c, cOffset, gamma, cBias,
                                   cBiasOffset);
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
